package store

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/fault"
)

// OpenReadOnly opens a database as it is, and changes nothing in it: the file
// may be another's, the folder a backup. end closes it. It reports
// fault.Invalid if the schema is older than this release's or not compatible
// with it, or the key not the database's.
func OpenReadOnly(ctx context.Context, database string, o Options) (r *Reader, end func() error, err error) {
	if o.Key == nil {
		return nil, nil, fault.Errorf(fault.Invalid, "the store needs a key to open secrets with")
	}
	r = &Reader{key: o.Key}
	switch {
	case strings.HasPrefix(database, "sqlite:"):
		end, err = r.readFile(strings.TrimPrefix(database, "sqlite:"))
	case strings.HasPrefix(database, "postgres://"), strings.HasPrefix(database, "postgresql://"):
		end, err = r.readPostgres(ctx, database)
	default:
		err = fault.Errorf(fault.Invalid, "the database must be given as sqlite:FILE or postgres://…")
	}
	if err != nil {
		return nil, nil, err
	}
	if err := r.fits(ctx); err != nil {
		_ = end()
		return nil, nil, err
	}
	return r, end, nil
}

func (r *Reader) readFile(file string) (end func() error, err error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fault.Errorf(fault.NotFound, "there is no database %s", file)
	}
	r.db, err = sql.Open("sqlite", readOnlyDSN(file))
	if err != nil {
		return nil, err
	}
	r.db.SetMaxOpenConns(readers)
	return r.db.Close, nil
}

// readOnlyDSN opens a file that is not written. SQLite shares a WAL through a
// file beside the database; where it can make none, and no WAL is there, the
// database stands still and needs none.
func readOnlyDSN(file string) string {
	v := url.Values{"_pragma": {sqliteWait(patientTimeout), "query_only(1)"}, "mode": {"ro"}}
	wal, err := os.Stat(file + "-wal")
	if !writable(filepath.Dir(file)) && (err != nil || wal.Size() == 0) {
		v.Set("immutable", "1")
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

// writable reports whether this process may make files in a folder.
func writable(folder string) bool {
	const write = 2 // W_OK
	return syscall.Access(folder, write) == nil
}

func (r *Reader) readPostgres(ctx context.Context, database string) (end func() error, err error) {
	cfg, err := postgresConfig(database)
	if err != nil {
		return nil, err
	}
	onlyReading(cfg)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "database %s: %w", Redact(database), err)
	}
	r.d, r.db = dialect{postgres: true, forUpdate: " for update"}, stdlib.OpenDBFromPool(pool)
	return func() error {
		err := r.db.Close()
		pool.Close()
		return err
	}, nil
}

// fits checks the schema and the key without touching either.
func (r *Reader) fits(ctx context.Context) error {
	var table int
	made := `select count(*) from sqlite_master where name = 'goose_db_version'`
	if r.d.postgres {
		made = `select count(*) from pg_class where oid = to_regclass('goose_db_version')`
	}
	if err := r.db.QueryRowContext(ctx, made).Scan(&table); err != nil {
		return away(err)
	}
	if table == 0 {
		return fault.Errorf(fault.Invalid, "the database has no schema yet: tongbo serve makes it")
	}
	want, err := newestMigration(r.d.postgres)
	if err != nil {
		return err
	}
	var has int
	if err := r.db.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&has); err != nil {
		return away(err)
	}
	if has < want {
		return fault.Errorf(fault.Invalid, "the database's schema is %d, this release's is %d: start tongbo serve of this release on it first", has, want)
	}
	if err := compatible(ctx, r.db, r.d.postgres); err != nil {
		return err
	}
	var canary []byte
	if err := r.db.QueryRowContext(ctx, `select canary from setting where id = 1`).Scan(&canary); err != nil {
		return away(err)
	}
	if canary != nil && !r.opensCanary(canary) {
		return errWrongKey
	}
	return nil
}

// newestMigration is the number of the schema of this release.
func newestMigration(postgres bool) (newest int, err error) {
	files, err := fs.ReadDir(migrations, migrationsOf(postgres))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, nil
}
