package payment

import (
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
)

// sameMinute is how far apart two tellings of one deposit may be when the PG
// gives deposits no id.
const sameMinute = time.Minute

// learntWithin is how far apart a PG may tell of one deposit when it is asked, and in
// its notice: one of the two may bear the time of the booking.
const learntWithin = 24 * time.Hour

// deposited applies money that came in.
func (d *decider) deposited() Decision {
	if i := d.known(); i >= 0 {
		if !d.sameMoney(d.p.Deposits[i]) {
			return d.conflict(d.disagreement(d.p.Deposits[i]))
		}
		return d.retold(i)
	}
	if i := d.foretold(); i >= 0 {
		if !d.sameMoney(d.p.Deposits[i]) {
			return d.conflict(d.disagreement(d.p.Deposits[i]))
		}
		return d.cameAndWent(i)
	}
	i := d.named()
	if i < 0 || d.p.Transactions[i].Charge != nil {
		return d.conflict(ReasonOtherAccount) // a card has none
	}
	if d.p.Transactions[i].unlimited() {
		return d.depositUnlimited(i)
	}
	if why := d.amountProblem(); why != ReasonNone {
		return d.conflict(why)
	}
	switch d.p.State {
	case Issued, Ready, PayPending:
		if !d.closed(i) {
			return d.pay(i)
		}
	case Cancelled:
		if d.cancelledByBank() && !d.indistinct() && !d.closed(i) {
			return d.payAgain(i)
		}
	case Paid, PartiallyCancelled, Failed:
	}
	if d.closed(i) {
		return d.conflict(ReasonNotPayable)
	}
	return d.conflict(ReasonSecondDeposit)
}

// closed reports whether attempt i ended without money. What comes for it all
// the same is a person's decision, also while another attempt is open.
func (d *decider) closed(i int) bool {
	return d.p.State == Failed || d.p.Transactions[i].State == Failed
}

// known is the index of the deposit that the report speaks of, -1 if it is
// new. Foretold reversals are found by foretold.
func (d *decider) known() int {
	if i := d.byID(); i >= 0 {
		if d.p.Deposits[i].State == DepositForetold {
			return -1
		}
		return i
	}
	for i, k := range d.p.Deposits {
		if k.State != DepositForetold && (d.isSame(k) || d.isLearnt(k) || d.isByHand(k)) {
			return i
		}
	}
	return -1
}

// isLearnt reports whether k is money that the PG told of when it was asked,
// without a name for it: the notice that comes for it then is no second deposit,
// unless its time says that it is.
func (d *decider) isLearnt(k Deposit) bool {
	if d.timed(k) && d.r.At.Sub(k.At).Abs() > learntWithin {
		return false
	}
	return k.Learnt && k.Key == "" && k.State == DepositApplied && !d.r.Learnt && d.sameMoney(k) && !d.elsewhere(k)
}

// byID is the index of the deposit that has the report's id, or -1.
func (d *decider) byID() int {
	for i, k := range d.p.Deposits {
		if k.Key != "" && k.Key == d.r.Deposit {
			return i
		}
	}
	return -1
}

// isSame reports whether the report speaks of deposit k. Two ids decide;
// where one is missing, account, amount and time to a minute do (money rules
// §2): the same money may be told in two forms.
func (d *decider) isSame(k Deposit) bool {
	if d.comparableTo(k) {
		return k.Key == d.r.Deposit
	}
	if !d.sameMoney(k) {
		return false
	}
	return d.timed(k) && d.r.At.Sub(k.At).Abs() <= sameMinute
}

// timed reports whether the PG's times of the report and of deposit k are
// known.
func (d *decider) timed(k Deposit) bool {
	return !k.At.IsZero() && !k.Untimed && !d.r.At.IsZero()
}

