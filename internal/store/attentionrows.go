package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// casesQuery reads open cases. Index: open_case_by_merchant, notice_pkey, payment_pkey.
const casesQuery = `select page.id, page.kind, page.reason, page.channel_key, coalesce(p.store_id, page.store_id), page.payment_key, coalesce(p.id, ''),
	page.opened_at, page.resends from (select id, kind, reason, channel_key, store_id, payment_key, opened_at, resends from open_case
		where (merchant_id, opened_at, id) > ($1, -1, $2) and merchant_id <= $1 order by merchant_id, opened_at, id limit $3) as page
	join notice n on n.id = page.id left join payment p on p.key = page.payment_key where n.mode = $4`

// Cases are open cases of a merchant, the oldest first, at most limit of both modes; the
// empty merchant has those of which no channel is known. Their stores are those of their
// payments, where there is one.
func (r *Reader) Cases(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) (list []attention.Case, err error) {
	err = each(ctx, over(r.db), casesQuery, []any{string(m), firstID, limit, string(mode)}, func(rows rowSet) error {
		c := attention.Case{Case: notice.Case{Merchant: m, Mode: mode}}
		var key sql.NullString
		var at int64
		err := rows.Scan(&c.ID, &c.Kind, &c.Reason, &c.Channel, &c.Store, &key, &c.PaymentID, &at, &c.Resends)
		c.Payment, c.OpenedAt = keyOf(key), moment(at)
		list = append(list, c)
		return err
	})
	slices.SortStableFunc(list, func(a, b attention.Case) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return list, away(err)
}

// mostTroubles is how many rows of a kind are looked at for one list.
// PostgreSQL goes along an index for so many, and would rather sort all for more; and
// every page of the console waits for it once in ten seconds.
const mostTroubles = 500

// troubles is a listing of rows that need a person, from a time on.
func (r *Reader) troubles(since time.Time, legs ...leg) listing {
	g := r.listing("id")
	g.least, g.look = []any{idAt(since)}, mostTroubles
	g.legs = append(g.legs, legs...)
	return g
}

// stretched is a query over the rows of a listing's legs, with the columns that they
// are to have, and what follows them.
func (g listing) stretched(q *query, selected, columns, rest string) string {
	parts := make([]string, len(g.legs))
	for i, l := range g.legs {
		parts[i] = "select * from (" + q.stretch(g, l, columns, false, g.least, g.most, g.look) + ") as part"
	}
	return "select " + selected + " from (" + strings.Join(parts, " union all ") + ") as t " + rest
}

// overfull reports whether a leg has more rows than are looked at of it.
func (r *Reader) overfull(ctx context.Context, g listing) (more bool, err error) {
	text, args := g.overfullQuery()
	err = r.along(ctx, text, args, func(rows rowSet) error { return rows.Scan(&more) })
	return more, err
}

// overfullQuery reads nothing but the indexes of the legs.
func (g listing) overfullQuery() (string, []any) {
	q := &query{}
	parts := make([]string, len(g.legs))
	for i, l := range g.legs {
		text, order := q.between(g, l, g.by[0], false, g.least, g.most)
		parts[i] = "select * from (" + text + order + " limit 1 offset " + strconv.Itoa(g.look) + ") as part"
	}
	return "select exists (" + strings.Join(parts, " union all ") + ")", q.args
}

// refusedLegs are notices that were refused or unreadable. Index: notice_by_trouble.
func refusedLegs(m merchant.ID, mode merchant.Mode) (legs []leg) {
	for _, v := range []payment.Verdict{payment.Refused, payment.Unreadable} {
		legs = append(legs, leg{
			from: "notice", when: "verdict in ('refused', 'unreadable')", index: "notice_by_trouble",
			same: []string{"merchant_id", "mode", "verdict"}, values: []string{string(m), string(mode), string(v)},
		})
	}
	return legs
}

// refusalsQuery is the query for refusals by sender and channel.
func (r *Reader) refusalsQuery(g listing) (string, []any) {
	q := &query{}
	text := g.stretched(q, `verdict, peer, channel_key, store_id, count(*), min(received_at), max(received_at), max(id)`,
		`verdict, peer, channel_key, store_id, received_at, cast(id as text) as id`, `group by verdict, peer, channel_key, store_id`)
	return text, q.args
}

// Refusals are notices that were refused or unreadable since a time, by sender and
// channel: of the last 500 of each, and more says that there were more.
func (r *Reader) Refusals(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []attention.Refusal, more bool, err error) {
	g := r.troubles(since, refusedLegs(m, mode)...)
	text, args := r.refusalsQuery(g)
	err = r.along(ctx, text, args, func(rows rowSet) error {
		var f attention.Refusal
		var first, last int64
		err := rows.Scan(&f.Verdict, &f.Peer, &f.Channel, &f.Store, &f.Count, &first, &last, &f.Newest)
		f.First, f.Last = moment(first), moment(last)
		list = append(list, f)
		return err
	})
	if err == nil {
		more, err = r.overfull(ctx, g)
	}
	return list, more, away(err)
}

// undoneLegs are deliveries that failed. Index: delivery_end_failed.
func undoneLegs(stores []merchant.StoreID, mode merchant.Mode) (legs []leg) {
	for _, s := range stores {
		legs = append(legs, leg{
			from: "delivery_end", when: "state = 'failed'", index: "delivery_end_failed",
			same: []string{"store_id", "mode"}, values: []string{string(s), string(mode)},
		})
	}
	return legs
}

// undoneQuery is the query for failed deliveries by store and endpoint. A resend bears
// the payment of what it resends. Index: delivery_end_by_payment.
func (r *Reader) undoneQuery(g listing) (string, []any) {
	q := &query{}
	text := g.stretched(q, `store_id, endpoint_id, target, count(*), min(ended_at), max(ended_at)`,
		`id, store_id, endpoint_id, target, ended_at, payment_key, original`, `where t.original is null and not exists
			(select 1 from delivery_end x where x.payment_key = t.payment_key and x.original = t.id and x.state = 'completed')
			group by store_id, endpoint_id, target`)
	return text, q.args
}

// FailedDeliveries are webhooks of a merchant that no try brought to where they go, by
// store and endpoint, of those that were made since a time: of the last 500 of each
// store. Those that were resent well are left out.
func (r *Reader) FailedDeliveries(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []attention.Failed, more bool, err error) {
	stores, err := r.storesOf(ctx, Scope{Merchant: m, Mode: mode})
	if err != nil || len(stores) == 0 {
		return nil, false, err
	}
	for len(stores) > 0 {
		some := stores[:min(len(stores), mostLegs)]
		stores = stores[len(some):]
		g := r.troubles(since, undoneLegs(some, mode)...)
		text, args := r.undoneQuery(g)
		err = r.along(ctx, text, args, func(rows rowSet) error {
			var f attention.Failed
			var endpoint sql.NullString
			var first, last int64
			err := rows.Scan(&f.Store, &endpoint, &f.Target, &f.Count, &first, &last)
			f.Endpoint, f.First, f.Last = webhook.EndpointID(endpoint.String), moment(first), moment(last)
			list = append(list, f)
			return err
		})
		if err != nil {
			return nil, false, away(err)
		}
		cut, err := r.overfull(ctx, g)
		if err != nil {
			return nil, false, away(err)
		}
		more = more || cut
	}
	return list, more, nil
}

// unnoticedQuery is the query for accounts that became due and still wait. Index:
// overdue_by_merchant, payment_pkey.
func (r *Reader) unnoticedQuery(m merchant.ID, mode merchant.Mode, since time.Time) (string, []any) {
	g := r.listing("due_at")
	g.least, g.most, g.look = []any{micros(since)}, []any{micros(never)}, mostTroubles
	g.legs = []leg{{
		from: "overdue", when: "not asked", index: "overdue_by_merchant",
		same: []string{"merchant_id", "mode"}, values: []string{string(m), string(mode)},
	}}
	q := &query{}
	text := g.stretched(q, `t.channel_key, t.store_id, count(*), min(t.due_at), max(t.due_at)`, `payment_key, channel_key, store_id, due_at`,
		`join payment p on p.key = t.payment_key where p.state = 'VIRTUAL_ACCOUNT_ISSUED' group by t.channel_key, t.store_id`)
	return text, q.args
}

// Unnoticed are accounts that became due since a time and still wait, of PGs that are not
// asked, by store and channel: of the last 500.
func (r *Reader) Unnoticed(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []attention.Unnoticed, more bool, err error) {
	text, args := r.unnoticedQuery(m, mode, since)
	n := 0
	err = r.along(ctx, text, args, func(rows rowSet) error {
		var u attention.Unnoticed
		var first, last int64
		err := rows.Scan(&u.Channel, &u.Store, &u.Count, &first, &last)
		u.First, u.Last = moment(first), moment(last)
		list = append(list, u)
		n += u.Count
		return err
	})
	return list, n == mostTroubles, away(err)
}

// outstandingsQuery reads payments of which PGs have yet to say something. Index:
// inquiry_by_due backwards, payment_pkey.
const outstandingsQuery = `select p.key, p.doc, page.due_at, page.tries from
	(select payment_key, due_at, tries from inquiry where due_at > 0 order by due_at desc limit $1) as page
	join payment p on p.key = page.payment_key where p.merchant_id = $2 and p.mode = $3`

// Outstandings are payments of a merchant about which PGs are to be asked: of the limit,
// of all merchants, that are thought of last. One that cannot be opened is left out.
func (r *Reader) Outstandings(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) (list []attention.Outstanding, err error) {
	err = each(ctx, over(r.db), outstandingsQuery, []any{limit, string(m), string(mode)}, func(rows rowSet) error {
		var key payment.Key
		var doc []byte
		var due int64
		var o attention.Outstanding
		if err := rows.Scan(&key, &doc, &due, &o.Tries); err != nil {
			return err
		}
		p, err := r.openPayment(key, doc)
		if err == nil {
			o.Payment, o.Due = p, moment(due)
			list = append(list, o)
		}
		return nil
	})
	return list, away(err)
}

// raisedQuery is the query for events of attention. Index: event_by_attention.
func (r *Reader) raisedQuery(m merchant.ID, mode merchant.Mode, since time.Time, limit int) (string, []any) {
	g := r.troubles(since, leg{
		from: "event", when: "type = 'tongbo.attention'", index: "event_by_attention",
		same: []string{"merchant_id", "mode"}, values: []string{string(m), string(mode)},
	})
	q := &query{}
	return q.stretch(g, g.legs[0], `id, at, store_id, payment_key, payment_id, concern`, false, g.least, g.most, limit), q.args
}

// Raised are events of tongbo.attention since a time, the newest first.
func (r *Reader) Raised(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time, limit int) (list []webhook.Event, err error) {
	text, args := r.raisedQuery(m, mode, since, limit)
	err = r.along(ctx, text, args, func(rows rowSet) error {
		e := webhook.Event{Type: webhook.Attention, Merchant: m, Mode: mode}
		var at int64
		var key, concern sql.NullString
		if err := rows.Scan(&e.ID, &at, &e.Store, &key, &e.PaymentID, &concern); err != nil {
			return err
		}
		e.At, e.Payment = moment(at), keyOf(key)
		if concern.Valid {
			e.Concern = new(webhook.Concern)
			if err := json.Unmarshal([]byte(concern.String), e.Concern); err != nil {
				return &programError{err}
			}
		}
		list = append(list, e)
		return nil
	})
	return list, away(err)
}
