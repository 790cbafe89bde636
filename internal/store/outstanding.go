package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// An OutstandingPayment is one of which a PG was asked for something that it has
// yet to say what became of.
type OutstandingPayment struct {
	Payment payment.Payment
	Due     time.Time // when its PG is asked, or thought of, next
}

// Outstanding lists payments about which PGs are to be asked, those that are due
// first in front. What is outstanding may have ended since. One that cannot be
// opened is left out.
func (r *Reader) Outstanding(ctx context.Context, limit int) (list []OutstandingPayment, err error) {
	// Index: inquiry_by_due, payment_pkey.
	err = each(ctx, over(r.db), `select p.key, p.doc, i.due_at from inquiry i join payment p on p.key = i.payment_key
		order by i.due_at limit $1`, []any{limit}, func(rows rowSet) error {
		var key string
		var doc []byte
		var due int64
		if err := rows.Scan(&key, &doc, &due); err != nil {
			return err
		}
		if p, err := r.openPayment(payment.Key(key), doc); err == nil {
			list = append(list, OutstandingPayment{p, moment(due)})
		}
		return nil
	})
	return list, away(err)
}
