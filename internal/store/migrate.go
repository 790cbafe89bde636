package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/tongbo/tongbo/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// migratePatience bounds how long a start waits for another process that
// brings the schema up to date.
const migratePatience = time.Minute

// migrateSQLite is migrate under a lock beside the file: apply and serve may
// find a new database at the same moment.
func migrateSQLite(ctx context.Context, db *sql.DB, file string) error {
	waiting, cancel := context.WithTimeout(ctx, migratePatience)
	defer cancel()
	release, err := waitForFile(waiting, file+".migrate.lock")
	if err != nil {
		return err
	}
	err = migrate(ctx, db, false)
	if e := release(); err == nil {
		err = e
	}
	return err
}

// migrationsOf is the folder with an engine's migrations.
func migrationsOf(postgres bool) string {
	if postgres {
		return "migrations/postgres"
	}
	return "migrations/sqlite"
}

// migrate brings the schema up to date. On PostgreSQL it holds an advisory
// lock, so that nodes that start together migrate once.
func migrate(ctx context.Context, db *sql.DB, postgres bool) error {
	folder, dialect := migrationsOf(postgres), goosedb.DialectSQLite3
	var opts []goose.ProviderOption
	if postgres {
		dialect = goosedb.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, opts...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.Errorf(fault.Unavailable, "the database schema could not be brought up to date: %w", err)
	}
	return compatible(ctx, db, postgres)
}

// compatible refuses a schema that a newer release made and marked as not for
// this one. Any other newer schema only adds what this release does not use:
// so nodes can be replaced one by one.
func compatible(ctx context.Context, db *sql.DB, postgres bool) error {
	knows, err := newestMigration(postgres)
	if err != nil {
		return err
	}
	var needs int
	if err := db.QueryRowContext(ctx, `select compatible_from from setting where id = 1`).Scan(&needs); err != nil {
		return away(err)
	}
	if needs > knows {
		return fault.Errorf(fault.Invalid, "the database's schema is for releases that know migration %d, this one knows only %d: use the newer release", needs, knows)
	}
	return nil
}
