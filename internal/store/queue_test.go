package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const lease = 45 * time.Second

func all(string, []webhook.Job) int { return 1000 }

func claim(t *testing.T, s *store.Store, at time.Duration, total int, free func(string, []webhook.Job) int) webhook.Claim {
	t.Helper()
	c, err := s.Claim(t.Context(), storetest.Noon.Add(at), lease, webhook.Room{Total: total, Retries: total, Of: free})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// outcome is how a job's try ended; a zero next ends the delivery.
func outcome(j webhook.Job, at, next time.Duration, o webhook.Outcome) webhook.Finish {
	f := webhook.Finish{Job: j, State: webhook.Waiting, Attempt: webhook.Attempt{
		ID: webhook.AttemptID(storetest.NewID()), Delivery: j.ID, Webhook: j.ID, Number: j.Tries + 1,
		At: storetest.Noon.Add(at), Took: time.Second, URL: "http://127.0.0.1:9/webhook", Outcome: o, RequestBody: j.Body,
	}}
	if j.Original != "" {
		f.Attempt.Webhook = j.Original
	}
	if next > 0 {
		f.Next = storetest.Noon.Add(next)
		return f
	}
	f.State = webhook.Undone
	if o == webhook.Good {
		f.State = webhook.Completed
	}
	return f
}

// finish records one outcome, which must not be refused.
func finish(t *testing.T, s *store.Store, f webhook.Finish) {
	t.Helper()
	errs, err := s.Finish(t.Context(), []webhook.Finish{f})
	if err != nil || errs[0] != nil {
		t.Fatalf("Finish = %v, %v", errs, err)
	}
}

func ids(c webhook.Claim) []webhook.DeliveryID {
	var out []webhook.DeliveryID
	for _, j := range c.Jobs {
		out = append(out, j.ID)
	}
	slices.Sort(out)
	return out
}

// wait registers orders, each of which makes a delivery that is due.
func wait(t *testing.T, s *store.Store, orders ...string) {
	t.Helper()
	for _, o := range orders {
		register(t, s, storetest.Registration(o))
	}
}

func TestClaimAndFinish(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if c := claim(t, s, 0, 10, all); len(c.Jobs) != 0 || !c.Next.IsZero() || c.Version != 2 {
			t.Errorf("an idle queue gives %+v", c)
		}
		wait(t, s, "o-1")
		if c := claim(t, s, -time.Second, 10, all); len(c.Jobs) != 0 || !c.Next.Equal(storetest.Noon) {
			t.Errorf("before it is due: %d jobs, next %v", len(c.Jobs), c.Next)
		}
		j := claim(t, s, 0, 10, all).Jobs[0]
		if j.Target != string(storetest.Endpoint) || j.Tries != 0 || j.Lease == "" || len(j.Body) == 0 {
			t.Errorf("claimed %+v", j)
		}
		finish(t, s, outcome(j, 0, time.Minute, webhook.BadAnswer))
		if c := claim(t, s, 59*time.Second, 10, all); len(c.Jobs) != 0 || !c.Next.Equal(storetest.Noon.Add(time.Minute)) {
			t.Errorf("before the retry: %d jobs, next %v", len(c.Jobs), c.Next)
		}
		j = claim(t, s, time.Minute, 10, all).Jobs[0]
		if j.Tries != 1 {
			t.Errorf("the retry knows of %d tries", j.Tries)
		}
		finish(t, s, outcome(j, time.Minute, 0, webhook.Good))
		if c := claim(t, s, time.Hour, 10, all); len(c.Jobs) != 0 || !c.Next.IsZero() {
			t.Errorf("after the end: %+v", c)
		}
		tried, err := s.Attempts(t.Context(), j.ID)
		if err != nil || len(tried) != 2 || tried[1].Number != 2 || tried[1].Outcome != webhook.Good || string(tried[1].RequestBody) != string(j.Body) {
			t.Errorf("attempts: %+v, %v", tried, err)
		}
		verified(t, s)
	})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		wait(t, one, "o-1")
		lost := claim(t, one, 0, 10, all).Jobs[0]
		if c := claim(t, other, lease-time.Second, 10, all); len(c.Jobs) != 0 || !c.Next.Equal(storetest.Noon.Add(lease)) {
			t.Errorf("while it is leased: %d jobs, next %v", len(c.Jobs), c.Next)
		}
		again := claim(t, other, lease, 10, all).Jobs[0]
		if again.ID != lost.ID || again.Lease == lost.Lease {
			t.Errorf("after the lease: %s under %s", again.ID, again.Lease)
		}
		errs, err := one.Finish(t.Context(), []webhook.Finish{
			outcome(lost, 0, 0, webhook.Good), outcome(lost, 0, time.Minute, webhook.NoAnswer),
		})
		if err != nil || !fault.Is(errs[0], fault.Conflict) || !fault.Is(errs[1], fault.Conflict) {
			t.Errorf("outcomes after the lease was lost: %v, %v", errs, err)
		}
		if n := db.Count(t, `select count(*) from attempt`); n != 0 {
			t.Errorf("the lost outcome left %d attempts", n)
		}
		finish(t, other, outcome(again, lease, 0, webhook.Good))
		errs, err = other.Finish(t.Context(), []webhook.Finish{outcome(again, lease, 0, webhook.Good)})
		if err != nil || !fault.Is(errs[0], fault.Conflict) {
			t.Errorf("an outcome for what is over: %v, %v", errs, err)
		}
		verified(t, one)
	})
}

