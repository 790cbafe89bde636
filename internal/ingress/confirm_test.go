package ingress

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// TestConfirmed: a notice counts only as far as the PG's answer bears it out.
func TestConfirmed(t *testing.T) {
	t.Parallel()
	p := payment.Payment{Amount: payment.Won(1000)}
	deposited := payment.Report{Event: payment.EventDeposited, Deposit: "D1"}
	part := payment.Report{Event: payment.EventPartiallyCancelled, PGCancel: "C2"}
	reversed := payment.Report{Event: payment.EventIssued, Reopens: true}
	paid := payment.Standing{State: payment.Paid, Amount: payment.Won(1000), HasAmount: true, Deposit: "D1", Account: payment.Account{Number: "1"}}
	parted := payment.Standing{State: payment.PartiallyCancelled, Lists: true, Cancellations: []payment.CancelRecord{{PGID: "C1", Amount: payment.Won(300)}}}
	for _, c := range []struct {
		name string
		r    payment.Report
		s    payment.Standing
		want payment.Reason
	}{
		{"a deposit that is there", deposited, paid, payment.ReasonNone},
		{"a deposit of which the PG does not know", deposited, payment.Standing{State: payment.Issued}, notice.ReasonDenied},
		{"a deposit of an unknown payment", deposited, payment.Standing{}, notice.ReasonDenied},
		{"another deposit than the PG's", payment.Report{Event: payment.EventDeposited, Deposit: "D9"}, paid, notice.ReasonDenied},
		{"a deposit that went back since", deposited, payment.Standing{State: payment.Cancelled}, payment.ReasonNone},
		{"a deposit of other money", deposited, payment.Standing{State: payment.Paid, Amount: payment.Won(999), HasAmount: true}, payment.ReasonOtherAmount},
		{"a part that the PG lists", payment.Report{Event: payment.EventPartiallyCancelled, PGCancel: "C1"}, parted, payment.ReasonNone},
		{"a part of another amount", payment.Report{Event: payment.EventPartiallyCancelled, PGCancel: "C1", Amount: payment.Won(301), HasAmount: true}, parted, payment.ReasonOtherAmount},
		{"a part that a whole list lacks", part, parted, notice.ReasonDenied},
		{"a part of a PG that does not list", part, payment.Standing{State: payment.PartiallyCancelled}, payment.ReasonNone},
		{"a part of what is paid", part, paid, notice.ReasonDenied},
		{"a reversal", reversed, payment.Standing{State: payment.Issued}, payment.ReasonNone},
		{"a reversal of what is paid", reversed, paid, notice.ReasonDenied},
		{"a cancellation of what waits", payment.Report{Event: payment.EventCancelled}, payment.Standing{State: payment.Failed}, payment.ReasonNone},
		{"a cancellation of what is paid", payment.Report{Event: payment.EventCancelled}, paid, notice.ReasonDenied},
	} {
		r, why := confirmed(c.r, c.s, p)
		if why != c.want {
			t.Errorf("%s: %q, want %q", c.name, why, c.want)
		}
		if c.name == "a deposit that is there" && (!r.HasAmount || r.Amount != payment.Won(1000) || r.Account != "1") {
			t.Errorf("%s: the report lacks what the PG told: %+v", c.name, r)
		}
		if c.name == "a part that the PG lists" && r.Amount != payment.Won(300) {
			t.Errorf("%s: %v, want the PG's 300", c.name, r.Amount)
		}
	}
}

