package store_test

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// onTrial puts text in place of what is kept of an order on trial, and returns what
// was kept.
func onTrial(t *testing.T, s *store.Store, order, text string) (before string) {
	t.Helper()
	err := s.Trial(t.Context(), storetest.Channel, order, storetest.Noon, func(known []byte) ([]byte, error) {
		before = string(known)
		return []byte(text), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return before
}

func TestTrial(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if got := onTrial(t, s, "a", "one"); got != "" {
			t.Errorf("of a new order %q is kept", got)
		}
		if got := onTrial(t, db.Open(t), "a", "two"); got != "one" {
			t.Errorf("another store finds %q", got)
		}
		if got := onTrial(t, s, "b", "other"); got != "" {
			t.Errorf("another order has %q", got)
		}
		if err := s.Trial(t.Context(), storetest.OtherOne, "a", storetest.Noon, func(known []byte) ([]byte, error) {
			if known != nil {
				t.Errorf("another channel's order has %q", known)
			}
			return nil, nil
		}); err != nil {
			t.Error(err)
		}
		no := errors.New("no")
		if err := s.Trial(t.Context(), storetest.Channel, "a", storetest.Noon, func([]byte) ([]byte, error) { return []byte("three"), no }); !errors.Is(err, no) {
			t.Errorf("a refused change = %v, want %v", err, no)
		}
		if got := onTrial(t, s, "a", "홍길동 110-123"); got != "two" {
			t.Errorf("after a refused change %q is kept", got)
		}
		if n := db.Count(t, `select count(*) from trial`); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
		var doc []byte
		if err := db.Raw.QueryRowContext(t.Context(), `select doc from trial where id = 'a'`).Scan(&doc); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(doc, []byte("110-123")) {
			t.Error("the row is not sealed")
		}
		// A row belongs to its order: what is copied into another opens no more.
		db.Exec(t, `update trial set doc = (select doc from trial where id = 'a') where id = 'b'`)
		err := s.Trial(t.Context(), storetest.Channel, "b", storetest.Noon, func([]byte) ([]byte, error) { return nil, nil })
		if err == nil || strings.Contains(err.Error(), "110-123") {
			t.Errorf("a copied row = %v, want an error", err)
		}
	})
}

// TestTrialAtOnce has many change one row: none of it may be lost.
func TestTrialAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := s.Trial(t.Context(), storetest.Channel, "counted", storetest.Noon, func(known []byte) ([]byte, error) {
					n, _ := strconv.Atoi(string(known)) // 0 of nothing
					return strconv.AppendInt(nil, int64(n+1), 10), nil
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := onTrial(t, s, "counted", ""); got != "20" {
			t.Errorf("20 changes at once leave %s", got)
		}
	})
}

func TestPruneTrials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		onTrial(t, s, "old", "x")
		onTrial(t, s, "young", "x")
		db.Exec(t, `update trial set updated_at = updated_at + 1000000 where id = 'young'`)
		after := time.Until(storetest.Noon.AddDate(0, 0, settings.DefaultRetention().Payments))
		if got := pruneAt(t, s, after)["trial"].Rows; got != 1 {
			t.Errorf("%d went, want 1", got)
		}
		if n := db.Count(t, `select count(*) from trial where id = 'young'`); n != 1 {
			t.Error("the younger one went")
		}
	})
}
