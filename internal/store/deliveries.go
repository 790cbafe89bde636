package store

import (
	"context"
	"database/sql"

	"github.com/tongbo/tongbo/internal/webhook"
)

const deliveryColumns = `id, event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id, url, target,
	content_type, body, schedule, state, tries, due_at, manual, original, created_at`

func scanDelivery(rows interface{ Scan(...any) error }) (d webhook.Delivery, err error) {
	var paymentKey, endpoint, original sql.NullString
	var due, created int64
	err = rows.Scan(&d.ID, &d.Event, &paymentKey, &d.PaymentID, &d.Channel, &d.Merchant, &d.Store,
		&d.Mode, &d.Type, &endpoint, &d.URL, &d.Target,
		&d.ContentType, &d.Body, &d.Schedule, &d.State, &d.Tries, &due, &d.Manual, &original, &created)
	d.Payment, d.Endpoint = keyOf(paymentKey), webhook.EndpointID(endpoint.String)
	d.Original = webhook.DeliveryID(original.String)
	d.DueAt, d.CreatedAt = moment(due), moment(created)
	return d, err
}

const freeAll = `update delivery set lease = null, ready_at = due_at where lease is not null`

// freeLeases makes what a dead server had leased due again. Only a SQLite
// database that is held exclusively may do so: there is no other server.
func (s *Store) freeLeases(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(freeAll)
		t.due, s.resumed = n > 0, int(n)
		return err
	})
}

// Resumed is how many deliveries a dead server had leased when this store was opened:
// they were made due again. It is 0 on PostgreSQL, where such leases end by themselves.
func (s *Store) Resumed() int { return s.resumed }
