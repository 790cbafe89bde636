package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/fault"
)

// How many connections a store has. Those that write are its own, so that
// whoever reads much does not keep notices waiting.
const (
	postgresReaders = 16
	postgresWriters = 8
)

func openPostgres(ctx context.Context, url string, o Options) (*Store, error) {
	cfg, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	d := dialect{postgres: true, forUpdate: " for update"}
	s := &Store{company: company{log: o.Log}, Reader: &Reader{key: o.Key, d: d}, log: o.Log, id: uuid.NewString()}
	if err := s.connect(ctx, cfg); err != nil {
		_ = s.Close() // what was opened so far
		return nil, err
	}
	return s, nil
}

func postgresConfig(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "database %q is not a PostgreSQL URL", Redact(url))
	}
	towardsPrimary(cfg, url)
	// Nothing of ours keeps a transaction open across anything but
	// statements; a client that died must not hold locks.
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "10s"
	cfg.ConnConfig.RuntimeParams["application_name"] = "tongbo"
	// Compiling a statement takes longer than any of ours runs.
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	cfg.MaxConns = max(cfg.MaxConns, postgresReaders)
	return cfg, nil
}

// connect opens what a store on PostgreSQL has; Close ends it, however far it
// got.
func (s *Store) connect(ctx context.Context, cfg *pgxpool.Config) error {
	writing := cfg.Copy()
	writing.MaxConns = postgresWriters
	// What writes goes by keys. Statistics of a table that fills and empties, or
	// of a partition that is new, would tell the planner to read it whole.
	writing.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	writing.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		knowColumns(c)
		return nil
	}
	var err error
	if s.db, _, err = s.pool(ctx, cfg); err != nil {
		return err
	}
	db, pool, err := s.pool(ctx, writing)
	if err != nil {
		return err
	}
	if err := migrate(ctx, db, true); err != nil {
		return err
	}
	s.w = &postgresWriter{pool: pool, d: s.d}
	return s.checkKey(ctx)
}

// pool opens a pool that Close closes, also as one of database/sql.
func (s *Store) pool(ctx context.Context, cfg *pgxpool.Config) (*sql.DB, *pgxpool.Pool, error) {
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, nil, fault.Errorf(fault.Unavailable, "database %s: %w", Redact(cfg.ConnString()), err)
	}
	s.pools = append(s.pools, pool)
	db := stdlib.OpenDBFromPool(pool)
	s.closing(func() error {
		err := db.Close()
		pool.Close()
		return err
	})
	return db, pool, nil
}

// A postgresWriter runs each function in a transaction of its own. What
// PostgreSQL asks to repeat (a deadlock, a failed serialisation) is repeated.
type postgresWriter struct {
	pool *pgxpool.Pool
	d    dialect
}

const mostRepeats = 5

// writeFirst is write: there are connections enough.
func (w *postgresWriter) writeFirst(ctx context.Context, fn func(*tx) error) error {
	return w.write(ctx, fn)
}

func (w *postgresWriter) write(ctx context.Context, fn func(*tx) error) error {
	var err error
	for range mostRepeats {
		// A connection that had died unnoticed took nothing with it.
		if err = w.once(ctx, fn); !repeatable(err) && !pgconn.SafeToRetry(err) {
			return err
		}
	}
	return err
}

func (w *postgresWriter) once(ctx context.Context, fn func(*tx) error) error {
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // closes one whose transaction is not over
	p := &pgTx{conn: conn.Conn()}
	t := &tx{ctx: ctx, q: p, line: p, d: w.d}
	if err = run(func(t *tx) error {
		if err := fn(t); err != nil {
			return err
		}
		t.tell()
		return p.commit(ctx)
	}, t); err != nil {
		p.rollback(ctx)
	}
	return err
}

// nodes is the name on which nodes tell each other of work and settings, and due
// begins what they say of work, before their own id.
const (
	nodes = "tongbo"
	due   = "due "
)

// tell wakes the other nodes once the transaction is committed.
func (t *tx) tell() {
	if t.due || t.elsewhere {
		t.line.later(`select pg_notify('`+nodes+`', '`+due+t.s.id+`')`, nil, nil)
	}
	if t.settings {
		t.line.later(`select pg_notify('`+nodes+`', 'settings')`, nil, nil)
	}
}

func (w *postgresWriter) close() error { return nil }

// repeatable reports whether PostgreSQL took a transaction back for a reason
// that will be gone at the next try.
func repeatable(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "40001" || e.Code == "40P01"
}

// undone reports whether an error of a transaction says for sure that nothing of
// it was kept: PostgreSQL refused a statement or the commit. A server that is
// going down may have committed before it said so.
func undone(err error) bool {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return true
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && !strings.HasPrefix(e.Code, "57") && !strings.HasPrefix(e.Code, "08")
}
