package store

import (
	"context"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// WebhooksOf returns the histories of the webhooks of several payments, each as
// [Reader.Webhooks] has it. It is meant for a hundred payments or so: all of
// what was sent for them is held at once.
func (r *Reader) WebhooksOf(ctx context.Context, keys []payment.Key) (map[payment.Key][]webhook.History, error) {
	arg, err := many(r, keys)
	if err != nil {
		return nil, err
	}
	list, err := r.sent(ctx, r.sentOfQuery(), arg)
	if err != nil {
		return nil, away(err)
	}
	last, err := r.lastAttempts(ctx, list)
	if err != nil {
		return nil, away(err)
	}
	out := make(map[payment.Key][]webhook.History)
	for _, w := range list {
		k := w.deliveries[0].Payment
		out[k] = append(out[k], w.history(last[w.id]))
	}
	return out, nil
}

// sentOfQuery is sentQuery for several payments. Index: as there.
func (r *Reader) sentOfQuery() string {
	return strings.ReplaceAll(sentQuery, "payment_key = $1", r.among("payment_key", "uuid", 1))
}

// lastOfQuery reads the last try of each of several webhook-ids, on PostgreSQL.
// Index: attempt_by_webhook, attempt_body_pkey.
const lastOfQuery = `select a.id, a.delivery_id, a.webhook_id, a.number, a.at, a.took, a.url, a.outcome, a.status, a.error, a.cause, a.endpoint_id,
		b.exchange
	from unnest($1::uuid[]) as w (id) cross join lateral
		(select id, delivery_id, webhook_id, number, at, took, url, outcome, status, error, cause, endpoint_id
		from attempt where webhook_id = w.id order by id desc limit 1) a
	left join attempt_body b on b.id = a.id`

// lastAttempts are the last tries of what was sent, by webhook-id: one of each,
// or none. SQLite has no round trip to save, and is asked for one after the
// other.
func (r *Reader) lastAttempts(ctx context.Context, list []*sent) (map[webhook.DeliveryID][]webhook.Attempt, error) {
	out := make(map[webhook.DeliveryID][]webhook.Attempt, len(list))
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = string(w.id)
	}
	if r.d.postgres {
		all, err := r.attempts(ctx, lastOfQuery, ids)
		for _, a := range all {
			out[a.Webhook] = append(out[a.Webhook], a)
		}
		return out, err
	}
	for _, id := range ids {
		last, err := r.attempts(ctx, lastAttemptQuery, id)
		if err != nil {
			return nil, err
		}
		out[webhook.DeliveryID(id)] = last
	}
	return out, nil
}
