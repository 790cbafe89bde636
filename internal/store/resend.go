package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func keyOf(s sql.NullString) payment.Key { return payment.Key(s.String) }

// Resend sends a payment's webhook once more, at once, or when its endpoint is
// no longer paused: same id, same body, one try, and the schedule of the first
// delivery is left alone. An empty id means the payment's latest webhook that
// is no tongbo.attention. Listen sessions are sent the event once more, too; one
// that went to sessions alone is named by webhook.ListenedID, or is the latest of
// a test payment. It reports fault.NotFound if the payment has no such
// webhook, and webhook.ErrTooManyResends if it was resent too often. audit, if it
// is given, makes what goes into the audit log with it.
func (s *Store) Resend(ctx context.Context, k payment.Key, id webhook.DeliveryID, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error) {
	var again webhook.Delivery
	err := s.write(ctx, func(t *tx) error {
		// Resends of one payment go one by one, or the count would be passed.
		if err := t.lock([]string{"resend/" + string(k)}); err != nil {
			return err
		}
		first, err := t.firstDelivery(k, id)
		if fault.Is(err, fault.NotFound) {
			if again, err = t.resendHeard(k, id, now, err); err != nil {
				return err
			}
			return t.audit(auditing(audit, again))
		}
		if err != nil {
			return err
		}
		if err := t.countResends(first); err != nil {
			return err
		}
		v7, err := uuid.NewV7()
		if err != nil {
			return err
		}
		again = first
		again.ID, again.Original = webhook.DeliveryID(v7.String()), first.ID
		again.Manual, again.Schedule, again.State, again.Tries = true, webhook.Once, webhook.Waiting, 0
		again.DueAt, again.CreatedAt = now, now
		t.putDelivery(again)
		if err := t.repeatEvent(first, now); err != nil {
			return err
		}
		return t.audit(auditing(audit, again))
	})
	return again, err
}

// repeatEvent has sessions hear once more of the event of a delivery that is
// resent.
func (t *tx) repeatEvent(d webhook.Delivery, now time.Time) error {
	_, err := t.repeatListeners(webhook.Event{ID: d.Event, Merchant: d.Merchant, Store: d.Store, Mode: d.Mode}, now)
	return err
}

// resendHeard resends what no endpoint was told, to the sessions that are open. It
// returns missing if there are none, or no such event.
func (t *tx) resendHeard(k payment.Key, id webhook.DeliveryID, now time.Time, missing error) (webhook.Delivery, error) {
	e, told, found, err := t.heardOf(k, webhook.EventID(id))
	if err != nil {
		return webhook.Delivery{}, err
	}
	if !found || !told || e.Payment != k {
		return webhook.Delivery{}, missing
	}
	n, err := t.repeatListeners(e, now)
	if err == nil && n == 0 {
		err = missing
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	body, err := webhook.Render(e, webhook.V20240425, webhook.JSON)
	if err != nil {
		return webhook.Delivery{}, err
	}
	// There is no row of it: it is the sessions' to try.
	return webhook.Delivery{
		ID: webhook.DeliveryID(e.ID), Event: e.ID, Payment: k, PaymentID: e.PaymentID, Merchant: e.Merchant, Store: e.Store, Mode: e.Mode,
		Type: e.Type, ContentType: webhook.JSON, Body: body, Schedule: webhook.Once, State: webhook.Waiting, DueAt: now, Manual: true,
		CreatedAt: now,
	}, nil
}

// heardOf finds an event by its id, or the latest of a test payment that anybody
// was told of: of live ones there are too many to look for it.
func (t *tx) heardOf(k payment.Key, id webhook.EventID) (e webhook.Event, told, found bool, err error) {
	if id != "" {
		if !isID(string(id)) {
			return e, false, false, nil
		}
		return t.eventByID(id)
	}
	var store, mode string
	var since int64
	found, err = t.has(`select store_id, mode, requested_at from payment where key = $1`, []any{string(k)}, &store, &mode, &since)
	if err != nil || !found || merchant.Mode(mode) != merchant.Test {
		return e, false, false, err
	}
	// Index: event_by_store.
	e, told, err = scanHeard(t.row(`select `+heardColumns+` from event where store_id = $1 and mode = $2 and id > $3 and payment_key = $4
		and told and type <> 'tongbo.attention' order by id desc limit 1`, store, mode, idAt(moment(since)), string(k)))
	if isNoRows(err) {
		return e, false, false, nil
	}
	return e, told, err == nil, err
}

// countResends reports webhook.ErrTooManyResends if a delivery has had its
// share.
func (t *tx) countResends(first webhook.Delivery) error {
	var n int
	// Index: delivery_by_payment, delivery_end_by_payment.
	err := t.row(`select (select count(*) from delivery where payment_key = $1 and original = $2) +
		(select count(*) from delivery_end where payment_key = $1 and original = $2)`,
		string(first.Payment), string(first.ID)).Scan(&n)
	if err == nil && n >= webhook.MaxResends {
		err = webhook.ErrTooManyResends
	}
	return err
}

// firstDelivery finds a delivery that was not itself a resend, waiting or
// over.
func (t *tx) firstDelivery(k payment.Key, id webhook.DeliveryID) (webhook.Delivery, error) {
	// Index: delivery_by_payment, delivery_end_by_payment.
	query := `select ` + deliveryColumns + ` from delivery where payment_key = $1 and original is null and type <> 'tongbo.attention'
		union all select ` + endedColumns + ` from delivery_end where payment_key = $1 and original is null and type <> 'tongbo.attention'
		order by id desc`
	var out *webhook.Delivery
	err := t.each(query, []any{string(k)}, func(rows rowSet) error {
		d, err := scanDelivery(rows)
		if err == nil && out == nil && (id == "" || d.ID == id) {
			out = &d
		}
		return err
	})
	if err == nil && out == nil {
		err = fault.Errorf(fault.NotFound, "the payment has no such webhook, or it is too old to be kept")
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	return *out, nil
}
