package store_test

import (
	"context"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestWatchListensBeforeItLooks tells of work at the moment when the hooks are
// called first: it must be heard.
func TestWatchListensBeforeItLooks(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var first sync.Once
		called := make(chan struct{}, 100)
		s.OnSettings(func() {
			first.Do(func() {
				if _, err := db.Raw.ExecContext(t.Context(), `select pg_notify('tongbo', 'settings')`); err != nil {
					t.Error(err)
				}
			})
			called <- struct{}{}
		})
		attend(t, s)
		within(t, soon, called)
		within(t, soon, called)
	})
}

func TestDurability(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		commit                   string
		all, synchronous, hidden int
		want                     string
	}{
		{"on", 0, 0, 0, "disk"},
		{"on", 2, 1, 0, "synchronous standby"},
		{"on", 1, 0, 0, "asynchronous standby"},
		{"local", 1, 1, 0, "asynchronous standby"},
		{"on", 1, 0, 1, "unknown"},
		{"off", 1, 1, 0, "not yet on disk: synchronous_commit is off"},
	} {
		if got := store.Standbys(test.commit, test.all, test.synchronous, test.hidden); got != test.want {
			t.Errorf("durability of %+v = %q", test, got)
		}
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if got, err := db.Open(t).Durability(t.Context()); err != nil || got != "disk" {
			t.Errorf("Durability = %q, %v", got, err)
		}
		if !db.Postgres {
			return
		}
		var name string
		if err := db.Raw.QueryRowContext(t.Context(), `select current_database()`).Scan(&name); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Raw.ExecContext(t.Context(), `alter database `+name+` set synchronous_commit = off`); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Open(t).Durability(t.Context()); err != nil || got != "not yet on disk: synchronous_commit is off" {
			t.Errorf("Durability = %q, %v", got, err)
		}
	})
}

// TestReadyWritesItsOwnRow asks two nodes, one of whose rows someone holds.
func TestReadyWritesItsOwnRow(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		for range 2 {
			if err := one.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		hold(t, db, `select 1 from probe for update`)
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		if err := other.Ready(ctx); err != nil {
			t.Errorf("the other node's Ready = %v", err)
		}
		if n := db.Count(t, `select count(*) from probe`); n != 2 {
			t.Errorf("%d rows, want one for each node", n)
		}
	})
}
