package payment

// reopened reports whether this issued report means that the bank took the
// applied deposit back: it is later than the deposit and names a change of
// state that we have not seen. A late copy of the issue is neither, and what
// waits again must be the attempt that was paid.
func (d *decider) reopened() bool {
	if !d.r.Reopens {
		return false
	}
	i := d.lastApplied()
	if i < 0 || !d.r.At.After(d.p.Deposits[i].At) {
		return false
	}
	if n := d.named(); n < 0 || d.p.Transactions[n].ID != d.p.Deposits[i].Transaction {
		return false
	}
	return !d.knownChange()
}

// knownChange reports whether the change of state that the report names is one
// that we have seen: a deposit, or the reversal of one.
func (d *decider) knownChange() bool {
	for _, k := range d.p.Deposits {
		if k.Key == d.r.Deposit || k.ReversedBy == d.r.Deposit {
			return true
		}
	}
	return false
}

// waits handles an issued report for attempt i of a payment that waits.
func (d *decider) waits(i int) Decision {
	if d.reopenedEarly(i) {
		d.fill(i)
		out := d.remembered(ReasonReversalForetold)
		out.Listed = true
		return out
	}
	filled, noted := d.fill(i), d.noteIssue(i)
	if filled || noted {
		return d.remembered(ReasonNone)
	}
	return d.recorded(ReasonNone)
}

// noteIssue keeps the name of the issue of attempt i, if the PG names it, and
// reports whether it was new.
func (d *decider) noteIssue(i int) bool {
	if !d.r.Reopens || d.r.Deposit == "" || d.r.At.IsZero() || i < 0 || i >= len(d.p.Transactions) {
		return false
	}
	t := &d.p.Transactions[i]
	if t.IssueKey != "" {
		return false
	}
	t.IssueKey, t.IssueToldAt = d.r.Deposit, d.r.At
	return true
}

// reopenedEarly reports whether attempt i was reopened before we heard of the
// deposit that the bank took back, and remembers that: an account is issued
// once, so of two changes to waiting under two names the later is a reversal.
//
// Where only one was told before the deposit nothing says which of the two it
// is, and it is taken for the issue. The reversal is then missed if the issue
// itself is told last of all, or never.
func (d *decider) reopenedEarly(i int) bool {
	if !d.r.Reopens || d.r.Deposit == "" || d.r.At.IsZero() || i < 0 {
		return false
	}
	t := &d.p.Transactions[i]
	if t.IssueKey == "" || t.IssueKey == d.r.Deposit || t.IssueToldAt.Equal(d.r.At) || d.knownChange() {
		return false
	}
	key, at := d.r.Deposit, d.r.At
	if at.Before(t.IssueToldAt) { // what we took for the issue is the reversal
		key, at, t.IssueKey, t.IssueToldAt = t.IssueKey, t.IssueToldAt, key, at
	}
	d.p.Deposits = append(d.p.Deposits, Deposit{
		State: DepositForetold, Transaction: t.ID, Amount: d.p.Amount, ReversedAt: at, ReversedBy: key,
	})
	return true
}
