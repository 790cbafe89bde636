package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
)

// MoveOptions say how an installation is moved.
type MoveOptions struct {
	Key *seal.Key // of the SQLite database, and of the other from then on; required
	// Progress is told now and then, from the caller's goroutine, how far a
	// table is.
	Progress func(MoveStep)
	// Problem is told of each problem that keeps the move from being made.
	Problem func(Problem)
}

// The phases of a move, in their order.
const (
	MoveCopies   = "copy"    // rows are copied
	MoveCompares = "compare" // what was written is read again
	MoveVerifies = "verify"  // the target's promises are checked
)

// A MoveStep is how far a move is.
type MoveStep struct {
	Phase       string
	Table       string // of the first two phases
	Rows, Total int64  // of the table
}

// A MovedTable is a table that both databases hold alike.
type MovedTable struct {
	Table  string
	Rows   int64
	Digest string // of the rows' contents in hex, whatever their order
}

// A Moved is a move that was made.
type Moved struct {
	Tables  []MovedTable
	Checked Checked // by Verify on the target
}

// seeded are the tables in which the schema itself puts rows.
var seeded = []string{"setting"}

// passing are the tables about processes that run, which stay behind. An
// engine may lack one.
var passing = []string{"probe", "node"}

// targetPatience bounds how long a move waits for whatever else works in the
// target.
const targetPatience = "5s"

// errUncertain says that nobody knows what became of a commit.
var errUncertain = errors.New("the connection broke while the move was committed: it is made wholly or not at all. Look with tongbo verify on the PostgreSQL database; if it holds nothing, move again")

// Move copies an installation from a SQLite database into an empty PostgreSQL
// one, and proves it: every table has as many rows with the same contents on
// both sides, and Verify finds nothing wrong in the target. All of that is one
// transaction of the target, so a move that fails leaves it as empty as it was
// (only its schema is made, if it had none). The source is not changed; while
// the move takes, nobody can write to it. Nothing is leased in the target.
//
// It reports fault.Conflict if the source is served, the target not empty, or
// something works in it; fault.Invalid if a schema is not this release's, the
// key is not the database's, or a row cannot be kept by PostgreSQL. What Verify
// finds is told to Problem, and the error is a *[ProblemsError].
func Move(ctx context.Context, from, to string, o MoveOptions) (Moved, error) {
	if o.Key == nil {
		return Moved{}, fault.Errorf(fault.Invalid, "a move needs the key that seals the database")
	}
	file, isFile := strings.CutPrefix(from, "sqlite:")
	if !isFile || file == "" || !isPostgres(to) {
		return Moved{}, fault.Errorf(fault.Invalid, "a move goes from sqlite:FILE to postgres://…")
	}
	m := &mover{ctx: ctx, o: o}
	defer m.close()
	moved, err := m.run(file, to)
	if err != nil && ctx.Err() != nil && !errors.Is(err, errUncertain) {
		return Moved{}, ctx.Err() // whatever the engines call it
	}
	return moved, err
}

