package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// mostNews bounds what one look reads of each table.
const mostNews = 500

// A News says that something was written, and not what.
type News struct {
	Topic    string // "notices", "payments" or "deliveries"
	Row      string // of the history: of a topic no two are the same
	ID       string // of the notice, the payment's key or the delivery
	At       time.Time
	Merchant merchant.ID
	Store    merchant.StoreID
	Mode     merchant.Mode
	Payment  payment.Key // that it is about; empty if it is about none
}

// newsQueries find what was written last in each topic.
var newsQueries = []struct{ topic, query string }{
	// Index: notice_pkey.
	{"notices", `select id, id, received_at, merchant_id, store_id, mode, payment_key from notice where id >= $1 order by id desc limit $2`},
	// Index: event_pkey.
	{"payments", `select id, payment_key, at, merchant_id, store_id, mode, payment_key from event
		where id >= $1 and payment_key is not null order by id desc limit $2`},
	// Index: attempt_pkey, delivery_pkey, delivery_end_pkey.
	{"deliveries", `select a.id, a.delivery_id, a.at, coalesce(d.merchant_id, e.merchant_id, ''), coalesce(d.store_id, e.store_id, ''),
			coalesce(d.mode, e.mode, ''), coalesce(d.payment_key, e.payment_key)
		from (select id, delivery_id, at from attempt where id >= $1 order by id desc limit $2) a
		left join delivery d on d.id = a.delivery_id left join delivery_end e on e.id = a.delivery_id order by a.id desc`},
}

// News lists the notices, the payments' events and the tries of webhooks whose ids were
// made since a time, the oldest of each first; of more than 500 in one topic the newest. It
// reads the ends of three indexes. What is being written by then may come into sight later,
// behind what was listed: whoever follows looks back some seconds.
func (r *Reader) News(ctx context.Context, since time.Time) ([]News, error) {
	var out []News
	for _, q := range newsQueries {
		var list []News
		err := each(ctx, over(r.db), q.query, []any{idAt(since), mostNews}, func(rows rowSet) error {
			n := News{Topic: q.topic}
			var at int64
			var key *string
			err := rows.Scan(&n.Row, &n.ID, &at, &n.Merchant, &n.Store, &n.Mode, &key)
			if key != nil {
				n.Payment = payment.Key(*key)
			}
			n.At = time.UnixMicro(at)
			list = append(list, n)
			return err
		})
		if err != nil {
			return nil, away(err)
		}
		for i := range list {
			out = append(out, list[len(list)-1-i])
		}
	}
	return out, nil
}
