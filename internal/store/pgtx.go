package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A pgTx is a transaction of PostgreSQL. It begins with the first statement that
// is sent, in the same round trip, and ends in that of the last ones.
type pgTx struct {
	conn   *pgx.Conn
	kept   []statementKept
	begun  bool
	failed error // of a statement: nothing is run after it
}

// A statementKept is one that was not sent yet.
type statementKept struct {
	query string
	args  []any
	hear  func(rowSet) error // may be nil
}

func (p *pgTx) later(query string, args []any, hear func(rowSet) error) {
	p.begin()
	p.kept = append(p.kept, statementKept{query, args, hear})
}

func (p *pgTx) begin() {
	if !p.begun {
		p.begun = true
		p.kept = append(p.kept, statementKept{query: "begin"})
	}
}

func (p *pgTx) send(ctx context.Context) error {
	_, err := p.run(ctx)
	return err
}

// run sends what was kept, and tells what the last of it did.
func (p *pgTx) run(ctx context.Context) (tag pgconn.CommandTag, err error) {
	kept := p.kept
	p.kept = nil
	switch {
	case p.failed != nil || len(kept) == 0:
		return tag, p.failed
	case len(kept) == 1 && kept[0].hear == nil && len(kept[0].args) == 0:
		// Nothing to prepare, and most such statements are run but once.
		tag, err = p.conn.Exec(ctx, kept[0].query)
		return tag, p.fail(err)
	case len(kept) == 1:
		rows, _ := p.conn.Query(ctx, kept[0].query, kept[0].args...) // rows have its error; answer closes them
		return p.answer(rows, kept[0].hear)
	}
	var b pgx.Batch
	for _, k := range kept {
		b.Queue(k.query, k.args...)
	}
	results := p.conn.SendBatch(ctx, &b)
	for _, k := range kept {
		rows, _ := results.Query() // as above
		if tag, err = p.answer(rows, k.hear); err != nil {
			_ = results.Close()
			return tag, err
		}
	}
	return tag, p.fail(results.Close())
}

// answer has the rows of a statement heard.
func (p *pgTx) answer(rows pgx.Rows, scan func(rowSet) error) (pgconn.CommandTag, error) {
	if scan != nil {
		if err := hear(pgRows{rows}, scan); err != nil {
			if rows.Err() != nil {
				return rows.CommandTag(), p.fail(err)
			}
			return rows.CommandTag(), err
		}
	}
	rows.Close()
	return rows.CommandTag(), p.fail(rows.Err())
}

func (p *pgTx) fail(err error) error {
	if p.failed == nil {
		p.failed = err
	}
	return err
}

// commit ends the transaction, along with statements that were kept. It is an
// error if PostgreSQL took the transaction back instead; any other error leaves
// open, where the connection broke, whether it was committed.
func (p *pgTx) commit(ctx context.Context) error {
	for _, k := range p.kept {
		if k.hear == nil {
			continue
		}
		// Whoever hears may object.
		if err := p.send(ctx); err != nil {
			return err
		}
		break
	}
	if !p.begun {
		return nil // nothing was asked
	}
	p.later("commit", nil, nil)
	tag, err := p.run(ctx)
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// rollback ends the transaction, if the connection can still be used after it.
// Otherwise it is closed when it is released.
func (p *pgTx) rollback(ctx context.Context) {
	if p.conn.IsClosed() || p.conn.PgConn().TxStatus() == 'I' {
		return
	}
	_, _ = p.conn.Exec(ctx, "rollback")
}

// ExecContext runs a statement after those that were kept.
func (p *pgTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.later(query, args, nil)
	tag, err := p.run(ctx)
	return driver.RowsAffected(tag.RowsAffected()), err
}

// QueryContext runs a query after the statements that were kept.
func (p *pgTx) QueryContext(ctx context.Context, query string, args ...any) (rowSet, error) {
	p.begin()
	if err := p.send(ctx); err != nil {
		return nil, err
	}
	rows, err := p.conn.Query(ctx, query, args...) // the caller closes them
	return pgRows{rows}, p.fail(err)
}

// QueryRowContext is a query for one row, which is run once it is scanned, after
// the statements that were kept.
func (p *pgTx) QueryRowContext(ctx context.Context, query string, args ...any) scanner {
	return pgRow{p, ctx, query, args}
}

// pgRows are rows of pgx.
type pgRows struct{ pgx.Rows }

// Close tells what went wrong, if something did.
func (r pgRows) Close() error {
	r.Rows.Close()
	return r.Err()
}

// A pgRow is a query for one row.
type pgRow struct {
	p     *pgTx
	ctx   context.Context // of the query
	query string
	args  []any
}

// Scan runs the query. It reports sql.ErrNoRows if that found nothing.
func (r pgRow) Scan(dest ...any) error {
	found := false
	r.p.later(r.query, r.args, func(rows rowSet) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	if err := r.p.send(r.ctx); err != nil {
		return err
	}
	if !found {
		return sql.ErrNoRows
	}
	return nil
}
