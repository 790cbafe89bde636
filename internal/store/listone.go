package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// PaymentsCalled returns the payments of a scope that go by a name, which is our
// key of one, or the id that merchants gave in their stores: with one store at
// most one. It is empty if there is none.
func (r *Reader) PaymentsCalled(ctx context.Context, s Scope, name string) ([]payment.Payment, error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil || text(name) != name {
		return nil, err
	}
	list, err := many(r, stores)
	if err != nil {
		return nil, err
	}
	var keys []payment.Key
	if isID(name) {
		keys = append(keys, payment.Key(name))
	}
	if err := each(ctx, over(r.db), r.byIDQuery(),
		[]any{name, list, mostOnPage}, func(rows rowSet) error {
			var k payment.Key
			err := rows.Scan(&k)
			keys = append(keys, k)
			return err
		}); err != nil {
		return nil, away(err)
	}
	found, err := r.OpenPayments(ctx, keys)
	return slices.DeleteFunc(found, func(p payment.Payment) bool { return p.Mode != s.Mode || !slices.Contains(stores, p.Store) }), err
}

// A PaymentEvent is an event of a payment. Its Channel is not read.
type PaymentEvent struct {
	webhook.Event
	Notice notice.ID // that made it; empty if none did
	Fanout int       // how many deliveries were made for it
}

// mostEvents is how many events of one payment are read.
const mostEvents = 1000

// PaymentEvents returns the events of a payment, the oldest first, and at most a
// thousand of them. Events are kept for as long as history is.
func (r *Reader) PaymentEvents(ctx context.Context, k payment.Key) ([]PaymentEvent, error) {
	if !isID(string(k)) {
		return nil, nil // PostgreSQL would not look it up
	}
	var out []PaymentEvent
	err := each(ctx, over(r.db), paymentEventsQuery, []any{string(k), mostEvents}, func(rows rowSet) error {
		var e PaymentEvent
		var at int64
		var key, told, concern sql.NullString
		if err := rows.Scan(&e.ID, &e.Type, &at, &e.Merchant, &e.Store, &e.Mode, &key, &e.PaymentID, &e.Transaction, &e.Cancellation,
			&e.State, &e.Deposited, &concern, &told, &e.Fanout); err != nil {
			return err
		}
		e.At, e.Payment, e.Notice = moment(at), keyOf(key), notice.ID(told.String)
		if concern.Valid {
			if err := json.Unmarshal([]byte(concern.String), &e.Concern); err != nil {
				return &programError{fmt.Errorf("event %s: %w", e.ID, err)}
			}
		}
		out = append(out, e)
		return nil
	})
	return out, away(err)
}

// paymentEventsQuery reads a payment's events. Index: event_by_payment.
const paymentEventsQuery = `select id, type, at, merchant_id, store_id, mode, payment_key, payment_id, transaction_id, cancellation_id, state,
	deposited, concern, notice_id, fanout from event where payment_key = $1 order by id limit $2`

// A PastVerdict is one that another replaced.
type PastVerdict struct {
	Verdict    payment.Verdict
	Reason     payment.Reason
	Detail     string
	Payment    payment.Key // empty if it was about none
	ReplacedAt time.Time
}

// A NoticeDetail is one notice with what became of it.
type NoticeDetail struct {
	NoticeRow
	Method    string
	Truncated bool          // its body was longer than what is kept
	Past      []PastVerdict // the verdicts before the one that counts, in order
}

// NoticeOf returns a notice of a scope; with unowned also one that belongs to no
// merchant. It reports fault.NotFound if the scope has none. What is sealed of
// it is read by [Reader.Notice].
func (r *Reader) NoticeOf(ctx context.Context, s Scope, id notice.ID, unowned bool) (out NoticeDetail, err error) {
	missing := fault.Errorf(fault.NotFound, "there is no notice %q", id)
	if !isID(string(id)) {
		return out, missing
	}
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return out, err
	}
	channels, err := r.channelsOf(ctx, s, stores)
	if err != nil {
		return out, err
	}
	rows, err := r.noticesByID(ctx, []string{string(id)})
	if err != nil {
		return out, away(err)
	}
	own, err := r.storesOfPayments(ctx, rows)
	if err != nil {
		return out, away(err)
	}
	if unowned {
		channels = append(channels, "")
	}
	if len(rows) == 0 || !slices.Contains(channels, merchant.ChannelKey(rows[0].Channel)) || !rows[0].seenBy(s, own) {
		return out, missing
	}
	if err := r.completeNotices(ctx, rows, false); err != nil {
		return out, away(err)
	}
	out.NoticeRow = rows[0]
	// Index: notice_pkey.
	if err := r.db.QueryRowContext(ctx, `select method, truncated from notice where id = $1`, string(id)).Scan(&out.Method, &out.Truncated); err != nil {
		return out, away(err)
	}
	out.Past, err = r.pastVerdicts(ctx, id)
	return out, away(err)
}

// seenBy reports whether a notice of a channel of the scope is seen by it: where
// it is about a payment, that must be of a store of the scope.
func (n NoticeRow) seenBy(s Scope, stores map[payment.Key]merchant.StoreID) bool {
	if s.Store == "" {
		return true
	}
	if n.Payment != "" {
		return stores[n.Payment] == s.Store
	}
	return n.Store == s.Store || n.Store == ""
}

// pastVerdicts reads the verdicts that a notice had. Index: verdict_by_notice.
func (r *Reader) pastVerdicts(ctx context.Context, id notice.ID) (out []PastVerdict, err error) {
	err = each(ctx, over(r.db), pastVerdictsQuery, []any{string(id)}, func(rows rowSet) error {
		var v PastVerdict
		var key sql.NullString
		var at int64
		err := rows.Scan(&v.Verdict, &v.Reason, &v.Detail, &key, &at)
		v.Payment, v.ReplacedAt = keyOf(key), moment(at)
		out = append(out, v)
		return err
	})
	return out, err
}

const pastVerdictsQuery = `select verdict, reason, detail, payment_key, replaced_at from verdict where notice_id = $1 order by number`