// sameMoney reports whether account and amount agree, where both are told.
func (d *decider) sameMoney(k Deposit) bool {
	if d.r.HasAmount && !k.Amount.IsZero() && k.Amount != d.r.Amount {
		return false
	}
	return d.r.Account == "" || k.Account == "" || sameAccount(k.Account, d.r.Account)
}

// disagreement says in what a report that names deposit k by its id tells
// another story than k.
func (d *decider) disagreement(k Deposit) Reason {
	switch {
	case !d.r.HasAmount || k.Amount == d.r.Amount:
		return ReasonOtherAccount
	case k.Amount.Currency != d.r.Amount.Currency:
		return ReasonOtherCurrency
	}
	return ReasonOtherAmount
}

// indistinct reports whether nothing tells the report's money from a deposit
// that we know: they have neither two ids nor two times. It may be the same
// money.
func (d *decider) indistinct() bool {
	for _, k := range d.p.Deposits {
		if k.State != DepositForetold && !d.comparableTo(k) && !d.timed(k) && d.sameMoney(k) {
			return true
		}
	}
	return false
}

// retold is a deposit that we know. It moves nothing, but may tell more.
func (d *decider) retold(i int) Decision {
	out := d.duplicate()
	k := &d.p.Deposits[i]
	if d.r.ByHand != nil {
		return out // the PG's word is there, or another person's
	}
	if d.heard(k) {
		out.Payment, out.Changed = d.p, true
	}
	if k.ByHand == nil && (k.Key == "" && d.r.Deposit != "" || k.Learnt && !d.r.Learnt) {
		k.Key, k.Learnt = d.r.Deposit, false
		if k.Untimed && !d.r.At.IsZero() {
			k.At, k.Untimed = d.r.At, false
		}
		out.Payment, out.Changed = d.p, true
	}
	if d.p.CashReceipt == nil && d.r.CashReceipt != nil {
		d.p.CashReceipt = d.r.CashReceipt
		out.Payment, out.Changed = d.p, true
	}
	return out
}

// foretold is the index of a reversal that came before this deposit, or -1.
func (d *decider) foretold() int {
	if i := d.byID(); i >= 0 {
		return i // known has seen to all others
	}
	for i, k := range d.p.Deposits {
		if k.State != DepositForetold || d.comparableTo(k) || d.elsewhere(k) {
			continue
		}
		// Without ids: the same money, and it came before it went.
		if d.sameMoney(k) && !d.r.At.IsZero() && !k.ReversedAt.IsZero() && !d.r.At.After(k.ReversedAt) {
			return i
		}
		if d.sameMoney(k) && d.r.ByHand != nil && d.r.At.IsZero() {
			return i // who says that other money came says when
		}
	}
	return -1
}

// elsewhere reports whether k belongs to another attempt than the report.
func (d *decider) elsewhere(k Deposit) bool {
	i := d.named()
	return k.Transaction != "" && (i < 0 || d.p.Transactions[i].ID != k.Transaction)
}

// cameAndWent keeps a deposit whose reversal was told first. It paid nothing,
// so it belongs to no attempt.
func (d *decider) cameAndWent(i int) Decision {
	k := &d.p.Deposits[i]
	k.Transaction = ""
	k.State, k.Depositor, k.At, k.Untimed = DepositReversed, d.r.Depositor, d.at(), d.r.At.IsZero()
	if k.Key == "" {
		k.Key = d.r.Deposit
	}
	if d.r.HasAmount {
		k.Amount = d.r.Amount
	}
	return d.remembered(ReasonReversedEarlier)
}

// amountProblem says why the reported amount is not the payment's.
func (d *decider) amountProblem() Reason {
	switch {
	case !d.r.HasAmount && d.r.AmountEnforced:
		return ReasonNone
	case !d.r.HasAmount:
		return ReasonNoAmount
	case d.r.Amount.Currency != d.p.Amount.Currency:
		return ReasonOtherCurrency
	case d.r.Amount.Amount != d.p.Amount.Amount:
		return ReasonOtherAmount
	}
	return ReasonNone
}

