package store

import (
	"context"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Found is where something is that has an id.
type Found struct {
	What  FoundWhat
	ID    string // in full; of a payment, the merchant's
	Scope Scope  // its store and mode; a store has no mode
	// Payment is what it is about; empty if that is no payment.
	Payment payment.Key
}

// FoundWhat is what has an id.
type FoundWhat string

// What Find finds.
const (
	APayment   FoundWhat = "payment"
	ANotice    FoundWhat = "notice"
	ADelivery  FoundWhat = "delivery"
	AnEvent    FoundWhat = "event"
	AnEndpoint FoundWhat = "endpoint"
	AChannel   FoundWhat = "channel"
	AStore     FoundWhat = "store"
)

// shortestPrefix is how much of an id must be given, unless it is one in full:
// with less, ids of other days may be meant.
const shortestPrefix = 8

// uuidsWith are the first and the last UUID that begin with a text; false if
// that is no beginning of one.
func uuidsWith(prefix string) (first, last string, ok bool) {
	hex := strings.ToLower(strings.ReplaceAll(prefix, "-", ""))
	if len(hex) < shortestPrefix || len(hex) > 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", "", false
	}
	full := func(fill string) string {
		h := hex + strings.Repeat(fill, 32-len(hex))
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	}
	return full("0"), full("f"), true
}

// Find looks for what has an id, or one that begins so, in both modes: the
// merchant's id of a payment, our own of one or of an attempt, and those of
// notices, deliveries and webhooks, events, endpoints, channels and stores. It
// returns at most five of each kind; of ids that are not given in full, some may
// be missed if too many others begin so. With unowned it also finds notices that
// belong to no merchant.
func (r *Reader) Find(ctx context.Context, m merchant.ID, in merchant.StoreID, id string, unowned bool) ([]Found, error) {
	id = strings.TrimSpace(id)
	stores, err := r.storesOf(ctx, Scope{Merchant: m, Store: in, Mode: merchant.Test})
	if err != nil || len(stores) == 0 || id == "" || text(id) != id {
		return nil, err
	}
	f := &finding{r: r, ctx: ctx, merchant: m, in: in, stores: stores, id: id, unowned: unowned}
	f.first, f.last, f.whole = uuidsWith(strings.TrimPrefix(id, webhook.WebhookIDPrefix))
	for _, look := range []func() error{f.payments, f.notices, f.deliveries, f.events, f.declared} {
		if err := look(); err != nil {
			return nil, away(err)
		}
	}
	return f.out, nil
}

// mostBeginning is how many things are looked at whose ids begin alike.
const mostBeginning = 100

// A finding is a Find under way.
type finding struct {
	r           *Reader
	ctx         context.Context // of the whole
	merchant    merchant.ID
	in          merchant.StoreID
	stores      []merchant.StoreID
	id          string
	first, last string // between which UUIDs it may be
	whole       bool   // it may be a UUID
	unowned     bool
	out         []Found
}

// add keeps what was found, unless it is not of the merchant's stores.
func (f *finding) add(what FoundWhat, id string, s merchant.StoreID, m merchant.Mode, about payment.Key) {
	n := 0
	for _, x := range f.out {
		if x.What == what {
			n++
		}
	}
	if n < MostFound && slices.Contains(f.stores, s) {
		f.out = append(f.out, Found{what, id, Scope{f.merchant, s, m}, about})
	}
}

// begins reports whether the id of a setting is the one that is looked for.
func (f *finding) begins(id string) bool {
	if id == f.id {
		return true
	}
	bare := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "channel-key-"), "store-") }
	return len(bare(f.id)) >= shortestPrefix && (strings.HasPrefix(id, f.id) || strings.HasPrefix(bare(id), f.id))
}

func (f *finding) payments() error {
	list, err := many(f.r, f.stores)
	if err != nil {
		return err
	}
	var keys []payment.Key
	look := func(query string, args ...any) error {
		return each(f.ctx, over(f.r.db), query, args, func(rows rowSet) error {
			var k payment.Key
			err := rows.Scan(&k)
			keys = append(keys, k)
			return err
		})
	}
	if err := look(f.r.byIDQuery(), f.id, list, mostBeginning); err != nil {
		return err
	}
	if err := look(f.r.byAttemptQuery(), f.r.nameOf(payment.MatchKeyFor("", payment.ByAttempt, f.id)), list, mostBeginning); err != nil {
		return err
	}
	if f.whole {
		if err := look(paymentsBetween, f.first, f.last, mostBeginning); err != nil {
			return err
		}
	}
	found, err := f.r.OpenPayments(f.ctx, slices.Compact(keys))
	for _, p := range found {
		f.add(APayment, string(p.ID), p.Store, p.Mode, p.Key)
	}
	return err
}

