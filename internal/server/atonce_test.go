package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// Two people, on two nodes.
var (
	first  = person
	second = func() action.Caller {
		c := person
		c.By.ID, c.By.Name = "m-2", "them@example.kr"
		return c
	}()
)

// A ledger counts what the PGs that are played here gave back.
type ledger struct{ given atomic.Int64 }

// countedPG counts what it gives back.
type countedPG struct {
	trial.PG
	*ledger
}

// Refund counts what it gave.
func (p countedPG) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	got, err := p.PG.Refund(ctx, a, q)
	if err == nil {
		p.given.Add(q.Give.Amount)
	}
	return got, err
}

// node is another node on the desk's database, with PGs that are played there.
func (d *desk) node(b *ledger) *desk {
	d.Helper()
	n := &desk{T: d.T, db: d.db, store: d.db.Open(d), as: second}
	n.ingress = &ingress.Ingress{Store: n.store, Providers: all.Providers(), Log: d.ingress.Log}
	n.actions = &action.Actions{
		Store: n.store, Judge: n.ingress.Judge, Again: n.ingress.Again, ByHand: ingress.ByHand, Providers: all.ByCode, Log: d.ingress.Log,
		Hash: func(purpose, _ string) string { return purpose },
		Trial: func(p provider.Provider) provider.Provider {
			return countedPG{trial.PG{Provider: p, Ledger: n.store}, b}
		},
		Notify: n.ingress.Play,
	}
	n.store.OnSettings(n.ingress.Refresh)
	n.store.OnSettings(n.actions.Refresh)
	ctx, stop := context.WithCancel(context.WithoutCancel(d.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = n.ingress.Run(ctx) })
	d.Cleanup(func() { stop(); wg.Wait() })
	return n
}

// atOnce does things at the same time, each so many times, and returns what went wrong but
// for conflicts and what is away for a moment: those are honest answers.
func atOnce(times int, things ...func() error) (wrong []error) {
	var wg sync.WaitGroup
	start, found := make(chan struct{}), make(chan error, times*len(things))
	for _, do := range things {
		for range times {
			wg.Go(func() {
				<-start
				found <- do()
			})
		}
	}
	close(start)
	wg.Wait()
	close(found)
	for err := range found {
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// sends has a node take a notice, as often as the PG sends it: until it is taken.
func (d *desk) sends(n notice.Notice) func() error {
	kcp, _ := all.ByCode("kcp")
	r := kcp.Encode(n, nil)
	return func() error {
		for {
			a, _, err := d.ingress.Play(context.Background(), r)
			if err == nil && a.Status == 503 {
				continue
			}
			return err
		}
	}
}

// entries are the audit entries of an action, as "who: field text, …".
func (d *desk) entries(what string) (out []string) {
	d.Helper()
	list, err := d.store.AuditLog(d.Context(), store.AuditQuery{Merchant: storetest.Merchant, Action: what})
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range list {
		var after []string
		for _, f := range e.After {
			after = append(after, f.Name+" "+f.Text)
		}
		out = append(out, e.By.Name+": "+strings.Join(after, ", "))
	}
	return out
}

// TestReplayAtOnce: a notice that two people replay on two nodes, dry and for good, while the
// PG sends it again, moves money once, and the log tells once what was done.
func TestReplayAtOnce(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		d.waits("o-1")
		const from = "198.51.100.7"
		id := d.hears(from, told("o-1", "D1"))
		d.wants(id, "refused sender_not_listed")
		d.change(trusts(from))
		other := d.node(&ledger{})
		replay := func(at *desk, c action.Caller, dry bool) func() error {
			return func() error {
				_, err := at.actions.Replay(context.Background(), c, id, dry)
				return err
			}
		}
		if wrong := atOnce(3, replay(d, first, true), replay(d, first, false), replay(other, second, true), replay(other, second, false),
			d.sends(told("o-1", "D1")), other.sends(told("o-1", "D1"))); len(wrong) > 0 {
			d.Errorf("went wrong: %v", wrong)
		}
		if d.state("o-1") != payment.Paid || d.db.Count(d, paidEvents) != 1 || d.db.Count(d, `select count(*) from deposit`) != 1 {
			d.Errorf("the payment is %s, %d events, %d deposits", d.state("o-1"), d.db.Count(d, paidEvents), d.db.Count(d, `select count(*) from deposit`))
		}
		verdict := d.verdict(id)
		list := d.entries("notice.replayed")
		if len(list) != 1 || !strings.Contains(list[0], "verdict "+verdict) || strings.Contains(list[0], "state PAID") != (verdict == "applied") {
			d.Errorf("the notice is %s, and the log says %q", verdict, list)
		}
		if n := d.db.Count(d, `select count(*) from verdict where notice_id = $1`, string(id)); n != 1 {
			d.Errorf("%d verdicts were replaced", n)
		}
	})
}

