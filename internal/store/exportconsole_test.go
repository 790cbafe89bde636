package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// ConsoleQueries are the statements of the console's lists, for stores that are
// given with their channels. They may look at
// 1000 rows of a leg.
func (r *Reader) ConsoleQueries(s Scope, stores []merchant.StoreID, channels []merchant.ChannelKey, p payment.Payment, d webhook.DeliveryID) []Query {
	var out []Query
	once := true
	add := func(text string, args []any) { out = append(out, Query{text, args, once}) }
	amount, from := p.Amount.Amount, p.RequestedAt.Add(-time.Hour)
	var lists []listing
	for _, f := range []PaymentFilter{
		{}, {Changed: true, From: from, Until: from.Add(2 * time.Hour)}, {Untold: true},
		{Channel: channels[0], Amount: &amount, States: []payment.State{payment.Paid}},
	} {
		lists = append(lists, f.listing(r, stores, s.Mode))
	}
	for _, f := range []NoticeFilter{
		{}, {Verdicts: []payment.Verdict{payment.Unmatched, payment.Conflict}, From: from}, {Channel: channels[0], Folded: true},
		{Verdicts: []payment.Verdict{payment.Applied}, Provider: "kcp", Peer: "203.0.113.7", Event: payment.EventDeposited},
		{Charset: notice.EUCKR}, {Charset: notice.UTF8, Verdicts: []payment.Verdict{payment.Unmatched}},
	} {
		lists = append(lists, r.noticeListing(s, f, channels))
	}
	for _, f := range []DeliveryFilter{
		{}, {States: []webhook.DeliveryState{webhook.Undone}}, {States: []webhook.DeliveryState{webhook.Completed}},
		{States: []webhook.DeliveryState{webhook.Held}}, {Endpoint: webhook.EndpointID(d), Type: webhook.Paid, From: from},
	} {
		lists = append(lists, f.listing(r, s, stores))
	}
	for _, g := range lists {
		g.look = 1000
		for _, forward := range []bool{false, true} {
			add(g.page(g.legs, forward, g.least, g.most, 20))
			if looking := g.looking(); len(looking) > 0 {
				add(g.reach(looking, forward, g.least, g.most))
			}
			for _, l := range g.legs[:1] {
				q := &query{}
				text := q.stretch(g, l, g.by[0], forward, g.least, g.most, 20)
				add(text, q.args)
			}
		}
		add(g.counting(g.legs, g.least, g.most, 20))
	}
	add(r.paidQuery(stores, s.Mode, firstID, lastID, 20))
	for _, failed := range []bool{false, true} {
		g := r.endedListing(stores, s.Mode, failed)
		add(g.counting(g.legs, g.least, g.most, 1000))
	}
	once = false
	listed := func(list ...string) any {
		arg, err := many(r, list)
		if err != nil {
			panic(err) // texts always marshal
		}
		return arg
	}
	key, id := listed(string(p.Key)), listed(string(d))
	add(r.latestQuery(), []any{key})
	add(r.aboutQuery(), []any{key, 20})
	add(r.heldOfOrderQuery(), []any{"h 1", listed(string(channels[0])), 20})
	add(r.noticesByIDQuery(), []any{id})
	add(r.paymentIDsQuery(), []any{key})
	add(r.againQuery(), []any{key})
	add(deliveryRowsQuery("payment_key"), []any{string(p.Key)})
	add(deliveryRowsQuery("id"), []any{string(d)})
	add(r.triesQuery(), []any{id})
	add(sentBodyQuery, []any{string(d)})
	add(paymentEventsQuery, []any{string(p.Key), 20})
	add(pastVerdictsQuery, []any{string(d)})
	add(changedAfterQuery, []any{firstID, lastID, 20})
	add(sinceQuery, []any{firstID, 20, string(p.Merchant), 20})
	add(pagesQuery, []any{string(p.Merchant), wordsPart, lastID, 20})
	add(r.dueSoonQuery(), []any{int64(0), int64(1) << 60, 20, string(s.Mode), listed(string(stores[0]))})
	add(sampleQuery, []any{firstID, lastID, 20, string(s.Mode)})
	for _, between := range []string{paymentsBetween, noticesBetween, deliveriesBetween, eventsBetween} {
		add(between, []any{string(p.Key)[:8] + firstID[8:], string(p.Key)[:8] + lastID[8:], 20})
	}
	return out
}

// MultiplySearch puts records of payments on new pages of a merchant.
func (s *Store) MultiplySearch(ctx context.Context, m merchant.ID, n int, one func(i int) payment.Payment) {
	var page searchPage
	for i := range n {
		r, err := recordOf(one(i))
		if err != nil {
			panic(err) // the test's payments have keys
		}
		page.add(r)
	}
	if err := s.write(ctx, func(t *tx) error { return t.putPage(time.Now(), m, "", page) }); err != nil {
		panic(err) // the test's database takes them
	}
}

// LookAt has lists look at so many rows for a part, and no more.
func (r *Reader) LookAt(rows int) { r.look = rows }
