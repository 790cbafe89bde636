package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/tongbo/tongbo/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. On PostgreSQL it holds an advisory
// lock, so that nodes that start together migrate once; on SQLite the
// database has one writer.
func migrate(ctx context.Context, db *sql.DB, postgres bool) error {
	folder, dialect := "migrations/sqlite", goosedb.DialectSQLite3
	var opts []goose.ProviderOption
	if postgres {
		folder, dialect = "migrations/postgres", goosedb.DialectPostgres
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
	return nil
}
