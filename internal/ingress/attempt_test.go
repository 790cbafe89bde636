package ingress_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A payment is tried in two channels, on one account and under one order id:
// money pays the attempt of the channel whose MID the notice bears, and a
// cancellation of the other attempt leaves it paid.
func TestNoticeIsAboutTheAttemptOfItsChannel(t *testing.T) {
	second := testChannel(toMID2, keyed(keyMore))
	inBubble(t, channels(testChannel(), second), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		s.mustRegister(second, "o-1")
		wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		attempts := func() (list string) {
			p, err := s.Payment(s.Context(), "s1", "o-1", merchant.Test)
			if err != nil {
				t.Fatal(err)
			}
			for _, tx := range p.Transactions {
				list += " " + string(tx.State)
			}
			return string(p.State) + ":" + list
		}
		if got, want := attempts(), "PAID: PAID VIRTUAL_ACCOUNT_ISSUED"; got != want {
			t.Fatalf("the payment is %s, want %s", got, want)
		}
		wantAck(t, "kcp", s.send(loopback, deposit("o-1", toMID("T0007"), func(n *notice.Notice) {
			n.Event, n.Deposit, n.PGTx = payment.EventCancelled, "", ""
		})))
		if got, want := attempts(), "PAID: PAID FAILED"; got != want {
			t.Errorf("after the other attempt was closed the payment is %s, want %s", got, want)
		}
	})
}
