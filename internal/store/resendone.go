package store

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/webhook"
)

// errNoDelivery says that nobody may know of a delivery, or it is gone.
var errNoDelivery = fault.Errorf(fault.NotFound, "there is no such webhook, or it is too old to be kept")

// ResendDelivery sends the webhook of a delivery once more, as Resend does. It goes
// to the endpoint as it is now; then, if it is asked for, to the address of the
// delivery's last try. It reports fault.NotFound if there is no such delivery,
// fault.Conflict if it was never tried and has no such address, and
// webhook.ErrTooManyResends.
func (s *Store) ResendDelivery(ctx context.Context, w webhook.Which, then bool, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error) {
	var again webhook.Delivery
	err := s.write(ctx, func(t *tx) error {
		d, _, err := t.delivery(w, "")
		if err != nil {
			return err
		}
		again, err = t.resendOne(d, func(again *webhook.Delivery) error {
			again.DueAt, again.CreatedAt = now, now
			if !then || again.Endpoint == "" {
				return nil
			}
			again.URL, err = t.addressThen(d)
			return err
		})
		if err != nil {
			return err
		}
		return t.audit(auditing(audit, again))
	})
	return again, err
}

// resendOne makes a resend of a delivery, or of the one that it repeats. edit
// gives it its times and address.
func (t *tx) resendOne(d webhook.Delivery, edit func(*webhook.Delivery) error) (webhook.Delivery, error) {
	if err := t.lock([]string{"resend/" + cmp.Or(string(d.Payment), string(d.Event))}); err != nil {
		return webhook.Delivery{}, err
	}
	first := cmp.Or(d.Original, d.ID)
	if err := t.countResendsOf(d, first); err != nil {
		return webhook.Delivery{}, err
	}
	v7, err := uuid.NewV7()
	if err != nil {
		return webhook.Delivery{}, err
	}
	again := d
	again.ID, again.Original = webhook.DeliveryID(v7.String()), first
	again.Manual, again.Schedule, again.State, again.Tries = true, webhook.Once, webhook.Waiting, 0
	if again.Endpoint != "" {
		again.URL = "" // the endpoint's
	}
	if err := edit(&again); err != nil {
		return webhook.Delivery{}, err
	}
	t.putDelivery(again)
	return again, t.repeatEvent(again, again.CreatedAt)
}

// countResendsOf is countResends for what need not be a payment's.
func (t *tx) countResendsOf(d webhook.Delivery, first webhook.DeliveryID) error {
	if d.Payment != "" {
		return t.countResends(webhook.Delivery{ID: first, Payment: d.Payment})
	}
	var n int
	// Index: delivery_by_event, attempt_by_webhook.
	err := t.row(`select (select count(*) from delivery where event_id = $1 and original = $2) +
		(select count(distinct delivery_id) from attempt where webhook_id = $2 and delivery_id <> $2)`,
		string(d.Event), string(first)).Scan(&n)
	if err == nil && n >= webhook.MaxResends {
		err = webhook.ErrTooManyResends
	}
	return err
}

// addressThen is where the last try of a delivery went.
func (t *tx) addressThen(d webhook.Delivery) (string, error) {
	var url string
	// Index: attempt_by_webhook.
	found, err := t.has(`select url from attempt where webhook_id = $1 and delivery_id = $2 and url <> '' order by id desc limit 1`,
		[]any{string(cmp.Or(d.Original, d.ID)), string(d.ID)}, &url)
	if err == nil && !found {
		err = fault.Errorf(fault.Conflict, "the webhook was never tried, so that there is no address of then")
	}
	return url, err
}

// delivery finds a delivery that may be known of, waiting or over; over says
// which. suffix ends the query of what waits.
func (t *tx) delivery(w webhook.Which, suffix string) (d webhook.Delivery, over bool, err error) {
	if !isID(string(w.ID)) {
		return d, false, errNoDelivery
	}
	found := false
	scan := func(rows rowSet) (err error) {
		d, err = scanDelivery(rows)
		found = err == nil
		return err
	}
	// Index: delivery_pkey, delivery_end_pkey.
	if err := t.each(`select `+deliveryColumns+` from delivery where id = $1`+suffix, []any{string(w.ID)}, scan); err != nil {
		return d, false, err
	}
	if !found {
		over = true
		if err := t.each(`select `+endedColumns+` from delivery_end where id = $1`, []any{string(w.ID)}, scan); err != nil {
			return d, false, err
		}
	}
	if !found || !w.Covers(d) {
		return webhook.Delivery{}, false, errNoDelivery
	}
	return d, over, nil
}

// StopRetries ends a delivery that waits for its next try as failed: nothing is
// tried any more, and it can be sent again by hand. It reports fault.NotFound if
// there is no such delivery, and fault.Conflict if it is over, or tried just now.
func (s *Store) StopRetries(ctx context.Context, w webhook.Which, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error) {
	var d webhook.Delivery
	err := s.write(ctx, func(t *tx) error {
		var over bool
		var err error
		if d, over, err = t.delivery(w, t.d.forUpdate); err != nil {
			return err
		}
		if over {
			return fault.Errorf(fault.Conflict, "the webhook is not being sent any more: it is %s", d.State)
		}
		// A lease that ran out without an outcome is nobody's.
		n, err := t.exec(`insert into delivery_end (id, state, tries, ended_at, outcome, `+endedAs+`)
			select id, $2, tries, $3, $4, `+endedAs+` from delivery where id = $1 and (lease is null or ready_at <= $3)`,
			string(d.ID), string(webhook.Undone), micros(now), string(webhook.Stopped))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Errorf(fault.Conflict, "the webhook is being tried just now: try again when that try is over")
		}
		if err := t.must(`delete from delivery where id = $1`, string(d.ID)); err != nil {
			return err
		}
		d.State = webhook.Undone
		return t.audit(auditing(audit, d))
	})
	return d, err
}
