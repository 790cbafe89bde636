package store

import (
	"context"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
)

var newAck = inserting("acknowledged", `id uuid, merchant_id text, store_id text, mode text, kind text, subject text, upto bigint, count bigint,
	at bigint, by_kind text, by_id text, by_name text, note text`, "")

// Acknowledge keeps what a person said of something that needs one, with its entries in
// the audit log.
func (s *Store) Acknowledge(ctx context.Context, a attention.Ack, entries ...member.Entry) error {
	return s.write(ctx, func(t *tx) error {
		t.put(newAck, a.ID, string(a.Merchant), string(a.Store), string(a.Mode), string(a.Kind), text(a.Subject), micros(a.Upto), a.Count,
			micros(a.At), a.ByKind, a.ByID, text(a.ByName), text(a.Note))
		return t.audit(entries)
	})
}

// acksQuery reads what people said of things of a merchant in a mode. Index:
// acknowledged_by_merchant backwards.
const acksQuery = `select id, merchant_id, store_id, mode, kind, subject, upto, count, at, by_kind, by_id, by_name, note from acknowledged
	where merchant_id >= $1 and (merchant_id, mode, id) < ($1, $2, $3) and (merchant_id, mode, id) >= ($1, $2, $4)
	order by merchant_id desc, mode desc, id desc limit $5`

// Acks are what people said last of things of a merchant in a mode, the newest first;
// those of the empty merchant are of the installation.
func (r *Reader) Acks(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) (list []attention.Ack, err error) {
	err = each(ctx, over(r.db), acksQuery, []any{string(m), string(mode), behindAll, firstID, limit}, func(rows rowSet) error {
		var a attention.Ack
		var upto, at int64
		err := rows.Scan(&a.ID, &a.Merchant, &a.Store, &a.Mode, &a.Kind, &a.Subject, &upto, &a.Count, &at, &a.ByKind, &a.ByID, &a.ByName, &a.Note)
		a.Upto, a.At = moment(upto), moment(at)
		list = append(list, a)
		return err
	})
	return list, away(err)
}
