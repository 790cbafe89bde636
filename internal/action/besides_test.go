package action

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
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

// recording keeps what acts emit.
type recording struct {
	Store
	emitted []webhook.Emission
}

func (r *recording) Act(ctx context.Context, a notice.Act) (payment.Payment, error) {
	do := a.Do
	a.Do = func(known *payment.Payment) (notice.Acted, error) {
		out, err := do(known)
		r.emitted = append(r.emitted, out.Emissions...)
		return out, err
	}
	return r.Store.Act(ctx, a)
}

// TestPaidBesidesUnheard: that a buyer paid twice leaves an event and a line in the log
// although no endpoint names tongbo.attention, however it comes out.
func TestPaidBesidesUnheard(t *testing.T) {
	for _, lost := range []error{nil, errLost} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				g := b.cards()
				b.ask()
				var log bytes.Buffer
				b.Log = slog.New(slog.NewTextHandler(&log, nil))
				rec := &recording{Store: b.Store}
				b.Store = rec
				p, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{}))
				if err != nil {
					t.Fatal(err)
				}
				g.says, g.does = lost, true
				g.before = func() {
					env := payment.Env{Now: now(), NewID: b.id}
					if _, err := b.store.Act(b.Context(), notice.Act{Payment: p.Key, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
						d := known.Decide(payment.Report{Event: payment.EventDeposited, Deposit: "d-1", Amount: payment.Won(1000), HasAmount: true, Account: "123-456", At: env.Now}, env)
						return b.written(&view{}, d, env.Now, true), nil
					}}); err != nil {
						t.Error(err)
					}
				}
				if _, err = b.Charge(b.Context(), shop, charge("o1")); (err == nil) != (lost == nil) {
					t.Error(err)
				}
				sleep(time.Minute)
				var seen int
				for _, e := range rec.emitted {
					if e.Event.Type == webhook.Attention && e.Event.Payment == p.Key && len(e.Deliveries) == 0 {
						seen++
					}
				}
				if lines := strings.Count(log.String(), "level=ERROR"); seen != 1 || lines != 1 || !strings.Contains(log.String(), string(p.Key)) {
					t.Errorf("%d events, log:\n%s", seen, log.String())
				}
			})
		})
	}
}
