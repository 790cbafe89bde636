package action

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An ending is how a PG ends a charge, and what comes of it.
type ending struct {
	name       string
	says       error
	does       bool
	cannotTell bool
	want       payment.State // in the end, if nobody dies
	told       string
	code       string // of the error
}

// endings are all that there are.
var endings = []ending{
	{"approved", nil, false, false, payment.Paid, "Paid", ""},
	{"declined", &provider.DeclinedError{Code: "51", Message: "한도초과"}, false, false, payment.Failed, "Failed", "51"},
	{"unreachable", fault.Errorf(fault.Unavailable, "refused"), false, false, payment.Failed, "Failed", "UNREACHABLE"},
	{"lost, and charged", errLost, true, false, payment.Paid, "PayPending Paid", "UNCLEAR"},
	{"lost, and not charged", errLost, false, false, payment.Failed, "PayPending Failed", "UNCLEAR"},
	{"lost at a PG that tells nothing", errLost, true, true, payment.PayPending, "PayPending", "UNCLEAR"},
}

var errLost = fault.Errorf(fault.Unclear, "the answer broke off")

// crashed is what comes of it if the process dies before the PG is called, or after.
func (e ending) crashed(before bool) ending {
	switch {
	case e.cannotTell:
		return e
	case before || e.want == payment.Failed:
		e.want, e.told = payment.Failed, "PayPending Failed"
	default:
		e.told = "PayPending Paid"
	}
	return e
}

// TestChargeEndings is each ending of a charge at each point where the process may
// die: before the PG is called, after it did what it was asked, and not at all.
func TestChargeEndings(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			inBubble(t, func(b *bench) { b.ends(b.cards(), e, 1) })
		})
		t.Run(e.name+", but died before the call", func(t *testing.T) {
			inBubble(t, func(b *bench) {
				g := b.cards()
				g.before = runtime.Goexit
				b.ends(g, e.crashed(true), 0)
			})
		})
		t.Run(e.name+", but died after the call", func(t *testing.T) {
			inBubble(t, func(b *bench) {
				g := b.cards()
				g.after = runtime.Goexit
				b.ends(g, e.crashed(false), 1)
			})
		})
	}
}

// ends charges a payment, and checks what comes of it, and that it can be charged
// again only if nobody paid.
func (b *bench) ends(g *cardPG, e ending, calls int) {
	b.Helper()
	b.ask()
	g.says, g.does, g.cannotTell = e.says, e.does, e.cannotTell
	died := true
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err = b.Charge(b.Context(), shop, charge("o1"))
		died = false
	}()
	<-ended
	if p := b.payment("o1"); died && p.State != payment.Ready {
		b.Errorf("right after the crash it is %s", p.State)
	}
	if pg, _ := errors.AsType[*PGError](err); !died && ((err == nil) != (e.code == "") || pg != nil && pg.Code != e.code) {
		b.Errorf("answered %v, want code %q", err, e.code)
	}
	sleep(10 * time.Minute)
	p := b.payment("o1")
	if got := b.webhooks(p); p.State != e.want || got != e.told {
		b.Errorf("in the end %s, told %q; want %s, %q", p.State, got, e.want, e.told)
	}
	if g.asked != calls || len(g.taken) > 1 {
		b.Errorf("the PG was asked %d times, want %d", g.asked, calls)
	}
	g.before, g.after, g.says = nil, nil, nil
	again := map[payment.State]error{payment.Paid: payment.ErrAlreadyPaid, payment.PayPending: payment.ErrUnderWay}[e.want]
	if _, err := b.Charge(b.Context(), shop, charge("o1")); !errors.Is(err, again) {
		b.Errorf("charged again: %v, want %v", err, again)
	}
}

