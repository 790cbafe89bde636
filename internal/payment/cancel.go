package payment

// reversed handles a deposit that the bank took back.
func (d *decider) reversed() Decision {
	if d.byID() < 0 && d.r.Deposit == "" && !d.r.HasAmount {
		return d.conflict(ReasonNoAmount) // an account or an order alone takes no money back
	}
	i, found := d.reversedDeposit()
	if found {
		switch d.p.Deposits[i].State {
		case DepositApplied:
			if !d.sameMoney(d.p.Deposits[i]) {
				return d.conflict(d.disagreement(d.p.Deposits[i]))
			}
			return d.reverse(i)
		case DepositReversed, DepositForetold:
			return d.duplicate()
		}
	}
	paidByOther := d.lastApplied() >= 0
	if paidByOther && d.r.Deposit == "" {
		return d.conflict(ReasonReversalUnknown)
	}
	d.p.Deposits = append(d.p.Deposits, Deposit{
		Key: d.r.Deposit, State: DepositForetold, Amount: d.r.Amount,
		Account: d.r.Account, ReversedAt: d.at(),
	})
	out := d.remembered(ReasonReversalForetold)
	if paidByOther {
		// The PG may have given the reversal an id of its own: then this is
		// the applied deposit going back, and only a person can tell.
		out.Reason, out.Listed = ReasonReversalUnknown, true
	}
	return out
}

// reversedDeposit finds the deposit that a reversal speaks of: by the PG's
// id, else, where either has none, by account and amount if that leaves one.
func (d *decider) reversedDeposit() (int, bool) {
	if i := d.byID(); i >= 0 {
		return i, true
	}
	match := -1
	for i, k := range d.p.Deposits {
		if d.comparableTo(k) || !d.sameMoney(k) || d.tooEarly(k) {
			continue
		}
		if k.State == DepositForetold && k.ReversedBy != "" {
			continue // by another PG, which has no word for a reversal
		}
		if match >= 0 && k.State == d.p.Deposits[match].State && k.State == DepositApplied {
			return -1, false // two would fit: not ours to guess
		}
		if match < 0 || k.State == DepositApplied {
			match = i
		}
	}
	return match, match >= 0
}

// tooEarly reports whether the reversal was before deposit k, or is another
// one than the reversal that k already had.
func (d *decider) tooEarly(k Deposit) bool {
	if k.State != DepositApplied && !k.ReversedAt.IsZero() && !d.r.At.IsZero() {
		return d.r.At.Sub(k.ReversedAt).Abs() > sameMinute
	}
	if k.ByHand != nil && k.Untimed {
		return false // it is known only when a person said so
	}
	return !k.At.IsZero() && !d.r.At.IsZero() && d.r.At.Before(k.At)
}

// reverse takes back applied deposit i. The payment is cancelled by a
// cancellation that refunds nothing; a person always sees it.
func (d *decider) reverse(i int) Decision {
	for _, c := range d.p.Cancellations {
		if !c.Reversal && c.State != CancelFailed {
			return d.conflict(ReasonReversalAfterward)
		}
	}
	k := &d.p.Deposits[i]
	k.State, k.ReversedAt = DepositReversed, d.at()
	c := Cancellation{
		ID: d.e.NewID(), State: CancelSucceeded, Amount: k.Amount, Reason: ReversalReason,
		Reversal: true, RequestedAt: d.e.Now, CancelledAt: d.at(),
	}
	d.p.Cancellations = append(d.p.Cancellations, c)
	d.p.CancelledAt = d.at()
	state, change := Cancelled, ChangeCancelled
	if d.lastApplied() >= 0 { // an unlimited account with other deposits
		state, change = Paid, ChangePartiallyCancelled
	}
	d.setState(state)
	out := d.applied(state, change, c.ID)
	out.Reason, out.Listed = ReasonReversed, true
	return out
}

// cancelled handles a cancellation that the PG reports, of the one attempt
// that it names.
func (d *decider) cancelled() Decision {
	i := d.named()
	if i < 0 && len(d.p.Transactions) > 0 && d.p.State != Cancelled && d.p.State != Failed {
		return d.conflict(ReasonOtherAccount)
	}
	if i >= 0 && (d.p.Transactions[i].charging() || i == d.chargeNamed()) {
		return d.chargeCancelled(i)
	}
	if i >= 0 && i != d.p.Current {
		return d.cancelledOther(i)
	}
	switch d.p.State {
	case Ready, Issued, PayPending:
		return d.close()
	case Paid, PartiallyCancelled:
		if d.r.Closes {
			return d.recordedFor(true)
		}
		return d.cancelPaid()
	case Cancelled, Failed:
	}
	return d.recorded(ReasonNone)
}

// cancelledOther handles the cancellation of an attempt that is not the
// current one: the payment goes on without it.
func (d *decider) cancelledOther(i int) Decision {
	t := &d.p.Transactions[i]
	switch {
	case t.open() && d.r.Event == EventPartiallyCancelled:
		return d.conflict(ReasonCancelTooLarge)
	case t.open():
		t.State = Failed
		return d.remembered(ReasonClosed)
	case t.State == Paid && (d.p.State == Paid || d.p.State == PartiallyCancelled):
		// Money came on several unlimited accounts. How much of it goes back
		// is not told by a cancellation of one.
		return d.conflict(ReasonForAPerson)
	}
	return d.recorded(ReasonNone)
}

