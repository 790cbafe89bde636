package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const day = 24 * time.Hour

// pruneAt prunes by the default retention, so long from now: ids are of now. It
// returns what was told, by table.
func pruneAt(t *testing.T, s *store.Store, after time.Duration) map[string]settings.Pruned {
	t.Helper()
	out := make(map[string]settings.Pruned)
	if err := s.Prune(t.Context(), time.Now().Add(after), settings.DefaultRetention(), func(p settings.Pruned) {
		if _, twice := out[p.What]; twice {
			t.Errorf("%s was told twice", p.What)
		}
		out[p.What] = p
	}); err != nil {
		t.Fatalf("Prune after %v: %v", after, err)
	}
	return out
}

// none fails the test if a query finds anything.
func none(t *testing.T, db *storetest.Database, query string) {
	t.Helper()
	if n := db.Count(t, query); n != 0 {
		t.Errorf("%s = %d, want 0", query, n)
	}
}

// TestPrune lets a busy database grow old: with partitions, and, as on SQLite
// always, without.
func TestPrune(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]bool{"with partitions": true, "all in the default partition": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *storetest.Database) {
				s := db.Open(t)
				if ahead {
					if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
						t.Fatal(err)
					}
				}
				busy(t, s)
				growOld(t, db, s)
			})
		})
	}
}

func growOld(t *testing.T, db *storetest.Database, s *store.Store) {
	t.Helper()
	if told := pruneAt(t, s, 80*day); len(told) != 0 {
		t.Errorf("after 80 days something went: %+v", told)
	}
	if n := db.Count(t, `select count(*) from pruned`); n != 0 {
		t.Errorf("where nothing went, %d tables are marked", n)
	}
	cases := db.Count(t, `select count(*) from open_case`)
	notices := db.Count(t, `select count(*) from notice`)

	told := pruneAt(t, s, 100*day)
	if len(told) != 2 || told["notice_body"] == (settings.Pruned{}) || told["attempt_body"] == (settings.Pruned{}) {
		t.Errorf("after 100 days went %+v, want the bodies", told)
	}
	none(t, db, `select count(*) from attempt_body`)
	none(t, db, `select count(*) from notice_body b left join open_case c on c.id = b.id where c.id is null`)
	if b, n := db.Count(t, `select count(*) from notice_body`), db.Count(t, `select count(*) from notice`); b != cases || cases == 0 || n != notices {
		t.Errorf("after 100 days: %d bodies of %d open cases, %d notices of %d", b, cases, n, notices)
	}
	verified(t, s)
	bodiesGone(t, db, s)

	pruneAt(t, s, 440*day)
	for _, table := range []string{"delivery_end", "attempt"} {
		none(t, db, `select count(*) from `+table)
	}
	none(t, db, `select count(*) from event e left join delivery d on d.event_id = e.id where d.id is null`)
	none(t, db, `select count(*) from delivery d left join event e on e.id = d.event_id where e.id is null`)
	none(t, db, `select count(*) from verdict v left join open_case c on c.id = v.notice_id where c.id is null`)
	if n := db.Count(t, `select count(*) from notice`); n != cases || db.Count(t, `select count(*) from open_case`) != cases {
		t.Errorf("%d notices are left of %d open cases", n, cases)
	}
	verified(t, s)
	historyGone(t, db, s)
	paymentsGone(t, db, s)
}