// TestChargesAtOnce: of many charges of one payment one wins.
func TestChargesAtOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		var ids sync.Mutex
		b.NewID = func() string {
			ids.Lock()
			defer ids.Unlock()
			return b.id()
		}
		g.before = func() { time.Sleep(time.Second) }
		var all sync.WaitGroup
		var mu sync.Mutex
		outcomes := make(map[string]int)
		for range 20 {
			all.Go(func() {
				_, err := b.Charge(b.Context(), shop, charge("o1"))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					outcomes["paid"]++
				case errors.Is(err, payment.ErrUnderWay):
					outcomes["under way"]++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if outcomes["paid"] != 1 || outcomes["under way"] != 19 || g.asked != 1 {
			t.Errorf("%v, and the PG was asked %d times", outcomes, g.asked)
		}
	})
}

// TestChargeAgain: the same request run again finds its attempt.
func TestChargeAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		r := charge("o1")
		r.IDs = func(n int) string { return fmt.Sprintf("00000000-0000-8000-8000-%012d", n) }
		for range 2 {
			p, err := b.Charge(b.Context(), shop, r)
			if err != nil || p.State != payment.Paid {
				t.Fatalf("%s, %v", p.State, err)
			}
		}
		if g.asked != 1 {
			t.Errorf("the PG was asked %d times", g.asked)
		}
	})
}

func TestChargeRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.cards()
		b.save(func(a *settings.All) {
			live := a.Channels[0]
			live.Key, live.Mode, live.MID = "channel-live", merchant.Live, "L1"
			a.Channels = append(a.Channels, live)
		})
		whoever := Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Any}
		for _, c := range []struct {
			name string
			edit func(*ChargeRequest)
			want fault.Kind
		}{
			{"a card's number on a live channel", func(r *ChargeRequest) { r.Channel = "channel-live" }, fault.Unsupported},
			{"no channel", func(r *ChargeRequest) { r.Channel = "" }, fault.Invalid},
			{"no such channel", func(r *ChargeRequest) { r.Channel = "x" }, fault.NotFound},
			{"neither card nor key", func(r *ChargeRequest) { r.Card = nil }, fault.Invalid},
			{"both", func(r *ChargeRequest) { r.BillingKey = "billing-key-x" }, fault.Invalid},
			{"no such key", func(r *ChargeRequest) { r.Card, r.BillingKey = nil, "billing-key-x" }, fault.NotFound},
			{"a short number", func(r *ChargeRequest) { r.Card.Number = "42" }, fault.Invalid},
			{"a number with dashes", func(r *ChargeRequest) { r.Card.Number = "4242-4242-4242-4242" }, fault.Invalid},
			{"a year of four digits", func(r *ChargeRequest) { r.Card.ExpiryYear = "2030" }, fault.Invalid},
			{"the month 13", func(r *ChargeRequest) { r.Card.ExpiryMonth = "13" }, fault.Invalid},
			{"the month 0", func(r *ChargeRequest) { r.Card.ExpiryMonth = "00" }, fault.Invalid},
			{"a date of birth of eight digits", func(r *ChargeRequest) { r.Card.Identity = "19900101" }, fault.Invalid},
			{"a password of four digits", func(r *ChargeRequest) { r.Card.Password = "0000" }, fault.Invalid},
			{"too many instalments", func(r *ChargeRequest) { r.Terms.Months = 37 }, fault.Invalid},
			{"no money", func(r *ChargeRequest) { r.Amount.Amount = 0 }, fault.Invalid},
			{"more free of tax than there is", func(r *ChargeRequest) { r.TaxFree = 1001 }, fault.Invalid},
			{"what the PG cannot do", func(r *ChargeRequest) { r.Amount.Amount = 1_000_001 }, fault.Unsupported},
		} {
			r := charge("o1")
			c.edit(&r)
			_, err := b.Charge(b.Context(), whoever, r)
			if !fault.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
			if strings.Contains(fmt.Sprint(err, fmt.Sprintf("%+v %#v", r, r.Card)), cardNumber) {
				t.Errorf("%s: the number prints", c.name)
			}
		}
		if _, err := b.store.Payment(b.Context(), "store-1", "o1", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("something was begun: %v", err)
		}
		if _, err := b.Charge(b.Context(), shop, charge("o2")); err != nil {
			t.Error(err)
		}
	})
}

