package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// endedColumns are those of deliveryColumns for a delivery that is over.
const endedColumns = `id, event_id, payment_key, merchant_id, store_id, mode, type, endpoint_id, url, target,
	content_type, body, schedule, state, tries, created_at as due_at, manual, original, created_at`

// A sent is a delivery with what its history also tells.
type sent struct {
	webhook.Delivery
	event webhook.Event // its state and trigger alone
}

// A wider row is scanned into more than its reader asks for.
type wider struct {
	rows *sql.Rows
	more []any
}

// Scan reads a row into dest and the fields that were added.
func (w wider) Scan(dest ...any) error { return w.rows.Scan(append(dest, w.more...)...) }

// Webhooks returns the history of a payment's webhooks, one for each
// webhook-id, oldest first.
func (r *Reader) Webhooks(ctx context.Context, k payment.Key) ([]webhook.History, error) {
	order, byID, err := r.sent(ctx, k)
	if err != nil {
		return nil, away(err)
	}
	out := make([]webhook.History, 0, len(order))
	for _, id := range order {
		// Index: attempt_by_webhook, attempt_body_pkey.
		last, err := r.attempts(ctx, attemptQuery+` order by a.id desc limit 1`, id)
		if err != nil {
			return nil, away(err)
		}
		list := make([]webhook.Delivery, len(byID[id]))
		for i, s := range byID[id] {
			list[i] = s.Delivery
		}
		var tried *webhook.Attempt
		if len(last) > 0 {
			tried = &last[0]
		}
		out = append(out, webhook.Summarize(byID[id][0].event, list, tried))
	}
	return out, nil
}

// sent reads all deliveries of a payment, by webhook-id, and says in which
// order the ids came up.
func (r *Reader) sent(ctx context.Context, k payment.Key) (order []webhook.DeliveryID, byID map[webhook.DeliveryID][]sent, err error) {
	byID = make(map[webhook.DeliveryID][]sent)
	// Index: delivery_by_payment, delivery_end_by_payment, event_pkey,
	// endpoint_pkey. One statement, since a delivery moves from one table to
	// the other.
	err = each(ctx, r.db, `select `+deliveryColumns+`,
			(select e.state from event e where e.id = d.event_id),
			(select e.deposited from event e where e.id = d.event_id),
			(select p.url from endpoint p where p.id = d.endpoint_id)
		from (select `+deliveryColumns+` from delivery where payment_key = $1
			union all select `+endedColumns+` from delivery_end where payment_key = $1) d
		order by id`, []any{string(k)}, func(rows *sql.Rows) error {
		var state, url sql.NullString
		var deposited sql.NullBool
		d, err := scanDelivery(wider{rows, []any{&state, &deposited, &url}})
		if err != nil {
			return err
		}
		if d.URL == "" {
			d.URL = url.String
		}
		id := d.ID
		if d.Original != "" {
			id = d.Original
		}
		if len(byID[id]) == 0 {
			order = append(order, id)
		}
		e := webhook.Event{State: payment.State(state.String), Deposited: deposited.Bool}
		byID[id] = append(byID[id], sent{d, e})
		return nil
	})
	return order, byID, err
}

// attemptQuery reads the tries of one webhook-id. Bodies are kept for a
// shorter time than the rest.
const attemptQuery = `select a.id, a.delivery_id, a.webhook_id, a.number, a.at, a.took, a.url, a.outcome, a.status, a.error, b.exchange
	from attempt a left join attempt_body b on b.id = a.id where a.webhook_id = $1`

// Attempts returns every try made under a webhook-id, resends by hand
// included, oldest first. Headers and bodies of old tries may be gone.
func (r *Reader) Attempts(ctx context.Context, id webhook.DeliveryID) ([]webhook.Attempt, error) {
	// Index: attempt_by_webhook, attempt_body_pkey.
	out, err := r.attempts(ctx, attemptQuery+` order by a.id`, id)
	return out, away(err)
}

func (r *Reader) attempts(ctx context.Context, query string, id webhook.DeliveryID) ([]webhook.Attempt, error) {
	var out []webhook.Attempt
	err := each(ctx, r.db, query, []any{string(id)}, func(rows *sql.Rows) error {
		var a webhook.Attempt
		var at, took int64
		var sealed []byte
		if err := rows.Scan(&a.ID, &a.Delivery, &a.Webhook, &a.Number, &at, &took, &a.URL, &a.Outcome,
			&a.Status, &a.Error, &sealed); err != nil {
			return err
		}
		a.At, a.Took = moment(at), time.Duration(took)*time.Microsecond
		if len(sealed) > 0 {
			if err := r.openExchange(&a, sealed); err != nil {
				return err
			}
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

func (r *Reader) openExchange(a *webhook.Attempt, sealed []byte) error {
	b, err := r.key.Open(sealed, "attempt_body/"+string(a.ID))
	if err != nil {
		return &programError{fmt.Errorf("attempt %s: %w", a.ID, err)}
	}
	var k keptExchange
	if err := json.Unmarshal(b, &k); err != nil {
		return &programError{fmt.Errorf("attempt %s: %w", a.ID, err)}
	}
	a.RequestHeader, a.RequestBody = k.RequestHeader, k.RequestBody
	a.ResponseHeader, a.ResponseBody, a.Truncated = k.ResponseHeader, k.ResponseBody, k.Truncated
	return nil
}
