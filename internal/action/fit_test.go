package action

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestUnfit: a node whose clock is not to be trusted charges nothing that is scheduled,
// and asks no PG; both go on when it is.
func TestUnfit(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		var fit atomic.Bool
		q := &Inquiries{Store: b.store, Actions: b.Actions, Log: slog.New(slog.DiscardHandler), Fit: fit.Load}
		s := &Schedules{Store: b.store, Actions: b.Actions, Log: slog.New(slog.DiscardHandler), Fit: fit.Load}
		b.Asked, b.Scheduled = q.Sooner, s.Sooner
		k := b.key()
		b.plan("scheduled", k, time.Minute)
		g.says, g.does = errLost, true
		if _, err := b.Charge(b.Context(), shop, byKey("lost", k)); !isUnclear(err) {
			t.Fatal(err)
		}
		g.says, g.does = nil, false
		b.run(q.Run)
		b.run(s.Run)
		sleep(time.Hour)
		if p := b.payment("lost"); p.State != payment.PayPending || g.asked != 1 {
			t.Errorf("unfit: the lost one is %s, the PG was asked %d times", p.State, g.asked)
		}
		fit.Store(true)
		sleep(fitAgain)
		if p := b.payment("lost"); p.State != payment.Paid || b.payment("scheduled").State != payment.Paid || g.asked != 2 {
			t.Errorf("fit again: the lost one is %s, the PG was asked %d times", p.State, g.asked)
		}
		// Unfit while it runs.
		b.plan("next", k, time.Minute)
		fit.Store(false)
		sleep(time.Hour)
		if g.asked != 2 {
			t.Errorf("unfit again: the PG was asked %d times", g.asked)
		}
		fit.Store(true)
		sleep(fitAgain)
		if b.payment("next").State != payment.Paid {
			t.Error("it is not charged when the node is fit")
		}
	})
}