// TestChargeIsCancelled gives a charge back, in part and then as a whole, without an
// account.
func TestChargeIsCancelled(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		p, err := b.Charge(b.Context(), shop, charge("o1"))
		if err != nil {
			t.Fatal(err)
		}
		r := CancelRequest{CancelRequest: payment.CancelRequest{Reason: "변심", Amount: new(int64(300))}, Account: &provider.RefundAccount{}}
		_, c, err := b.Cancel(b.Context(), shop, "o1", r)
		if err != nil || c.State != payment.CancelSucceeded || c.Refund != "" {
			t.Fatalf("a part: %+v, %v", c, err)
		}
		_, _, err = b.Cancel(b.Context(), shop, "o1", CancelRequest{CancelRequest: payment.CancelRequest{Reason: "변심"}})
		if got := b.webhooks(p); err != nil || got != "Paid PartialCancelled Cancelled" || g.refunds != 2 {
			t.Errorf("the rest: %v, told %q, %d refunds", err, got, g.refunds)
		}
	})
}

// TestOtherMoney: a PG that took another amount than it was asked for ends nothing.
func TestOtherMoney(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		b.ask()
		g.says, g.does = errLost, true
		if _, err := b.Charge(b.Context(), shop, charge("o1")); !isUnclear(err) {
			t.Fatal(err)
		}
		g.mu.Lock()
		g.taken["o1"] = payment.Standing{State: payment.Paid, PGTx: "pg-1", Amount: payment.Won(1001), HasAmount: true}
		g.mu.Unlock()
		sleep(time.Hour)
		if p := b.payment("o1"); p.State != payment.PayPending || len(p.Deposits) != 0 {
			t.Errorf("it is %s, with %d deposits", p.State, len(p.Deposits))
		}
	})
}

// TestPaidBesides: money comes to the payment's account while a card is charged. The
// merchant is asked to look.
func TestPaidBesides(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		b.save(func(a *settings.All) { a.Endpoints[0].Events = []string{"*", string(webhook.Attention)} })
		p, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
		g.before = func() {
			env := payment.Env{Now: now(), NewID: b.id}
			if _, err := b.store.Act(b.Context(), notice.Act{Payment: p.Key, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
				d := known.Decide(payment.Report{Event: payment.EventDeposited, Deposit: "d-1", Amount: payment.Won(1000), HasAmount: true, Account: "123-456", At: env.Now}, env)
				return b.written(&view{}, d, env.Now, true), nil
			}}); err != nil {
				t.Error(err)
			}
		}
		p, err = b.Charge(b.Context(), shop, charge("o1"))
		if err != nil || p.State != payment.Paid || len(p.Deposits) != 1 || p.Transactions[0].State != payment.Paid || p.Transactions[1].State != payment.Paid {
			t.Errorf("%+v, %v", p, err)
		}
		if got := b.webhooks(p); got != "VirtualAccountIssued tongbo.attention" {
			t.Errorf("told %q", got)
		}
	})
}

func TestQuietCharge(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		b.ask()
		r := charge("o1")
		r.Quiet = true
		p, err := b.Charge(b.Context(), shop, r)
		if got := b.webhooks(p); err != nil || got != "" {
			t.Errorf("told %q, %v", got, err)
		}
		g.says, g.does = fault.Errorf(fault.Unclear, "lost"), true
		r.ID = "o2"
		if _, err := b.Charge(b.Context(), shop, r); err == nil {
			t.Error("no error")
		}
		sleep(time.Minute)
		if p := b.payment("o2"); p.State != payment.Paid || b.webhooks(p) != "PayPending" {
			t.Errorf("found out later: %s, told %q", p.State, b.webhooks(p))
		}
		synctest.Wait()
	})
}
