package store_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// asking is a run of a request.
func asking(id, content string) merchant.Repeatable {
	return merchant.Repeatable{ID: id, Content: content, Run: storetest.NewID()}
}

const longestRun = 2 * time.Minute

// begin begins a run so long after noon.
func begin(t *testing.T, s *store.Store, r merchant.Repeatable, after time.Duration, want error) merchant.KeptAnswer {
	t.Helper()
	now := storetest.Noon.Add(after)
	kept, err := s.BeginRepeat(t.Context(), r, now, now.Add(longestRun))
	if !errors.Is(err, want) {
		t.Fatalf("BeginRepeat(%s) after %v = %v, want %v", r.ID, after, err, want)
	}
	return kept
}

func endRepeat(t *testing.T, s *store.Store, r merchant.Repeatable, a *merchant.KeptAnswer) {
	t.Helper()
	if err := s.EndRepeat(t.Context(), r, a); err != nil {
		t.Fatal(err)
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		answer := merchant.KeptAnswer{Status: 409, Body: []byte("{\"message\":\"홍길동\"}\n")}
		first := asking("a", "x")
		if got := begin(t, s, first, 0, nil); got.Status != 0 {
			t.Errorf("a new request is answered %+v", got)
		}
		begin(t, s, asking("a", "x"), time.Second, merchant.ErrOutstanding)
		begin(t, s, asking("a", "y"), time.Second, merchant.ErrOtherRequest)
		begin(t, s, asking("b", "y"), time.Second, nil) // another's
		endRepeat(t, s, asking("a", "x"), &answer)      // not its run
		begin(t, s, asking("a", "x"), time.Second, merchant.ErrOutstanding)
		endRepeat(t, s, first, &answer)
		if diff := cmp.Diff(answer, begin(t, s, asking("a", "x"), time.Hour, nil)); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		begin(t, s, asking("a", "y"), time.Hour, merchant.ErrOtherRequest)
		endRepeat(t, s, first, nil) // ended already
		if got := begin(t, s, asking("a", "x"), merchant.RepeatLife-1000, nil); got.Status != 409 {
			t.Errorf("just before it is forgotten: %+v", got)
		}
		if got := begin(t, s, asking("a", "y"), merchant.RepeatLife, nil); got.Status != 0 {
			t.Errorf("forgotten: %+v", got)
		}
		begin(t, s, asking("a", "y"), merchant.RepeatLife, merchant.ErrOutstanding)
		sealed(t, db)
	})
}

// sealed checks that no kept answer can be read beside the store.
func sealed(t *testing.T, db *storetest.Database) {
	t.Helper()
	s := db.Open(t)
	r := asking("sealed", "x")
	begin(t, s, r, 0, nil)
	endRepeat(t, s, r, &merchant.KeptAnswer{Status: 200, Body: []byte("opensesame")})
	var kept []byte
	if err := db.Raw.QueryRowContext(t.Context(), `select answer from idempotency where id = 'sealed'`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if len(kept) == 0 || bytes.Contains(kept, []byte("opensesame")) {
		t.Errorf("the answer is kept as %q", kept)
	}
	db.Exec(t, `insert into idempotency (id, content, run, begun_at, until, answer)
		select 'copied', content, run, begun_at, until, answer from idempotency where id = 'sealed'`)
	if _, err := s.BeginRepeat(t.Context(), asking("copied", "x"), storetest.Noon, storetest.Noon); err == nil || !strings.Contains(err.Error(), "copied") {
		t.Errorf("an answer copied to another key = %v", err)
	}
}

// TestRepeatGivenUp has runs that come to nothing, and one that dies.
func TestRepeatGivenUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		first := asking("a", "x")
		begin(t, s, first, 0, nil)
		endRepeat(t, s, first, nil)
		second := asking("a", "y") // of other content: nothing is left of the first
		begin(t, s, second, time.Second, nil)
		last := time.Second + longestRun
		begin(t, s, asking("a", "y"), last-time.Microsecond, merchant.ErrOutstanding)
		begin(t, s, asking("a", "x"), last, merchant.ErrOtherRequest)
		third := asking("a", "y")
		begin(t, s, third, last, nil) // the second is dead
		begin(t, s, asking("a", "y"), last, merchant.ErrOutstanding)
		endRepeat(t, s, second, &merchant.KeptAnswer{Status: 200}) // it was not
		endRepeat(t, s, second, nil)
		begin(t, s, asking("a", "y"), last, merchant.ErrOutstanding)
		endRepeat(t, s, third, &merchant.KeptAnswer{Status: 201})
		if got := begin(t, s, asking("a", "y"), last, nil); got.Status != 201 {
			t.Errorf("answered %+v", got)
		}
		// It is as old as its first run.
		if got := begin(t, s, asking("a", "y"), time.Second+merchant.RepeatLife, nil); got.Status != 0 {
			t.Errorf("forgotten: %+v", got)
		}
	})
}

// TestRepeatAtOnce has many on two nodes begin the same: one of them runs it.
func TestRepeatAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := []*store.Store{db.Open(t), db.Open(t)}
		var begun, told atomic.Int64
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				_, err := nodes[i%2].BeginRepeat(t.Context(), asking("a", "x"), storetest.Noon, storetest.Noon.Add(longestRun))
				switch {
				case err == nil:
					begun.Add(1)
				case errors.Is(err, merchant.ErrOutstanding):
					told.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if begun.Load() != 1 || told.Load() != 39 {
			t.Errorf("%d began it, %d were told of it", begun.Load(), told.Load())
		}
	})
}

// TestPruneRepeats lets more answers grow old than one transaction takes.
func TestPruneRepeats(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		old, young := asking("old", "x"), asking("young", "x")
		now := time.Now().Truncate(time.Microsecond)
		for r, at := range map[merchant.Repeatable]time.Time{old: now.Add(-merchant.RepeatLife), young: now.Add(time.Second - merchant.RepeatLife)} {
			if _, err := s.BeginRepeat(t.Context(), r, at, at); err != nil {
				t.Fatal(err)
			}
		}
		numbers := `with recursive n (i) as (select 1 union all select i + 1 from n where i < 450)`
		db.Exec(t, numbers+` insert into idempotency (id, content, run, begun_at, until, answer)
			select 'x' || n.i, content, run, begun_at, until, answer from n, idempotency where id = 'old'`)
		if got := pruneAt(t, s, 0)["idempotency"].Rows; got != 451 {
			t.Errorf("%d went, want 451", got)
		}
		if n := db.Count(t, `select count(*) from idempotency where id = 'young'`); n != 1 {
			t.Error("a young one went too")
		}
	})
}
