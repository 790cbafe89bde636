package action

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// learn settles money that the PG tells of, and gives back what it gave back since:
// of neither came a notice.
func (q *Inquiries) learn(ctx context.Context, p payment.Payment, t payment.Transaction, ch merchant.Channel, s payment.Standing) error {
	back := wentBack(s)
	if s.State == payment.Paid && !paidFor(p, t.ID) || back && waitsFor(p, t.ID) {
		in, err := q.Learnt(ch, t, s, now())
		switch {
		case back && fault.Is(err, fault.Invalid):
			return q.untold(ctx, p, t, ch)
		case err != nil:
			return err
		}
		if err := q.settle(ctx, in); err != nil {
			return err
		}
	}
	if !back {
		return nil
	}
	var listed bool
	_, err := q.Actions.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: q.Actions.newID}
		return notice.Act{Payment: p.Key, Env: env, Channel: t.Channel, Standing: &s, Do: func(known *payment.Payment) (notice.Acted, error) {
			d := givenBack(*known, t, s, env)
			listed = d.Listed
			out := q.Actions.written(v, d, env.Now, false)
			out.Emissions = append(out.Emissions, q.Actions.listed(v, ch, d, env.Now)...)
			out.Again = env.Now.Add(firstInquiry) // of what else is outstanding
			return out, nil
		}}, nil
	})
	if listed && err == nil {
		q.Log.WarnContext(ctx, "the PG gave money back, and does not say which parts: compare the payment with its pages", "payment_key", p.Key, "payment", p.ID, "channel", t.Channel)
	}
	return err
}

// wentBack reports whether money came and was given back, all or a part of it.
func wentBack(s payment.Standing) bool {
	return s.State == payment.PartiallyCancelled || s.State == payment.Cancelled
}

// waitsFor reports whether a payment waits for the money of an attempt.
func waitsFor(p payment.Payment, id payment.TransactionID) bool {
	return !paidFor(p, id) && slices.ContainsFunc(p.Transactions, func(t payment.Transaction) bool {
		return t.ID == id && t.State == payment.Issued
	})
}

// givenBack has a payment follow what the PG gave back of a deposit that no notice told
// of. It is one step, so that it is not made twice: only while nothing is known to have
// gone back.
func givenBack(p payment.Payment, t payment.Transaction, s payment.Standing, e payment.Env) payment.Decision {
	out := payment.Decision{Verdict: payment.Recorded, Payment: p}
	learnt := len(p.Deposits) == 1 && p.Deposits[0].Transaction == t.ID && p.Deposits[0].Learnt
	if p.State != payment.Paid || !learnt || len(p.Cancellations) > 0 {
		return out
	}
	tell := func(r payment.Report) {
		r.Channel, r.PGOrder, r.PGTx = t.Channel, t.Order, s.PGTx
		d := out.Payment.Decide(r, e)
		out.Listed = out.Listed || d.Listed || d.Verdict == payment.Conflict
		if d.Changed {
			out.Payment, out.Changed, out.Verdict = d.Payment, true, d.Verdict
			out.Transitions = append(out.Transitions, d.Transitions...)
		}
	}
	for _, c := range s.Cancellations {
		tell(payment.Report{Event: payment.EventPartiallyCancelled, Amount: c.Amount, HasAmount: true, PGCancel: c.PGID, At: c.At})
	}
	switch {
	case s.State == payment.Cancelled && out.Payment.State != payment.Cancelled:
		tell(payment.Report{Event: payment.EventCancelled})
	case s.State == payment.PartiallyCancelled && out.Payment.State == payment.Paid:
		out.Listed = true
	}
	if out.Listed {
		out.Reason = payment.ReasonForAPerson
	}
	return out
}

// untold tells that money came and went, of which the PG does not say enough to settle
// it. The error says that asking again will not help.
func (q *Inquiries) untold(ctx context.Context, p payment.Payment, t payment.Transaction, ch merchant.Channel) error {
	_, err := q.Actions.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: q.Actions.newID}
		return notice.Act{Payment: p.Key, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			d := payment.Decision{Payment: *known, Listed: true, Reason: payment.ReasonForAPerson}
			return notice.Acted{Payment: *known, Emissions: q.Actions.listed(v, ch, d, env.Now), Again: env.Now.Add(muteAgain)}, nil
		}}, nil
	})
	if err != nil {
		return err
	}
	q.Log.WarnContext(ctx, "money came and was given back without a notice, and the PG does not say how much: compare the payment with its pages", "payment_key", p.Key, "payment", p.ID, "channel", t.Channel)
	return errUntold
}

// errUntold says that only a person can find out what money came.
var errUntold = fmt.Errorf("%w: %w", errNoInquiry, fault.Errorf(fault.Unsupported, "it does not say how much came and went"))

// paidFor reports whether a payment has the deposit of an attempt.
func paidFor(p payment.Payment, id payment.TransactionID) bool {
	for _, d := range p.Deposits {
		if d.Transaction == id && d.Counted() {
			return true
		}
	}
	// Money for a payment that failed is a person's to decide on.
	return p.State == payment.Paid || p.State == payment.PartiallyCancelled || p.State == payment.Cancelled
}

// errUnsettled says that a deposit is known, and could not be settled yet.
var errUnsettled = fault.Errorf(fault.Unavailable, "a deposit that the PG told of was not settled")

// settle has a notice that was learnt by asking decided, by settings that hold.
func (q *Inquiries) settle(ctx context.Context, in notice.Inbound) error {
	for range mostTries {
		v, err := q.Actions.views.Get(ctx, q.Actions.load)
		if err != nil {
			return err
		}
		in.Version = v.version
		results, err := q.Store.Settle(ctx, []notice.Inbound{in}, v.judge)
		if err == nil {
			err = results[0].Err
		}
		if err == nil {
			return nil
		}
		q.Actions.views.Refresh()
	}
	return errUnsettled
}
