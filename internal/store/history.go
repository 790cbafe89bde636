package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// endedColumns are those of deliveryColumns for a delivery that is over.
const endedColumns = `id, event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id, url, target,
	content_type, body, schedule, state, tries, created_at as due_at, manual, original, created_at`

// A sent is what was sent under one webhook-id: the first delivery and resends
// by hand, oldest first.
type sent struct {
	id         webhook.DeliveryID
	event      webhook.Event // its state and trigger alone
	deliveries []webhook.Delivery
}

// A wider row is scanned into more than its reader asks for.
type wider struct {
	rows rowSet
	more []any
}

// Scan reads a row into dest and the fields that were added.
func (w wider) Scan(dest ...any) error { return w.rows.Scan(append(dest, w.more...)...) }

// Webhooks returns the history of a payment's webhooks, one for each
// webhook-id, oldest first.
func (r *Reader) Webhooks(ctx context.Context, k payment.Key) ([]webhook.History, error) {
	list, err := r.sent(ctx, sentQuery, string(k))
	if err != nil {
		return nil, away(err)
	}
	out := make([]webhook.History, len(list))
	for i, w := range list {
		last, err := r.attempts(ctx, lastAttemptQuery, string(w.id))
		if err != nil {
			return nil, away(err)
		}
		out[i] = w.history(last)
	}
	return out, nil
}

// history sums up what was sent, given the latest try in a list, which is empty
// if there was none.
func (w *sent) history(last []webhook.Attempt) webhook.History {
	if len(last) == 0 {
		return webhook.Summarize(w.event, w.deliveries, nil)
	}
	return webhook.Summarize(w.event, w.deliveries, &last[0])
}

// sentQuery is one statement, since a delivery moves from one table to the
// other. Index: delivery_by_payment, delivery_end_by_payment, event_pkey,
// endpoint_pkey.
const sentQuery = `select ` + deliveryColumns + `,
		(select e.state from event e where e.id = d.event_id),
		(select e.deposited from event e where e.id = d.event_id),
		(select p.url from endpoint p where p.id = d.endpoint_id),
		(select p.paused from endpoint p where p.id = d.endpoint_id)
	from (select ` + deliveryColumns + ` from delivery where payment_key = $1
		union all select ` + endedColumns + ` from delivery_end where payment_key = $1) d
	order by id`

// sent reads all deliveries that a query finds, by webhook-id, oldest first.
func (r *Reader) sent(ctx context.Context, query string, arg any) ([]*sent, error) {
	var out []*sent
	byID := make(map[webhook.DeliveryID]*sent)
	err := each(ctx, over(r.db), query, []any{arg}, func(rows rowSet) error {
		var state, url sql.NullString
		var deposited, paused sql.NullBool
		d, err := scanDelivery(wider{rows, []any{&state, &deposited, &url, &paused}})
		if err != nil {
			return err
		}
		if d.URL == "" {
			d.URL = url.String
		}
		if d.State == webhook.Waiting && paused.Bool {
			d.State = webhook.Held
		}
		id := cmp.Or(d.Original, d.ID)
		w, ok := byID[id]
		if !ok {
			w = &sent{id: id, event: webhook.Event{State: payment.State(state.String), Deposited: deposited.Bool}}
			byID[id] = w
			out = append(out, w)
		}
		w.deliveries = append(w.deliveries, d)
		return nil
	})
	return out, err
}

// attemptQuery reads the tries of one webhook-id. Bodies are kept for a
// shorter time than the rest. Index: attempt_by_webhook, attempt_body_pkey.
const attemptQuery = attemptColumnsOf + ` from attempt a left join attempt_body b on b.id = a.id where a.webhook_id = $1`

// attemptColumnsOf begins a query for tries a with their bodies b.
const attemptColumnsOf = `select a.id, a.delivery_id, a.webhook_id, a.number, a.at, a.took, a.url, a.outcome, a.status, a.error, a.cause, a.endpoint_id,
	b.exchange`

const (
	attemptsQuery    = attemptQuery + ` order by a.id`
	lastAttemptQuery = attemptQuery + ` order by a.id desc limit 1`
)

// Attempts returns every try made under a webhook-id, resends by hand
// included, oldest first. Headers and bodies of old tries may be gone: then
// Pruned is set.
func (r *Reader) Attempts(ctx context.Context, id webhook.DeliveryID) ([]webhook.Attempt, error) {
	if !isID(string(id)) {
		return nil, nil // PostgreSQL would not look it up
	}
	out, err := r.attempts(ctx, attemptsQuery, string(id))
	return out, away(err)
}

func (r *Reader) attempts(ctx context.Context, query string, arg any) ([]webhook.Attempt, error) {
	var out []webhook.Attempt
	err := each(ctx, over(r.db), query, []any{arg}, func(rows rowSet) error {
		var a webhook.Attempt
		var at, took int64
		var sealed []byte
		var endpoint sql.NullString
		if err := rows.Scan(&a.ID, &a.Delivery, &a.Webhook, &a.Number, &at, &took, &a.URL, &a.Outcome,
			&a.Status, &a.Error, &a.Cause, &endpoint, &sealed); err != nil {
			return err
		}
		a.Endpoint = webhook.EndpointID(endpoint.String)
		a.At, a.Took = moment(at), time.Duration(took)*time.Microsecond
		a.Pruned = len(sealed) == 0
		if !a.Pruned {
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
	a.Trace = k.trace()
	return nil
}
