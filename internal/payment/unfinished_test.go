package payment

import "testing"

func TestUnfinished(t *testing.T) {
	t.Parallel()
	with := func(kind AccountType, s State) []Transaction {
		return []Transaction{{State: s, Account: &Account{Type: kind}}}
	}
	for _, c := range []struct {
		name string
		p    Payment
		want bool
	}{
		{"waiting", Payment{State: Issued, Transactions: with(Normal, Issued)}, true},
		{"waiting without a deadline on a fixed number", Payment{State: Issued, Transactions: with(Fixed, Issued)}, true},
		{"expired", Payment{State: Issued, Expired: true, Transactions: with(Normal, Issued)}, false},
		{"paid", Payment{State: Paid, Transactions: with(Normal, Paid)}, false},
		{"paid, and open for more", Payment{State: Paid, Transactions: with(FixedUnlimited, Paid)}, true},
		{"its unlimited account closed", Payment{State: Failed, Transactions: with(FixedUnlimited, Failed)}, false},
		{"never begun", Payment{State: Ready}, false},
		{"a cancellation was asked for", Payment{State: Paid, Cancellations: []Cancellation{{State: CancelRequested}}}, true},
		{"a refund is on its way", Payment{State: Cancelled, Cancellations: []Cancellation{{State: CancelSucceeded, Refund: RefundPending}}}, true},
		{"refunded", Payment{State: Cancelled, Cancellations: []Cancellation{{State: CancelSucceeded, Refund: RefundCompleted}}}, false},
	} {
		if got := c.p.Unfinished(); got != c.want {
			t.Errorf("%s: Unfinished() = %v, want %v", c.name, got, c.want)
		}
	}
}
