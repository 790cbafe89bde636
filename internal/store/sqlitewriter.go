package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"modernc.org/sqlite"

	"github.com/tongbo/tongbo/internal/fault"
)

// A sqliteWriter is SQLite's one writer: a goroutine that commits together
// what waited while it committed the last. A function that fails takes nothing
// along: if it wrote something, or SQLite itself failed it, all of them run once
// more, each in a savepoint of its own. (Savepoints for all and always would
// cost a tenth.) Functions in the first line go ahead of all others: a PG waits
// a second, everyone else can wait longer.
type sqliteWriter struct {
	file  string
	born  os.FileInfo // of the file when it was opened
	conn  *sql.Conn
	first chan *sqliteJob
	jobs  chan *sqliteJob
	done  chan struct{}
	ended chan struct{} // closed once run has returned
	stmts map[string]*sql.Stmt
}

// commitBudget is how long one commit goes on taking functions that are not in
// the first line; what is left waits for the next.
const commitBudget = 100 * time.Millisecond

type sqliteJob struct {
	ctx   context.Context
	fn    func(*tx) error
	first bool // in the first line
	err   error
	done  chan struct{}
}

func newSQLiteWriter(ctx context.Context, db *sql.DB, file string) (*sqliteWriter, error) {
	born, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &sqliteWriter{
		file: file, born: born, conn: conn, first: make(chan *sqliteJob), jobs: make(chan *sqliteJob),
		done: make(chan struct{}), ended: make(chan struct{}), stmts: make(map[string]*sql.Stmt),
	}
	go w.run()
	return w, nil
}

func (w *sqliteWriter) write(ctx context.Context, fn func(*tx) error) error {
	return w.submit(ctx, w.jobs, &sqliteJob{ctx: ctx, fn: fn})
}

func (w *sqliteWriter) writeFirst(ctx context.Context, fn func(*tx) error) error {
	return w.submit(ctx, w.first, &sqliteJob{ctx: ctx, fn: fn, first: true})
}

func (w *sqliteWriter) submit(ctx context.Context, line chan<- *sqliteJob, j *sqliteJob) error {
	j.done = make(chan struct{})
	select {
	case line <- j:
	case <-ctx.Done():
		return fault.Errorf(fault.Unavailable, "the database is busy: %w", ctx.Err())
	case <-w.done:
		return fault.Errorf(fault.Unavailable, "the database is closed")
	}
	// A function that was taken is waited for, since it may be committed.
	<-j.done
	return j.err
}

func (w *sqliteWriter) close() error {
	close(w.done)
	<-w.ended // what was taken is committed first
	return nil
}

func (w *sqliteWriter) run() {
	defer close(w.ended)
	var left []*sqliteJob // taken, and not yet begun
	for {
		batch := w.next(left)
		if batch == nil {
			for _, st := range w.stmts {
				_ = st.Close()
			}
			_ = w.conn.Close()
			return
		}
		left = w.commit(batch)
	}
}

// next is what the next commit carries: the first line, then what was left,
// then what else waits. It waits only if there is nothing; nil ends the writer.
func (w *sqliteWriter) next(left []*sqliteJob) []*sqliteJob {
	var first, others []*sqliteJob
	if len(left) == 0 {
		select {
		case <-w.done:
			return nil
		case j := <-w.first:
			first = append(first, j)
		case j := <-w.jobs:
			others = append(others, j)
		}
	}
	first = drain(w.first, first)
	return append(append(first, left...), drain(w.jobs, others)...)
}

// drain takes what waits in a line, without waiting for more.
func drain(line <-chan *sqliteJob, taken []*sqliteJob) []*sqliteJob {
	for len(taken) < mostAtOnce {
		select {
		case j := <-line:
			taken = append(taken, j)
		default:
			return taken
		}
	}
	return taken
}

// commit runs a batch in one transaction and lets go of its callers. It
// returns the functions for which there was no time.
func (w *sqliteWriter) commit(batch []*sqliteJob) (left []*sqliteJob) {
	defer func() {
		for _, j := range batch[:len(batch)-len(left)] {
			close(j.done)
		}
	}()
	left, again := w.attempt(batch, false)
	if again {
		left, _ = w.attempt(batch, true)
	}
	return left
}

