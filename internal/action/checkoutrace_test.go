package action

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// TestOpenChangesNothing: whoever knows a payment's id and public ids writes nothing into
// it by opening windows, and reads nothing of it.
func TestOpenChangesNothing(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		g := order("o1", time.Now().Add(time.Hour))
		g.Customer.Name, g.CustomData = "진짜 손님", "비밀"
		if _, _, err := b.RegisterAccount(b.Context(), shop, g); err != nil {
			t.Fatal(err)
		}
		before, told := b.payment("o1"), b.webhooks(b.payment("o1"))
		c := b.opens(wanted("o1", payment.VirtualAccount))
		if d := cmp.Diff(before, b.payment("o1"), cmpopts.EquateComparable()); d != "" || b.webhooks(before) != told {
			t.Errorf("opening changed the payment: %s", d)
		}
		_, seen := b.stands(c)
		if seen.Customer.Name != "김철수" || seen.CustomData != "" || len(seen.Transactions) != 0 || seen.State != payment.Ready {
			t.Errorf("the window shows %+v", seen)
		}
		if left, err := b.LeaveCheckout(b.Context(), c.ID); err != nil || left.Outcome.Code != payment.CodeCancelled {
			t.Errorf("LeaveCheckout = %+v, %v", left, err)
		}
		if d := cmp.Diff(before, b.payment("o1"), cmpopts.EquateComparable()); d != "" || b.webhooks(before) != told {
			t.Errorf("leaving changed the payment: %s", d)
		}
		if list, err := b.store.Checkouts(b.Context(), before.Key, 10); err != nil || len(list) != 1 || list[0].Client == "" || strings.Contains(list[0].Client, " 198.51.100.7 ") {
			t.Errorf("the windows kept are %+v, %v", list, err)
		}
	})
}

// TestWindowsAtOnce has two windows of one payment pay at once, and each twice.
func TestWindowsAtOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		list := []payment.Checkout{b.opens(wanted("o1", payment.ByCard)), b.opens(wanted("o1", payment.ByCard))}
		var all sync.WaitGroup
		for _, c := range slices.Repeat(list, 2) {
			all.Go(func() {
				if _, _, err := b.PayCheckout(b.Context(), c.ID, approves); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		p := b.payment("o1")
		if p.State != payment.Paid || p.Begun() != 1 || b.webhooks(p) != "Ready Paid" {
			t.Errorf("the payment is %+v, told %q", p, b.webhooks(p))
		}
		won := 0
		for _, c := range list {
			now, seen := b.stands(c)
			switch {
			case now.Outcome.Code == "" && seen.State == payment.Paid:
				won++
			case (now.Outcome.Code == payment.CodeAlreadyPaid || now.Outcome.Code == payment.CodeOvertaken) && len(seen.Transactions) == 0:
			default:
				t.Errorf("a window stands at %+v, and shows %+v", now, seen)
			}
		}
		if won != 1 {
			t.Errorf("%d windows have paid", won)
		}
	})
}

// TestLeaveAgainstPay: of leaving and paying at once one happens, and not both.
func TestLeaveAgainstPay(t *testing.T) {
	for _, made := range []bool{true, false} {
		t.Run(fmt.Sprintf("its payment made by it %v", made), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				for n := range 20 {
					id := payment.ID("o" + string(rune('a'+n)))
					c := b.opens(wanted(id, payment.ByCard))
					if !made { // a window that did not make its payment
						c = b.opens(wanted(id, payment.ByCard))
					}
					var both sync.WaitGroup
					both.Go(func() {
						if _, _, err := b.PayCheckout(b.Context(), c.ID, approves); err != nil {
							t.Error(err)
						}
					})
					both.Go(func() {
						if _, err := b.LeaveCheckout(b.Context(), c.ID); err != nil {
							t.Error(err)
						}
					})
					both.Wait()
					now, _ := b.stands(c)
					p := b.payment(id)
					paid := p.State == payment.Paid && now.Outcome.Code == ""
					left := p.State != payment.Paid && p.Begun() == 0 && now.Outcome.Code == payment.CodeCancelled
					if !paid && !left {
						t.Errorf("made %v: the window stands at %+v, its payment at %+v", made, now, p)
					}
				}
			})
		})
	}
}

func TestLeave(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.ByCard))
		left, err := b.LeaveCheckout(b.Context(), c.ID)
		p := b.payment("o1")
		if err != nil || left.Outcome.Code != payment.CodeCancelled || p.State != payment.Failed || b.webhooks(p) != "Ready Failed" {
			t.Fatalf("LeaveCheckout = %+v, %v; the payment is %+v", left, err, p)
		}
		if now, _ := b.pays(c, approves); now.Outcome.Code != payment.CodeCancelled || b.payment("o1").Begun() != 0 {
			t.Errorf("a window that was left pays: %+v", now)
		}
		// The buyer comes back.
		if now, _ := b.pays(b.opens(wanted("o1", payment.ByCard)), approves); now.Outcome.Code != "" || b.payment("o1").State != payment.Paid {
			t.Errorf("the next window stands at %+v", now)
		}
		if _, err := b.OpenCheckout(b.Context(), wanted("o1", payment.ByCard)); !errors.Is(err, payment.ErrAlreadyPaid) {
			t.Errorf("a window for a paid payment: %v", err)
		}
	})
}

