package payment

import (
	"slices"
	"time"
)

// Stands brings what is outstanding of an attempt up to what the PG says of it
// when asked: an issue or a cancellation whose answer was lost, an account that
// was closed, a charge. Deposits never count by it: one that the PG tells of is
// settled as a notice is. What the PG does not know counts as not done once it is
// older than patience: before, it may be under way.
func (p Payment) Stands(id TransactionID, s Standing, e Env, patience time.Duration) Decision {
	out := Decision{Verdict: Recorded, Payment: p}
	i := slices.IndexFunc(p.Transactions, func(t Transaction) bool { return t.ID == id })
	if i < 0 {
		return out
	}
	if p.Transactions[i].Charge != nil {
		out.charged(i, s, e, patience)
	} else {
		out.then(func(p Payment) (Decision, error) { return p.standsIssued(i, s, e, patience) })
	}
	out.then(func(p Payment) (Decision, error) {
		return p.standsClosed(i, s, e, patience)
	})
	if i == out.Payment.Current {
		for _, c := range p.Cancellations {
			out.then(func(p Payment) (Decision, error) { return p.standsCancelled(c.ID, s, e, patience) })
		}
	}
	return out
}

// then goes on with another decision. One that is refused changes nothing.
func (d *Decision) then(next func(Payment) (Decision, error)) {
	more, err := next(d.Payment)
	if err != nil || !more.Changed {
		return
	}
	d.Payment, d.Changed, d.Verdict, d.Listed = more.Payment, true, more.Verdict, d.Listed || more.Listed
	d.Transitions = append(d.Transitions, more.Transitions...)
}

// standsIssued ends an issue whose answer was lost.
func (p Payment) standsIssued(i int, s Standing, e Env, patience time.Duration) (Decision, error) {
	t := p.Transactions[i]
	if t.State != Ready || t.Account != nil || t.Opened {
		return Decision{Payment: p}, nil
	}
	switch s.State {
	case "", Ready:
		if s.askedAt(e).Sub(t.At) < patience {
			return Decision{Payment: p}, nil
		}
		return p.IssueRefused(t.ID, "the PG knows no such order", e)
	case Failed:
		return p.IssueRefused(t.ID, "the PG did not issue the account", e)
	case PayPending:
		return Decision{Payment: p}, nil
	default:
	}
	if s.Account.Number == "" {
		return Decision{Payment: p}, nil
	}
	return p.IssueDone(t.ID, Issuance{Account: s.Account, PGTx: s.PGTx, Secret: s.Secret, Key: s.Key, At: s.Account.IssuedAt}, e)
}

// standsCancelled ends a cancellation whose answer was lost.
func (p Payment) standsCancelled(id string, s Standing, e Env, patience time.Duration) (Decision, error) {
	n := slices.IndexFunc(p.Cancellations, func(c Cancellation) bool { return c.ID == id })
	c := p.Cancellations[n]
	if c.State != CancelRequested {
		return Decision{Payment: p}, nil
	}
	for _, k := range s.Cancellations {
		if k.Amount == c.Amount && k.PGID != "" && !p.knowsCancel(k.PGID) {
			d, err := p.CancelDone(id, Cancellation{PGID: k.PGID, CancelledAt: k.At, Refund: s.Refund}, e)
			if err == nil {
				// Another of that amount may be meant: its own answer may yet say so.
				d.Payment.Cancellations[n].Guessed = true
			}
			return d, err
		}
	}
	unknown := slices.ContainsFunc(s.Cancellations, func(k CancelRecord) bool { return k.PGID != "" && !p.knowsCancel(k.PGID) })
	switch {
	case s.Lists || s.State == Paid && c.Amount == p.Remaining():
		if s.askedAt(e).Sub(c.RequestedAt) >= patience {
			return p.CancelRefused(id, e)
		}
	case s.State == Cancelled && !unknown && p.requested() >= p.Remaining().Amount:
		// All is gone, and what was asked for is all.
		return p.CancelDone(id, Cancellation{Refund: s.Refund}, e)
	}
	// Otherwise the PG does not say which parts it gave back: a notice or a
	// person does.
	return Decision{Payment: p}, nil
}

// standsClosed ends an attempt whose account was closed, or a close that the PG
// did not make.
func (p Payment) standsClosed(i int, s Standing, e Env, patience time.Duration) (Decision, error) {
	t := p.Transactions[i]
	switch {
	case t.State != Issued:
	case s.State == Failed:
		return p.CloseDone(t.ID, time.Time{}, e)
	case s.State == Issued && !t.Closing.IsZero() && s.askedAt(e).Sub(t.Closing) >= patience:
		d := decider{p: p.clone(), before: p, e: e}
		d.p.Transactions[i].Closing = time.Time{}
		return d.remembered(ReasonNone), nil
	}
	return Decision{Payment: p}, nil
}

func (p Payment) knowsCancel(pgID string) bool {
	return slices.ContainsFunc(p.Cancellations, func(c Cancellation) bool { return pgID != "" && c.PGID == pgID })
}

// requested is the sum of the cancellations that were asked for and not ended.
func (p Payment) requested() (sum int64) {
	for _, c := range p.Cancellations {
		if c.State == CancelRequested {
			sum += c.Amount.Amount
		}
	}
	return sum
}

// askedAt is what the standing is of: what the PG did after that, it cannot tell.
func (s Standing) askedAt(e Env) time.Time {
	if s.AskedAt.IsZero() {
		return e.Now
	}
	return s.AskedAt
}
