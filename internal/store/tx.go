package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tongbo/tongbo/internal/fault"
)

// A querier runs statements: a transaction, or a reader's pool.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (rowSet, error)
	QueryRowContext(ctx context.Context, query string, args ...any) scanner
}

// A rowSet is what a query answers, row by row. Close tells what went wrong, if
// nothing told it before.
type rowSet interface {
	scanner
	Next() bool
	Err() error
	Close() error
}

// A scanner reads a row into variables. The one of a query for one row reports
// sql.ErrNoRows if it found none.
type scanner interface{ Scan(dest ...any) error }

// over is a querier over what database/sql has.
func over(db standard) querier { return standardQuerier{db} }

// Standard is a pool, a connection or a transaction of database/sql.
type standard interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type standardQuerier struct{ standard }

// QueryContext runs a query.
func (q standardQuerier) QueryContext(ctx context.Context, query string, args ...any) (rowSet, error) {
	rows, err := q.standard.QueryContext(ctx, query, args...) //nolint:rowserrcheck // the caller does
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryRowContext runs a query for one row.
func (q standardQuerier) QueryRowContext(ctx context.Context, query string, args ...any) scanner {
	return q.standard.QueryRowContext(ctx, query, args...)
}

// A pipeline is a querier whose statements need not each be waited for:
// PostgreSQL's, to which each answer is a round trip.
type pipeline interface {
	querier
	// later keeps a statement back until another one is run, or send is called:
	// all go together, and run one after the other. hear, if it is not nil, is
	// called with each row.
	later(query string, args []any, hear func(rowSet) error)
	// send runs what was kept back. After the first error nothing is run.
	send(ctx context.Context) error
}

// A tx is a transaction in hand. It lives no longer than the function that
// got it.
type tx struct {
	ctx  context.Context // of the transaction; a tx never outlives it
	q    querier
	line pipeline // on PostgreSQL, and then it is q
	s    *Store
	d    dialect

	due, settings bool      // what to tell everyone after the commit
	events        bool      // an event was written that sessions may want
	elsewhere     bool      // a delivery is due that this node knows of
	throttled     []quieted // to be given at the end
	own           *fresh    // deliveries that this node takes itself
	version       int64     // of the settings, once it is known
	wrote         bool      // a statement was run that may have changed something

	rows   map[*bulk][][]any // kept to be written together
	kept   []*bulk           // those of rows, in order
	failed error             // why rows could not be written
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.flush(); err != nil {
		return 0, err
	}
	t.wrote = true
	res, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// must is exec for statements whose count of rows does not matter.
func (t *tx) must(query string, args ...any) error {
	_, err := t.exec(query, args...)
	return err
}

func (t *tx) row(query string, args ...any) scanner {
	_ = t.flush() // its error is that of the transaction
	return t.q.QueryRowContext(t.ctx, query, args...)
}

// has reports whether a query finds a row, scanning it into dest.
func (t *tx) has(query string, args []any, dest ...any) (bool, error) {
	err := t.row(query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls scan for every row of a query.
func each(ctx context.Context, q querier, query string, args []any, scan func(rowSet) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return hear(rows, scan)
}

// hear calls scan for every row, and closes them.
func hear(rows rowSet, scan func(rowSet) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *tx) each(query string, args []any, scan func(rowSet) error) error {
	if err := t.soon(query, args, scan); err != nil {
		return err
	}
	return t.send()
}

// soon is each that on PostgreSQL may wait, for another statement to go along
// with or for send. Without either, scan is never called.
func (t *tx) soon(query string, args []any, scan func(rowSet) error) error {
	if err := t.flush(); err != nil {
		return err
	}
	if t.line == nil {
		return each(t.ctx, t.q, query, args, scan)
	}
	t.line.later(query, args, scan)
	return nil
}

// send runs what soon kept back.
func (t *tx) send() error {
	if t.line == nil {
		return nil
	}
	return t.line.send(t.ctx)
}

// settingsVersion is the version of the settings that this transaction sees.
func (t *tx) settingsVersion() (int64, error) {
	err := t.row(versionQuery).Scan(&t.version)
	return t.version, err
}

const versionQuery = `select version from setting where id = 1`

// away gives the kind Unavailable to errors of the database itself. Faults
// and "no rows" pass as they are.
func away(err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, bug := errors.AsType[*programError](err); bug {
		return err
	}
	return fault.Errorf(fault.Unavailable, "the database did not do it: %w", err)
}

// A programError is a mistake of ours, not of the database: trying again will
// not help.
type programError struct{ err error }

func (e *programError) Error() string { return e.err.Error() }
func (e *programError) Unwrap() error { return e.err }