// TestOpenedTakesNoMoney: nobody was told where to send it.
func TestOpenedTakesNoMoney(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.opens(wanted("o1", payment.VirtualAccount))
		if _, err := b.DepositByHand(b.Context(), shop, "o1", HandDeposit{Number: "1", Reason: "통장"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("money by hand: %v", err)
		}
		if _, err := b.Deposit(b.Context(), shop, "o1", DepositRequest{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("money on trial: %v", err)
		}
		if _, _, err := b.Cancel(b.Context(), shop, "o1", CancelRequest{CancelRequest: payment.CancelRequest{Reason: "x"}}); !errors.Is(err, payment.ErrNotPaid) {
			t.Errorf("a cancellation: %v", err)
		}
	})
}

// TestWindowTimes: nothing is done in a window after its time, and nobody has to end it.
func TestWindowTimes(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.VirtualAccount))
		sleep(payment.CheckoutLife)
		now, seen := b.pays(c, byAccount)
		if now.Outcome.Code != payment.CodeExpired || !now.EndedAt.Equal(c.ExpiresAt) || len(seen.Transactions) != 0 || b.payment("o1").Begun() != 0 {
			t.Errorf("the window stands at %+v, and shows %+v", now, seen)
		}
		if p := b.payment("o1"); p.State != payment.Ready || b.webhooks(p) != "Ready" {
			t.Errorf("the payment is %s, told %q", p.State, b.webhooks(p))
		}
	})
}

// TestMeanwhile has the merchant's server deal with the payment of an open window.
func TestMeanwhile(t *testing.T) {
	for name, x := range map[string]struct {
		does func(*bench)
		want payment.Code
	}{
		"it charges it": {func(b *bench) {
			if _, err := b.Charge(b.Context(), shop, charge("o1")); err != nil {
				b.Fatal(err)
			}
		}, payment.CodeAlreadyPaid},
		"it registers an account": {func(b *bench) {
			if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Now().Add(time.Hour))); err != nil {
				b.Fatal(err)
			}
		}, payment.CodeOvertaken},
		"it fixes another amount": {func(b *bench) {
			amount := int64(2000)
			if err := b.Preregister(b.Context(), shop, "o1", payment.Pin{Amount: &amount}); err != nil {
				b.Fatal(err)
			}
		}, payment.CodeOtherAmount},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				c := b.opens(wanted("o1", payment.ByCard))
				x.does(b)
				before := b.payment("o1")
				now, seen := b.pays(c, approves)
				if now.Outcome.Code != x.want || len(seen.Transactions) != 0 {
					t.Errorf("the window stands at %+v, and shows %+v", now, seen)
				}
				if d := cmp.Diff(before, b.payment("o1"), cmpopts.EquateComparable()); d != "" {
					t.Errorf("the window changed the payment: %s", d)
				}
			})
		})
	}
}

// TestScheduledWindow: a payment that is scheduled has no window, and one whose schedule
// charged it takes nothing by a window that was open.
func TestScheduledWindow(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		k := b.key()
		open := b.opens(wanted("o1", payment.ByCard))
		b.plan("o1", k, time.Hour)
		b.plan("o2", k, time.Hour)
		if _, err := b.OpenCheckout(b.Context(), wanted("o2", payment.ByCard)); !errors.Is(err, payment.ErrScheduled) {
			t.Errorf("a window for a payment that is scheduled: %v", err)
		}
		if now, _ := b.pays(open, approves); now.Outcome.Code != payment.CodeOvertaken || b.payment("o1").Begun() != 0 {
			t.Errorf("the window that was open stands at %+v", now)
		}
		b.schedules()
		sleep(2 * time.Hour)
		if p := b.payment("o1"); p.State != payment.Paid || p.Begun() != 1 {
			t.Errorf("its schedule left it at %+v", p)
		}
	})
}

// TestServerBeforeWindow: who knows public ids binds no merchant's payment by opening a
// window for it first.
func TestServerBeforeWindow(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		squat := wanted("o1", payment.VirtualAccount)
		squat.Amount = payment.Won(1)
		b.opens(squat)
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Now().Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		if p := b.payment("o1"); p.Amount != payment.Won(1000) || p.OrderName != "책" || p.State != payment.Issued {
			t.Errorf("the payment is %+v", p)
		}
		if _, err := b.OpenCheckout(b.Context(), squat); !errors.Is(err, payment.ErrOtherAmount) {
			t.Errorf("a window with another amount: %v", err)
		}
	})
}
