package store

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// MostFigured is how many rows a figure is made of at most, the newest ones.
const MostFigured = 10_000

// A DayFigures is what came of a part of a day.
type DayFigures struct {
	Deposits  Count // payments that were paid
	Sum       int64 // of them, in minor units; in currencies other than the scope's first one left out
	Currency  payment.Currency
	Completed int   // webhooks that were made then and arrived
	Failed    int   // and that failed for good
	Webhooks  Count // Completed and Failed together, as far as counted
}

// Figures are what the front page shows in numbers.
type Figures struct {
	Today, Yesterday DayFigures // until this time of day
	Awaiting         Count      // payments that wait for money
	DueSoon          Count      // of them, those whose deadline is within the time asked for
	At               time.Time
}

// Figures returns the numbers of a scope at now: of today, which began at
// midnight, of yesterday until the same time, and of what waits. Each day is
// figured of at most MostFigured payments and five times as many webhooks, which
// takes some 100 ms; see [Cached].
func (r *Reader) Figures(ctx context.Context, s Scope, midnight, now time.Time, soon time.Duration) (f Figures, err error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return f, err
	}
	f.At = now
	yesterday := midnight.AddDate(0, 0, -1)
	if f.Today, err = r.day(ctx, s, stores, midnight, now); err != nil {
		return f, away(err)
	}
	if f.Yesterday, err = r.day(ctx, s, stores, yesterday, yesterday.Add(now.Sub(midnight))); err != nil {
		return f, away(err)
	}
	waiting := PaymentFilter{States: []payment.State{payment.Issued}}.listing(r, stores, s.Mode)
	if f.Awaiting, err = r.count(ctx, waiting, waiting.least, false); err != nil {
		return f, away(err)
	}
	f.DueSoon, err = r.dueSoon(ctx, s, stores, now, soon)
	return f, away(err)
}

func (r *Reader) day(ctx context.Context, s Scope, stores []merchant.StoreID, from, until time.Time) (d DayFigures, err error) {
	for some := range slices.Chunk(stores, mostEventStretches) {
		text, args := r.paidQuery(some, s.Mode, idAt(from), idAt(until), MostFigured+1-d.Deposits.N)
		if err := r.along(ctx, text, args, func(rows rowSet) error {
			var amount int64
			var currency payment.Currency
			err := rows.Scan(&amount, &currency)
			if d.Deposits.N == MostFigured {
				d.Deposits.More = true
				return err
			}
			if d.Currency == "" {
				d.Currency = currency
			}
			if d.Deposits.N++; currency == d.Currency {
				d.Sum += amount
			}
			return err
		}); err != nil {
			return d, err
		}
	}
	all, more, err := r.countBetween(ctx, stores, s.Mode, false, from, until)
	if err != nil {
		return d, err
	}
	failed, _, err := r.countBetween(ctx, stores, s.Mode, true, from, until)
	d.Webhooks, d.Failed, d.Completed = Count{all, more}, failed, max(0, all-failed)
	return d, err
}

// paidQuery reads what was paid in stores by events between two ids. Index:
// event_by_store, payment_pkey.
func (r *Reader) paidQuery(stores []merchant.StoreID, mode merchant.Mode, from, until string, limit int) (string, []any) {
	g := r.listing("id")
	g.columns, g.least, g.most = "id, payment_key", []any{from}, []any{until}
	for _, id := range stores {
		g.legs = append(g.legs, leg{
			from: "event", index: "event_by_store", same: []string{"store_id", "mode"}, values: []string{string(id), string(mode)},
			when: `type in ('Transaction.Paid', 'Transaction.PartialCancelled', 'Transaction.Cancelled') and type = 'Transaction.Paid'`,
		})
	}
	text, args := g.page(g.legs, false, g.least, g.most, limit)
	return `select p.amount, p.currency from (` + text + `) as page join payment p on p.key = page.payment_key`, args
}

// countBetween counts the deliveries that were made between two times and are
// over, or only those that failed. It reads an index alone.
func (r *Reader) countBetween(ctx context.Context, stores []merchant.StoreID, mode merchant.Mode, failed bool, from, until time.Time) (n int, more bool, err error) {
	g := r.endedListing(stores, mode, failed)
	g.least, g.most = []any{idAt(from)}, []any{idAt(until)}
	const most = 5 * MostFigured
	for some := range slices.Chunk(g.legs, mostLegs) {
		text, args := g.counting(some, g.least, g.most, most-n)
		c, err := r.number(ctx, text, args)
		if err != nil {
			return 0, false, err
		}
		if n += c; n >= most {
			return n, true, nil
		}
	}
	return n, false, nil
}

// endedListing are the deliveries of stores that are over, or only those that
// failed. Index: delivery_end_by_store, delivery_end_failed.
func (r *Reader) endedListing(stores []merchant.StoreID, mode merchant.Mode, failed bool) listing {
	g := r.listing("id")
	if failed {
		g.legs = failedLegs(stores, mode)
		return g
	}
	for _, id := range stores {
		g.legs = append(g.legs, leg{
			from: "delivery_end", index: "delivery_end_by_store", same: []string{"store_id", "mode"}, values: []string{string(id), string(mode)},
		})
	}
	return g
}

