package seal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
)

// alone checks that a directory holds the key file, private, and nothing else.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the directory holds %v, want only the key file", entries)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode = %v, want -rw-------", info.Mode())
	}
}

func TestCreateFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tongbo.db.key")
	k, err := seal.CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone(t, path)
	sealed := mustSeal(t, k, "v", "c")
	again, err := seal.CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, again, sealed, "c", "v")
	loaded, err := seal.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, loaded, sealed, "c", "v")
}

func TestCreateFileRace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tongbo.key")
	keys := make([]*seal.Key, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			k, err := seal.CreateFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = k
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	alone(t, path)
	for _, k := range keys[1:] {
		if k.Text() != keys[0].Text() {
			t.Fatal("two starts at once got different keys")
		}
	}
}

func TestReplaceFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tongbo.key")
	k, err := seal.CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := mustSeal(t, k, "old", "c")
	if err := k.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := k.ReplaceFile(path); err != nil {
		t.Fatal(err)
	}
	alone(t, path)
	after := mustSeal(t, k, "new", "c")
	loaded, err := seal.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, loaded, before, "c", "old")
	opens(t, loaded, after, "c", "new")
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := seal.LoadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadFile of nothing: %v, want fs.ErrNotExist", err)
	}
	if _, err := seal.CreateFile(filepath.Join(dir, "no", "such", "folder.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CreateFile in no folder: %v, want fs.ErrNotExist", err)
	}
	if err := newKey(t).ReplaceFile(filepath.Join(dir, "no", "folder.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReplaceFile in no folder: %v, want fs.ErrNotExist", err)
	}
	damaged := filepath.Join(dir, "damaged.key")
	text := newKey(t).Text().Reveal()
	if err := os.WriteFile(damaged, []byte(text[:len(text)-9]), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(string) (*seal.Key, error){"LoadFile": seal.LoadFile, "CreateFile": seal.CreateFile} {
		_, err := read(damaged)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), damaged) {
			t.Errorf("%s of a damaged file: %v, want fault.Invalid naming the file", name, err)
		}
		if err != nil && strings.Contains(err.Error(), text[20:30]) {
			t.Errorf("%s quotes the key: %v", name, err)
		}
	}
	if b, err := os.ReadFile(damaged); err != nil || string(b) != text[:len(text)-9] {
		t.Error("a damaged key file was overwritten")
	}
}
