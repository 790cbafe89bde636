package action

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A ScheduleStore is where scheduled payments wait. Its methods are safe for
// concurrent use.
type ScheduleStore interface {
	// Schedule reports payment.ErrNoSchedule if there is none that the mode sees.
	Schedule(ctx context.Context, st merchant.StoreID, id payment.ScheduleID, sees merchant.Mode) (payment.Schedule, error)
	// AddSchedule writes a schedule, by the settings of a version, or returns what was
	// written under its id before; see the store's.
	AddSchedule(ctx context.Context, x payment.Schedule, version int64) (payment.Schedule, error)
	// RevokeSchedules revokes the schedules with the ids, or of the billing key.
	RevokeSchedules(ctx context.Context, st merchant.StoreID, sees merchant.Mode, key payment.BillingKeyID, ids []payment.ScheduleID, at time.Time, audit ...func([]payment.ScheduleID) []member.Entry) ([]payment.ScheduleID, error)
}

// longestAhead is how far ahead a payment may be scheduled.
const longestAhead = 5 * 366 * 24 * time.Hour

// A ScheduleRequest asks for a charge by a billing key at a time.
type ScheduleRequest struct {
	ChargeRequest
	TimeToPay time.Time
}

// Schedule has a payment charged by a billing key at a time (결제 예약). What can be
// checked without the PG is checked now, and again then. A time that has passed is
// fault.Invalid.
//
// It reports what Charge does before it calls the PG, and payment.ErrPaidOrWaiting.
func (a *Actions) Schedule(ctx context.Context, c Caller, r ScheduleRequest) (payment.Schedule, error) {
	at := now()
	out, id, made, err := a.madeSchedule(ctx, c, r.IDs, at)
	if made || err != nil {
		return out, err
	}
	if err := prepareCharge(&r.ChargeRequest); err != nil {
		return payment.Schedule{}, err
	}
	switch {
	case r.BillingKey == "":
		return payment.Schedule{}, invalid("a payment is scheduled by a billing key")
	case !r.TimeToPay.After(at):
		return payment.Schedule{}, invalid("timeToPay must be in the future")
	case r.TimeToPay.Sub(at) > longestAhead:
		return payment.Schedule{}, invalid("timeToPay must be in the next five years")
	}
	err = a.viewed(ctx, func(v *view) error {
		x := charging{ChargeRequest: r.ChargeRequest}
		if err := a.charging(ctx, v, c, &x); err != nil {
			return err
		}
		x.charge.ID, x.charge.Key = string(r.ID), string(id)
		if err := x.charger.CheckCharge(a.access(x.channel).Channel, x.charge); err != nil {
			return err
		}
		var err error
		out, err = a.Store.AddSchedule(ctx, payment.Schedule{
			ID: id, Merchant: x.Merchant, Store: x.Store, Mode: x.Mode, Channel: x.channel.Key, Payment: r.ID,
			BillingKey: r.BillingKey, State: payment.Scheduled, OrderName: r.OrderName, Amount: r.Amount, TaxFree: r.TaxFree, VAT: r.VAT,
			Customer: r.Customer, CustomData: r.CustomData, NoticeURLs: r.NoticeURLs, Terms: r.Terms, Quiet: r.Quiet,
			CreatedAt: at, TimeToPay: stored(r.TimeToPay),
		}, v.version)
		return err
	})
	if err == nil && a.Scheduled != nil {
		a.Scheduled(out.TimeToPay)
	}
	return out, err
}

// RevokeSchedules revokes scheduled payments, all that are named or none: those with
// the ids, or without any those of a billing key for which no attempt was begun. It
// returns the ids that it revoked, and when.
//
// It reports fault.Invalid if neither is named, payment.ErrNoSchedule,
// payment.ErrScheduleProcessed, payment.ErrScheduleRevoked, payment.ErrNoKey and
// payment.ErrKeyDeleted.
func (a *Actions) RevokeSchedules(ctx context.Context, c Caller, key payment.BillingKeyID, ids []payment.ScheduleID) ([]payment.ScheduleID, time.Time, error) {
	at := now()
	switch {
	case key == "" && len(ids) == 0:
		return nil, at, invalid("name a billingKey or scheduleIds")
	case len(ids) > maxRevoked:
		return nil, at, invalid("scheduleIds has %d ids: at most %d", len(ids), maxRevoked)
	}
	if key != "" {
		k, err := a.Store.BillingKey(ctx, c.Store, key, c.Mode)
		if err == nil {
			err = k.Usable()
		}
		if err != nil {
			return nil, at, err
		}
	}
	list, err := a.Store.RevokeSchedules(ctx, c.Store, c.Mode, key, ids, at, c.onSchedules(key))
	return list, at, err
}

// maxRevoked is how many schedules may be revoked at once by their ids.
const maxRevoked = 1000