func (m *mover) run(file, to string) (Moved, error) {
	if err := m.openSource(file); err != nil {
		return Moved{}, err
	}
	if err := m.openTarget(to); err != nil {
		return Moved{}, err
	}
	return m.move()
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// A ProblemsError says that a move was not made because of what Verify found.
type ProblemsError struct{ Problems int64 }

// Error says how many problems there are.
func (e *ProblemsError) Error() string {
	return fmt.Sprintf("nothing was moved: Verify finds %d problems in the database", e.Problems)
}

// A mover is one move under way.
type mover struct {
	ctx     context.Context // of the move
	o       MoveOptions
	closers []func() error

	source *sql.Conn // in a transaction that keeps others from writing
	target *Reader
	conn   *sql.Conn // of the target
	tx     *sql.Tx   // on conn
	tables []movedTable
	done   []MovedTable
}

func (m *mover) close() {
	for _, c := range slices.Backward(m.closers) {
		_ = c() // nothing is kept by them: what was to be kept is committed
	}
}

func (m *mover) closing(f func() error) { m.closers = append(m.closers, f) }

func (m *mover) step(s MoveStep) {
	if m.o.Progress != nil {
		m.o.Progress(s)
	}
}

// move does everything that is kept wholly or not at all.
func (m *mover) move() (Moved, error) {
	// Statements end with ctx, but not the commit once it has begun: who stops
	// a move is told for sure what became of it.
	var err error
	if m.tx, err = m.conn.BeginTx(context.WithoutCancel(m.ctx), nil); err != nil {
		return Moved{}, away(err)
	}
	defer func() { _ = m.tx.Rollback() }()
	for _, part := range []func() error{m.holdTarget, m.beEmpty, m.makePartitions, m.copyAll, m.compareAll, m.freeTarget} {
		if err := part(); err != nil {
			return Moved{}, away(err)
		}
	}
	m.step(MoveStep{Phase: MoveVerifies})
	checked, err := m.target.verifyIn(m.ctx, viewOf(m.tx, m.conn), func(p Problem) {
		if m.o.Problem != nil {
			m.o.Problem(p)
		}
	})
	if err != nil {
		return Moved{}, err
	}
	if checked.Problems > 0 {
		return Moved{}, &ProblemsError{checked.Problems}
	}
	if m.ctx.Err() != nil {
		return Moved{}, m.ctx.Err()
	}
	if err := m.tx.Commit(); err != nil {
		if _, refused := errors.AsType[*pgconn.PgError](err); refused {
			return Moved{}, away(err)
		}
		return Moved{}, fault.Errorf(fault.Unavailable, "%w: %w", errUncertain, err)
	}
	return Moved{m.done, checked}, nil
}

func (m *mover) exec(query string) error {
	_, err := m.tx.ExecContext(m.ctx, query)
	return err
}

// holdTarget keeps everything else from writing to the target.
func (m *mover) holdTarget() error {
	for _, limit := range []string{"idle_in_transaction_session_timeout", "statement_timeout"} {
		if err := m.exec(`set local ` + limit + ` = 0`); err != nil { // whatever the server's setting is
			return err
		}
	}
	if err := m.exec(`set local lock_timeout = '` + targetPatience + `'`); err != nil {
		return err
	}
	err := m.exec(`lock table ` + m.everyTable() + ` in exclusive mode`)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "55P03" {
		return errTargetInUse()
	}
	return err
}

func errTargetInUse() error {
	return fault.Errorf(fault.Conflict, "something works in the target: stop every tongbo that has it as its database")
}

func (m *mover) everyTable() string {
	names := make([]string, len(m.tables))
	for i, t := range m.tables {
		names[i] = t.quoted()
	}
	return strings.Join(names, ", ")
}

// beEmpty refuses a target in which anything is, and takes out of it what the
// schema put there.
func (m *mover) beEmpty() error {
	for _, t := range m.tables {
		if slices.Contains(seeded, t.name) {
			if err := m.exec(`delete from ` + t.quoted()); err != nil {
				return err
			}
			continue
		}
		var full bool
		if err := m.tx.QueryRowContext(m.ctx, `select exists (select from `+t.quoted()+`)`).Scan(&full); err != nil {
			return err
		}
		switch {
		case full && slices.Contains(passing, t.name):
			return fault.Errorf(fault.Conflict, "a tongbo runs on the target, or did lately (table %s): stop it, and make the database anew", t.name)
		case full:
			return fault.Errorf(fault.Conflict, "the target is not empty (table %s): a move needs a database that holds nothing", t.name)
		}
	}
	return nil
}

// copyAll copies every table, those first that others refer to.
func (m *mover) copyAll() error {
	for _, t := range m.tables {
		if slices.Contains(passing, t.name) {
			continue
		}
		done, err := m.copyTable(t)
		if err != nil {
			return err
		}
		m.done = append(m.done, done)
	}
	// Without it nothing is known of rows that are not committed, and Verify
	// would be planned for empty tables.
	return m.exec(`analyze ` + m.everyTable())
}

func (m *mover) copyTable(t movedTable) (MovedTable, error) {
	var total int64
	if err := m.source.QueryRowContext(m.ctx, `select count(*) from `+t.quoted()).Scan(&total); err != nil {
		return MovedTable{}, fmt.Errorf("count %s in the source: %w", t.name, err)
	}
	rows, err := m.source.QueryContext(m.ctx, t.reading())
	if err != nil {
		return MovedTable{}, fmt.Errorf("read %s: %w", t.name, err)
	}
	defer func() { _ = rows.Close() }()
	src := newMovedRows(t, rows, func(n int64) { m.step(MoveStep{MoveCopies, t.name, n, total}) })
	var n int64
	err = m.native(func(c *pgx.Conn) (err error) {
		n, err = c.CopyFrom(m.ctx, pgx.Identifier{t.name}, t.names(), src)
		return err
	})
	switch {
	case src.err != nil: // the cause of what PostgreSQL says
		return MovedTable{}, src.err
	case err != nil:
		return MovedTable{}, fmt.Errorf("write %s: %w", t.name, err)
	case n != total || src.sum.rows != total:
		return MovedTable{}, fault.Errorf(fault.Conflict, "nothing was moved: %s has %d rows, and %d were copied", t.name, total, n)
	}
	return MovedTable{t.name, total, src.sum.String()}, nil
}

// native lends the target's connection in its own form, inside the transaction.
func (m *mover) native(fn func(*pgx.Conn) error) error {
	return m.conn.Raw(func(c any) error { return fn(c.(*stdlib.Conn).Conn()) })
}

// compareAll reads back what was written, and refuses any difference.
func (m *mover) compareAll() error {
	for _, want := range m.done {
		t := m.tables[slices.IndexFunc(m.tables, func(t movedTable) bool { return t.name == want.Table })]
		var got digest
		err := m.native(func(c *pgx.Conn) error {
			rows, err := c.Query(m.ctx, t.reading())
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				values, err := rows.Values()
				if err != nil {
					return err
				}
				got.add(values)
				if got.rows%toldEvery == 0 {
					m.step(MoveStep{MoveCompares, t.name, got.rows, want.Rows})
				}
			}
			return rows.Err()
		})
		if err != nil {
			return fmt.Errorf("read %s again: %w", t.name, err)
		}
		if got.rows != want.Rows || got.String() != want.Digest {
			return fault.Errorf(fault.Conflict, "nothing was moved: %s has %d rows in the target with digest %s, and %d with %s in the source",
				t.name, got.rows, got.String(), want.Rows, want.Digest)
		}
		m.step(MoveStep{MoveCompares, t.name, got.rows, want.Rows})
	}
	return nil
}

// freeTarget makes due what a server of the source had in hand.
func (m *mover) freeTarget() error { return m.exec(freeAll) }
