package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestOpenAtOnce opens a new file many times at the same moment, as apply does
// beside a serve that starts.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		file := filepath.Join(t.TempDir(), "t.db")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: key})
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// TestOpenLeavesNothingOpen fails to open a file in each way, and then opens
// it.
func TestOpenLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	var keys [2]*seal.Key
	for i := range keys {
		var err error
		if keys[i], err = seal.New(); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "t.db")
	open := func(k *seal.Key) error {
		s, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: k, Exclusive: true})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := open(keys[0]); err != nil {
		t.Fatal(err)
	}
	before := openFiles(t, file)
	if err := open(keys[1]); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open with another key = %v", err)
	}
	if err := os.WriteFile(file+".migrate.lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if after := openFiles(t, file); after != before {
		t.Errorf("%d files stay open, before it were %d", after, before)
	}
	if err := open(keys[0]); err != nil {
		t.Errorf("Open after that = %v", err)
	}
}

// openFiles counts what this process has open of a database.
func openFiles(t *testing.T, file string) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not tell which files are open")
	}
	for _, f := range list {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", f.Name())); err == nil && strings.HasPrefix(to, file) {
			n++
		}
	}
	return n
}

func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, byOrder("o-1"))
		r, end, err := db.OpenReadOnly(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := r.Notices(t.Context(), store.NoticeQuery{}); err != nil || len(list) != 1 {
			t.Errorf("Notices = %v, %v", list, err)
		}
		if checked, err := r.Verify(t.Context(), func(p store.Problem) { t.Error(p) }); err != nil || checked.Notices != 1 {
			t.Errorf("Verify = %v, %v", checked, err)
		}
		if _, err := r.Readers().ExecContext(t.Context(), `update setting set version = 7`); err == nil {
			t.Error("what is opened to read was written")
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		other, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.OpenReadOnly(t, other); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "key") {
			t.Errorf("with another key: %v", err)
		}
		db.Exec(t, `delete from goose_db_version where version_id > 0`)
		if _, _, err := db.OpenReadOnly(t, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "first") {
			t.Errorf("with an older schema: %v", err)
		}
		if _, err := db.Raw.ExecContext(t.Context(), `drop table goose_db_version`); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.OpenReadOnly(t, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no schema") {
			t.Errorf("without a schema: %v", err)
		}
	})
}

// TestOpenReadOnlyMakesNothing reads a file that nobody has open.
func TestOpenReadOnlyMakesNothing(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "t.db")
	if _, _, err := store.OpenReadOnly(t.Context(), "sqlite:"+file, store.Options{Key: key}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a file that is not there: %v", err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	r, end, err := store.OpenReadOnly(t.Context(), "sqlite:"+file, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Notices(t.Context(), store.NoticeQuery{}); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if after := listing(t, dir); after["t.db"] != before["t.db"] {
		t.Errorf("the files were %v and are %v", before, after)
	}
	if strings.Contains(store.ReadOnlyDSN(file), "immutable") {
		t.Error("a database that others may write is taken for immutable")
	}
	if !strings.Contains(store.ReadOnlyDSN(filepath.Join(dir, "none", "t.db")), "immutable=1") {
		t.Error("a database in a folder where nothing can be made is expected to make a WAL")
	}
}

// A URL that asks for the server that takes writes is good for looking too.
func TestOpenReadOnlyOnThePrimary(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	url := storetest.Postgres(t) + "&target_session_attrs=read-write"
	s, err := store.Open(t.Context(), url, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, end, err := store.OpenReadOnly(t.Context(), url, store.Options{Key: key})
	if err != nil {
		t.Fatalf("OpenReadOnly: %v", err)
	}
	if _, err := r.Durability(t.Context()); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// listing is what is in a folder, with sizes and times.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range list {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = fmt.Sprint(info.Size(), info.ModTime())
	}
	return out
}
