package store_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// busy does everything once that a day brings.
func busy(t *testing.T, s *store.Store) {
	t.Helper()
	told := func(order, id string, edits ...func(*payment.Report)) {
		t.Helper()
		r := storetest.Deposit(order, id)
		for _, edit := range edits {
			edit(&r)
		}
		settle(t, s, storetest.Told(storetest.Channel, order, r))
	}
	wait(t, s, "paid", "reopened", "short", "waiting", "cancelled")
	told("paid", "D1")
	told("paid", "D1")
	told("reopened", "D2")
	told("reopened", "D2", func(r *payment.Report) { r.Event, r.Key = payment.EventReversed, "R2" })
	told("reopened", "D3")
	told("short", "D4", func(r *payment.Report) { r.Amount = payment.Won(1) })
	told("short", "D4", func(r *payment.Report) { r.Amount = payment.Won(1) })
	told("unknown", "D5")
	told("unknown", "D5")
	told("late", "D6")
	told("late", "D6")
	wait(t, s, "late")
	told("foretold", "D7", func(r *payment.Report) { r.Event, r.Key = payment.EventReversed, "R7" })
	wait(t, s, "foretold")
	told("foretold", "D7")
	told("cancelled", "", func(r *payment.Report) { r.Event, r.Key = payment.EventCancelled, "C1" })
	told("cancelled", "D8")
	g := storetest.Registration("unlimited")
	g.Account.Type = payment.FixedUnlimited
	register(t, s, g)
	told("unlimited", "U1")
	told("unlimited", "", func(r *payment.Report) { r.Key, r.At = "U2", r.At.Add(time.Hour) })
	told("unlimited", "U2", func(r *payment.Report) { r.At = r.At.Add(time.Hour) })

	jobs := claim(t, s, time.Hour, 4, all).Jobs
	finish(t, s, outcome(jobs[0], 0, 0, webhook.Good))
	finish(t, s, outcome(jobs[1], 0, 2*time.Hour, webhook.NoAnswer))
	finish(t, s, outcome(jobs[2], 0, 0, webhook.Gone))
	if _, err := s.Resend(t.Context(), jobs[0].Payment, jobs[0].ID, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

func TestVerifySound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if c := verified(t, s); c != (store.Checked{}) {
			t.Errorf("an empty database has %+v", c)
		}
		busy(t, s)
		c := verified(t, s)
		if c.Notices != 18 || c.Payments != 8 || c.Cases == 0 || c.Deposits == 0 || c.Events == 0 || c.Deliveries == 0 || c.Attempts != 3 {
			t.Errorf("Verify looked at %+v", c)
		}
		if small, err := s.VerifySmall(t.Context(), func(p store.Problem) { t.Errorf("%+v", p) }); err != nil || small != c {
			t.Errorf("with little memory Verify looked at %+v, %v; with much at %+v", small, err, c)
		}
		var rows int64
		other, err := s.VerifyAlone(t.Context(), func(p store.Problem) { t.Errorf("%+v", p) })
		if err != nil || other != c {
			t.Errorf("on one connection Verify looked at %+v, %v; on several at %+v", other, err, c)
		}
		if _, err := s.VerifyShown(t.Context(), func(store.Problem) {}, func(n int64) { rows = n }); err != nil || rows != c.Notices+c.Payments+c.Events+c.Deliveries+c.Attempts {
			t.Errorf("%d rows were told of at the end, %v", rows, err)
		}
	})
}

