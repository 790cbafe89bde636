package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"

	"github.com/tongbo/tongbo/internal/fault"
)

// BackupOptions say how a backup is made.
type BackupOptions struct {
	Force bool // replace a file that is there, if it is a SQLite database
	// Progress is told, from the caller's goroutine, how many pages of how many
	// are copied. It is told total pages of total once more before they are
	// checked.
	Progress func(pages, total int)
}

// A Copied is a backup that was made.
type Copied struct {
	File   string
	Bytes  int64
	Schema int // the version of the copy's schema
}

// pagesAtOnce is how much is copied before anything else is looked at: 4 MiB.
const pagesAtOnce = 1024

// syncEvery is how many times pagesAtOnce are written before they are brought
// to the disk. A server shares that disk, and waits for what is there at once.
const syncEvery = 8

// Backup copies the SQLite database that a URL names into a file, live or
// stopped: what was committed when it begins, and nothing else. The file
// appears under its name once it is whole, on the disk and found sound; nobody
// but this user may read it. What is sealed stays sealed, and no key is needed.
//
// A server goes on writing meanwhile, and is waited for by nobody; its log
// grows by what it writes, since the copy holds one snapshot from its first
// page to its last. Ending ctx ends the copy and leaves nothing behind.
//
// It reports fault.Unsupported for a PostgreSQL URL, fault.NotFound if there is
// no such database, and fault.Conflict if the file is there or in use.
func Backup(ctx context.Context, database, file string, o BackupOptions) (Copied, error) {
	source, isFile := strings.CutPrefix(database, "sqlite:")
	switch {
	case isPostgres(database):
		return Copied{}, fault.Errorf(fault.Unsupported, "%s is no SQLite database: PostgreSQL has its own backups", Redact(database))
	case !isFile || source == "":
		return Copied{}, fault.Errorf(fault.Invalid, "the database must be given as sqlite:FILE")
	}
	if _, err := os.Stat(source); err != nil {
		return Copied{}, fault.Errorf(fault.NotFound, "there is no database %s", source)
	}
	if err := mayWrite(source, file, o.Force); err != nil {
		return Copied{}, err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".partial-*") // mode 0600
	if err != nil {
		return Copied{}, fault.Errorf(fault.Invalid, "backup: %w", err)
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name()) // unless it has its name by now
	}()
	if err := copyPages(ctx, source, f, o.Progress); err != nil {
		return Copied{}, fmt.Errorf("copy %s: %w", source, err)
	}
	schema, err := sound(ctx, f.Name())
	if err != nil {
		return Copied{}, err
	}
	if err := f.Sync(); err != nil {
		return Copied{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return Copied{}, err
	}
	if err := mayWrite(source, file, o.Force); err != nil { // once more: it took a while
		return Copied{}, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return Copied{}, err
	}
	return Copied{file, info.Size(), schema}, syncFolder(filepath.Dir(file))
}

// mayWrite refuses a name under which a backup would destroy something.
func mayWrite(source, file string, force bool) error {
	if file == "" {
		return fault.Errorf(fault.Invalid, "the backup needs a file name")
	}
	if folder, err := os.Stat(filepath.Dir(file)); err != nil || !folder.IsDir() {
		return fault.Errorf(fault.Invalid, "there is no folder %s: make it first, for the server's user alone", filepath.Dir(file))
	}
	there, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return unused(file)
	case err != nil:
		return fault.Errorf(fault.Invalid, "backup: %w", err)
	case there.IsDir():
		return fault.Errorf(fault.Invalid, "%s is a folder: name a file in it", file)
	}
	live, err := os.Stat(source)
	switch {
	case err == nil && os.SameFile(there, live):
		return fault.Errorf(fault.Invalid, "%s is the database itself", file)
	case !force:
		return fault.Errorf(fault.Conflict, "%s is there already", file)
	case !isDatabase(file):
		return fault.Errorf(fault.Conflict, "%s is no SQLite database, and is not replaced", file)
	}
	return unused(file)
}