// TestDepositAtOnce: money that two people enter by hand and by a link, while the PG's notice
// comes and a third asks for the account to be closed, is there once.
func TestDepositAtOnce(t *testing.T) {
	for name, close := range map[string]bool{"alone": false, "with a close": true} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, asItIs, func(d *desk) {
				b := &ledger{}
				one, other := d.node(b), d.node(b)
				d.waits("o-1")
				id := d.hears("127.0.0.1", told("typo", "D1", func(n *notice.Notice) { n.Account = "110-o-1" }))
				enter := func(at *desk, c action.Caller, number string) func() error {
					return func() error {
						_, err := at.actions.DepositByHand(context.Background(), c, "o-1", action.HandDeposit{Number: number, Reason: "PG 화면"})
						return err
					}
				}
				link := func(at *desk, c action.Caller) func() error {
					return func() error {
						_, err := at.actions.Link(context.Background(), c, id, "o-1", "주문번호 오타", false)
						return err
					}
				}
				closing := func() error { return nil }
				if close {
					closing = func() error {
						_, _, err := other.actions.Close(context.Background(), second, "o-1")
						if no := new(action.PGError); errors.As(err, &no) {
							return nil
						}
						return err
					}
				}
				if wrong := atOnce(2, enter(one, first, "D1"), enter(other, second, "D1"), enter(other, second, "D2"), link(one, first), link(other, second),
					one.sends(told("o-1", "D1")), other.sends(told("o-1", "D1")), closing); len(wrong) > 0 {
					d.Errorf("went wrong: %v", wrong)
				}
				p, err := d.store.Payment(d.Context(), storetest.Store, "o-1", merchant.Any)
				if err != nil {
					d.Fatal(err)
				}
				applied := 0
				for _, x := range p.Deposits {
					if x.State == payment.DepositApplied {
						applied++
					}
				}
				paid := d.db.Count(d, paidEvents)
				switch {
				case p.State == payment.Paid && (applied != 1 || paid != 1), p.State != payment.Paid && (applied != 0 || paid != 0 || !close):
					d.Errorf("the payment is %s by %d deposits, told %d times", p.State, applied, paid)
				}
				byHand := len(d.entries("payment.deposit_by_hand"))
				linked := slices.DeleteFunc(d.entries("notice.linked"), func(s string) bool { return !strings.Contains(s, "verdict applied") })
				if byHand+len(linked) > 1 {
					d.Errorf("the log says %d times that it was entered and that it was linked: %q", byHand, linked)
				}
			})
		})
	}
}

// TestCancelAtOnce: whole and partial refunds that are asked for on two nodes at once, some of
// them twice by one form, while the bank takes the deposit back, give back what came and no more.
func TestCancelAtOnce(t *testing.T) {
	for name, whole := range map[string]int64{"whole": 0, "in parts": 500, "with a reversal": 0} {
		reversed := name == "with a reversal"
		t.Run(name, func(t *testing.T) {
			atDesk(t, asItIs, func(d *desk) {
				b := &ledger{}
				one, other := d.node(b), d.node(b)
				d.waits("o-1")
				d.wants(d.hears("127.0.0.1", told("o-1", "D1")), "applied")
				account := &provider.RefundAccount{Bank: "SHINHAN", Number: "110123456789", Holder: "홍길동"}
				cancel := func(at *desk, c action.Caller, form string, amount int64) func() error {
					r := action.CancelRequest{CancelRequest: payment.CancelRequest{Reason: "변심", Trigger: payment.TriggerConsole}, Account: account}
					if amount > 0 {
						r.Amount = &amount
					}
					if form != "" {
						r.IDs = func(n int) string { return fmt.Sprintf("%s-%d", form, n) }
					}
					return func() error {
						_, _, err := at.actions.Cancel(context.Background(), c, "o-1", r)
						if no := new(action.PGError); errors.As(err, &no) {
							return nil
						}
						return err
					}
				}
				back := func() error { return nil }
				if reversed {
					back = one.sends(told("o-1", "D1", func(n *notice.Notice) { n.Event, n.At = payment.EventReversed, time.Now().Truncate(time.Second) }))
				}
				if wrong := atOnce(2, cancel(one, first, "form-1", whole), cancel(other, first, "form-1", whole), cancel(other, second, "", whole),
					cancel(one, first, "form-2", 400), cancel(other, second, "", 300), back); len(wrong) > 0 {
					d.Errorf("went wrong: %v", wrong)
				}
				p, err := d.store.Payment(d.Context(), storetest.Store, "o-1", merchant.Any)
				if err != nil {
					d.Fatal(err)
				}
				var done, open int64
				for _, c := range p.Cancellations {
					switch c.State {
					case payment.CancelSucceeded:
						done += c.Amount.Amount
					case payment.CancelRequested:
						open += c.Amount.Amount
					case payment.CancelFailed:
					}
				}
				given := b.given.Load()
				if done+open > 1000 || given > 1000 {
					d.Errorf("%d won came, %d were given back, %d are said to be, %d are asked for", 1000, given, done, open)
				}
				if !reversed && (given != done || open != 0) {
					d.Errorf("%d were given back, %d are said to be, %d are asked for", given, done, open)
				}
				if want := map[bool]payment.State{true: payment.Cancelled, false: payment.PartiallyCancelled}[done == 1000]; done > 0 && p.State != want {
					d.Errorf("with %d of 1000 won given back the payment is %s", done, p.State)
				}
				if n := d.db.Count(d, `select count(*) from event where type in ('Transaction.Cancelled', 'Transaction.PartialCancelled')`); n == 0 || n > len(p.Cancellations) {
					d.Errorf("%d cancellations were told %d times", len(p.Cancellations), n)
				}
			})
		})
	}
}
