package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func keyOf(s sql.NullString) payment.Key { return payment.Key(s.String) }

// Resend sends a payment's webhook once more, at once, or when its endpoint is
// no longer paused: same id, same body, one try, and the schedule of the first
// delivery is left alone. An empty id means the payment's latest webhook that
// is no tongbo.attention. It reports fault.NotFound if the payment has no such
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
		return t.audit(auditing(audit, again))
	})
	return again, err
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
