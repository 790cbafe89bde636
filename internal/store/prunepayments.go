package store

import (
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// atOncePayments bounds the payments of one transaction, each of which is
// opened.
const atOncePayments = 50

// payments takes payments whose last change is before cut, with their names. A
// payment is older than its changes, so the primary key bounds what is read.
// The deposits and messages that were decided stay, for ever: they keep what is
// told again from counting again.
func (p *pruning) payments(cut time.Time, out *settings.Pruned) error {
	end := idAt(cut)
	free := `select exists (select 1` + idlePayment + `)`
	return p.pages("payment", "key", end, atOncePayments, free, []any{micros(cut)}, func(t *tx, after, upto string) error {
		n, err := t.prunePayments(after, upto, cut)
		if err != nil || n == 0 {
			return err
		}
		out.Rows += n
		return t.mark("payment", end, p.now)
	})
}

// idlePayment is from where payments between two keys come, of which nothing is
// open and the last change is old. Index: payment_pkey, delivery_by_payment,
// open_case_by_payment.
const idlePayment = ` from payment p where p.key > $1 and p.key <= $2 and p.updated_at < $3
	and not exists (select 1 from delivery d where d.payment_key = p.key)
	and not exists (select 1 from open_case c where c.payment_key = p.key)`

// prunePayments takes what is over of a page of payments. It waits for nobody:
// a payment that another transaction has is not forgotten yet.
func (t *tx) prunePayments(after, upto string, cut time.Time) (n int64, err error) {
	skip := ""
	if t.d.postgres {
		skip = " for update of p skip locked"
	}
	var list []payment.Payment
	if err := t.each(`select p.key, p.doc`+idlePayment+skip,
		[]any{after, upto, micros(cut)}, func(rows rowSet) error {
			var key string
			var doc []byte
			if err := rows.Scan(&key, &doc); err != nil {
				return err
			}
			p, err := t.s.openPayment(payment.Key(key), doc)
			if err != nil {
				t.s.log.ErrorContext(t.ctx, "a payment cannot be opened, so it is kept", "payment_key", key, "err", err)
				return nil
			}
			if !p.Unfinished() {
				list = append(list, p)
			}
			return nil
		}); err != nil {
		return 0, err
	}
	for _, p := range list {
		for _, k := range p.Names() {
			// Index: match_key_pkey.
			if err := t.must(`delete from match_key where channel_key = $1 and kind = $2 and value = $3 and payment_key = $4`,
				string(k.Channel), string(k.Kind), t.s.nameOf(k), string(p.Key)); err != nil {
				return 0, err
			}
		}
		if err := t.must(`delete from payment where key = $1`, string(p.Key)); err != nil {
			return 0, err
		}
	}
	return int64(len(list)), nil
}
