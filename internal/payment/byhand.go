package payment

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// A ByHand is a person's word on what became of a cancellation of which the PG
// tells nothing.
type ByHand struct {
	Reason string    `json:"reason"` // what the word goes by; never empty
	At     time.Time `json:"at"`     // when it was given
}

// A CancelWord says what became of a requested cancellation, as a person found
// out in the PG's pages or from the PG.
type CancelWord struct {
	Succeeded bool
	// PGID and At are the PG's id and time of it, if they are known, and Refunded
	// says that the money has reached the buyer: of one that succeeded only.
	PGID     string
	At       time.Time
	Refunded bool
	Reason   string
}

// ErrBeforeAsked says that a cancellation cannot have been made when a person says.
var ErrBeforeAsked = fault.Errorf(fault.Invalid, "the cancellation was not asked for yet at that time")

// EndCancel ends a requested cancellation by a person's word, with all that follows
// from the PG's own. It reports ErrNoCancellation, and ErrNotPending if the
// cancellation has ended, and ErrBeforeAsked.
func (p Payment) EndCancel(id string, w CancelWord, e Env) (Decision, error) {
	i := slices.IndexFunc(p.Cancellations, func(c Cancellation) bool { return c.ID == id })
	switch {
	case i < 0:
		return Decision{}, ErrNoCancellation
	case p.Cancellations[i].State != CancelRequested:
		return Decision{}, ErrNotPending
	case !w.At.IsZero() && w.At.Before(p.Cancellations[i].RequestedAt.Add(-toldEarly)):
		return Decision{}, ErrBeforeAsked
	}
	var d Decision
	var err error
	if w.Succeeded {
		done := Cancellation{PGID: w.PGID, CancelledAt: w.At, Refund: RefundPending}
		if w.Refunded {
			done.Refund = RefundCompleted
		}
		d, err = p.CancelDone(id, done, e)
	} else {
		d, err = p.CancelRefused(id, e)
	}
	if err != nil {
		return d, err
	}
	d.Payment.Cancellations[i].ByHand = &ByHand{Reason: w.Reason, At: e.Now}
	return d, nil
}
