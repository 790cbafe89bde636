package action

import (
	"context"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// What an earlier run of a request made is looked for before anything is checked that
// time or the settings can change: a no to what was done would have it done again.

// madeAttempt finds the attempt that an earlier run of a request made for a payment,
// by the request's ids; made is false without ids.
func (a *Actions) madeAttempt(ctx context.Context, c Caller, of payment.ID, ids payment.IDs) (p payment.Payment, id payment.TransactionID, made bool, err error) {
	if ids == nil {
		return p, "", false, nil
	}
	p, err = a.Store.Payment(ctx, c.Store, of, c.Mode)
	switch {
	case fault.Is(err, fault.NotFound):
		return p, "", false, nil
	case err != nil:
		return p, "", false, err
	}
	i, id := p.MadeAttempt(ids, now())
	return p, id, i >= 0, nil
}

// madeOf is madeAttempt of a payment that is locked, nil if there is none, and returns
// the id of the attempt that is to be made if none was; empty without ids.
func madeOf(ids payment.IDs, known *payment.Payment, at time.Time) (made bool, id payment.TransactionID) {
	if ids == nil {
		return false, ""
	}
	var p payment.Payment
	if known != nil {
		p = *known
	}
	i, id := p.MadeAttempt(ids, at)
	return i >= 0, id
}

// madeSchedule finds the schedule that an earlier run of a request made, or the id
// that it is to get: one of its own without ids. What is older than
// merchant.RepeatLife is another request's.
func (a *Actions) madeSchedule(ctx context.Context, c Caller, ids payment.IDs, at time.Time) (x payment.Schedule, id payment.ScheduleID, made bool, err error) {
	if ids == nil {
		return x, payment.ScheduleID(a.newID()), false, nil
	}
	for n := 0; ; n++ {
		id = payment.ScheduleID(ids(n))
		x, err = a.Store.Schedule(ctx, c.Store, id, c.Mode)
		switch {
		case errors.Is(err, payment.ErrNoSchedule):
			return payment.Schedule{}, id, false, nil
		case err != nil || at.Sub(x.CreatedAt) < merchant.RepeatLife:
			return x, id, err == nil, err
		}
	}
}

// madeKey is madeSchedule of billing keys. One that failed came to nothing; of one
// that is READY the PG may be asked again under its id.
func (a *Actions) madeKey(ctx context.Context, c Caller, ids payment.IDs, at time.Time) (k payment.BillingKey, id payment.BillingKeyID, made bool, err error) {
	if ids == nil {
		return k, payment.BillingKeyPrefix + payment.BillingKeyID(a.newID()), false, nil
	}
	for n := 0; ; n++ {
		id = payment.BillingKeyPrefix + payment.BillingKeyID(ids(n))
		k, err = a.Store.BillingKey(ctx, c.Store, id, c.Mode)
		switch {
		case errors.Is(err, payment.ErrNoKey):
			return payment.BillingKey{}, id, false, nil
		case err != nil:
			return k, id, false, err
		case k.State != payment.KeyFailed && at.Sub(k.RequestedAt) < merchant.RepeatLife:
			return k, id, k.State != payment.KeyReady, nil
		}
	}
}
