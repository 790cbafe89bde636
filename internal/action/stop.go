package action

import (
	"context"
	"slices"

	"github.com/tongbo/tongbo/internal/payment"
)

// StopCancel withdraws a cancellation that the PG has not made yet (취소 중지). No
// PG of this build can: of one that is pending it reports a *PGError. It reports
// fault.NotFound for a payment that the caller does not see,
// payment.ErrNoCancellation, and payment.ErrNotPending.
func (a *Actions) StopCancel(ctx context.Context, c Caller, id payment.ID, cancellation string) error {
	p, err := a.Store.Payment(ctx, c.Store, id, c.Mode)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.Cancellations, func(x payment.Cancellation) bool { return x.ID == cancellation })
	switch {
	case i < 0:
		return payment.ErrNoCancellation
	case p.Cancellations[i].State != payment.CancelRequested:
		return payment.ErrNotPending
	}
	return &PGError{Code: "CANNOT_STOP", Message: "the PG has no API that withdraws a cancellation: it ends as the PG says when it is asked"}
}
