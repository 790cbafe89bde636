package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
)

// A querier runs statements: a transaction, or a reader's pool.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A tx is a transaction in hand. It lives no longer than the function that
// got it.
type tx struct {
	ctx context.Context // of the transaction; a tx never outlives it
	q   querier
	s   *Store
	d   dialect

	due, settings bool // what to tell others after the commit
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// must is exec for statements whose count of rows does not matter.
func (t *tx) must(query string, args ...any) error {
	_, err := t.q.ExecContext(t.ctx, query, args...)
	return err
}

func (t *tx) row(query string, args ...any) *sql.Row {
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
func each(ctx context.Context, q querier, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) error {
	return each(t.ctx, t.q, query, args, scan)
}

// settingsLock is held shared by what is decided by the settings, and alone by
// what changes them: nothing is committed by settings that are changing.
const settingsLock = 1

// lock makes everyone who names one of the keys wait for the end of this
// transaction. Keys are taken in a fixed order, before any row is locked, so
// that no two transactions wait for each other. It also keeps the settings as
// they are. SQLite has one writer and needs no lock.
func (t *tx) lock(keys []string) error {
	if !t.d.postgres {
		return nil
	}
	for i, k := range keys {
		keys[i] = name(k)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	return t.must(`select pg_advisory_xact_lock_shared($2) union all
		select pg_advisory_xact_lock(h) from
		(select distinct hashtextextended(k, 0) as h from unnest($1::text[]) as k order by 1) as locks`, keys, settingsLock)
}

// lockSettings waits for what is being decided by the settings, and keeps
// others from deciding by them.
func (t *tx) lockSettings() error {
	if !t.d.postgres {
		return nil
	}
	return t.must(`select pg_advisory_xact_lock($1)`, settingsLock)
}

// settingsVersion is the version of the settings that this transaction sees.
func (t *tx) settingsVersion() (int64, error) {
	var v int64
	err := t.row(`select version from setting where id = 1`).Scan(&v)
	return v, err
}

// away gives the kind Unavailable to errors of the database itself. Faults
// and "no rows" pass as they are.
func away(err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var bug *programError
	if errors.As(err, &bug) {
		return err
	}
	return fault.Errorf(fault.Unavailable, "the database did not do it: %w", err)
}

// A programError is a mistake of ours, not of the database: trying again will
// not help.
type programError struct{ err error }

func (e *programError) Error() string { return e.err.Error() }
func (e *programError) Unwrap() error { return e.err }
