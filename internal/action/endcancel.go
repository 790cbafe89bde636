package action

import (
	"context"
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A CancelEnd is a person's word on a cancellation that is REQUESTED.
type CancelEnd struct {
	payment.CancelWord
	ID string // of the cancellation
	// Force says that the word counts although the PG can be asked.
	Force bool
}

// A CancelEnded is what follows from a person's word on a cancellation.
type CancelEnded struct {
	Payment      payment.Payment
	Cancellation payment.Cancellation
	// Reopened is the id of another cancellation that is REQUESTED again, because the
	// notice that was taken for it was of this one. Empty if there is none.
	Reopened string
}

// ErrCanBeAsked says that a PG tells itself what became of a cancellation: what it
// says counts for more than a person's word.
var ErrCanBeAsked = fault.Errorf(fault.Conflict, "the PG can be asked what became of the cancellation, and is asked until it says")

// ErrUnderWay says that a PG may be at work on a cancellation at this moment.
var ErrUnderWay = fault.Errorf(fault.Conflict, "the PG is being asked for the cancellation now: wait a minute")

// EndCancel ends a cancellation by a person's word (취소 결과 확정) where the PG's
// answer was lost and the PG cannot be asked: the payment follows as it would from
// the answer, webhooks included, and the reason is kept. It reports fault.Invalid
// without a reason, fault.NotFound for a payment that the caller does not see,
// payment.ErrNoCancellation, payment.ErrNotPending, ErrUnderWay, and ErrCanBeAsked.
func (a *Actions) EndCancel(ctx context.Context, c Caller, id payment.ID, e CancelEnd) (CancelEnded, error) {
	if err := e.check(); err != nil {
		return CancelEnded{}, err
	}
	var before payment.Payment
	audit := c.onPayment("payment.cancel_ended", e.Reason)
	p, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Store: c.Store, ID: id, Env: env, Audit: audit, Do: func(known *payment.Payment) (notice.Acted, error) {
			p, t, err := seen(known, c, id)
			if err != nil {
				return notice.Acted{}, err
			}
			i := slices.IndexFunc(p.Cancellations, func(x payment.Cancellation) bool { return x.ID == e.ID })
			switch {
			case i < 0:
				return notice.Acted{}, payment.ErrNoCancellation
			case p.Cancellations[i].State == payment.CancelRequested && env.Now.Sub(p.Cancellations[i].RequestedAt) < askAfter:
				return notice.Acted{}, ErrUnderWay
			case p.Cancellations[i].State == payment.CancelRequested && !e.Force && a.tells(v, p, t):
				return notice.Acted{}, ErrCanBeAsked
			}
			before = p
			d, err := p.EndCancel(e.ID, e.CancelWord, env)
			return a.written(v, d, env.Now, false), err
		}}, nil
	})
	if err != nil {
		return CancelEnded{}, err
	}
	_, ended, err := cancellationOf(p, e.ID)
	return CancelEnded{Payment: p, Cancellation: ended, Reopened: reopened(before, p)}, err
}

// reopened is the cancellation that succeeded before and waits now, or empty.
func reopened(before, after payment.Payment) string {
	for _, c := range before.Cancellations {
		_, now, err := cancellationOf(after, c.ID)
		if err == nil && c.State == payment.CancelSucceeded && now.State == payment.CancelRequested {
			return c.ID
		}
	}
	return ""
}

// check reports fault.Invalid for what cannot be a word on a cancellation.
func (e *CancelEnd) check() error {
	e.At = stored(e.At)
	switch {
	case !e.Succeeded && (e.PGID != "" || !e.At.IsZero() || e.Refunded):
		return invalid("a cancellation that failed has no id and no time at the PG, and gave nothing back")
	case e.At.After(now()):
		return invalid("the cancellation cannot have been made in the future")
	}
	return first(checkText("reason", e.Reason, 1, maxName), checkText("the PG's id", e.PGID, 0, maxName))
}

// tells reports whether the PG of an attempt can be asked about it.
func (a *Actions) tells(v *view, p payment.Payment, t payment.Transaction) bool {
	if !v.askable[t.Channel] {
		return false
	}
	ch, _ := v.channels.Channel(t.Channel)
	pg, ok := a.Providers(ch.Provider)
	if ok && provider.OnTrial(pg, ch) {
		return true
	}
	x, can := pg.(provider.Inquirer)
	return ok && can && x.CanInquire(ch, queryOf(p, t)) == nil
}
