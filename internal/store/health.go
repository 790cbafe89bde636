package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Bucket is what became of the deliveries that were made in some time.
type Bucket struct {
	From      time.Time
	Completed int
	Retrying  int // tried in vain, and to be tried again
	Failed    int
	// P50 and P95 are how long half of the answered tries took, and 95 of a
	// hundred, by a sample; zero if there was none.
	P50, P95 time.Duration
}

// A Health is how deliveries went, in buckets, the oldest first.
type Health struct {
	Step    time.Duration
	Buckets []Bucket
	// Since is set if only what came since was looked at: before it buckets are
	// empty since nobody looked.
	Since time.Time
}

// mostBuckets bounds how finely a time is cut.
const mostBuckets = 400

// DeliveryHealth returns how the deliveries of a scope went that were made
// between two times, in steps; of one endpoint alone if one is named. At most five
// times MostFigured deliveries are looked at, of an endpoint MostFigured, the
// newest; and in each bucket the newest 40 tries, of whomever.
func (r *Reader) DeliveryHealth(ctx context.Context, s Scope, e webhook.EndpointID, from, until time.Time, step time.Duration) (h Health, err error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return h, err
	}
	h.Step = max(step, until.Sub(from)/mostBuckets, time.Second)
	for at := from.Truncate(h.Step); at.Before(until); at = at.Add(h.Step) {
		h.Buckets = append(h.Buckets, Bucket{From: at})
	}
	if len(h.Buckets) == 0 || len(stores) == 0 {
		return h, nil
	}
	from = h.Buckets[0].From
	if err := r.endedIn(ctx, &h, stores, s.Mode, e, from, until); err != nil {
		return h, away(err)
	}
	if err := r.retriedIn(ctx, &h, s, e, from, until); err != nil {
		return h, away(err)
	}
	for i := range h.Buckets {
		if h.Buckets[i].Completed+h.Buckets[i].Retrying+h.Buckets[i].Failed == 0 {
			continue
		}
		if err := r.sampleTries(ctx, &h.Buckets[i], h.Step, s, stores, e); err != nil {
			return h, away(err)
		}
	}
	return h, nil
}

// bucket is the one that an id was made in; nil if it is in none.
func (h *Health) bucket(id string) *Bucket {
	at, err := timeOf(id)
	if err != nil {
		return nil
	}
	if i := int(at.Sub(h.Buckets[0].From) / h.Step); i >= 0 && i < len(h.Buckets) && !at.Before(h.Buckets[0].From) {
		return &h.Buckets[i]
	}
	return nil
}

// endedIn counts what is over. Of all endpoints ids tell enough, and the index
// has those; of one endpoint the rows are looked at.
func (r *Reader) endedIn(ctx context.Context, h *Health, stores []merchant.StoreID, mode merchant.Mode, e webhook.EndpointID, from, until time.Time) error {
	for _, failed := range []bool{false, true} {
		g := r.endedListing(stores, mode, failed)
		g.columns, g.least, g.most = "id", []any{idAt(from)}, []any{idAt(until)}
		limit := 5 * MostFigured
		if e != "" {
			g.shown, g.columns, g.look, limit = "id", "id, endpoint_id", MostFigured, MostFigured
			g.narrow("t.endpoint_id = $1", string(e))
			last, _, err := r.reached(ctx, g, false, g.least, g.most)
			if err != nil {
				return err
			}
			if last != nil {
				g.least = last
				if err := h.since(fmt.Sprint(last[0])); err != nil {
					return err
				}
			}
		}
		n, oldest := 0, ""
		for some := range slices.Chunk(g.legs, mostLegs) {
			text, args := g.page(some, false, g.least, g.most, limit)
			if err := r.along(ctx, text, args, func(rows rowSet) error {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				n, oldest = n+1, id
				b := h.bucket(id)
				switch {
				case b == nil:
				case failed:
					b.Failed, b.Completed = b.Failed+1, max(0, b.Completed-1)
				default:
					b.Completed++
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if n >= limit {
			if err := h.since(oldest); err != nil {
				return err
			}
		}
	}
	return nil
}

// since notes from when on was looked.
func (h *Health) since(id string) error {
	at, err := timeOf(id)
	if err == nil && at.After(h.Since) {
		h.Since = at
	}
	return err
}

// retriedIn counts what was tried in vain and waits.
func (r *Reader) retriedIn(ctx context.Context, h *Health, s Scope, e webhook.EndpointID, from, until time.Time) error {
	f := DeliveryFilter{States: []webhook.DeliveryState{webhook.Waiting, webhook.Held}, Endpoint: e}
	g := f.listing(r, s, []merchant.StoreID{s.Store})
	g.least, g.most = []any{idAt(from)}, []any{idAt(until)}
	g.narrow("t.tries > 0")
	text, args := g.page(g.legs, false, g.least, g.most, MostCounted)
	return r.along(ctx, text, args, func(rows rowSet) error {
		_, d, err := scanDeliveryRow(rows)
		if b := h.bucket(string(d.ID)); b != nil {
			b.Retrying++
		}
		return err
	})
}

// triesSampled is how many tries of a bucket are looked at.
const triesSampled = 40

// sampleTries looks at the newest tries of a bucket.
func (r *Reader) sampleTries(ctx context.Context, b *Bucket, step time.Duration, s Scope, stores []merchant.StoreID, e webhook.EndpointID) error {
	var took []time.Duration
	err := each(ctx, over(r.db), sampleQuery, []any{idAt(b.From), idAt(b.From.Add(step)), triesSampled, string(s.Mode)}, func(rows rowSet) error {
		var us int64
		var status int
		var store merchant.StoreID
		var endpoint webhook.EndpointID
		err := rows.Scan(&us, &status, &store, &endpoint)
		if status != 0 && slices.Contains(stores, store) && (e == "" || e == endpoint) {
			took = append(took, time.Duration(us)*time.Microsecond)
		}
		return err
	})
	b.P50, b.P95 = quantile(took, 50), quantile(took, 95)
	return err
}

// sampleQuery reads the newest tries between two ids, with whose they are.
// Index: attempt_pkey, delivery_end_pkey, delivery_pkey.
const sampleQuery = `select took, status, store_id, coalesce(endpoint, '') from
		(select page.took, page.status, coalesce(e.store_id, d.store_id, '') as store_id, coalesce(e.mode, d.mode) as mode,
			cast(coalesce(e.endpoint_id, d.endpoint_id) as text) as endpoint
		from (select delivery_id, took, status from attempt where id >= $1 and id < $2 order by id desc limit $3) as page
		left join delivery_end e on e.id = page.delivery_id left join delivery d on d.id = page.delivery_id) as t where mode = $4`
