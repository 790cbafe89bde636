package payment

import "time"

// A Change is one transition of a payment: a fact for merchants.
type Change string

// The changes, in the words of PortOne's webhook types.
const (
	ChangeReady              Change = "Ready" // a window was opened for a payment that had not begun
	ChangeIssued             Change = "VirtualAccountIssued"
	ChangePaid               Change = "Paid"
	ChangeFailed             Change = "Failed"
	ChangeCancelled          Change = "Cancelled"
	ChangePartiallyCancelled Change = "PartialCancelled"
	ChangeCancelPending      Change = "CancelPending"
	ChangePayPending         Change = "PayPending"
	ChangeExpired            Change = "VirtualAccountExpired" // ours, not PortOne's
)

// A Transition is a Change with the attempt and the cancellation it is about.
type Transition struct {
	Change       Change
	Transaction  TransactionID
	Cancellation string // id of the cancellation; empty for other changes
}

// A Decision is what a report does to a payment.
type Decision struct {
	Verdict Verdict
	Reason  Reason
	// Payment is the payment afterwards. It equals the payment before unless
	// Changed.
	Payment     Payment
	Changed     bool
	Transitions []Transition // in order; at most one for each report
	// Listed asks that a person sees this, although nothing waits for them.
	Listed bool
}

// An Env is what a decision may not find out by itself.
type Env struct {
	Now   time.Time
	NewID func() string // a fresh UUID
}

// Decide applies the money rules (docs/money-rules.md): what r does to p. It is pure:
// the same arguments, with the same ids from e.NewID, give the same decision,
// and p is left as it was.
//
// Decide does not judge who sent r, whether it was told before under the same
// Key, or whether it may touch a payment of this mode: its caller does.
func (p Payment) Decide(r Report, e Env) Decision {
	d := decider{p: p.clone(), before: p, r: r, e: e}
	out := d.decide()
	out.Listed = out.Listed || r.Listed && out.Verdict != Duplicate
	return out
}

func (d *decider) decide() Decision {
	if t, ok := d.p.Transaction(); d.r.OtherMethod && ok && t.Account != nil && d.chargeNamed() < 0 {
		return d.recorded(ReasonNotOurs)
	}
	switch d.r.Event {
	case EventIssued:
		return d.issued()
	case EventDeposited:
		return d.deposited()
	case EventReversed:
		return d.reversed()
	case EventCancelled, EventPartiallyCancelled:
		return d.cancelled()
	case EventRefunded, EventRefundFailed:
		return d.refunded()
	case EventApproved, EventFailed:
		return d.attempted()
	case EventExpired:
		return d.expired()
	case EventOther:
	}
	return d.recordedFor(d.r.Listed)
}

// A decider is one decision in the making: p is changed in place.
type decider struct {
	p, before Payment
	r         Report
	e         Env
}

func (d *decider) conflict(why Reason) Decision {
	return Decision{Verdict: Conflict, Reason: why, Payment: d.before}
}

func (d *decider) duplicate() Decision {
	return Decision{Verdict: Duplicate, Payment: d.before}
}

func (d *decider) recorded(why Reason) Decision {
	return Decision{Verdict: Recorded, Reason: why, Payment: d.before}
}

func (d *decider) recordedFor(person bool) Decision {
	out := d.recorded(ReasonNone)
	if person {
		out.Reason, out.Listed = ReasonForAPerson, true
	}
	return out
}

// listed is a remembered that a person is to see.
func (d *decider) listed() Decision {
	out := d.remembered(ReasonForAPerson)
	out.Listed = true
	return out
}

// remembered is a Recorded that kept something in the payment.
func (d *decider) remembered(why Reason) Decision {
	d.p.UpdatedAt = d.e.Now
	return Decision{Verdict: Recorded, Reason: why, Payment: d.p, Changed: true}
}

// applied ends a decision that moved the payment to state s.
func (d *decider) applied(s State, c Change, cancellation string) Decision {
	d.p.UpdatedAt = d.e.Now
	if d.p.State != s || c == ChangePaid {
		d.p.StatusChangedAt = d.e.Now
	}
	d.p.State = s
	if d.p.Current < len(d.p.Transactions) && s != Failed {
		d.p.Transactions[d.p.Current].Opened = false // somebody did what its buyer did not
	}
	t := Transition{Change: c, Cancellation: cancellation}
	if tx, ok := d.p.Transaction(); ok {
		t.Transaction = tx.ID
	}
	return Decision{Verdict: Applied, Payment: d.p, Changed: true, Transitions: []Transition{t}}
}

// at is when the PG says that it happened, or now if it did not say.
func (d *decider) at() time.Time {
	if d.r.At.IsZero() {
		return d.e.Now
	}
	return d.r.At
}

func (d *decider) issued() Decision {
	if d.reopened() {
		i := d.lastApplied()
		d.p.Deposits[i].ReversedBy = d.r.Deposit
		return d.reverse(i)
	}
	switch d.p.State {
	case Ready:
		if t, ok := d.p.Transaction(); ok && t.Charge != nil {
			return d.recorded(ReasonNone) // the account is an earlier attempt's
		}
		d.fill(d.p.Current)
		d.noteIssue(d.p.Current)
		d.setState(Issued)
		return d.applied(Issued, ChangeIssued, "")
	case Issued:
		return d.waits(d.named())
	case PayPending, Paid, PartiallyCancelled, Cancelled, Failed:
	}
	return d.recorded(ReasonNone)
}

// setState moves the current transaction.
func (d *decider) setState(s State) {
	if d.p.Current < len(d.p.Transactions) {
		d.p.Transactions[d.p.Current].State = s
	}
}

// attempted handles the approval or failure of a method other than a virtual
// account: it counts only for an attempt that was started here.
func (d *decider) attempted() Decision {
	t, ok := d.p.Transaction()
	i := d.chargeNamed()
	if i < 0 && ok && t.charging() && d.named() == d.p.Current {
		i = d.p.Current
	}
	if i >= 0 {
		return d.chargeTold(i)
	}
	if !ok || t.Account != nil || (d.p.State != Ready && d.p.State != PayPending) || d.named() != d.p.Current {
		return d.recorded(ReasonNotOurs)
	}
	if d.r.Event == EventFailed {
		d.p.FailedAt, d.p.FailureReason = d.at(), string(EventFailed)
		d.setState(Failed)
		return d.applied(Failed, ChangeFailed, "")
	}
	if why := d.amountProblem(); why != ReasonNone {
		return d.conflict(why)
	}
	d.fill(d.p.Current)
	d.p.PaidAt = d.at()
	d.p.Transactions[d.p.Current].PaidAt = d.at()
	d.setState(Paid)
	return d.applied(Paid, ChangePaid, "")
}

// expired flags a payment whose deadline passed. PortOne has no expired
// state, so the state is kept. The end of an attempt that another one follows
// says nothing of the payment.
func (d *decider) expired() Decision {
	i := d.named()
	if d.p.State != Issued || d.p.Expired || i < 0 || i != d.p.Current {
		return d.recorded(ReasonNone)
	}
	t := &d.p.Transactions[i]
	t.Expired, d.p.Expired = true, true
	out := d.remembered(ReasonNone)
	out.Transitions = []Transition{{Change: ChangeExpired, Transaction: t.ID}}
	return out
}
