package server_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestMoneyForAnEarlierAccount: a payment goes on with an account of another channel,
// and the money comes to the first one. Its PG is asked, too.
func TestMoneyForAnEarlierAccount(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 10*time.Hour)
		w.issueOn(w.other, "o-1", 5*time.Hour)
		w.pay("o-1")
		time.Sleep(4 * time.Hour)
		w.want("o-1", payment.Issued)
		w.sweep(time.Hour)
		if p := w.want("o-1", payment.Paid); p.Current != 0 || len(p.Deposits) != 1 || !p.Deposits[0].Learnt {
			t.Errorf("attempt %d is paid by %+v", p.Current, p.Deposits)
		}
		if left := w.waiting(""); len(left) != 0 {
			t.Errorf("%v are still to be asked about", left)
		}
	})
}

// TestSilentPastTheLastTime: a PG that does not answer when it is asked for the last
// time is asked again until it does.
func TestSilentPastTheLastTime(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 2*time.Hour)
		w.sweep(3*time.Hour + 30*time.Minute)
		w.pay("o-1")
		w.fail(true)
		time.Sleep(72 * time.Hour)
		w.sweep(2 * time.Hour)
		w.want("o-1", payment.Issued)
		if left := w.waiting(""); len(left) != 1 {
			t.Fatalf("%v are still to be asked about, want o-1", left)
		}
		w.fail(false)
		w.sweep(6 * time.Hour)
		w.want("o-1", payment.Paid)
	})
}

// giveBack gives back a part of what was paid in, of which the PG sends no notice.
func (w *watchtower) giveBack(id payment.ID, won int64) {
	w.Helper()
	e, _ := w.ledger.Find(w.channel, func(e provider.Entry) bool { return e.Order == string(id) })
	if _, _, err := w.ledger.Refund(w.channel, e.PGTx, "", payment.Won(won)); err != nil {
		w.Fatal(err)
	}
}

// TestMoneyThatCameAndWent: the notices of a deposit and of its refunds are all lost.
func TestMoneyThatCameAndWent(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		for id, back := range map[payment.ID][]int64{"part": {300}, "parts": {300, 700}, "all": {1000}} {
			w.issue(id, 2*time.Hour)
			w.pay(id)
			for _, won := range back {
				w.giveBack(id, won)
			}
		}
		time.Sleep(time.Hour)
		w.sweep(time.Hour)
		for id, want := range map[payment.ID]struct {
			state  payment.State
			back   int
			events string
		}{
			"part":  {payment.PartiallyCancelled, 1, "Paid PartialCancelled VirtualAccountIssued"},
			"parts": {payment.Cancelled, 2, "Cancelled Paid PartialCancelled VirtualAccountIssued"},
			"all":   {payment.Cancelled, 1, "Cancelled Paid VirtualAccountIssued"},
		} {
			p := w.want(id, want.state)
			if len(p.Deposits) != 1 || !p.Deposits[0].Learnt || len(p.Cancellations) != want.back || p.Cancellations[0].PGID == "" {
				t.Errorf("%s has deposits %+v, cancellations %+v", id, p.Deposits, p.Cancellations)
			}
			hooks, err := w.store.Webhooks(w.Context(), p.Key)
			var events []string
			for _, h := range hooks {
				events = append(events, strings.TrimPrefix(string(h.Type), "Transaction."))
			}
			slices.Sort(events)
			if got := strings.Join(events, " "); err != nil || got != want.events {
				t.Errorf("%s: the shop is told of %s, want %s, %v", id, got, want.events, err)
			}
		}
	})
}

// TestMoneyThatOnlyAPersonFinds: the PG gave money back, and does not say how much came.
func TestMoneyThatOnlyAPersonFinds(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 2*time.Hour)
		w.pay("o-1")
		w.giveBack("o-1", 300)
		w.inquiries.Learnt = func(c merchant.Channel, t payment.Transaction, s payment.Standing, at time.Time) (notice.Inbound, error) {
			s.HasAmount = false
			return ingress.Learnt(c, t, s, at)
		}
		time.Sleep(time.Hour)
		w.sweep(50 * time.Minute)
		p := w.want("o-1", payment.Issued)
		hooks, err := w.store.Webhooks(w.Context(), p.Key)
		if err != nil || !slices.ContainsFunc(hooks, func(h webhook.History) bool { return h.Type == webhook.Attention }) {
			t.Errorf("nobody is asked to look: %+v, %v", hooks, err)
		}
		if n := strings.Count(w.log.String(), "the PG does not say how much"); n != 1 || !strings.Contains(w.log.String(), string(p.Key)) {
			t.Errorf("the log tells %d times:\n%s", n, w.log.String())
		}
	})
}

// counted counts how often accounts are taken.
type counted struct {
	*store.Store
	takes *atomic.Int64
}

// Sweep is the store's.
func (c counted) Sweep(ctx context.Context, now, until time.Time, of []merchant.ChannelKey) ([]notice.Sweeping, map[merchant.ChannelKey]time.Time, error) {
	c.takes.Add(1)
	return c.Store.Sweep(ctx, now, until, of)
}

// TestNothingDueWritesNothing: while no account is due, none is looked for in a
// transaction that writes.
func TestNothingDueWritesNothing(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 2*time.Hour)
		w.sweep(80 * time.Minute)
		if n := w.takes.Load(); n != 0 {
			t.Errorf("accounts were looked for %d times before one was due", n)
		}
		w.sweep(20 * time.Minute)
		if n := w.takes.Load(); n != 1 || len(w.times()) != 1 {
			t.Errorf("accounts were taken %d times, the PG asked %d times", n, len(w.times()))
		}
	})
}

// TestOneThatHangs: a PG that never answers holds up nobody else's accounts.
func TestOneThatHangs(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		for i := range 10 {
			w.issue(payment.ID(fmt.Sprint("o-", i)), 10*time.Minute)
			w.pay(payment.ID(fmt.Sprint("o-", i)))
			w.issueOn(w.other, payment.ID(fmt.Sprint("x-", i)), 10*time.Minute)
		}
		w.hangs = w.other.Credentials["secret_key"]
		w.sweep(15 * time.Second)
		for i := range 10 {
			w.want(payment.ID(fmt.Sprint("o-", i)), payment.Paid)
		}
		w.sweep(5 * time.Minute)
		list, err := w.store.Sweeps(w.Context(), "", 100)
		tries := 0
		for _, x := range list {
			tries += x.Tries
		}
		if asked := len(w.times()) - 10; err != nil || len(list) != 10 || tries != asked || asked < 3 {
			t.Errorf("%d accounts wait with %d tries, the PG was asked %d times, %v", len(list), tries, asked, err)
		}
	})
}
