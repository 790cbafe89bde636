package store_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// planPayments is how many payments there are when plans are looked at. CI
// has no time for more than a hundred thousand; TONGBO_TORTURE makes it a million. Of
// ten thousand engines rightly read some tables as a whole.
func planPayments() int {
	if os.Getenv("TONGBO_TORTURE") != "" {
		return 1_000_000
	}
	return 100_000
}

// statement is one that a store ran, or runs.
type statement struct {
	query string
	args  []any
	once  bool // PostgreSQL plans it for what it asks, always
}

// TestPlans checks that nothing that is done for each notice, each delivery
// and each look reads or sorts a large table: the cost must not grow with what
// others did before. It looks with statistics as they should be, and as they
// may be of a table that fills and empties all day.
func TestPlans(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		live(t, s, "a")
		// Partitions, as a server makes them: PostgreSQL plans otherwise with several.
		if _, err := s.MakeAhead(t.Context(), storetest.Noon); err != nil {
			t.Fatal(err)
		}
		for _, c := range crowds {
			c.multiply(t, db, planPayments())
		}
		run := func(query string) {
			t.Helper()
			if _, err := db.Raw.ExecContext(t.Context(), query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		if !db.Postgres {
			list := statements(t, db, s, "b") // SQLite in production has no statistics
			look(t, db, list)
			if len(list) < 40 {
				t.Errorf("only %d statements were looked at", len(list))
			}
		}
		run(`analyze`)
		list := statements(t, db, s, "c")
		look(t, db, list)
		if len(list) < 40 {
			t.Errorf("only %d statements were looked at", len(list))
		}

		waiting := crowds[slices.IndexFunc(crowds, func(c crowd) bool { return c.table == "delivery" })]
		waiting.per = max(1, planPayments()/100_000)
		waiting.values = maps.Clone(waiting.values)
		waiting.values["id"], waiting.values["event_id"] = "{8}", "{9}"
		waiting.multiply(t, db, planPayments())
		if db.Postgres {
			run(`alter table delivery set (autovacuum_enabled = false)`)
		}
		run(`analyze delivery`)
		run(`delete from delivery`)
		look(t, db, statements(t, db, s, "emptied"))
		run(`delete from delivery`)
		if db.Postgres {
			run(`vacuum analyze delivery`)
		}
		live(t, s, "d")
		waiting.multiply(t, db, planPayments())
		look(t, db, statements(t, db, s, "filled"))
	})
}

// look fails the test for each statement that an engine runs badly.
func look(t *testing.T, db *storetest.Database, list []statement) {
	t.Helper()
	small := smallTables(t, db)
	for _, st := range list {
		if bad := flaws(t, db, st, small); len(bad) > 0 {
			t.Errorf("%s\n\t%s", st.query, strings.Join(bad, "\n\t"))
		}
	}
}

// smallTables are those of which every row may be read.
func smallTables(t *testing.T, db *storetest.Database) map[string]bool {
	t.Helper()
	small := make(map[string]bool)
	for _, table := range []string{
		"setting", "merchant", "store", "channel", "endpoint", "api_secret", "api_key", "allow", "refusal", "refusal_day", "attention", "probe",
		"node", "pruned", "heartbeat", "listener", "search_page", "search_upto", "search_due",
	} {
		small[table] = true
	}
	if !db.Postgres {
		return small
	}
	// PostgreSQL reads a table of a few pages rather than its index.
	for _, c := range crowds {
		if db.Count(t, `select count(*) from (select 1 from `+c.table+` limit $1) as few`, mostRead) < mostRead {
			small[c.table] = true
		}
	}
	return small
}

// What has a plan: rows that are only put into a table have none.
var (
	plannable = regexp.MustCompile(`^\s*(select|insert|update|delete|with)\b`)
	planless  = regexp.MustCompile(`^insert into \w+ \([^)]*\) (values \([^(]*\)|select \* from unnest\([^(]*\))\s*(on conflict|$)`)
)

