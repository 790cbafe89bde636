package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// fewNotices are those that are found by something else than their time: they
// are few, and all in hand.
func (r *Reader) fewNotices(ctx context.Context, s Scope, f NoticeFilter, p Page, channels []merchant.ChannelKey) (out Listed[NoticeRow], err error) {
	var ids []string
	switch {
	case f.Payment != "":
		ids, err = r.noticesAbout(ctx, []payment.Key{f.Payment})
	case f.Order != "":
		ids, err = r.noticesOfOrder(ctx, channels, f.Order)
	default:
		ids, out.Cut, err = r.strangers(ctx, f, channels)
	}
	if err != nil {
		return out, err
	}
	rows, err := r.noticesByID(ctx, ids)
	if err != nil {
		return out, err
	}
	own, err := r.storesOfPayments(ctx, rows)
	if err != nil {
		return out, err
	}
	low, high := between(f.From, f.Until)
	var list []placed[NoticeRow]
	for _, n := range rows {
		at := []any{string(n.ID)}
		if slices.Contains(channels, merchant.ChannelKey(n.Channel)) && n.seenBy(s, own) && f.takes(n) && comparePlaces(at, low[:1]) >= 0 && comparePlaces(at, high[:1]) < 0 {
			list = append(list, placed[NoticeRow]{at, n})
		}
	}
	out.Count = Count{N: len(list), More: out.Cut}
	return out, out.partOf(p, 1, list)
}

// takes reports whether a notice is asked for.
func (f NoticeFilter) takes(n NoticeRow) bool {
	return (len(f.Verdicts) == 0 || slices.Contains(f.Verdicts, n.Verdict)) &&
		(f.Channel == "" || string(f.Channel) == n.Channel) && (f.Provider == "" || f.Provider == n.Provider) &&
		(f.Peer == "" || f.Peer == n.Peer) && (f.Event == "" || f.Event == n.Event) && (f.Charset == "" || f.Charset == n.Charset) &&
		(f.Order == "" || f.Order == n.Order) && (f.Payment == "" || f.Payment == n.Payment) &&
		(!f.Folded || n.Verdict != payment.Duplicate)
}

// mostOfOne is how many notices of one payment, or of one order, are listed.
const mostOfOne = 1000