// pay makes transaction i the one that was paid.
func (d *decider) pay(i int) Decision {
	d.p.show(i)
	d.fill(i)
	d.keepDeposit(i)
	t := &d.p.Transactions[i]
	t.State, t.PaidAt, t.Depositor = Paid, d.at(), d.r.Depositor
	d.p.PaidAt = d.at()
	out := ReasonNone
	if t.Account != nil && !t.Account.ExpiresAt.IsZero() && d.at().After(t.Account.ExpiresAt) {
		// Money is never refused for being late.
		d.p.Late, out = true, ReasonLate
	}
	dec := d.applied(Paid, ChangePaid, "")
	dec.Reason = out
	return dec
}

// payAgain takes a new deposit after the bank reversed the last one: a new
// transaction of the same payment, on the same account.
func (d *decider) payAgain(i int) Decision {
	t := d.p.Transactions[i]
	t.ID, t.State, t.At = TransactionID(d.e.NewID()), Issued, d.e.Now
	t.PaidAt, t.Depositor = time.Time{}, ""
	if t.Account != nil {
		a := *t.Account
		t.Account = &a
	}
	d.p.Transactions = append(d.p.Transactions, t)
	return d.pay(len(d.p.Transactions) - 1)
}

// depositUnlimited appends a deposit on an unlimited fixed account: each new
// one counts, whatever its amount.
func (d *decider) depositUnlimited(i int) Decision {
	switch {
	case !d.r.HasAmount:
		return d.conflict(ReasonNoAmount)
	case d.r.Amount.Currency != d.p.Amount.Currency:
		return d.conflict(ReasonOtherCurrency)
	case d.r.Amount.Amount <= 0:
		return d.conflict(ReasonOtherAmount)
	case d.indistinct():
		return d.conflict(ReasonSecondDeposit)
	case d.closed(i):
		return d.conflict(ReasonNotPayable)
	}
	switch d.p.State {
	case Issued, Ready, PayPending, Paid:
		return d.pay(i)
	case Cancelled:
		if d.cancelledByBank() {
			return d.payAgain(i)
		}
	case PartiallyCancelled, Failed:
	}
	return d.conflict(ReasonNotPayable)
}

func (d *decider) keepDeposit(i int) {
	k := Deposit{
		Key: d.r.Deposit, State: DepositApplied, Transaction: d.p.Transactions[i].ID,
		Amount: d.r.Amount, Account: d.r.Account, Depositor: d.r.Depositor, At: d.at(), Untimed: d.r.At.IsZero(),
		Learnt: d.r.Learnt, ByHand: d.r.ByHand,
	}
	if !d.r.HasAmount {
		k.Amount = d.p.Amount
	}
	if a := d.p.Transactions[i].Account; k.Account == "" && a != nil {
		k.Account = a.Number
	}
	d.p.Deposits = append(d.p.Deposits, k)
	if d.p.CashReceipt == nil && d.r.CashReceipt != nil {
		d.p.CashReceipt = d.r.CashReceipt
	}
}

// lastApplied is the index of the latest deposit that still counts, or -1.
func (d *decider) lastApplied() int {
	for i, v := range slices.Backward(d.p.Deposits) {
		if v.State == DepositApplied {
			return i
		}
	}
	return -1
}

// cancelledByBank reports whether the payment is cancelled because the bank
// took its deposit back, and for no other reason.
func (d *decider) cancelledByBank() bool {
	reversed := false
	for _, c := range d.p.Cancellations {
		if c.State != CancelFailed && !c.Reversal {
			return false
		}
		reversed = reversed || c.Reversal
	}
	return reversed
}

func sameAccount(a, b secret.Account) bool {
	return digits(a.Reveal()) == digits(b.Reveal())
}

// digits keeps letters and digits: PGs write account numbers with and without
// dashes, and KCP's test accounts begin with a T.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, s)
}