// dueSoon counts the payments whose deadline is near.
func (r *Reader) dueSoon(ctx context.Context, s Scope, stores []merchant.StoreID, now time.Time, soon time.Duration) (c Count, err error) {
	list, err := many(r, stores)
	if err != nil {
		return c, err
	}
	err = r.db.QueryRowContext(ctx, r.dueSoonQuery(), micros(now), micros(now.Add(soon)), MostCounted, string(s.Mode), list).Scan(&c.N)
	c.More = c.N >= MostCounted
	return c, err
}

// dueSoonQuery looks at the next deadlines, of whomever. Index:
// payment_by_deadline.
func (r *Reader) dueSoonQuery() string {
	return `select count(*) from (select store_id, mode from payment where deadline is not null and deadline > $1 and deadline <= $2
		order by deadline, key limit $3) as page where mode = $4 and ` + r.among("store_id", "text", 5)
}

// A Stage is a part of the way of money's news.
type Stage struct {
	N      int
	Median time.Duration // that it took; zero if it is not known
	Last   time.Time     // zero if there was none
}

// A Flow is how news goes through one channel: from its PG to what was sent
// to shops.
type Flow struct {
	Channel  merchant.ChannelKey
	Notices  Stage // that came; Median is how late after the PG's own time
	Applied  Stage // of them, those that moved a payment
	Webhooks Stage // made about its payments
	Answered Stage // of them, those that a shop took; Median is how long after they were made
	Cut      bool  // only the newest were looked at
	// Hours are the notices of each of the first hours since the time asked for; -1
	// where nobody looked.
	Hours [FlowHours]int
}

// Flows returns how news went through the channels of a scope since a time, in
// the channels' order. Of each channel's notices, and of all webhooks, the newest
// thousand or so are looked at.
func (r *Reader) Flows(ctx context.Context, s Scope, since time.Time) ([]Flow, error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return nil, err
	}
	channels, err := r.channelsOf(ctx, s, stores)
	if err != nil {
		return nil, err
	}
	out := make([]Flow, len(channels))
	at := make(map[merchant.ChannelKey]*Flow, len(channels))
	for i, c := range channels {
		out[i].Channel = c
		at[c] = &out[i]
		if err := r.noticesThrough(ctx, s, &out[i], since); err != nil {
			return nil, away(err)
		}
	}
	return out, away(r.webhooksThrough(ctx, s, stores, at, since))
}

// FlowHours is of how many hours a flow tells one by one.
const FlowHours = 24

// mostFlowing is how many notices of a channel are looked at.
const mostFlowing = 1000

// noticesThrough looks at the notices of a channel.
func (r *Reader) noticesThrough(ctx context.Context, s Scope, f *Flow, since time.Time) error {
	g := r.noticeListing(s, NoticeFilter{Channel: f.Channel, From: since}, nil)
	g.look = mostFlowing
	var late []time.Duration
	var oldest time.Time
	text, args := g.page(g.legs, false, g.least, g.most, mostFlowing)
	err := r.along(ctx, text, args, func(rows rowSet) error {
		_, n, err := scanNoticeRow(rows)
		if f.Notices.N++; f.Notices.N == 1 {
			f.Notices.Last = n.At
		}
		oldest = n.At
		if h := int(n.At.Sub(since) / time.Hour); h >= 0 && h < FlowHours {
			f.Hours[h]++
		}
		if n.Verdict == payment.Applied {
			if f.Applied.N++; f.Applied.N == 1 {
				f.Applied.Last = n.At
			}
			if d := n.At.Sub(n.Told); !n.Told.IsZero() && d >= 0 {
				late = append(late, d)
			}
		}
		return err
	})
	f.Notices.Median, f.Cut = quantile(late, 50), f.Notices.N >= mostFlowing
	if f.Cut {
		for h := range min(max(int(oldest.Sub(since)/time.Hour), 0), FlowHours) {
			f.Hours[h] = -1
		}
	}
	return err
}

// webhooksThrough looks at the webhooks of a scope.
func (r *Reader) webhooksThrough(ctx context.Context, s Scope, stores []merchant.StoreID, at map[merchant.ChannelKey]*Flow, since time.Time) error {
	g := DeliveryFilter{From: since}.listing(r, s, stores)
	took := make(map[merchant.ChannelKey][]time.Duration)
	n := 0
	for some := range slices.Chunk(g.legs, mostLegs) {
		text, args := g.page(some, false, g.least, g.most, MostCounted/2)
		if err := r.along(ctx, text, args, func(rows rowSet) error {
			_, d, err := scanDeliveryRow(rows)
			n++
			f, ok := at[d.Channel]
			if !ok {
				return err
			}
			f.Webhooks.add(d.CreatedAt)
			if d.State == webhook.Completed {
				f.Answered.add(d.EndedAt)
				took[d.Channel] = append(took[d.Channel], d.EndedAt.Sub(d.CreatedAt))
			}
			return err
		}); err != nil {
			return err
		}
	}
	for c, f := range at {
		f.Answered.Median = quantile(took[c], 50)
		f.Cut = f.Cut || n >= MostCounted/2
	}
	return nil
}

// add counts one more.
func (s *Stage) add(at time.Time) {
	s.N++
	if at.After(s.Last) {
		s.Last = at
	}
}

// quantile is the value below which so many of a hundred are; zero of none.
func quantile(list []time.Duration, of int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[(len(list)-1)*of/100]
}