func TestIsAbout(t *testing.T) {
	t.Parallel()
	n := notice.Notice{Order: "o-1"}
	n.PGTx, n.Account = "tx-1", "123"
	for _, c := range []struct {
		name string
		s    payment.Standing
		want bool
	}{
		{"the order", payment.Standing{Order: "o-1"}, true},
		{"another order on the same account", payment.Standing{Order: "o-2", Account: payment.Account{Number: "123"}}, false},
		{"the transaction", payment.Standing{PGTx: "tx-1"}, true},
		{"another transaction", payment.Standing{PGTx: "tx-2"}, false},
		{"the account", payment.Standing{Account: payment.Account{Number: "123"}}, true},
		{"nothing", payment.Standing{}, false},
	} {
		if got := isAbout(n, c.s); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

// TestConfirmsTheEndOfACharge: a notice that ends a charge waits for the PG's word,
// also where nobody is told because an account waits, or the payment was paid.
func TestConfirmsTheEndOfACharge(t *testing.T) {
	t.Parallel()
	known := func(s payment.State, c payment.Charge) payment.Payment {
		return payment.Payment{
			State: payment.Issued, Amount: payment.Won(1000),
			Transactions: []payment.Transaction{
				{ID: "t-1", Order: "o-1", State: payment.Issued, Account: &payment.Account{Number: "1"}},
				{ID: "t-2", Order: "o-2", State: s, Charge: &c},
			},
		}
	}
	begun, given := known(payment.PayPending, payment.Charge{}), known(payment.Failed, payment.Charge{Presumed: true})
	taken := known(payment.Failed, payment.Charge{TakenBack: true})
	ask := true
	h := hit{channel: merchant.Channel{Confirm: &ask}}
	for _, c := range []struct {
		name  string
		p     payment.Payment
		event payment.Event
		want  bool
	}{
		{"failed", begun, payment.EventFailed, true},
		{"cancelled", begun, payment.EventCancelled, true},
		{"approved", begun, payment.EventApproved, true},
		{"cancelled, of one that was given up", given, payment.EventCancelled, true},
		{"approved, of one that was given up", given, payment.EventApproved, true},
		{"cancelled again", taken, payment.EventCancelled, false},
	} {
		h.payment = c.p
		tr := trial{in: notice.Inbound{Notice: notice.Notice{Report: payment.Report{
			Event: c.event, PGOrder: "o-2", Amount: payment.Won(1000), HasAmount: true, OtherMethod: true,
		}}}}
		d := c.p.Decide(tr.in.Notice.Report, payment.Env{NewID: newID})
		if got := tr.mustAsk(h, d); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

// TestLearnt: a deposit is learnt from what the PG says once some of it went back, too,
// if that tells how much it was.
func TestLearnt(t *testing.T) {
	t.Parallel()
	part := []payment.CancelRecord{{PGID: "C1", Amount: payment.Won(300)}}
	whole := append(part, payment.CancelRecord{PGID: "C2", Amount: payment.Won(700)}) //nolint:gocritic // another list
	for _, c := range []struct {
		name  string
		kind  payment.AccountType
		state payment.State
		back  []payment.CancelRecord
		lists bool
		mute  bool // about the sum
		want  bool
	}{
		{name: "it is there", state: payment.Paid, want: true},
		{name: "it is there, of an unknown sum", state: payment.Paid, mute: true},
		{name: "it waits", state: payment.Issued},
		{name: "a part went back", state: payment.PartiallyCancelled, back: part, lists: true, want: true},
		{name: "some part went back", state: payment.PartiallyCancelled, want: true},
		{name: "a part that is all", state: payment.PartiallyCancelled, back: whole},
		{name: "all went back in parts", state: payment.Cancelled, back: whole, lists: true, want: true},
		{name: "all went back", state: payment.Cancelled, want: true},
		{name: "all went back, which a whole list denies", state: payment.Cancelled, back: part, lists: true},
		{name: "all went back, of an unknown sum", state: payment.Cancelled, mute: true},
		{name: "all of an account that takes any sum", kind: payment.FixedUnlimited, state: payment.Cancelled},
		{name: "it is on an account that takes any sum", kind: payment.FixedUnlimited, state: payment.Paid, want: true},
	} {
		s := payment.Standing{State: c.state, Amount: payment.Won(1000), HasAmount: !c.mute, Cancellations: c.back, Lists: c.lists}
		in, err := Learnt(merchant.Channel{Key: "c"}, payment.Transaction{Order: "o-1", Account: &payment.Account{Type: c.kind}}, s, time.Time{})
		if (err == nil) != c.want || c.want && in.Notice.Amount != payment.Won(1000) {
			t.Errorf("%s: %v, %v", c.name, in.Notice.Amount, err)
		}
	}
}
