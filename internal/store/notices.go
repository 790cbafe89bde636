package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// NoticeQuery narrows a list of notices. The zero query lists all. It can name
// a verdict or a channel, but not both: no index has the two together.
type NoticeQuery struct {
	Verdict payment.Verdict // empty: any
	Channel string          // empty: any, and those that no channel has
	Before  notice.ID       // only notices older than this one; empty: from the newest
	Limit   int             // at most; 0 means 100
}

// ListedNotice is one line of a list of notices: what can be shown without
// opening what is sealed.
type ListedNotice struct {
	ID        notice.ID        `json:"id"`
	At        time.Time        `json:"at"`
	Provider  string           `json:"provider"`
	Channel   string           `json:"channel,omitempty"`
	Mode      string           `json:"mode,omitempty"`
	Peer      string           `json:"peer"`
	Path      string           `json:"path"`
	Size      int              `json:"size"`
	Event     payment.Event    `json:"event,omitempty"`
	Order     string           `json:"order,omitempty"`
	Key       string           `json:"key,omitempty"`
	Amount    *int64           `json:"amount,omitempty"`
	Currency  payment.Currency `json:"currency,omitempty"`
	Told      time.Time        `json:"occurred_at,omitzero"`
	Verdict   payment.Verdict  `json:"verdict"`
	Reason    payment.Reason   `json:"reason,omitempty"`
	Detail    string           `json:"detail,omitempty"`
	PaymentID payment.ID       `json:"payment_id,omitempty"`
}

// listedColumns are what ListedNotice is read from.
const listedColumns = `n.id, n.received_at, n.provider, n.channel_key, n.mode, n.peer, n.path, n.size, n.event, n.order_id,
	n.key, n.amount, n.currency, n.occurred_at, n.verdict, n.reason, n.detail, coalesce(p.id, '')`

const (
	listed = `select ` + listedColumns + ` from notice n left join payment p on p.key = n.payment_key `
	// Index: notice_pkey backwards, payment_pkey.
	noticesQuery = listed + `where n.id < $1 order by n.id desc limit $2`
	// Almost every notice is applied, and no index tells them from the others:
	// those between are passed over. Index: notice_pkey backwards, payment_pkey.
	noticesAppliedQuery = listed + `where n.verdict = 'applied' and n.id < $1 order by n.id desc limit $2`
	// The engines use the index only if they see that it has what is asked for.
	// Index: notice_by_verdict backwards, payment_pkey.
	noticesByVerdictQuery = listed + `where n.verdict <> 'applied' and n.verdict >= $3 and (n.verdict, n.id) < ($3, $1)
		order by n.verdict desc, n.id desc limit $2`
	// It is planned for its channel: for anything, PostgreSQL would walk through all
	// notices by their ids until it has found enough. Pairs, as above, it would
	// rather sort where there are several partitions.
	// Index: notice_by_channel backwards, payment_pkey.
	noticesByChannelQuery = listed + `where n.channel_key = $3 and n.id < $1 order by n.id desc limit $2`
)

// Notices lists notices, the newest first, each with its latest verdict. It
// reports fault.Invalid for a verdict and a channel at once.
func (r *Reader) Notices(ctx context.Context, q NoticeQuery) ([]ListedNotice, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	before := string(q.Before)
	if before == "" {
		before = "ffffffff-ffff-ffff-ffff-ffffffffffff"
	}
	query, args := noticesQuery, []any{before, q.Limit}
	switch {
	case q.Verdict != "" && q.Channel != "":
		return nil, fault.Errorf(fault.Invalid, "notices are listed by verdict or by channel, not by both")
	case q.Verdict == payment.Applied:
		query = noticesAppliedQuery
	case q.Verdict != "":
		query, args = noticesByVerdictQuery, append(args, string(q.Verdict))
	case q.Channel != "":
		query, args = noticesByChannelQuery, append(args, q.Channel)
	}
	var out []ListedNotice
	err := r.along(ctx, query, args, func(rows rowSet) error {
		var n ListedNotice
		var at int64
		var amount, told sql.NullInt64
		if err := rows.Scan(&n.ID, &at, &n.Provider, &n.Channel, &n.Mode, &n.Peer, &n.Path, &n.Size, &n.Event, &n.Order,
			&n.Key, &amount, &n.Currency, &told, &n.Verdict, &n.Reason, &n.Detail, &n.PaymentID); err != nil {
			return err
		}
		n.At, n.Told = moment(at), momentOrZero(told)
		if amount.Valid {
			n.Amount = &amount.Int64
		}
		out = append(out, n)
		return nil
	})
	return out, away(err)
}

// Notice returns a notice with its bytes as they came. It reports
// fault.NotFound if there is none, or if its bytes are no longer kept, and says
// which.
func (r *Reader) Notice(ctx context.Context, id notice.ID) (notice.Inbound, error) {
	if !isID(string(id)) {
		return notice.Inbound{}, fault.Errorf(fault.NotFound, "there is no notice %q", string(id)) // PostgreSQL would not look it up
	}
	in, _, err := loadNotice(ctx, over(r.db), r, id)
	if isNoRows(err) {
		return in, r.noNotice(ctx, id)
	}
	return in, away(err)
}

// noNotice says why a notice cannot be read.
func (r *Reader) noNotice(ctx context.Context, id notice.ID) error {
	var row int
	// Index: notice_pkey.
	switch err := r.db.QueryRowContext(ctx, `select 1 from notice where id = $1`, string(id)).Scan(&row); {
	case err == nil:
		return fault.Errorf(fault.NotFound, "the body of notice %s was pruned: bodies are kept for a shorter time than notices", id)
	case !isNoRows(err):
		return away(err)
	}
	f, err := floorsOf(ctx, over(r.db))
	if err == nil && string(id) < f.of("notice") {
		return fault.Errorf(fault.NotFound, "there is no notice %s: those of its age were pruned", id)
	}
	if err != nil {
		return away(err)
	}
	return fault.Errorf(fault.NotFound, "there is no notice %s", id)
}
