package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver

	"github.com/tongbo/tongbo/internal/fault"
)

// busyTimeout bounds, in milliseconds, how long a write waits for another
// process (apply beside serve) to finish its own. It is under the second
// within which a PG must hear from us.
const busyTimeout = 800

// sqliteWait is busyTimeout as SQLite is told.
var sqliteWait = fmt.Sprintf("busy_timeout(%d)", busyTimeout)

// readers is how many queries run at once beside the writer.
const readers = 8

// mostAtOnce bounds how many writes one commit carries.
const mostAtOnce = 256

func sqliteDSN(file string, pragmas ...string) string {
	v := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

func openSQLite(ctx context.Context, file string, o Options) (*Store, error) {
	if file == "" {
		return nil, fault.Errorf(fault.Invalid, "database sqlite: has no file name; write sqlite:tongbo.db")
	}
	if dir := filepath.Dir(file); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			return nil, fault.Errorf(fault.Invalid, "database folder %s: %w", dir, err)
		}
	}
	if err := private(file); err != nil {
		return nil, err
	}
	s := &Store{Reader: &Reader{key: o.Key}, log: o.Log, id: uuid.NewString()}
	if err := s.openFile(ctx, file, o.Exclusive); err != nil {
		_ = s.Close() // what was opened so far
		return nil, err
	}
	return s, nil
}

// openFile opens what a store on SQLite has; Close ends it, however far it got.
func (s *Store) openFile(ctx context.Context, file string, exclusive bool) error {
	if exclusive {
		release, err := lockFile(file + ".lock")
		if err != nil {
			return err
		}
		s.closers = append(s.closers, release)
	}
	write, err := sql.Open("sqlite", sqliteDSN(file, sqliteWait, "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)"))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	s.closing(write.Close)
	if err := migrateSQLite(ctx, write, file); err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", sqliteDSN(file, sqliteWait, "query_only(1)")); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(readers)
	s.db.SetMaxIdleConns(readers)
	s.closing(s.db.Close)
	w, err := newSQLiteWriter(ctx, write)
	if err != nil {
		return err
	}
	s.w = w
	if err := s.checkKey(ctx); err != nil {
		return err
	}
	if exclusive {
		return s.freeLeases(ctx)
	}
	return nil
}

// private makes a file that does not exist yet, for this user alone. SQLite
// gives the files beside it the same rights.
func private(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Errorf(fault.Invalid, "database file: %w", err)
	}
	return f.Close()
}

// A sqliteWriter is SQLite's one writer: a goroutine that commits together
// what waited while it committed the last. Each function has a savepoint of
// its own, so one that fails takes nothing along.
type sqliteWriter struct {
	conn  *sql.Conn
	jobs  chan *sqliteJob
	done  chan struct{}
	ended chan struct{} // closed once run has returned
	stmts map[string]*sql.Stmt
}

type sqliteJob struct {
	ctx  context.Context
	fn   func(*tx) error
	err  error
	done chan struct{}
}

func newSQLiteWriter(ctx context.Context, db *sql.DB) (*sqliteWriter, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &sqliteWriter{conn: conn, jobs: make(chan *sqliteJob), done: make(chan struct{}), ended: make(chan struct{}), stmts: make(map[string]*sql.Stmt)}
	go w.run()
	return w, nil
}

func (w *sqliteWriter) write(ctx context.Context, fn func(*tx) error) error {
	j := &sqliteJob{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case w.jobs <- j:
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
	for {
		select {
		case <-w.done:
			for _, st := range w.stmts {
				_ = st.Close()
			}
			_ = w.conn.Close()
			return
		case j := <-w.jobs:
			w.commit(w.gather(j))
		}
	}
}

// gather takes what waits, without waiting for more.
func (w *sqliteWriter) gather(first *sqliteJob) []*sqliteJob {
	batch := []*sqliteJob{first}
	for len(batch) < mostAtOnce {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and lets go of its callers.
func (w *sqliteWriter) commit(batch []*sqliteJob) {
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
	}()
	ctx := context.Background()
	if err := w.exec(ctx, `begin immediate`); err != nil {
		failAll(batch, err)
		return
	}
	for i, j := range batch {
		if j.ctx.Err() != nil {
			j.err = j.ctx.Err()
			continue
		}
		if err := w.step(ctx, j); err != nil {
			// SQLite itself gave the transaction up (disk full, I/O error):
			// nothing of the batch is kept.
			_ = w.exec(ctx, `rollback`)
			failAll(batch[:i+1], err)
			failAll(batch[i+1:], err)
			return
		}
	}
	if err := w.exec(ctx, `commit`); err != nil {
		_ = w.exec(ctx, `rollback`)
		failAll(batch, err)
	}
}

// step runs one function inside its savepoint. Its error says that the whole
// transaction is lost; the function's own error is kept with the job.
func (w *sqliteWriter) step(ctx context.Context, j *sqliteJob) error {
	if err := w.exec(ctx, `savepoint job`); err != nil {
		return err
	}
	j.err = run(j.fn, &tx{ctx: ctx, q: w})
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
