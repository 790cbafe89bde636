package store

import (
	"context"
	"database/sql"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// overdueDays is for how long it is kept that an account became due: longer than
// anybody is told of it.
const overdueDays = 60

// newOverdue notes that an account's deadline passed without money.
var newOverdue = inserting("overdue", `payment_key uuid, merchant_id text, store_id text, mode text, channel_key text,
	issued_at bigint, due_at bigint, asked boolean`, `on conflict (payment_key) do nothing`)

// putOverdue notes that a payment's account became due, of which the PG is asked or
// not. A payment that takes any amount is never due.
func (t *tx) putOverdue(p payment.Payment, asked bool) {
	at, ok := p.Transaction()
	if !ok || at.Account == nil || !p.Expired {
		return
	}
	t.put(newOverdue, string(p.Key), string(p.Merchant), string(p.Store), string(p.Mode), string(at.Channel),
		micros(at.At), micros(p.Deadline()), asked)
}

// overdueQuery reads accounts of a channel that became due. Index: overdue_by_channel.
const overdueQuery = `select count(*), min(issued_at) from
	(select issued_at from overdue where channel_key = $1 and issued_at > $2 order by issued_at limit $3) as page`

// Overdue tells of accounts of a channel that were issued after a time, and whose
// deadline passed without money; of up to most of them. Those of which that is
// longer ago than 60 days are forgotten.
func (r *Reader) Overdue(ctx context.Context, c merchant.ChannelKey, after time.Time, most int) (o attention.Overdue, err error) {
	from := int64(-1)
	if !after.IsZero() {
		from = micros(after)
	}
	var oldest sql.NullInt64
	err = r.db.QueryRowContext(ctx, overdueQuery, string(c), from, most).Scan(&o.Count, &oldest)
	o.Oldest = momentOrZero(oldest)
	return o, away(err)
}

const (
	// Planned as noticesByChannelQuery. Index: notice_by_channel backwards.
	heardQuery = `select id, received_at, peer, method, verdict, reason from notice where channel_key = $1 and id < $2 order by id desc limit $3`
	// Index: notice_key_pkey; on SQLite the primary key.
	decidedQuery = `select channel_key, notice_id from notice_key where channel_key >= $1 and (channel_key, key) > ($1, '')
		order by channel_key, key limit $2`
	// methodLearnt stands where a notice has its method, of what a PG said when asked.
	methodLearnt = "INQUIRY"
)

// Heard are the last n requests on the notice address of a channel, the newest
// first; what its PG said when it was asked, and what this installation sent itself, are
// among them, and marked.
func (r *Reader) Heard(ctx context.Context, c merchant.ChannelKey, n int) ([]attention.Heard, error) {
	return r.heard(ctx, heardQuery, string(c), behindAll, n)
}

// Decided are up to n notices of a channel that were applied or recorded, in no
// order and of any age.
func (r *Reader) Decided(ctx context.Context, c merchant.ChannelKey, n int) ([]attention.Heard, error) {
	var ids []string
	err := each(ctx, over(r.db), decidedQuery, []any{string(c), n}, func(rows rowSet) error {
		var of merchant.ChannelKey
		var id string
		err := rows.Scan(&of, &id)
		if of == c {
			ids = append(ids, id)
		}
		return err
	})
	if err != nil || ids == nil {
		return nil, away(err)
	}
	list, err := many(r, ids)
	if err != nil {
		return nil, err
	}
	return r.heard(ctx, r.heardOfQuery(), list)
}

// heardOfQuery reads notices by their ids. Index: notice_pkey.
func (r *Reader) heardOfQuery() string {
	return `select id, received_at, peer, method, verdict, reason from notice where ` + r.among("id", "uuid", 1)
}

// behindAll is behind every id.
const behindAll = "ffffffff-ffff-ffff-ffff-ffffffffffff"

func (r *Reader) heard(ctx context.Context, query string, args ...any) (list []attention.Heard, err error) {
	err = r.along(ctx, query, args, func(rows rowSet) error {
		var h attention.Heard
		var peer, method string
		var reason payment.Reason
		var at int64
		err := rows.Scan(&h.ID, &at, &peer, &method, &h.Verdict, &reason)
		h.At, h.Learnt, h.Test = moment(at), method == methodLearnt, reason == notice.ReasonRehearsal
		h.Peer, _ = netip.ParseAddr(peer) // what is none is nobody's
		list = append(list, h)
		return err
	})
	return list, away(err)
}

// overdues takes what is known of accounts that became due long ago.
func (p *pruning) overdues(cut time.Time, out *settings.Pruned) error {
	// Index: overdue_by_age.
	return p.aged("overdue", "payment_key", "due_at", cut, out)
}
