package server_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// TestLink: a notice of an unknown order is a payment's if a person says so and the money
// rules do.
func TestLink(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		d.waits("o-1")
		d.waits("o-2", func(g *payment.Registration) { g.Channel = "channel-key-2" })
		mistyped := func(amount int64) func(*notice.Notice) {
			return func(n *notice.Notice) { n.Account, n.Amount = "110-o-1", payment.Won(amount) }
		}
		id, little := d.hears("127.0.0.1", told("typo", "D1", mistyped(1000))), d.hears("127.0.0.1", told("typo", "D2", mistyped(999)))
		link := func(id notice.ID, to payment.ID, reason string, dry bool) (notice.Redecided, error) {
			return d.actions.Link(d.Context(), person, id, to, reason, dry)
		}
		if _, err := link(id, "o-1", "", false); !fault.Is(err, fault.Invalid) {
			d.Errorf("without a reason: %v", err)
		}
		if _, err := link(id, "nobody's", "x", false); !fault.Is(err, fault.NotFound) {
			d.Errorf("to no payment: %v", err)
		}
		if _, err := link(id, "o-2", "x", false); !errors.Is(err, notice.ErrLinkChannel) {
			d.Errorf("to a payment of another channel: %v", err)
		}
		other := person
		other.Merchant = "merchant-2"
		if _, err := d.actions.Link(d.Context(), other, id, "o-1", "x", false); !fault.Is(err, fault.NotFound) {
			d.Errorf("another merchant's: %v", err)
		}
		for _, dry := range []bool{true, false} {
			r, err := link(little, "o-1", "x", dry)
			if no, ok := errors.AsType[*action.RuledOutError](err); !ok || no.Reason != payment.ReasonOtherAmount || r.Is == nil || !fault.Is(err, fault.Conflict) {
				d.Errorf("of another amount: %+v, %v", r, err)
			}
		}
		d.wants(little, "unmatched unknown_order")
		if r, err := link(id, "o-1", "구매자가 주문번호를 잘못 적음", true); err != nil || r.Verdict != payment.Applied || d.state("o-1") != payment.Issued {
			d.Errorf("dry: %+v, %v", r, err)
		}
		if _, err := link(id, "o-1", "구매자가 주문번호를 잘못 적음", false); err != nil || d.state("o-1") != payment.Paid || d.audited("notice.linked") != 1 {
			d.Errorf("linked: %v, %s, %d entries", err, d.state("o-1"), d.audited("notice.linked"))
		}
		if _, err := link(id, "o-1", "x", false); !errors.Is(err, action.ErrNotUnmatched) {
			d.Errorf("a second time: %v", err)
		}
		d.wants(d.hears("127.0.0.1", told("typo", "D1", mistyped(1000))), "duplicate")
		if n := d.db.Count(d, `select count(*) from open_case`); n != 1 {
			d.Errorf("%d cases are open, want that of the other notice", n)
		}
	})
}

// TestLinkOther: a notice that names a payment by now is not linked to another.
func TestLinkOther(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		d.waits("o-1")
		d.waits("o-2")
		id := d.hears("127.0.0.1", told("o-2", "D1"))
		d.db.Exec(d, `update notice set verdict = 'unmatched' where id = $1`, string(id)) // as if it had come between
		d.db.Exec(d, `delete from notice_key`)
		if _, err := d.actions.Link(d.Context(), person, id, "o-1", "x", false); !errors.Is(err, notice.ErrLinkOther) {
			d.Errorf("linked to another: %v", err)
		}
		d.db.Exec(d, `update notice set verdict = 'applied' where id = $1`, string(id))
	})
}

