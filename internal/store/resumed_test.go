package store_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestResumed: a server that takes a database over frees what a dead one had leased,
// and says how much that was.
func TestResumed(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := db.Open(t)
	wait(t, s, "order-1", "order-2", "order-3")
	if c := claim(t, s, 0, 2, all); len(c.Jobs) != 2 {
		t.Fatalf("claimed %d", len(c.Jobs))
	}
	if s.Resumed() != 0 {
		t.Errorf("%d are resumed in a store that is not held exclusively", s.Resumed())
	}
	for _, want := range []int{2, 0} {
		next, err := store.Open(t.Context(), db.URL(), store.Options{Key: db.Key(), Exclusive: true})
		if err != nil {
			t.Fatal(err)
		}
		q, err := next.Queue(t.Context(), storetest.Noon)
		if next.Resumed() != want || err != nil || q.Waiting != 3 {
			t.Errorf("%d are resumed, want %d; %d wait, %v", next.Resumed(), want, q.Waiting, err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
