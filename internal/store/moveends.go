package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/fault"
)

// openSource holds a SQLite database so that nobody serves it or writes to it.
func (m *mover) openSource(file string) error {
	if _, err := os.Stat(file); err != nil {
		return fault.Errorf(fault.NotFound, "there is no database %s", file)
	}
	release, err := lockFile(file + ".lock")
	if err != nil {
		return err
	}
	m.closing(release)
	v := url.Values{"_pragma": {sqliteWait(patientTimeout)}, "mode": {"rw"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+v.Encode())
	if err != nil {
		return err
	}
	m.closing(db.Close)
	if err := (&Reader{db: db, key: m.o.Key}).fits(m.ctx); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := newest(m.ctx, over(db), false); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if m.source, err = db.Conn(m.ctx); err != nil {
		return away(err)
	}
	m.closing(m.source.Close)
	for _, q := range []string{`begin immediate`, `pragma query_only = 1`} {
		if _, err := m.source.ExecContext(m.ctx, q); err != nil {
			return away(err)
		}
	}
	return nil
}

// openTarget makes the target's schema, if it has none, and finds out whether
// the schemas go together.
func (m *mover) openTarget(to string) error {
	cfg, err := postgresConfig(to)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(m.ctx, cfg)
	if err != nil {
		return fault.Errorf(fault.Unavailable, "database %s: %w", Redact(to), err)
	}
	m.closing(func() error { pool.Close(); return nil })
	db := stdlib.OpenDBFromPool(pool)
	m.closing(db.Close)
	m.target = &Reader{db: db, key: m.o.Key, d: dialect{postgres: true, forUpdate: " for update"}}
	if err := m.makeSchema(db); err != nil {
		return fmt.Errorf("%s: %w", Redact(to), err)
	}
	if err := m.target.fits(m.ctx); err != nil {
		return fmt.Errorf("%s: %w", Redact(to), err)
	}
	if err := newest(m.ctx, over(db), true); err != nil {
		return fmt.Errorf("%s: %w", Redact(to), err)
	}
	if m.tables, err = pairTables(m.ctx, over(m.source), over(db)); err != nil {
		return err
	}
	if m.conn, err = db.Conn(m.ctx); err != nil {
		return away(err)
	}
	m.closing(m.conn.Close)
	return nil
}

// newest refuses any schema but this release's own: a newer one may have what
// this release knows no place for.
func newest(ctx context.Context, q querier, postgres bool) error {
	want, err := newestMigration(postgres)
	if err != nil {
		return err
	}
	has, err := schemaOf(ctx, q)
	if err == nil && has != want {
		return fault.Errorf(fault.Invalid, "the database's schema is %d, this release's is %d: move with the release that serves it, which may be a newer release", has, want)
	}
	return away(err)
}

// makeSchema makes the schema in a database that has no table at all.
func (m *mover) makeSchema(db *sql.DB) error {
	var tables, ours int
	err := db.QueryRowContext(m.ctx, `select count(*), count(*) filter (where relname = 'goose_db_version') from pg_class
		where relkind in ('r', 'p') and relnamespace = (select oid from pg_namespace where nspname = current_schema())`).Scan(&tables, &ours)
	switch {
	case err != nil:
		return away(err)
	case ours > 0:
		return nil
	case tables > 0:
		return fault.Errorf(fault.Conflict, "the database holds tables that are not Tongbo's: make one of its own")
	}
	return migrate(m.ctx, db, true)
}
