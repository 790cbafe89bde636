package action

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// idsOf names what a request makes.
func idsOf(request int) payment.IDs {
	return func(n int) string { return fmt.Sprintf("00000000-0000-8000-8%03d-%012d", request, n) }
}

// noChannel disables the bench's only channel.
func (b *bench) noChannel() {
	b.Helper()
	b.save(func(a *settings.All) { a.Channels[0].Disabled = true })
}

// TestMadeBefore: a request run again is answered with what it made, though it would be
// refused by now.
func TestMadeBefore(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		byCard, r := charge("o1"), byKey("o2", k)
		byCard.IDs, r.IDs = idsOf(1), idsOf(2)
		later := ScheduleRequest{ChargeRequest: byKey("o3", k), TimeToPay: time.Now().Add(time.Hour)}
		later.IDs = idsOf(3)
		for _, one := range []ChargeRequest{byCard, r} {
			if _, err := b.Charge(b.Context(), shop, one); err != nil {
				t.Fatal(err)
			}
		}
		planned, err := b.Schedule(b.Context(), shop, later)
		if err != nil {
			t.Fatal(err)
		}
		b.schedules()
		sleep(time.Hour)
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil {
			t.Fatal(err)
		}
		b.noChannel()
		for _, one := range []ChargeRequest{byCard, r} {
			if p, err := b.Charge(b.Context(), shop, one); err != nil || p.State != payment.Paid {
				t.Errorf("charge %s again: %s, %v", one.ID, p.State, err)
			}
		}
		if again, err := b.Schedule(b.Context(), shop, later); err != nil || again.ID != planned.ID || again.State != payment.ScheduleSucceeded {
			t.Errorf("scheduled again: %+v, %v", again, err)
		}
		if g.asked != 3 {
			t.Errorf("the PG was asked %d times", g.asked)
		}
		// Another request is refused, and so is one that made nothing.
		byCard.IDs, r.IDs, later.IDs = idsOf(4), idsOf(4), idsOf(4)
		if _, err := b.Charge(b.Context(), shop, byCard); !fault.Is(err, fault.NotFound) {
			t.Errorf("another charge: %v", err)
		}
		if _, err := b.Charge(b.Context(), shop, r); !errors.Is(err, payment.ErrKeyDeleted) {
			t.Errorf("another charge by the key: %v", err)
		}
		if _, err := b.Schedule(b.Context(), shop, later); !fault.Is(err, fault.Invalid) {
			t.Errorf("another schedule: %v", err)
		}
	})
}

// TestIssuedBefore: an account that was issued is found though its channel is gone and
// its deadline is over.
func TestIssuedBefore(t *testing.T) {
	inBubble(t, func(b *bench) {
		r := IssueRequest{Registration: order("o1", time.Now().Add(time.Hour)), IDs: idsOf(1)}
		env := payment.Env{Now: now(), NewID: b.id}
		g := r.Registration
		g.Merchant, g.Store, g.Mode = shop.Merchant, shop.Store, merchant.Test
		if _, err := b.store.Act(b.Context(), notice.Act{Store: g.Store, ID: g.ID, Env: env, Do: func(*payment.Payment) (notice.Acted, error) {
			p, _, err := payment.Begin(nil, g, env)
			if err != nil {
				return notice.Acted{}, err
			}
			p.Transactions[0].ID = payment.TransactionID(r.IDs(0))
			d, err := p.IssueDone(p.Transactions[0].ID, payment.Issuance{Account: g.Account}, env)
			return b.written(&view{}, d, env.Now, true), err
		}}); err != nil {
			t.Fatal(err)
		}
		sleep(2 * time.Hour)
		b.noChannel()
		r.Account.Number = ""
		if p, err := b.Issue(b.Context(), shop, r); err != nil || p.Transactions[p.Current].Account.Number != "123-456" {
			t.Errorf("issued again: %+v, %v", p, err)
		}
		r.IDs = idsOf(2)
		if _, err := b.Issue(b.Context(), shop, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("another one: %v", err)
		}
	})
}

// TestScheduledLongBefore: a key that is used again after its request was forgotten is
// another request's.
func TestScheduledLongBefore(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.cards()
		k := b.key()
		plan := func() payment.Schedule {
			r := ScheduleRequest{ChargeRequest: byKey("o1", k), TimeToPay: time.Now().Add(24 * time.Hour)}
			r.IDs = idsOf(1)
			x, err := b.Schedule(b.Context(), shop, r)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		first := plan()
		if _, _, err := b.RevokeSchedules(b.Context(), shop, "", []payment.ScheduleID{first.ID}); err != nil {
			t.Fatal(err)
		}
		sleep(merchant.RepeatLife - time.Second)
		if again := plan(); again.ID != first.ID || again.State != payment.ScheduleRevoked {
			t.Errorf("while it is known: %+v", again)
		}
		sleep(time.Second)
		second := plan()
		if second.ID == first.ID || second.State != payment.Scheduled {
			t.Errorf("when it is forgotten: %+v", second)
		}
		if again := plan(); again.ID != second.ID {
			t.Errorf("and again: %+v", again)
		}
	})
}