// bodiesGone reads what has lost its body.
func bodiesGone(t *testing.T, db *storetest.Database, s *store.Store) {
	t.Helper()
	var id string
	if err := db.Raw.QueryRowContext(t.Context(), `select notice_id from notice_key where key = 'message/D1'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Notice(t.Context(), notice.ID(id)); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "body of notice") {
		t.Errorf("a notice without its body: %v", err)
	}
	if list, err := s.Notices(t.Context(), store.NoticeQuery{}); err != nil || len(list) != 18 {
		t.Errorf("%d notices are listed, %v", len(list), err)
	}
	var webhookID string
	if err := db.Raw.QueryRowContext(t.Context(), `select webhook_id from attempt where outcome = 'good'`).Scan(&webhookID); err != nil {
		t.Fatal(err)
	}
	attempts, err := s.Attempts(t.Context(), webhook.DeliveryID(webhookID))
	if err != nil || len(attempts) != 1 || !attempts[0].Pruned || attempts[0].RequestBody != nil || attempts[0].URL == "" {
		t.Errorf("an attempt without its bodies: %+v, %v", attempts, err)
	}
	damaged(t, db, s, []string{`delete from notice_body where id = (select id from open_case order by id limit 1)`}, func(found []store.Problem) {
		if len(found) != 1 || found[0].Kind != store.ProblemSealed {
			t.Errorf("an open case without its bytes: %+v", found)
		}
	})
}

// historyGone works on with payments whose history is gone.
func historyGone(t *testing.T, db *storetest.Database, s *store.Store) {
	t.Helper()
	if _, err := s.Notice(t.Context(), notice.ID("00000000-0000-7000-8000-000000000009")); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "of its age were pruned") {
		t.Errorf("a notice that was pruned: %v", err)
	}
	if _, err := s.Notice(t.Context(), notice.ID(storetest.NewID())); !fault.Is(err, fault.NotFound) {
		t.Errorf("a notice that never was: %v", err)
	}
	again := settle(t, s, storetest.Told(storetest.Channel, "paid", storetest.Deposit("paid", "D1")))[0]
	if again.Verdict != payment.Duplicate {
		t.Errorf("a message whose notice was pruned comes again: %+v", again)
	}
	p, err := s.Payment(t.Context(), storetest.Store, "unlimited", merchant.Any)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Webhooks(t.Context(), p.Key); err != nil {
		t.Errorf("Webhooks: %v", err)
	}
	if _, err := s.Resend(t.Context(), p.Key, webhook.DeliveryID(storetest.NewID()), time.Now()); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "too old") {
		t.Errorf("a resend of what was pruned: %v", err)
	}
	// A case that ends is history like any other.
	register(t, s, storetest.Registration("unknown"))
	verified(t, s)
	before := db.Count(t, `select count(*) from notice`)
	pruneAt(t, s, 440*day)
	if n := db.Count(t, `select count(*) from notice`); n >= before {
		t.Errorf("%d notices of %d are left after a case ended", n, before)
	}
	verified(t, s)
	for _, damage := range []struct{ sql, kind string }{
		{`delete from notice where id = (select id from open_case order by id limit 1)`, store.ProblemCase},
		{`update delivery set state = 'sending' where tries = 0`, store.ProblemDelivery},
		{`update deposit set payment_key = (select key from payment where id = 'waiting') where key = 'D1'`, store.ProblemDeposit},
	} {
		damaged(t, db, s, []string{damage.sql}, func(found []store.Problem) {
			if len(found) == 0 || found[0].Kind != damage.kind {
				t.Errorf("after pruning, %s: %+v", damage.sql, found)
			}
		})
	}
}

func paymentsGone(t *testing.T, db *storetest.Database, s *store.Store) {
	t.Helper()
	// What waits to be sent holds its payment.
	all := db.Count(t, `select count(*) from payment`)
	pruneAt(t, s, 1900*day)
	none(t, db, `select count(*) from delivery d left join payment p on p.key = d.payment_key where d.payment_key is not null and p.key is null`)
	verified(t, s)
	end := storetest.Noon.Add(9 * 24 * time.Hour)
	for {
		c, err := s.Claim(t.Context(), end, lease, storetest.Room(100))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Jobs) == 0 {
			break
		}
		for _, j := range c.Jobs {
			finish(t, s, outcome(j, 9*24*time.Hour, 0, webhook.Good))
		}
	}
	verified(t, s) // attempts of deliveries that are older than what is kept
	deposits, keys := db.Count(t, `select count(*) from deposit`), db.Count(t, `select count(*) from notice_key`)
	pruneAt(t, s, 1900*day)
	var left []string
	for _, id := range []string{"paid", "reopened", "short", "waiting", "cancelled", "late", "foretold", "unlimited", "unknown"} {
		if db.Count(t, `select count(*) from payment where id = $1`, id) > 0 {
			left = append(left, id)
		}
	}
	// These wait for a deposit, or have a case.
	for _, id := range []string{"waiting", "unlimited", "short"} {
		if !strings.Contains(strings.Join(left, " "), id) {
			t.Errorf("payment %s is gone", id)
		}
	}
	if len(left) >= all || strings.Contains(strings.Join(left, " "), "paid") {
		t.Errorf("left are %v", left)
	}
	none(t, db, `select count(*) from match_key m left join payment p on p.key = m.payment_key where p.key is null`)
	if d, k := db.Count(t, `select count(*) from deposit`), db.Count(t, `select count(*) from notice_key`); d != deposits || k != keys {
		t.Errorf("%d deposits of %d and %d messages of %d are remembered", d, deposits, k, keys)
	}
	verified(t, s)
	// The message of a payment that is forgotten still counts for nothing.
	if again := settle(t, s, storetest.Told(storetest.Channel, "paid", storetest.Deposit("paid", "D1")))[0]; again.Verdict != payment.Duplicate {
		t.Errorf("the deposit of a payment that was pruned comes again: %+v", again)
	}
	register(t, s, storetest.Registration("paid")) // the name is free again
	if state(t, s, "paid") != payment.Issued {
		t.Errorf("a new payment of an old name is %s", state(t, s, "paid"))
	}
	verified(t, s)
}

// TestPruneForEver prunes with nothing to lose.
func TestPruneForEver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		busy(t, s)
		before := verified(t, s)
		if err := s.Prune(t.Context(), time.Now().Add(40_000*day), settings.Retention{}, func(p settings.Pruned) { t.Errorf("%+v", p) }); err != nil {
			t.Fatal(err)
		}
		if after := verified(t, s); after != before {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}

// TestPruneInBatches counts the transactions that many rows go in.
func TestPruneInBatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var in []notice.Inbound
		for range 450 {
			in = append(in, refusedBy("203.0.113.1"))
		}
		settle(t, s, in...)
		removed := make(map[string]int)
		var mu sync.Mutex
		s.Record(func(query string, _ []any) {
			mu.Lock()
			defer mu.Unlock()
			if table, ok := strings.CutPrefix(query, "delete from "); ok {
				removed[strings.TrimSuffix(strings.Fields(table)[0], "_rest")]++
			}
		})
		told := pruneAt(t, s, 500*day)
		for _, table := range []string{"notice", "notice_body"} {
			if removed[table] != 3 || told[table].Rows != 450 || told[table].Partitions != 0 {
				t.Errorf("%s: %+v in %d transactions, want 450 rows in 3", table, told[table], removed[table])
			}
			none(t, db, `select count(*) from `+table)
		}
		if told["refusal"].Rows != 1 {
			t.Errorf("counters: %+v", told["refusal"])
		}
		none(t, db, `select count(*) from refusal_day`)
		verified(t, s)
		clear(removed)
		if told := pruneAt(t, s, 501*day); len(told) != 0 || len(removed) != 0 {
			t.Errorf("with nothing to do: %+v, %v", told, removed)
		}
	})
}

// TestPruneOnTwoNodes lets two nodes prune the same at once.
func TestPruneOnTwoNodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := []*store.Store{db.Open(t), db.Open(t)}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var made int
		each := func(do func(s *store.Store)) {
			for _, s := range nodes {
				wg.Go(func() { do(s) })
			}
			wg.Wait()
		}
		each(func(s *store.Store) {
			n, err := s.MakeAhead(t.Context(), time.Now())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			made += n
			mu.Unlock()
		})
		if want := 27; db.Postgres && made != want || !db.Postgres && made != 0 {
			t.Errorf("two nodes made %d partitions, want %d on PostgreSQL", made, want)
		}
		busy(t, nodes[0])
		sum := make(map[string]int64)
		each(func(s *store.Store) {
			if err := s.Prune(t.Context(), time.Now().Add(500*day), settings.DefaultRetention(), func(p settings.Pruned) {
				mu.Lock()
				sum[p.What] += p.Rows + int64(p.Partitions)
				mu.Unlock()
			}); err != nil {
				t.Error(err)
			}
		})
		if db.Postgres && sum["notice"] != 3 {
			t.Errorf("two nodes dropped %d partitions, want 3", sum["notice"])
		}
		for _, s := range nodes {
			pruneAt(t, s, 500*day) // one of them may have left all to the other
		}
		none(t, db, `select count(*) from attempt`)
		none(t, db, `select count(*) from notice n left join open_case c on c.id = n.id where c.id is null`)
		verified(t, nodes[1])
	})
}