// TestVerifyAtOnce verifies several times at once: each takes more than one
// connection if it gets them, and none waits for another's.
func TestVerifyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		busy(t, s)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := s.Verify(t.Context(), func(p store.Problem) { t.Errorf("%+v", p) }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

// damages are what no transaction of the program does. The table is long, one
// row for each kind of damage.
var damages = []struct {
	name, kind, text string
	sql              []string
}{
	{"a notice without bytes", store.ProblemSealed, "bytes are gone", []string{
		`delete from notice_body where id = (select notice_id from notice_key where key = 'message/D1')`}},
	{"a notice sealed for another", store.ProblemSealed, "cannot be opened", []string{
		`update notice_body set request = (select request from notice_body where id = (select notice_id from notice_key where key = 'message/D2'))
			where id = (select notice_id from notice_key where key = 'message/D1')`}},
	{"a notice without a verdict", store.ProblemNotice, "no verdict", []string{
		`update notice set verdict = '' where id = (select notice_id from notice_key where key = 'message/D1')`}},
	{"a verdict without its payment", store.ProblemNotice, "applied to no payment", []string{
		`update notice set payment_key = null where id = (select notice_id from notice_key where key = 'message/D1')`}},
	{"a case that was lost", store.ProblemNotice, "no case is open", []string{
		`delete from case_key where case_id in (select id from open_case where notice_key = 'message/D5')`,
		`delete from open_case where notice_key = 'message/D5'`}},
	{"a case without a notice", store.ProblemCase, "has no notice", []string{
		`delete from notice where id = (select id from open_case where notice_key = 'message/D5')`}},
	{"a case of a decided notice", store.ProblemCase, "is decided", []string{
		`update notice set verdict = 'recorded' where id = (select id from open_case where notice_key = 'message/D5')`}},
	{"names of no case", store.ProblemCase, "not open", []string{`delete from open_case where notice_key = 'message/D5'`}},
	{"a payment that was lost", store.ProblemNotice, "does not exist", []string{`delete from payment where id = 'paid'`}},
	{"names of a payment that was lost", store.ProblemName, "does not exist", []string{`delete from payment where id = 'waiting'`}},
	{"a payment unpaid in its column", store.ProblemPayment, "columns say", []string{`update payment set state = 'FAILED' where id = 'paid'`}},
	{"a payment of another amount", store.ProblemPayment, "columns say", []string{`update payment set amount = 2000 where id = 'paid'`}},
	{"a payment put back to an older form", store.ProblemSealed, "cannot be opened", []string{
		`update payment set doc = (select doc from payment where id = 'waiting') where id = 'paid'`}},
	{"a deposit that nobody noted", store.ProblemDeposit, "not noted", []string{`delete from deposit where key = 'D1'`}},
	{"a deposit noted for another payment", store.ProblemDeposit, "does not know it", []string{
		`update deposit set payment_key = (select key from payment where id = 'waiting') where key = 'D1'`}},
	{"a deposit of a payment that does not exist", store.ProblemDeposit, "does not exist", []string{
		`update deposit set payment_key = notice_id where key = 'D1'`}},
	{"a deposit counted for two", store.ProblemDeposit, "does not know it", []string{
		`insert into deposit (channel_key, key, payment_key, notice_id) select channel_key, 'D1b', payment_key, notice_id from deposit where key = 'D1'`}},
	{"money that was told to nobody", store.ProblemEvent, "paid 1 times, and told 0 times", []string{
		`update event set type = 'Transaction.Ready' where type = 'Transaction.Paid' and payment_id = 'paid'`}},
	{"money that was told twice", store.ProblemEvent, "told 2 times", []string{
		`update event set type = 'Transaction.Paid' where payment_id = 'paid'`}},
	{"an event of no payment", store.ProblemEvent, "payment does not exist", []string{
		`update event set payment_key = id where payment_id = 'paid'`}},
	{"an event that lost a delivery", store.ProblemEvent, "has not the deliveries", []string{
		`delete from delivery where state = 'waiting' and lease is null and tries = 0 and original is null`}},
	{"an event without its count", store.ProblemEvent, "has not the deliveries", []string{`update event set fanout = 2 where payment_id = 'paid'`}},
	{"deliveries without an event", store.ProblemDelivery, "has no event", []string{`delete from event where payment_id = 'waiting'`}},
	{"a delivery that is over and waits", store.ProblemDelivery, "is over and waits", []string{
		`update delivery_end set id = (select id from delivery order by id limit 1), tries = 0 where outcome = 'good'`}},
	{"a hold without a reason", store.ProblemDelivery, "not paused", []string{`update delivery set state = 'held' where lease is null and tries = 0`}},
	{"a state that nobody looks for", store.ProblemDelivery, "neither waits nor is held", []string{`update delivery set state = 'sending' where lease is not null`}},
	{"an end that is none", store.ProblemDelivery, "has no end", []string{`update delivery_end set state = 'waiting' where outcome = 'good'`}},
	{"a due time that never comes", store.ProblemDelivery, "no time that comes", []string{
		`update delivery set due_at = 99999999999999999, ready_at = 99999999999999999 where lease is null and tries = 0`}},
	{"a lease without an end", store.ProblemDelivery, "does not run out", []string{
		`update delivery set ready_at = 99999999999999999 where lease is not null`}},
	{"a lease that was half freed", store.ProblemDelivery, "never be claimed", []string{
		`update delivery set ready_at = ready_at + 1 where lease is null and tries = 0`}},
	{"an attempt that was lost", store.ProblemAttempt, "not numbered", []string{`delete from attempt where outcome = 'good'`}},
	{"an attempt with a number of its own", store.ProblemAttempt, "not numbered", []string{`update attempt set number = 2 where outcome = 'good'`}},
	{"an attempt of nothing", store.ProblemAttempt, "does not exist", []string{`update attempt set delivery_id = id where outcome = 'good'`}},
	{"more tries than the schedule has", store.ProblemAttempt, "more often", []string{`update delivery_end set tries = 7 where outcome = 'good'`}},
	{"a wait without a try left", store.ProblemAttempt, "no try left", []string{`update delivery set tries = 6 where tries = 1`}},
	{"an attempt without what it sent", store.ProblemSealed, "attempt sent is gone", []string{
		`delete from attempt_body where id = (select id from attempt where outcome = 'good')`}},
}

func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		busy(t, s)
		for _, d := range damages {
			damaged(t, db, s, d.sql, func(found []store.Problem) {
				for _, p := range found {
					if p.Subject == "" || strings.Contains(p.Text, "홍길동") {
						t.Errorf("%s: problem %+v", d.name, p)
					}
					if p.Kind == d.kind && strings.Contains(p.Text, d.text) {
						return
					}
				}
				t.Errorf("%s: not found; Verify says %v", d.name, found)
			})
		}
		verified(t, s)
	})
}