// statements are those that a store runs when it does everything that it does
// often, each once.
func statements(t *testing.T, db *storetest.Database, s *store.Store, name string) []statement {
	t.Helper()
	var all []statement
	recorded := db.Open(t)
	recorded.Record(func(query string, args []any) { all = append(all, statement{query: query, args: slices.Clone(args)}) })
	key, webhookID := live(t, recorded, name)
	newest := "ffffffff-ffff-ffff-ffff-ffffffffffff"
	all = append(all,
		statement{query: store.NoticesQuery, args: []any{newest, 100}},
		statement{query: store.NoticesAppliedQuery, args: []any{newest, 100}},
		statement{query: store.NoticesByVerdictQuery, args: []any{newest, 100, "conflict"}},
		statement{query: store.NoticesByVerdictQuery, args: []any{newest, 100, "duplicate"}},
		statement{query: store.NoticesByVerdictQuery, args: []any{newest, 100, "pending"}},
		statement{query: store.NoticesByChannelQuery, args: []any{newest, 100, string(storetest.Channel)}, once: true},
		statement{query: store.NoticesByChannelQuery, args: []any{newest, 100, string(storetest.OtherOne)}, once: true},
		statement{query: store.CallsPage, args: []any{string(storetest.Merchant), "test", newest, "00000000-0000-0000-0000-000000000000", 51}, once: true},
		statement{query: store.CallsPage, args: []any{"merchant-3", "test", newest, "00000000-0000-0000-0000-000000000000", 51}, once: true},
		statement{query: store.OverdueQuery, args: []any{string(storetest.Channel), int64(0), 1000}},
		statement{query: store.HeardQuery, args: []any{string(storetest.Channel), newest, 500}, once: true},
		statement{query: store.HeardQuery, args: []any{string(storetest.OtherOne), newest, 500}, once: true},
		statement{query: store.DecidedQuery, args: []any{string(storetest.Channel), 100}},
		statement{query: store.OldestQuery},
		statement{query: store.EndpointTriesQuery, args: []any{string(storetest.Endpoint)}},
		statement{query: store.SentQuery, args: []any{string(key)}},
		statement{query: store.AttemptsQuery, args: []any{string(webhookID)}},
		statement{query: store.LastAttemptQuery, args: []any{string(webhookID)}},
		statement{query: `select key, doc from payment where store_id = $1 and id = $2`, args: []any{string(storetest.Store), name + "1"}},
		statement{query: `select doc from payment where key = $1`, args: []any{string(key)}},
	)
	p, err := s.PaymentByKey(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range recorded.ListQueries(store.PaymentList{
		Stores: []merchant.StoreID{storetest.Store, "store-2"}, Modes: store.AllModes, Until: storetest.Noon.AddDate(1, 0, 0),
	}, p, string(webhookID), "00000000-0000-0000-0000-000000000000") {
		all = append(all, statement{q.Text, q.Args, q.Once})
	}
	for _, q := range recorded.AttentionQueries(storetest.Merchant, []merchant.StoreID{storetest.Store, "store-2"}, merchant.Test,
		storetest.Noon, storetest.Endpoint) {
		all = append(all, statement{q.Text, q.Args, q.Once})
	}
	for _, q := range recorded.ConsoleQueries(allOfUs, []merchant.StoreID{storetest.Store, secondStore},
		[]merchant.ChannelKey{storetest.Channel, storetest.OtherOne}, p, webhookID) {
		all = append(all, statement{q.Text, q.Args, q.Once})
	}
	for _, q := range []store.AuditQuery{
		{}, {Merchant: storetest.Merchant}, {Merchant: "merchant-2"}, {Merchant: "merchant-3"}, {Merchant: storetest.Merchant, Object: "o 7"},
		{Merchant: storetest.Merchant, By: "m 3"}, {Merchant: storetest.Merchant, By: "nobody"}, {Object: "o 7"}, {By: "m 3"},
	} {
		query, args, err := recorded.AuditStatement(q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, statement{query: query, args: args, once: true})
	}
	if db.Postgres {
		all = append(all, statement{query: store.BeatQuery, args: []any{"n", "name", "release", int64(1), int64(1), "own"}})
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(all, func(st statement) bool {
		of := fmt.Sprint(st.query, len(st.args))
		if strings.HasPrefix(st.query, "select n.id") || strings.Contains(st.query, " as part ") {
			of = fmt.Sprint(st) // lists are looked at for each thing that they are asked for
		}
		drop := seen[of] || !plannable.MatchString(st.query) || planless.MatchString(st.query)
		seen[of] = true
		return drop
	})
}

// live has a store do everything that it does often, and returns a payment and
// a delivery that is over.
func live(t *testing.T, s *store.Store, name string) (payment.Key, webhook.DeliveryID) {
	t.Helper()
	order := func(i int) string { return fmt.Sprint(name, i) }
	settle(t, s, byOrder(order(1)), byAccount(order(2)), refusedBy("203.0.113.1"))
	p := register(t, s, storetest.Registration(order(1))) // decides what was held
	register(t, s, storetest.Registration(order(3)))
	register(t, s, storetest.Registration(order(4)))
	settle(t, s, byOrder(order(3)), byOrder(order(3)), byAccount(order(9)), byOrder(order(8)), byOrder(order(8)))
	lost := byOrder("closed-" + name)
	settle(t, s, lost)
	closeCase(t, s, lost.ID)
	liveRedecisions(t, s, name)
	jobs := claim(t, s, time.Hour, 10, all).Jobs
	finish(t, s, outcome(jobs[0], time.Hour, 0, webhook.Good))
	finish(t, s, outcome(jobs[1], time.Hour, 1000*time.Hour, webhook.NoAnswer))
	beat(t, s, 0)
	enlist(t, s, notice.SweepDue, storetest.Noon, storetest.Noon.Add(time.Hour))
	enlist(t, s, notice.SweepOutage, time.Time{}, storetest.Noon.Add(100*time.Hour))
	if _, err := s.Enlist(t.Context(), notice.Enlisting{
		Why: notice.SweepOutage, After: storetest.Noon.Add(1000 * time.Hour), Until: storetest.Noon, Undated: storetest.Noon.Add(100 * time.Hour),
		When: func(merchant.ChannelKey, time.Time) time.Time { return storetest.Noon },
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SweepsDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, _ := sweep(t, s, time.Hour)
	for _, x := range list {
		if err := s.Swept(t.Context(), x, func(payment.Payment) (time.Time, notice.SweepReason) { return storetest.Noon.Add(time.Hour), x.Why }); err != nil {
			t.Fatal(err)
		}
	}
	now := storetest.Noon.Add(72 * time.Hour)
	if _, err := s.Expire(t.Context(), now, 10, 0, expired(now)); err != nil {
		t.Fatal(err)
	}
	in, r := attended("plan-" + name)
	if _, err := s.Settle(t.Context(), []notice.Inbound{in}, func(notice.Inbound, []notice.Found) notice.Ruling { return r }); err != nil {
		t.Fatal(err)
	}
	kept := asking("plan-"+name, "x")
	begin(t, s, kept, 0, nil)
	begin(t, s, asking(kept.ID, "x"), 0, merchant.ErrOutstanding)
	endRepeat(t, s, kept, &merchant.KeptAnswer{Status: 200})
	given := asking("given-"+name, "x")
	begin(t, s, given, 0, nil)
	endRepeat(t, s, given, nil)
	pinned(t, s, payment.ID("pinned-"+name), merchant.Test, 1000, 0, 0)
	onTrial(t, s, "plan-"+name, "books")
	liveWindows(t, s, payment.ID("window-"+name))
	liveSchedules(t, s, name)
	putCalls(t, s, aCall(len(name)))
	if err := s.Audit(t.Context(), audited(name)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutSearchable(t.Context(), time.Now().Add(time.Hour), 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Acknowledge(t.Context(), attention.Ack{
		ID: storetest.NewID(), Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Kind: attention.Refused, At: now, Upto: now,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Act(t.Context(), notice.Act{Payment: p.Key, Do: func(p *payment.Payment) (notice.Acted, error) {
		return notice.Acted{Payment: *p, Ask: now}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resend(t.Context(), p.Key, "", now); err != nil {
		t.Fatal(err)
	}
	liveResends(t, s, jobs[1])
	return p.Key, jobs[0].ID
}

// liveSchedules has a store do all with billing keys and schedules.
func liveSchedules(t *testing.T, s *store.Store, name string) {
	t.Helper()
	k := aKey(t, s, payment.BillingKeyID("key-"+name))
	x := schedule(t, s, aSchedule(payment.ID("scheduled-"+name), k.ID, time.Hour))
	schedule(t, s, aSchedule(payment.ID("later-"+name), k.ID, 2*time.Hour))
	list, _ := due(t, s, time.Hour, 1)
	if len(list) != 1 {
		t.Fatalf("%d schedules are due", len(list))
	}
	if err := beginFor(t, s, list[0], nil); err != nil {
		t.Fatal(err)
	}
	if err := s.FailSchedule(t.Context(), list[0], storetest.Noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, "", []payment.ScheduleID{x.ID}, storetest.Noon); err == nil {
		t.Fatal("a schedule that was begun is revoked")
	}
	if _, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, k.ID, nil, storetest.Noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeBillingKey(t.Context(), k.ID, func(k payment.BillingKey) (payment.BillingKey, []webhook.Emission, error) {
		k.State = payment.KeyDeleting
		return k, nil, nil
	}); !errors.Is(err, payment.ErrKeyScheduled) {
		t.Fatal(err)
	}
}