// TestDepositByHand: money that a person enters pays once, and its late notice is a
// duplicate.
func TestDepositByHand(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		d.waits("o-1")
		d.waits("o-2")
		enter := func(id payment.ID, w action.HandDeposit) (notice.Redecided, error) {
			return d.actions.DepositByHand(d.Context(), person, id, w)
		}
		word := action.HandDeposit{Number: "20261122-1", Reason: "PG 관리자 화면에서 확인"}
		for name, w := range map[string]action.HandDeposit{
			"no number": {Reason: "x"}, "no reason": {Number: "1"}, "the future": {Number: "1", Reason: "x", PaidAt: time.Now().Add(time.Hour)},
			"less than nothing": {Number: "1", Reason: "x", Amount: -1}, "before the account was there": {Number: "1", Reason: "x", PaidAt: time.Now().AddDate(-1, 0, 0)},
		} {
			if _, err := enter("o-1", w); !fault.Is(err, fault.Invalid) {
				d.Errorf("%s: %v, want invalid", name, err)
			}
		}
		dry := word
		dry.Dry = true
		if r, err := enter("o-2", dry); err != nil || r.Is.State != payment.Paid || len(r.Emissions) != 1 || d.state("o-2") != payment.Issued {
			d.Errorf("dry: %+v, %v", r, err)
		}
		r, err := enter("o-2", word)
		if err != nil || r.Verdict != payment.Applied || r.Reason != payment.ReasonByHand || d.state("o-2") != payment.Paid {
			d.Fatalf("entered: %+v, %v", r, err)
		}
		if d.audited("payment.deposit_by_hand") == 0 || d.db.Count(d, `select count(*) from delivery`)+d.db.Count(d, `select count(*) from delivery_end`) == 0 {
			d.Error("it is in no log, or nobody is told")
		}
		for _, id := range []string{"D9", "D9", "20261122-1"} {
			d.wants(d.hears("127.0.0.1", told("o-2", id)), map[string]string{"D9": "duplicate", "20261122-1": "conflict second_deposit"}[id])
		}
		ruled := func(id payment.ID, want payment.Verdict, why payment.Reason) {
			d.Helper()
			_, err := enter(id, word)
			if no, ok := errors.AsType[*action.RuledOutError](err); !ok || no.Verdict != want || no.Reason != why {
				d.Errorf("the same number for %s: %v, want %s %s", id, err, want, why)
			}
		}
		d.waits("o-3")
		ruled("o-2", payment.Duplicate, "")
		ruled("o-3", payment.Conflict, notice.ReasonDepositElsewher)
		d.wants(d.hears("127.0.0.1", told("o-3", "20261122-1")), "conflict deposit_of_another_payment")
		if d.state("o-3") != payment.Issued {
			d.Errorf("o-3 is %s", d.state("o-3"))
		}
		if _, err := d.actions.DepositByHand(d.Context(), action.Caller{Merchant: "merchant-2", Store: "store-2", Mode: merchant.Any}, "o-3", word); !fault.Is(err, fault.NotFound) {
			d.Errorf("another merchant: %v", err)
		}
	})
}

// TestCloseCase: a person ends a case, and another merchant does not.
func TestCloseCase(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		id := d.hears("127.0.0.1", told("o-1", "D1"))
		if _, err := d.actions.CloseCase(d.Context(), person, id, ""); !fault.Is(err, fault.Invalid) {
			d.Errorf("without a note: %v", err)
		}
		other, live := person, person
		other.Merchant, live.Mode = "merchant-2", merchant.Live
		for _, c := range []action.Caller{other, live} {
			if _, err := d.actions.CloseCase(d.Context(), c, id, "x"); !fault.Is(err, fault.NotFound) {
				d.Errorf("another's: %v", err)
			}
		}
		got, err := d.actions.CloseCase(d.Context(), person, id, "다른 상점의 주문")
		if err != nil || got.Closed.ByName != "you@example.kr" || d.audited("case.closed") != 1 {
			d.Errorf("closed: %+v, %v, %d entries", got, err, d.audited("case.closed"))
		}
		d.wants(id, "unmatched unknown_order")
		d.waits("o-1")
		d.wants(id, "unmatched unknown_order") // the person may have given the money back
		if r := d.replays(id); r.Verdict != payment.Applied || !r.Changes || d.state("o-1") != payment.Paid {
			d.Errorf("replayed after all: %s, %s", r.Verdict, d.state("o-1"))
		}
	})
}

