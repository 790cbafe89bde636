package action

import (
	"errors"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// TestRegisterBesideASchedule: a scheduled payment takes no account until its schedule
// is over.
func TestRegisterBesideASchedule(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.cards()
		b.schedules()
		b.plan("o1", b.key(), time.Hour)
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{})); !errors.Is(err, payment.ErrScheduled) {
			t.Errorf("beside its schedule: %v", err)
		}
		if _, err := b.store.Payment(b.Context(), "store-1", "o1", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("something was written: %v", err)
		}
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o2", time.Time{})); err != nil {
			t.Errorf("another payment: %v", err)
		}
		sleep(2 * time.Hour)
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{})); !fault.Is(err, fault.Conflict) || errors.Is(err, payment.ErrScheduled) {
			t.Errorf("after it was charged: %v", err)
		}
	})
}

// TestChargeGivenUpTooEarly: a server that stood still sends its call when the PG was
// asked and knew nothing, and the answer is lost. The payment is pending until the PG
// was asked again.
func TestChargeGivenUpTooEarly(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		b.ask()
		g.before, g.says, g.does = func() { sleep(10 * time.Minute) }, errLost, true
		if _, err := b.Charge(b.Context(), shop, charge("o1")); !isUnclear(err) {
			t.Fatal(err)
		}
		if p := b.payment("o1"); p.State != payment.PayPending {
			t.Errorf("when the answer was lost it is %s", p.State)
		}
		sleep(10 * time.Minute)
		if p := b.payment("o1"); p.State != payment.Paid || b.webhooks(p) != "PayPending Failed PayPending Paid" {
			t.Errorf("in the end it is %s, told %q", p.State, b.webhooks(p))
		}
	})
}