// noticesAbout are the ids of the notices about payments: those that moved one
// stand in its events. Index: notice_by_payment, event_by_payment.
func (r *Reader) noticesAbout(ctx context.Context, keys []payment.Key) (ids []string, err error) {
	arg, err := many(r, keys)
	if err != nil {
		return nil, err
	}
	err = each(ctx, over(r.db), r.aboutQuery(), []any{arg, mostOfOne}, func(rows rowSet) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

func (r *Reader) aboutQuery() string {
	among := r.among("payment_key", "uuid", 1)
	return `select id from notice where verdict <> 'applied' and payment_key is not null and ` + among + `
		union select notice_id from event where payment_key is not null and ` + among + ` and notice_id is not null limit $2`
}

// noticesOfOrder are the ids of notices that name an order, in some channels:
// those of its payments, and those that wait for one.
func (r *Reader) noticesOfOrder(ctx context.Context, channels []merchant.ChannelKey, order string) ([]string, error) {
	list, err := many(r, channels)
	if err != nil {
		return nil, err
	}
	value := r.nameOf(payment.MatchKeyFor("", payment.ByOrder, order))
	var keys []payment.Key
	if err := each(ctx, over(r.db), r.byNameQuery(), []any{string(payment.ByOrder), value, list, mostOfOne}, func(rows rowSet) error {
		var k payment.Key
		err := rows.Scan(&k)
		keys = append(keys, k)
		return err
	}); err != nil {
		return nil, err
	}
	ids, err := r.noticesAbout(ctx, keys)
	if err != nil {
		return nil, err
	}
	err = each(ctx, over(r.db), r.heldOfOrderQuery(), []any{value, list, mostOfOne}, func(rows rowSet) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// heldOfOrderQuery finds the notices that wait for a payment of an order: a case
// has the id of its notice. Index: case_key_pkey; on SQLite the primary key.
func (r *Reader) heldOfOrderQuery() string {
	return `select case_id from case_key where kind = 'order' and value = $1 and ` + r.among("channel_key", "text", 2) + ` limit $3`
}

// noticesByID reads notices. Index: notice_pkey.
func (r *Reader) noticesByID(ctx context.Context, ids []string) (out []NoticeRow, err error) {
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), atOnceOpened) {
		list, err := many(r, some)
		if err != nil {
			return nil, err
		}
		if err := each(ctx, over(r.db), r.noticesByIDQuery(), []any{list}, func(rows rowSet) error {
			_, n, err := scanNoticeRow(rows)
			out = append(out, n)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Reader) noticesByIDQuery() string {
	return `select ` + noticeColumns + ` from notice where ` + r.among("id", "uuid", 1)
}

// strangers are the first notices of addresses that are new to a channel, as
// far as its newest notices tell, and whether there are older ones. Index:
// notice_by_channel.
func (r *Reader) strangers(ctx context.Context, f NoticeFilter, channels []merchant.ChannelKey) (ids []string, cut bool, err error) {
	for _, c := range channels {
		if f.Channel != "" && f.Channel != c {
			continue
		}
		g := r.listing("id")
		g.columns = "id, peer"
		g.legs = []leg{{from: "notice", index: "notice_by_channel", same: []string{"channel_key"}, values: []string{string(c)}}}
		first, all := make(map[string]string), 0
		middle := ""
		text, args := g.page(g.legs, false, g.least, g.most, MostCounted)
		if err := r.along(ctx, text, args, func(rows rowSet) error {
			var id, peer string
			err := rows.Scan(&id, &peer)
			first[peer] = id
			if all++; all == MostCounted/2 {
				middle = id
			}
			return err
		}); err != nil {
			return nil, false, err
		}
		for _, id := range first {
			// What comes before the oldest of these nobody looked at.
			if all < MostCounted || id >= middle {
				ids = append(ids, id)
			}
		}
		cut = cut || all >= MostCounted
	}
	return ids, cut, nil
}

// storesOfPayments are the stores of the payments that notices are about.
func (r *Reader) storesOfPayments(ctx context.Context, rows []NoticeRow) (map[payment.Key]merchant.StoreID, error) {
	out := make(map[payment.Key]merchant.StoreID)
	var keys []payment.Key
	for _, n := range rows {
		if n.Payment != "" {
			keys = append(keys, n.Payment)
		}
	}
	for some := range slices.Chunk(keys, atOnceOpened) {
		found, err := r.known(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, k := range found {
			out[k.key] = k.store
		}
	}
	return out, nil
}

// completeNotices fills in what other tables tell of notices.
func (r *Reader) completeNotices(ctx context.Context, rows []NoticeRow, folded bool) error {
	at := make(map[payment.Key][]int)
	var keys []payment.Key
	for i, n := range rows {
		if n.Payment != "" {
			if at[n.Payment] == nil {
				keys = append(keys, n.Payment)
			}
			at[n.Payment] = append(at[n.Payment], i)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	list, err := many(r, keys)
	if err != nil {
		return err
	}
	if err := each(ctx, over(r.db), r.paymentIDsQuery(), []any{list}, func(set rowSet) error {
		var key payment.Key
		var id payment.ID
		err := set.Scan(&key, &id)
		for _, i := range at[key] {
			rows[i].PaymentID = id
		}
		return err
	}); err != nil || !folded {
		return err
	}
	return each(ctx, over(r.db), r.againQuery(), []any{list}, func(set rowSet) error {
		var key payment.Key
		var channel, name string
		var n int
		var last sql.NullInt64
		err := set.Scan(&key, &channel, &name, &n, &last)
		for _, i := range at[key] {
			if rows[i].Channel == channel && rows[i].Key == name {
				rows[i].Again, rows[i].AgainAt = n, momentOrZero(last)
			}
		}
		return err
	})
}

// paymentIDsQuery reads the ids that merchants gave payments. Index:
// payment_pkey.
func (r *Reader) paymentIDsQuery() string {
	return `select key, id from payment where ` + r.among("key", "uuid", 1)
}

// againQuery counts how often payments were told the same again. Index:
// notice_by_payment.
func (r *Reader) againQuery() string {
	return `select payment_key, channel_key, key, count(*), max(received_at) from notice
		where verdict <> 'applied' and payment_key is not null and ` + r.among("payment_key", "uuid", 1) + ` and verdict = 'duplicate'
		group by payment_key, channel_key, key`
}