// targetOf finds the table that a statement changes.
var targetOf = regexp.MustCompile(`^(?:update|delete from|insert into) (\w+)`)

// damaged runs SQL, gives what Verify then finds, and puts back what it
// changed, so that one busy database serves all damages.
func damaged(t *testing.T, db *storetest.Database, s *store.Store, sql []string, check func([]store.Problem)) {
	t.Helper()
	var tables []string
	for _, q := range sql {
		tables = append(tables, targetOf.FindStringSubmatch(q)[1])
	}
	slices.Sort(tables)
	tables = slices.Compact(tables)
	for _, name := range tables {
		mustExec(t, db, `create table kept_`+name+` as select * from `+name)
	}
	for _, q := range sql {
		db.Exec(t, q)
	}
	for _, verify := range []func(context.Context, func(store.Problem)) (store.Checked, error){s.Verify, s.VerifySmall} {
		var found []store.Problem
		c, err := verify(t.Context(), func(p store.Problem) { found = append(found, p) })
		if err != nil || c.Problems != int64(len(found)) {
			t.Errorf("Verify = %+v, %v", c, err)
		}
		check(found)
	}
	for _, name := range tables {
		mustExec(t, db, `delete from `+name)
		mustExec(t, db, `insert into `+name+` select * from kept_`+name)
		mustExec(t, db, `drop table kept_`+name)
	}
}

func mustExec(t *testing.T, db *storetest.Database, query string) {
	t.Helper()
	if _, err := db.Raw.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestVerifyCountsDeposits breaks rules that only a Judge can break.
func TestVerifyCountsDeposits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		careless := func(id string) payment.Report {
			r := storetest.Deposit("o-1", id)
			r.Key = storetest.NewID()
			return r
		}
		for i, id := range []string{"", "", "D3"} {
			d := p.Decide(careless(id), payment.Env{Now: storetest.Noon, NewID: storetest.NewID})
			if i > 0 { // what Decide would never do
				d.Payment.Deposits = append(d.Payment.Deposits, payment.Deposit{State: payment.DepositApplied, Transaction: p.Transactions[0].ID, Amount: payment.Won(1000)})
			}
			p = d.Payment
		}
		write(t, s, p)
		var texts []string
		if _, err := s.Verify(t.Context(), func(p store.Problem) { texts = append(texts, p.Text) }); err != nil {
			t.Fatal(err)
		}
		all := strings.Join(texts, "; ")
		for _, want := range []string{"deposits count for the payment", "paid 3 times, and told 0 times"} {
			if !strings.Contains(all, want) {
				t.Errorf("Verify says %q, nothing of %q", all, want)
			}
		}
	})
}

// write makes the store keep a payment as it is.
func write(t *testing.T, s *store.Store, p payment.Payment) {
	t.Helper()
	in := storetest.Told(storetest.Channel, string(p.ID), storetest.Deposit(string(p.ID), ""))
	in.Notice.Event, in.Notice.Key = payment.EventOther, storetest.NewID()
	_, err := s.Settle(t.Context(), []notice.Inbound{in}, func(in notice.Inbound, _ []notice.Found) notice.Ruling {
		return notice.Ruling{Verdict: payment.Recorded, Channel: storetest.Channel, Payment: &p, Changed: true}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVerifyLive verifies while another node works: a snapshot has no half of
// anything.
func TestVerifyLive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, other := db.Open(t), db.Open(t)
		var wg sync.WaitGroup
		done := make(chan struct{})
		wg.Go(func() {
			for working := true; working; {
				select {
				case <-done:
					working = false // and once more
				default:
				}
				if _, err := other.Verify(t.Context(), func(p store.Problem) { t.Errorf("%+v", p) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
		defer wg.Wait()
		defer close(done)
		for range 5 {
			busyWith(t, s, storetest.NewID())
		}
	})
}

// busyWith takes a payment from its first notice to its last webhook.
func busyWith(t *testing.T, s *store.Store, order string) {
	t.Helper()
	settle(t, s, storetest.Told(storetest.Channel, order, storetest.Deposit(order, order)))
	register(t, s, storetest.Registration(order))
	settle(t, s, storetest.Told(storetest.Channel, order, storetest.Deposit(order, order)))
	for _, j := range claim(t, s, time.Hour, 10, all).Jobs {
		finish(t, s, outcome(j, time.Hour, 0, webhook.Good))
	}
}