// attempt runs a batch in one transaction, with savepoints or without. Without,
// it says when the batch must be run again with them, and nothing was kept.
func (w *sqliteWriter) attempt(batch []*sqliteJob, savepoints bool) (left []*sqliteJob, again bool) {
	ctx := context.Background()
	if err := w.begin(ctx); err != nil {
		failAll(batch, err)
		return nil, false
	}
	var others time.Time // when the first of those not in the first line began
	for i, j := range batch {
		switch {
		case j.first:
		case others.IsZero(): // one at least: the first line starves nobody
			others = time.Now()
		case time.Since(others) > commitBudget:
			left = batch[i:]
		}
		if left != nil {
			break
		}
		if j.ctx.Err() != nil {
			j.err = j.ctx.Err()
			continue
		}
		var err error
		if savepoints {
			err = w.step(ctx, j)
		} else if again = w.plain(ctx, j); again {
			_ = w.exec(ctx, `rollback`) // fails if SQLite did it
			return nil, true
		}
		if err != nil {
			// SQLite itself gave the transaction up (disk full, I/O error):
			// nothing of the batch is kept.
			_ = w.exec(ctx, `rollback`)
			failAll(batch, err)
			return nil, false
		}
	}
	if err := w.exec(ctx, `commit`); err != nil {
		_ = w.exec(ctx, `rollback`)
		failAll(batch[:len(batch)-len(left)], err)
	}
	return left, false
}

// plain runs one function without a savepoint. Its error matters to itself
// alone if it wrote nothing and the error is its own. Else the batch must be
// undone: an error of SQLite (disk full, I/O error), even of a query, may have
// ended the transaction, and whatever ran after it would be committed statement
// by statement.
func (w *sqliteWriter) plain(ctx context.Context, j *sqliteJob) (undo bool) {
	t := &tx{ctx: ctx, q: over(w)}
	j.err = run(j.fn, t)
	if j.err == nil {
		return false
	}
	_, engine := errors.AsType[*sqlite.Error](j.err)
	return engine || t.wrote || fault.KindOf(j.err) == fault.Internal
}

// begin starts a transaction, unless the file is no longer the one that was
// opened: what is written to a file that was deleted or replaced is on no disk.
func (w *sqliteWriter) begin(ctx context.Context) error {
	now, err := os.Stat(w.file)
	if err != nil || !os.SameFile(now, w.born) {
		return fault.Errorf(fault.Unavailable, "the database file %s was deleted or replaced while it was open: stop the server and put it back", w.file)
	}
	return w.exec(ctx, `begin immediate`)
}

// step runs one function inside its savepoint. Its error says that the whole
// transaction is lost; the function's own error is kept with the job.
func (w *sqliteWriter) step(ctx context.Context, j *sqliteJob) error {
	if err := w.exec(ctx, `savepoint job`); err != nil {
		return err
	}
	j.err = run(j.fn, &tx{ctx: ctx, q: over(w)})
	if j.err == nil {
		return w.exec(ctx, `release job`)
	}
	if err := w.exec(ctx, `rollback to job`); err != nil {
		return j.err
	}
	return w.exec(ctx, `release job`)
}

// run calls fn and turns a panic into an error: one bad row must not stop the
// writer that everyone shares.
func run(fn func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &programError{fmt.Errorf("panic in a transaction: %v", p)}
		}
	}()
	return fn(t)
}

func failAll(batch []*sqliteJob, err error) {
	for _, j := range batch {
		if j.err == nil {
			j.err = err
		}
	}
}

func (w *sqliteWriter) exec(ctx context.Context, query string) error {
	_, err := w.ExecContext(ctx, query)
	return err
}

// stmt prepares each statement once: parsing costs SQLite more than running.
func (w *sqliteWriter) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := w.stmts[query]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = st
	return st, nil
}

// ExecContext runs a prepared statement.
func (w *sqliteWriter) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := w.stmt(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// QueryContext runs a prepared query.
func (w *sqliteWriter) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := w.stmt(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row.
func (w *sqliteWriter) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := w.stmt(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return w.conn.QueryRowContext(ctx, query, args...) // reports the same error
	}
	return st.QueryRowContext(ctx, args...)
}
