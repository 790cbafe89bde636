package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
)

func openFileIn(t *testing.T, dir string) *Store {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "t.db"), Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What a PG waits for goes ahead of what others asked for before, and others
// are cut off when a commit has gone on for long enough.
func TestTheFirstLineGoesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openFileIn(t, t.TempDir())
		defer func() { _ = s.Close() }()
		var mu sync.Mutex
		var order []string
		job := func(name string, takes time.Duration) func(*tx) error {
			return func(*tx) error {
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				return nil
			}
		}
		var wg sync.WaitGroup
		write := func(how func(*Store) error) {
			wg.Go(func() {
				if err := how(s); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		write(func(s *Store) error { return s.write(t.Context(), job("holds the writer", 2*commitBudget)) })
		for range 3 {
			write(func(s *Store) error { return s.write(t.Context(), job("other", commitBudget)) })
		}
		write(func(s *Store) error { return s.writeFirst(t.Context(), job("notice", 0)) })
		wg.Go(func() {
			time.Sleep(3 * commitBudget) // while the first of the others is under way
			if err := s.writeFirst(t.Context(), job("later notice", 0)); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if len(order) != 6 || order[0] != "holds the writer" || order[1] != "notice" {
			t.Errorf("order = %q", order)
		}
		if i := slices.Index(order, "later notice"); i < 0 || i > 4 {
			t.Errorf("the later notice waited for all others: %q", order)
		}
	})
}

// However long the first line takes, each commit does something for the others.
func TestTheFirstLineStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openFileIn(t, t.TempDir())
		defer func() { _ = s.Close() }()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_ = s.writeFirst(ctx, func(*tx) error { time.Sleep(2 * commitBudget); return nil })
				}
			})
		}
		began := time.Now()
		for range 3 {
			if err := s.write(t.Context(), func(*tx) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took > 20*commitBudget {
			t.Errorf("three writes took %v beside a busy first line", took)
		}
		stop()
		wg.Wait()
	})
}

// A file that was deleted takes no more writes: what is committed to it would
// be on no disk.
func TestADeletedDatabaseTakesNoWrites(t *testing.T) {
	dir := t.TempDir()
	s := openFileIn(t, dir)
	defer func() { _ = s.Close() }()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "t.db"), filepath.Join(dir, "moved.db")); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write to a file that is gone: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write beside a file that took its place: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "moved.db"), filepath.Join(dir, "t.db")); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after it was put back: %v", err)
	}
}
