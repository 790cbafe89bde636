package welcome_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestStories: what notices in a row do to one payment, where neither form
// names the deposit that a reversal, or the other form, speaks of.
func TestStories(t *testing.T) {
	const again = "20260402090000"
	a, b, back := sample(t, "a-deposit"), sample(t, "b-deposit"), sample(t, "a-reversal")
	secondA := swap(t, swap(t, a, "20260401103000123456", again+"654321"), "dt_trans=20260401&tm_trans=103000", "dt_trans=20260402&tm_trans=090000")
	secondB := swap(t, b, "P_AUTH_DT=20260401103000", "P_AUTH_DT="+again)
	backLater := swap(t, swap(t, back, "20260401103000123456", "20260401113000222222"), "tm_trans=103000", "tm_trans=113000")
	const applied, duplicate, conflict, recorded = payment.Applied, payment.Duplicate, payment.Conflict, payment.Recorded
	for _, c := range []struct {
		name  string
		told  []string
		want  []payment.Verdict
		state payment.State
	}{
		{"one deposit in both forms", []string{a, b}, []payment.Verdict{applied, duplicate}, payment.Paid},
		{"in both forms, the other way round", []string{b, a}, []payment.Verdict{applied, duplicate}, payment.Paid},
		{"a reversal with the deposit's id", []string{a, back}, []payment.Verdict{applied, applied}, payment.Cancelled},
		{"a reversal with an id of its own", []string{a, backLater}, []payment.Verdict{applied, applied}, payment.Cancelled},
		{"a reversal of what form B told", []string{b, backLater}, []payment.Verdict{applied, applied}, payment.Cancelled},
		{"a reversal before its deposit", []string{backLater, a}, []payment.Verdict{recorded, recorded}, payment.Issued},
		{"a second deposit in form A", []string{a, secondA}, []payment.Verdict{applied, conflict}, payment.Paid},
		{"a second deposit in form B", []string{b, secondB}, []payment.Verdict{applied, conflict}, payment.Paid},
		{"a deposit after a reversal", []string{a, backLater, secondA}, []payment.Verdict{applied, applied, applied}, payment.Paid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := payment.Payment{
				ID: "p", State: payment.Issued, Amount: payment.Won(1004),
				Transactions: []payment.Transaction{{
					ID: "t", Order: "mall_order_1", State: payment.Issued, Account: &payment.Account{Number: "01443364911441"},
				}},
			}
			env := payment.Env{Now: time.Date(2026, 4, 3, 0, 0, 0, 0, wire.Seoul), NewID: func() string { return "id" }}
			for i, body := range c.told {
				d := p.Decide(decode(t, body).Report, env)
				if d.Verdict != c.want[i] {
					t.Errorf("notice %d is %s (%s), want %s", i+1, d.Verdict, d.Reason, c.want[i])
				}
				p = d.Payment
			}
			if p.State != c.state {
				t.Errorf("state = %s, want %s", p.State, c.state)
			}
		})
	}
}
