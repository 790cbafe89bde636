package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
)

// busyTimeout bounds, in milliseconds, how long a write waits for another
// process (apply beside serve) to finish its own. It is under the second
// within which a PG must hear from us.
const busyTimeout = 800

// patientTimeout is busyTimeout for commands, which nobody's second depends
// on: they wait for a busy server to let them in.
const patientTimeout = 30_000

// sqliteWait is a busy timeout as SQLite is told.
func sqliteWait(milliseconds int) string { return fmt.Sprintf("busy_timeout(%d)", milliseconds) }

// readers is how many queries run at once beside the writer.
const readers = 8

// checkpoint is how many pages the log gets before they are copied to the
// database: four times what SQLite does by itself, since a notice writes some
// twenty, and each copying waits for the disk twice. The log grows to 16 MiB.
const checkpoint = "wal_autocheckpoint(4000)"

// cache is how much of the database the writer keeps at hand: 32 MiB, sixteen
// times what SQLite does by itself. Notices go to payments in no order, so
// with less a tenth of the writer's time goes into reading pages again.
const cache = "cache_size(-32768)"

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
	wait := sqliteWait(patientTimeout)
	if exclusive {
		wait = sqliteWait(busyTimeout)
	}
	write, err := sql.Open("sqlite", sqliteDSN(file, wait, "journal_mode(wal)", "synchronous(full)", checkpoint, cache, "foreign_keys(1)"))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	s.closing(write.Close)
	if err := migrateSQLite(ctx, write, file); err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", sqliteDSN(file, wait, "query_only(1)")); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(readers)
	s.db.SetMaxIdleConns(readers)
	s.closing(s.db.Close)
	w, err := newSQLiteWriter(ctx, write, file)
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