// TestClaimsOverlapNowhere claims on two nodes at once.
func TestClaimsOverlapNowhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := []*store.Store{db.Open(t), db.Open(t)}
		var orders []string
		for i := range 40 {
			orders = append(orders, fmt.Sprintf("o-%d", i))
		}
		wait(t, nodes[0], orders...)
		got := make(chan webhook.DeliveryID, 80)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 10 {
					c, err := nodes[i%2].Claim(t.Context(), storetest.Noon, lease, storetest.Room(3))
					if err != nil && !fault.Is(err, fault.Unavailable) {
						t.Error(err)
					}
					for _, id := range ids(c) {
						got <- id
					}
				}
			})
		}
		wg.Wait()
		close(got)
		seen := make(map[webhook.DeliveryID]bool)
		for id := range got {
			if seen[id] {
				t.Errorf("delivery %s was claimed twice", id)
			}
			seen[id] = true
		}
		if len(seen) != len(orders) {
			t.Errorf("%d deliveries were claimed, want %d", len(seen), len(orders))
		}
		verified(t, nodes[0])
	})
}

func TestFirstTriesGoFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		wait(t, s, "old")
		old := claim(t, s, 0, 1, all).Jobs[0]
		finish(t, s, outcome(old, 0, time.Second, webhook.NoAnswer))
		wait(t, s, "new-1", "new-2")
		c := claim(t, s, time.Minute, 2, all)
		if len(c.Jobs) != 2 || slices.Contains(ids(c), old.ID) {
			t.Errorf("the retry went ahead of first tries: %v", ids(c))
		}
		if c := claim(t, s, time.Minute, 2, all); len(c.Jobs) != 1 || c.Jobs[0].ID != old.ID {
			t.Errorf("the retry did not follow: %v", ids(c))
		}
	})
}

func TestRoomOfTargets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		wait(t, s, "o-1", "o-2", "o-3")
		g := storetest.Registration("own-url")
		g.NoticeURLs = []string{"https://shop.example/hook?x=1"}
		register(t, s, g)
		none := claim(t, s, 0, 10, func(string, []webhook.Job) int { return 0 })
		if len(none.Jobs) != 0 || !none.Next.Equal(storetest.Noon) {
			t.Errorf("without room: %d jobs, next %v", len(none.Jobs), none.Next)
		}
		one := claim(t, s, 0, 10, func(target string, _ []webhook.Job) int {
			if target == string(storetest.Endpoint) {
				return 2
			}
			return 5
		})
		count := make(map[string]int)
		for _, j := range one.Jobs {
			count[j.Target]++
		}
		if count[string(storetest.Endpoint)] != 2 || count[string(storetest.Merchant)+" https://shop.example"] != 1 {
			t.Errorf("claimed by target: %v", count)
		}
		if c := claim(t, s, 0, 10, all); len(c.Jobs) != 1 {
			t.Errorf("%d jobs are left, want 1", len(c.Jobs))
		}
	})
}

func TestPausedEndpointHolds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		wait(t, s, "o-1", "o-2")
		flying := claim(t, s, 0, 1, all).Jobs[0]
		pause := func(paused bool, at time.Duration) {
			t.Helper()
			next, err := s.Settings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			next.Endpoints[0].Paused = paused
			if err := s.SaveSettings(t.Context(), next, storetest.Noon.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		pause(true, 0)
		wait(t, s, "o-3")
		if _, err := s.Resend(t.Context(), flying.Payment, flying.ID, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		finish(t, s, outcome(flying, 0, time.Second, webhook.NoAnswer))
		if c := claim(t, s, time.Hour, 10, all); len(c.Jobs) != 0 || !c.Next.IsZero() {
			t.Errorf("a paused endpoint gets %d jobs, next %v", len(c.Jobs), c.Next)
		}
		verified(t, s)
		pause(false, 2*time.Hour)
		if c := claim(t, s, 2*time.Hour, 10, all); len(c.Jobs) != 4 {
			t.Errorf("%d jobs after the pause, want 4", len(c.Jobs))
		}
		verified(t, s)
	})
}

