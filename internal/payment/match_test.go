package payment_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
)

func TestExpects(t *testing.T) {
	t.Parallel()
	fixed, unlimited := ofType(payment.Fixed), ofType(payment.FixedUnlimited)
	day := 24 * 60
	for _, c := range []struct {
		name string
		p    payment.Payment
		r    payment.Report
		want bool
	}{
		{"its account, in time", waiting(), deposited(5), true},
		{"its account without dashes", waiting(), deposited(5, on("110123456789")), true},
		{"another account", waiting(), deposited(5, on("110123456780")), false},
		{"another amount is for Decide to refuse", waiting(), deposited(5, won(1)), true},
		{"an hour before it was registered", waiting(), deposited(-60), true},
		{"long before it was registered", waiting(), deposited(-61), false},
		{"a day past the deadline", waiting(), deposited(2 * day), true},
		{"more than a day past the deadline", waiting(), deposited(2*day + 1), false},
		{"no deadline", waiting(func(p *payment.Payment) { p.Transactions[0].Account.ExpiresAt = time.Time{} }), deposited(90 * day), true},
		{"a report without a time", waiting(), deposited(0, noTime), true},
		{"paid already", waiting(inState(payment.Paid)), deposited(5), false},
		{"a reversal of what was paid", waiting(inState(payment.Paid)), reversed(5), true},
		{"failed", waiting(inState(payment.Failed)), deposited(5), false},
		{"closed, while another attempt waits", twice(inState(payment.Failed), func(p *payment.Payment) { p.State = payment.Issued }), deposited(5), false},
		{"waits, while another attempt is closed", twice(inState(payment.Failed), func(p *payment.Payment) { p.State = payment.Issued }), deposited(5, on(otherNumber)), true},
		{"no account", waiting(withoutAccount), deposited(5), false},
		{"fixed, exact", waiting(fixed), deposited(5), true},
		{"fixed, another amount", waiting(fixed), deposited(5, won(999)), false},
		{"fixed, no amount", waiting(fixed), deposited(5, noAmount, enforced), false},
		{"unlimited takes any", waiting(unlimited, inState(payment.Paid)), deposited(90*day, won(3)), true},
	} {
		if got := c.p.Expects(c.r); got != c.want {
			t.Errorf("%s: Expects = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMatchKeys(t *testing.T) {
	t.Parallel()
	p := waiting(func(p *payment.Payment) {
		again := p.Transactions[0]
		again.PGTx = "pg-2"
		p.Transactions = append(p.Transactions, again, payment.Transaction{Channel: "channel-2", Order: "order-1"})
	})
	want := []payment.MatchKey{
		{Channel: "channel-1", Kind: payment.ByOrder, Value: "order-1"},
		{Channel: "channel-1", Kind: payment.ByAccount, Value: "110123456789"},
		{Channel: "channel-1", Kind: payment.ByPGTx, Value: "pg-2"},
		{Channel: "channel-2", Kind: payment.ByOrder, Value: "order-1"},
	}
	if diff := cmp.Diff(want, p.MatchKeys()); diff != "" {
		t.Errorf("MatchKeys (-want +got):\n%s", diff)
	}
	for i, a := range want {
		for _, b := range want[i+1:] {
			if a.String() == b.String() {
				t.Errorf("%+v and %+v are locked as one", a, b)
			}
		}
	}
}

func TestReportKeys(t *testing.T) {
	t.Parallel()
	order := payment.MatchKey{Channel: "c", Kind: payment.ByOrder, Value: "o"}
	pgtx := payment.MatchKey{Channel: "c", Kind: payment.ByPGTx, Value: "pg"}
	account := payment.MatchKey{Channel: "c", Kind: payment.ByAccount, Value: "110123456789"}
	withTx := func(r *payment.Report) { r.PGTx = "pg" }
	for _, c := range []struct {
		name, order string
		r           payment.Report
		want        []payment.MatchKey
	}{
		{"an order never falls through to the account", "o", deposited(1), []payment.MatchKey{order}},
		{"the order goes before the PG's id", "o", deposited(1, withTx), []payment.MatchKey{order, pgtx}},
		{"no order: the PG's id, then the account", "", deposited(1, withTx), []payment.MatchKey{pgtx, account}},
		{"nothing but the account", "", deposited(1), []payment.MatchKey{account}},
		{"an account without a digit or letter is none", "", deposited(1, on("--")), nil},
		{"nothing at all", "", deposited(1, noAccount), nil},
	} {
		if diff := cmp.Diff(c.want, payment.ReportKeys("c", c.order, c.r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
