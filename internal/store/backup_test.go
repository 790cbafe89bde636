package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestBackupOfALiveDatabase copies a database again and again while notices
// are settled in it. Each copy is whole by itself.
func TestBackupOfALiveDatabase(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := db.Open(t)
	busy(t, s)
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				busyWith(t, s, storetest.NewID())
			}
		}
	})
	defer wg.Wait()
	defer close(done)
	folder := t.TempDir()
	notices := int64(18)
	for range 4 {
		file := filepath.Join(folder, storetest.NewID()+".db")
		var told, total int
		c, err := store.Backup(t.Context(), db.URL(), file, store.BackupOptions{Progress: func(pages, of int) { told, total = pages, of }})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != c.Bytes || c.Schema != 1 || told != total || total == 0 {
			t.Errorf("Backup = %+v, %d of %d pages; the file is %v, %v", c, told, total, info, err)
		}
		settle(t, s, byOrder(storetest.NewID())) // what comes later is not in it
		r, end, err := store.OpenReadOnly(t.Context(), "sqlite:"+file, store.Options{Key: db.Key()})
		if err != nil {
			t.Fatal(err)
		}
		checked, err := r.Verify(t.Context(), func(p store.Problem) { t.Error(p) })
		if err != nil || checked.Notices < notices || checked.Payments < 8 {
			t.Errorf("Verify of the copy = %v, %v; want %d notices or more", checked, err, notices)
		}
		notices = checked.Notices + 1
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	if names := listing(t, folder); len(names) != 4 {
		t.Errorf("beside four backups lies something: %v", names)
	}
}

func TestABackupIsServed(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	busy(t, db.Open(t))
	file := filepath.Join(t.TempDir(), "copy.db")
	if _, err := store.Backup(t.Context(), db.URL(), file, store.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: db.Key(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	busyWith(t, s, "after the restore")
	verified(t, s)
	if _, err := store.Backup(t.Context(), db.URL(), file, store.BackupOptions{Force: true}); !fault.Is(err, fault.Conflict) {
		t.Errorf("Backup over a database that is served = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file + ".lock"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Backup(t.Context(), db.URL(), file, store.BackupOptions{Force: true}); err != nil {
		t.Errorf("Backup over one that is not = %v", err)
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("there.db", "SQLite format 3\x00 and so on")
	put("tongbo.key", "a key")
	put("used.db-wal", "a log")
	put("locked.db", "SQLite format 3\x00 and so on")
	put("empty.db", "")
	put("other.txt", "no database at all, but long enough to be taken for one")
	if err := os.Symlink(db.File, at("link.db")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, database, file string
		force                bool
		kind                 fault.Kind
		text                 string
	}{
		{"PostgreSQL", "postgres://tongbo:opensesame@db.example/tongbo", at("new.db"), false, fault.Unsupported, "its own backups"},
		{"a name without a scheme", "tongbo.db", at("new.db"), false, fault.Invalid, "sqlite:FILE"},
		{"a database that is not there", "sqlite:" + at("none.db"), at("new.db"), false, fault.NotFound, "no database"},
		{"no name", db.URL(), "", false, fault.Invalid, "file name"},
		{"a folder that is not there", db.URL(), at("none/new.db"), false, fault.Invalid, "no folder"},
		{"a folder", db.URL(), dir, true, fault.Invalid, "is a folder"},
		{"a file that is there", db.URL(), at("there.db"), false, fault.Conflict, "already"},
		{"the database itself", db.URL(), db.File, true, fault.Invalid, "itself"},
		{"the database by another name", db.URL(), at("link.db"), true, fault.Invalid, "itself"},
		{"a key", db.URL(), at("tongbo.key"), true, fault.Conflict, "is no SQLite database"},
		{"a file with a log beside it", db.URL(), at("used.db"), true, fault.Conflict, "something works"},
		{"what is no database", "sqlite:" + at("other.txt"), at("new.db"), false, fault.Unavailable, "not a database"},
		{"another program's database", "sqlite:" + at("empty.db"), at("new.db"), false, fault.Invalid, "no Tongbo database"},
	} {
		before := listing(t, dir)
		_, err := store.Backup(t.Context(), c.database, c.file, store.BackupOptions{Force: c.force})
		if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%s: Backup = %v (%v), want %v with %q", c.name, err, fault.KindOf(err), c.kind, c.text)
		}
		if after := listing(t, dir); len(after) != len(before) || after["there.db"] != before["there.db"] || after["tongbo.key"] != before["tongbo.key"] {
			t.Errorf("%s: the folder had %v and has %v", c.name, before, after)
		}
	}
}

// TestBackupOfADamagedDatabase copies a file in which a page went bad. The
// backup of yesterday stays.
func TestBackupOfADamagedDatabase(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := db.Open(t)
	busy(t, s)
	dir := t.TempDir()
	file, broken := filepath.Join(dir, "kept.db"), filepath.Join(dir, "broken.db")
	for _, name := range []string{file, broken} {
		if _, err := store.Backup(t.Context(), db.URL(), name, store.BackupOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(broken, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	// A page that is read only when all of it is checked.
	page := db.Count(t, `select rootpage from sqlite_master where name = 'payment_by_change'`)
	if _, err := f.WriteAt([]byte(strings.Repeat("damage", 682)), int64(page-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	_, err = store.Backup(t.Context(), "sqlite:"+broken, file, store.BackupOptions{Force: true})
	if err == nil || !strings.Contains(err.Error(), "no backup was made") {
		t.Errorf("Backup = %v", err)
	}
	if after := listing(t, dir); len(after) != len(before) || after["kept.db"] != before["kept.db"] {
		t.Errorf("the folder had %v and has %v", before, after)
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := store.Backup(ctx, db.URL(), file, store.BackupOptions{Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Backup = %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(copy) = %v", err)
	}
	if names := listing(t, filepath.Dir(file)); len(names) != 0 {
		t.Errorf("the folder has %v", names)
	}
}