func TestAttentionIsThrottled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		held := func(kind string, after time.Duration) {
			t.Helper()
			in := storetest.Told(storetest.Channel, storetest.NewID(), storetest.Deposit("x", storetest.NewID()))
			results, err := s.Settle(t.Context(), []notice.Inbound{in}, func(in notice.Inbound, found []notice.Found) notice.Ruling {
				r := storetest.Judge(in, found)
				e, err := storetest.Planner().Plan(webhook.Event{
					ID: webhook.EventID(storetest.NewID()), Type: webhook.Attention, At: storetest.Noon.Add(after), Merchant: storetest.Merchant,
					Store: storetest.Store, Mode: "test", Concern: &webhook.Concern{Kind: kind, Channel: storetest.Channel},
				}, nil)
				if err != nil {
					panic(err)
				}
				e.Throttle = kind
				r.Emissions = append(r.Emissions, e)
				return r
			})
			if err != nil || results[0].Err != nil {
				t.Fatal(results, err)
			}
		}
		for i, step := range []struct {
			kind  string
			after time.Duration
			want  int
		}{
			{"unmatched", 0, 1}, {"unmatched", 0, 1}, {"unmatched", webhook.ThrottleFor - time.Second, 1},
			{"conflict", time.Minute, 2}, {"unmatched", webhook.ThrottleFor, 3}, {"unmatched", webhook.ThrottleFor + time.Minute, 3},
		} {
			held(step.kind, step.after)
			if n := db.Count(t, `select count(*) from event where type = 'tongbo.attention'`); n != step.want {
				t.Errorf("step %d: attention was given %d times, want %d", i+1, n, step.want)
			}
		}
		verified(t, s)
	})
}

// A claim takes no more retries than it is allowed, and says of whom it left
// first tries.
func TestRoomForRetries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i := range 6 {
			wait(t, s, fmt.Sprintf("o-%d", i))
		}
		db.Exec(t, `update delivery set target = 'a', tries = 1, lane = 1 where payment_id in ('o-0', 'o-1', 'o-2')`)
		db.Exec(t, `update delivery set target = 'b' where payment_id = 'o-3'`)
		db.Exec(t, `update delivery set target = 'c' where payment_id in ('o-4', 'o-5')`)
		of := func(target string, _ []webhook.Job) int { return map[string]int{"a": 3, "b": 3, "c": 1}[target] }
		for i, want := range []struct {
			retries, firsts int
			left            []string
		}{{2, 2, []string{"c"}}, {1, 1, nil}, {0, 0, nil}} {
			c, err := s.Claim(t.Context(), storetest.Noon, lease, webhook.Room{Total: 10, Retries: 2, Of: of})
			if err != nil {
				t.Fatal(err)
			}
			retries := 0
			for _, j := range c.Jobs {
				retries += j.Tries
			}
			if retries != want.retries || len(c.Jobs)-retries != want.firsts || !slices.Equal(c.Left, want.left) {
				t.Errorf("claim %d took %d retries and %d first tries and left those of %q, want %+v", i, retries, len(c.Jobs)-retries, c.Left, want)
			}
		}
	})
}

// TestClaimsDisturbNobody has a node claim while another is between its choice
// and its leases: it finds nothing held, and the first passes over what it took.
func TestClaimsDisturbNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if !db.Postgres {
			t.Skip("SQLite has one writer")
		}
		one, other := db.Open(t), db.Open(t)
		const many, few = 40, 5
		for i := range many {
			wait(t, one, fmt.Sprintf("o-%02d", i))
		}
		db.Exec(t, `update delivery set target = payment_id`)
		asked := map[string]int{}
		var meanwhile webhook.Claim
		c := claim(t, one, 0, few, func(target string, _ []webhook.Job) int {
			if asked[target]++; asked[target] == 2 && meanwhile.Jobs == nil {
				meanwhile = claim(t, other, 0, few, all)
			}
			return many
		})
		if len(meanwhile.Jobs) != few {
			t.Errorf("a claim of %d beside another took %d", few, len(meanwhile.Jobs))
		}
		for _, id := range ids(c) {
			if slices.Contains(ids(meanwhile), id) {
				t.Errorf("both took %s", id)
			}
		}
		rest := claim(t, one, 0, many, all)
		if n := len(c.Jobs) + len(meanwhile.Jobs) + len(rest.Jobs); n != many {
			t.Errorf("%d were claimed in all, want %d", n, many)
		}
	})
}