// paymentsBetween finds payments by the beginning of their keys. Index:
// payment_pkey; on SQLite that of the primary key.
const paymentsBetween = `select key from payment where key >= $1 and key <= $2 order by key desc limit $3`

func (f *finding) notices() error {
	if !f.whole {
		return nil
	}
	rows := make(map[merchant.Mode][]NoticeRow)
	if err := each(f.ctx, over(f.r.db), noticesBetween, []any{f.first, f.last, mostBeginning}, func(set rowSet) error {
		_, n, err := scanNoticeRow(set)
		rows[merchant.Mode(n.Mode)] = append(rows[merchant.Mode(n.Mode)], n)
		return err
	}); err != nil {
		return err
	}
	for mode, list := range rows {
		if mode == "" {
			for _, n := range list {
				if f.unowned && n.Channel == "" {
					f.add(ANotice, string(n.ID), f.stores[0], merchant.Live, "")
				}
			}
			continue
		}
		for _, n := range list {
			s := Scope{f.merchant, f.in, mode}
			if d, err := f.r.NoticeOf(f.ctx, s, n.ID, false); err == nil {
				f.add(ANotice, string(d.ID), f.storeOf(d.NoticeRow), mode, d.Payment)
			}
		}
	}
	return nil
}

// storeOf is the store in whose pages a notice is shown.
func (f *finding) storeOf(n NoticeRow) merchant.StoreID {
	if f.in != "" {
		return f.in
	}
	return n.Store
}

// noticesBetween finds notices by the beginning of their ids. Index:
// notice_pkey.
const noticesBetween = `select ` + noticeColumns + ` from notice where id >= $1 and id <= $2 order by id desc limit $3`

func (f *finding) deliveries() error {
	if !f.whole {
		return nil
	}
	return each(f.ctx, over(f.r.db), deliveriesBetween, []any{f.first, f.last, mostBeginning}, func(rows rowSet) error {
		_, d, err := scanDeliveryRow(rows)
		f.add(ADelivery, string(d.ID), d.Store, d.Mode, d.Payment)
		return err
	})
}

// deliveriesBetween finds deliveries by the beginning of their ids. Index:
// delivery_pkey, delivery_end_pkey; on SQLite those of the primary keys.
const deliveriesBetween = `select * from (select ` + deliveryRowColumns + `due_at, cast(null as bigint) as ended_at from delivery
		where id >= $1 and id <= $2 order by id desc limit $3) as part
	union all select * from (select ` + deliveryRowColumns + `cast(null as bigint) as due_at, ended_at from delivery_end
		where id >= $1 and id <= $2 order by id desc limit $3) as part`

func (f *finding) events() error {
	if !f.whole {
		return nil
	}
	return each(f.ctx, over(f.r.db), eventsBetween, []any{f.first, f.last, mostBeginning}, func(rows rowSet) error {
		var id string
		var s merchant.StoreID
		var m merchant.Mode
		var about payment.Key
		err := rows.Scan(&id, &s, &m, &about)
		f.add(AnEvent, id, s, m, about)
		return err
	})
}

// eventsBetween finds events of payments by the beginning of their ids. Index:
// event_pkey.
const eventsBetween = `select id, store_id, mode, payment_key from event where id >= $1 and id <= $2 and payment_key is not null order by id desc limit $3`

// declared looks at what operators declare, which is little.
func (f *finding) declared() error {
	for _, x := range []struct {
		what  FoundWhat
		query string
	}{
		{AnEndpoint, `select id, store_id, mode from endpoint where merchant_id = $1 order by created_at, id`},
		{AChannel, `select key, store_id, mode from channel where merchant_id = $1 order by created_at, key`},
		{AStore, `select id, id, '' from store where merchant_id = $1 order by created_at, id`},
	} {
		if err := each(f.ctx, over(f.r.db), x.query, []any{string(f.merchant)}, func(rows rowSet) error {
			var id string
			var s merchant.StoreID
			var m merchant.Mode
			if err := rows.Scan(&id, &s, &m); err != nil {
				return err
			}
			if f.begins(id) {
				f.add(x.what, id, s, m, "")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
