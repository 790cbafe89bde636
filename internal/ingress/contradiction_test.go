package ingress_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// TestContradictions: what denies what is known is left to a person.
func TestContradictions(t *testing.T) {
	takenBack := func(order, tx string) notice.Notice {
		n := deposit(order, reversed)
		n.PGTx, n.Deposit = tx, "d1-o-1"
		return n
	}
	other := deposit("o-2")
	other.Deposit = "d1-o-1" // the deposit that paid o-1
	for _, c := range []struct {
		name   string
		second notice.Notice
		want   string
		state  payment.State
	}{
		{"the deposit of one order for another", other, "applied@test conflict/deposit_of_another_payment@test", payment.Paid},
		{"the same message", deposit("o-1"), "applied@test duplicate@test", payment.Paid},
		{"the same message with another amount", deposit("o-1", amount(2000)), "applied@test conflict/other_amount@test", payment.Paid},
		{"a reversal by its order", takenBack("o-1", "tx-o-1"), "applied@test applied/reversed_by_bank@test", payment.Cancelled},
		{"a reversal by its transaction and another order", takenBack("o-3", "tx-o-1"), "applied@test conflict/other_order@test", payment.Paid},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
				s.mustRegister(testChannel(), "o-1")
				s.mustRegister(testChannel(), "o-2", account("1102"))
				wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
				wantAck(t, "kcp", s.send(loopback, c.second))
				s.wantVerdicts(c.want)
				if got := s.state("s1", "o-1"); got != c.state {
					t.Errorf("the payment is %s, want %s", got, c.state)
				}
			})
		})
	}
}