// unused refuses a name on which a server works, or left its log: SQLite would
// take that for the log of whatever has the name.
func unused(file string) error {
	for _, log := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(file + log); err == nil && info.Size() > 0 {
			return fault.Errorf(fault.Conflict, "%s%s is there: something works, or worked, on %s as a database. Choose another name", file, log, file)
		}
	}
	if _, err := os.Stat(file + ".lock"); err == nil {
		release, err := lockFile(file + ".lock")
		if err != nil {
			return err
		}
		return release()
	}
	return nil
}

// isDatabase reports whether a file begins as SQLite's do.
func isDatabase(file string) bool {
	const magic = "SQLite format 3\x00"
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(magic))
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte(magic))
}

// copyPages copies a database page by page, as it was at one moment.
//
// SQLite's online backup costs a server the least: it reads each page once, in
// the file's order, and writes it as it is. `vacuum into` gives a smaller file,
// but builds every table and index anew, which takes twice the processor. Without a read transaction of its own the backup would begin again
// after each commit of the server.
func copyPages(ctx context.Context, source string, to *os.File, progress func(pages, total int)) error {
	db, err := sql.Open("sqlite", readOnlyDSN(source))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return away(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, `begin`); err != nil {
		return away(err)
	}
	var made int // this first read fixes what is copied
	if err := conn.QueryRowContext(ctx, `select count(*) from sqlite_master where name = 'goose_db_version'`).Scan(&made); err != nil {
		return away(err)
	}
	if made == 0 {
		return fault.Errorf(fault.Invalid, "it holds no Tongbo database")
	}
	return conn.Raw(func(c any) error {
		b, err := c.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		}).NewBackup(scratchDSN(to.Name()))
		if err != nil {
			return away(err)
		}
		err = steps(ctx, b, to, progress)
		if e := b.Finish(); err == nil {
			err = away(e)
		}
		return err
	})
}

// scratchDSN opens a file that nobody needs unless it is written to its end:
// nothing of it has to be taken back, and it is synced by whoever made it.
func scratchDSN(file string) string {
	v := url.Values{"_pragma": {"journal_mode(off)", "synchronous(off)"}}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

func steps(ctx context.Context, b *sqlite.Backup, to *os.File, progress func(pages, total int)) error {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := b.Step(pagesAtOnce)
		if err != nil {
			return away(err)
		}
		if progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
		if !more {
			return nil
		}
		if n%syncEvery == 0 {
			if err := to.Sync(); err != nil {
				return err
			}
		}
	}
}

// sound checks a copy that nobody else knows, down to its indexes, and returns
// the version of its schema. It leaves one file that needs no log beside it.
func sound(ctx context.Context, file string) (schema int, err error) {
	db, err := sql.Open("sqlite", sqliteDSN(file, "journal_mode(delete)", "locking_mode(exclusive)"))
	if err != nil {
		return 0, err
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	db.SetMaxOpenConns(1)
	var found []string
	if err := each(ctx, over(db), `pragma integrity_check(3)`, nil, func(rows rowSet) error {
		var line string
		err := rows.Scan(&line)
		found = append(found, line)
		return err
	}); err != nil {
		return 0, damagedBy(ctx, err)
	}
	if all := strings.Join(found, "; "); all != "ok" {
		return 0, damagedBy(ctx, errors.New(all))
	}
	schema, err = schemaOf(ctx, over(db))
	return schema, damagedBy(ctx, err)
}

// schemaOf is the version of a database's schema.
func schemaOf(ctx context.Context, q querier) (version int, err error) {
	err = q.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&version)
	return version, err
}

// damagedBy says whose fault it is that a copy is not sound.
func damagedBy(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // SQLite only says that it was interrupted
	}
	return fmt.Errorf("no backup was made, since the copy is not sound. The database itself is damaged, or a disk is: %w", err)
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