// close ends the current attempt, whose account was closed before money came.
// The payment goes on with another that waits, and fails if there is none.
func (d *decider) close() Decision {
	if d.r.Event == EventPartiallyCancelled {
		return d.conflict(ReasonCancelTooLarge)
	}
	d.setState(Failed)
	if i := d.next(); i >= 0 {
		d.p.show(i)
		d.p.Expired = d.p.Transactions[i].Expired
		return d.remembered(ReasonClosed)
	}
	d.p.FailedAt, d.p.FailureReason = d.at(), string(ReasonClosed)
	return d.applied(Failed, ChangeFailed, "")
}

// cancelPaid cancels what was paid, in whole or in part. Our own request that
// the PG reports is completed, not doubled.
func (d *decider) cancelPaid() Decision {
	if out, known := d.toldBefore(); known {
		return out
	}
	ours := d.answeredAll
	if d.r.Event == EventPartiallyCancelled {
		ours = d.answered
	}
	if out, is := ours(); is {
		return out
	}
	left := d.p.Remaining()
	amount := left
	if d.r.Event == EventPartiallyCancelled {
		switch {
		case !d.r.HasAmount:
			return d.conflict(ReasonNoAmount)
		case d.r.Amount.Currency != left.Currency:
			return d.conflict(ReasonOtherCurrency)
		case d.r.Amount.Amount <= 0 || d.r.Amount.Amount > left.Amount:
			return d.conflict(ReasonCancelTooLarge)
		}
		amount = d.r.Amount
	} else if why := d.notAll(left); why != ReasonNone {
		return d.conflict(why)
	}
	c := d.ownRequest(amount)
	c.State, c.CancelledAt, c.Told = CancelSucceeded, d.at(), true
	if c.PGID == "" && (c.Trigger == "" || !d.r.CancelAlias) {
		c.PGID = d.r.PGCancel
	}
	d.p.CancelledAt = d.at()
	if amount.Amount == left.Amount {
		d.setState(Cancelled)
		return d.applied(Cancelled, ChangeCancelled, c.ID)
	}
	d.setState(PartiallyCancelled)
	return d.applied(PartiallyCancelled, ChangePartiallyCancelled, c.ID)
}

// notAll says why a cancellation of all cannot be one of all that is left. A PG
// may have no word for a part, and of several deposits on an unlimited account
// it may mean one alone.
func (d *decider) notAll(left Money) Reason {
	paid := 0
	for _, k := range d.p.Deposits {
		if k.State == DepositApplied {
			paid++
		}
	}
	switch {
	case !d.r.HasAmount && paid > 1:
		return ReasonNoAmount
	case d.r.HasAmount && d.r.Amount != left && (paid > 1 || d.r.Amount != d.p.Amount):
		return ReasonOtherAmount
	}
	return ReasonNone
}

// reasonPG is the reason of a cancellation that nobody asked for here.
const reasonPG = "PG 취소"

// ownRequest returns the cancellation that the report completes: the one we
// requested for that amount, else a new one. Of several equal ones it is a guess,
// which the PG's answers set right.
func (d *decider) ownRequest(amount Money) *Cancellation {
	for i := range d.p.Cancellations {
		c := &d.p.Cancellations[i]
		if c.State == CancelRequested && c.Amount == amount {
			c.Guessed = true
			return c
		}
	}
	d.p.Cancellations = append(d.p.Cancellations, Cancellation{
		ID: d.e.NewID(), Amount: amount, Reason: reasonPG, RequestedAt: d.at(),
	})
	return &d.p.Cancellations[len(d.p.Cancellations)-1]
}

// refunded settles the refund transfer of a cancellation. It never
// un-cancels.
func (d *decider) refunded() Decision {
	c, why := d.refundOf()
	if c == nil {
		return d.conflict(why)
	}
	c.Refund = RefundCompleted
	out := Decision{Verdict: Applied, Changed: true}
	if d.r.Event == EventRefundFailed {
		c.Refund = RefundFailed
		out.Reason, out.Listed = ReasonRefundFailed, true
	}
	d.p.UpdatedAt = d.e.Now
	out.Payment = d.p
	return out
}

// refundOf is the cancellation whose pending refund the report speaks of: the
// one that it names, else one of its amount. A report without an amount leaves
// two refunds of different amounts to a person.
func (d *decider) refundOf() (*Cancellation, Reason) {
	var found *Cancellation
	several := false
	for i := range d.p.Cancellations {
		c := &d.p.Cancellations[i]
		switch {
		case c.Refund != RefundPending || d.r.HasAmount && d.r.Amount != c.Amount:
		case d.r.PGCancel != "" && c.PGID == d.r.PGCancel:
			return c, ReasonNone
		case found == nil:
			found = c
		case found.Amount != c.Amount:
			several = true
		}
	}
	switch {
	case found == nil:
		return nil, ReasonNoRefundPending
	case several:
		return nil, ReasonForAPerson
	}
	return found, ReasonNone
}