// Ids as they are in genuine installations, which a declaration insists on.
const (
	realMerchant = "merchant-00000000-0000-4000-8000-000000000001"
	realStore    = "store-00000000-0000-4000-8000-000000000001"
	realChannel  = "channel-key-00000000-0000-4000-8000-000000000001"
	realLive     = "channel-key-00000000-0000-4000-8000-000000000002"
)

// asReal adds a merchant with such ids.
func asReal(s *settings.All) {
	s.Merchants = append(s.Merchants, merchant.Merchant{ID: realMerchant, Name: "나다상점"})
	one := s.Stores[0]
	one.ID, one.Merchant = realStore, realMerchant
	s.Stores = append(s.Stores, one)
	for i, key := range []merchant.ChannelKey{realChannel, realLive} {
		c := s.Channels[2*i]
		c.Key, c.Merchant, c.Store, c.MID = key, realMerchant, realStore, fmt.Sprintf("R000%d", i)
		s.Channels = append(s.Channels, c)
	}
}

// TestTrustAddress: a channel admits another address beside those that its PG publishes,
// and what was refused from there counts once it is replayed.
func TestTrustAddress(t *testing.T) {
	atDesk(t, asReal, func(d *desk) {
		d.as.Merchant, d.as.Store = realMerchant, realStore
		if _, _, err := d.actions.RegisterAccount(d.Context(), d.as, payment.Registration{
			ID: "o-1", Channel: realChannel, OrderName: "책", Amount: payment.Won(1000), Account: payment.Account{Bank: "SHINHAN", Number: "110-o-1"},
		}); err != nil {
			d.Fatal(err)
		}
		const from = "198.51.100.7"
		genuine := func(n *notice.Notice) { n.Merchant = "R0000" }
		id := d.hears(from, told("o-1", "D1", genuine))
		trust := func(c action.Caller, key merchant.ChannelKey, block string) ([]settings.Change, error) {
			return d.actions.TrustAddress(d.Context(), c, key, netip.MustParsePrefix(block), "PG가 서버를 바꿈")
		}
		other, live := d.as, d.as
		other.Merchant, live.Mode = "merchant-2", merchant.Live
		for _, c := range []action.Caller{other, live} {
			if _, err := trust(c, realChannel, "198.51.100.7/32"); !fault.Is(err, fault.NotFound) {
				d.Errorf("another's channel: %v", err)
			}
		}
		for _, block := range []string{"198.51.0.0/15", "2001:db8::/47", "::ffff:198.51.100.7/128"} {
			if _, err := trust(d.as, realChannel, block); !fault.Is(err, fault.Invalid) {
				d.Errorf("%s: %v, want invalid", block, err)
			}
		}
		if _, err := trust(live, realLive, "10.0.0.7/32"); !fault.Is(err, fault.Invalid) {
			d.Errorf("a private address on a live channel: %v", err)
		}
		changes, err := trust(d.as, realChannel, "198.51.100.0/24")
		if err != nil || len(changes) != 1 {
			d.Fatalf("trusted: %v, %v", changes, err)
		}
		if changes, err := trust(d.as, realChannel, "198.51.100.7/32"); err != nil || len(changes) != 0 {
			d.Errorf("what it admits already: %v, %v", changes, err)
		}
		d.wants(d.hears("127.0.0.1", told("o-9", "D9", genuine)), "unmatched unknown_order") // as before
		if r := d.replays(id); r.Verdict != payment.Applied {
			d.Errorf("replayed it is %s %s", r.Verdict, r.Reason)
		}
		if d.audited("channel.changed") != 1 {
			d.Errorf("%d entries in the log", d.audited("channel.changed"))
		}
	})
}
