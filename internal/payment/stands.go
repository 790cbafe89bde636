package payment

import (
	"slices"
	"time"
)

// Stands brings what is outstanding of an attempt up to what the PG says of it
// when asked: an issue or a cancellation whose answer was lost, an account that
// was closed. Money never moves by it: a deposit that the PG tells of is settled
// as a notice is. What the PG does not know counts as not done once it is older
// than patience: before, it may be under way.
func (p Payment) Stands(id TransactionID, s Standing, e Env, patience time.Duration) Decision {
	out := Decision{Verdict: Recorded, Payment: p}
	i := slices.IndexFunc(p.Transactions, func(t Transaction) bool { return t.ID == id })
	if i < 0 {
		return out
	}
	out.then(func(p Payment) (Decision, error) { return p.standsIssued(i, s, e, patience) })
	out.then(func(p Payment) (Decision, error) {
		if s.State == Failed && p.Transactions[i].State == Issued {
			return p.CloseDone(id, time.Time{}, e)
		}
		return Decision{Payment: p}, nil
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
	d.Payment, d.Changed, d.Verdict = more.Payment, true, more.Verdict
	d.Transitions = append(d.Transitions, more.Transitions...)
}

// standsIssued ends an issue whose answer was lost.
func (p Payment) standsIssued(i int, s Standing, e Env, patience time.Duration) (Decision, error) {
	t := p.Transactions[i]
	if t.State != Ready || t.Account != nil {
		return Decision{Payment: p}, nil
	}
	switch s.State {
	case "", Ready:
		if e.Now.Sub(t.At) < patience {
			return Decision{Payment: p}, nil
		}
		return p.IssueRefused(t.ID, "the PG knows no such order", e)
	case Failed:
		return p.IssueRefused(t.ID, "the PG did not issue the account", e)
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
		if k.Amount == c.Amount && !p.knowsCancel(k.PGID) {
			return p.CancelDone(id, Cancellation{PGID: k.PGID, CancelledAt: k.At, Refund: s.Refund}, e)
		}
	}
	listed := len(s.Cancellations) > 0
	switch {
	case !listed && s.State == Cancelled && c.Amount == p.Remaining():
		return p.CancelDone(id, Cancellation{Refund: s.Refund}, e)
	case !listed && s.State == PartiallyCancelled && p.CancelledAmount() == 0 && len(p.Cancellations) == 1:
		return p.CancelDone(id, Cancellation{Refund: s.Refund}, e)
	case !listed && s.State == PartiallyCancelled:
		return Decision{Payment: p}, nil // which of several, the PG does not say: a person's
	case s.State == Paid || listed:
		if e.Now.Sub(c.RequestedAt) >= patience {
			return p.CancelRefused(id, e)
		}
	}
	return Decision{Payment: p}, nil
}

func (p Payment) knowsCancel(pgID string) bool {
	return slices.ContainsFunc(p.Cancellations, func(c Cancellation) bool { return pgID != "" && c.PGID == pgID })
}
