package store

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// AttentionQueries are the statements by which it is found what needs a person.
func (r *Reader) AttentionQueries(m merchant.ID, stores []merchant.StoreID, mode merchant.Mode, since time.Time, e webhook.EndpointID) []Query {
	var out []Query
	once := true
	add := func(text string, args []any) { out = append(out, Query{text, args, once}) }
	refused, undone := r.troubles(since, refusedLegs(m, mode)...), r.troubles(since, undoneLegs(stores, mode)...)
	add(r.refusalsQuery(refused))
	add(refused.overfullQuery())
	add(r.undoneQuery(undone))
	add(undone.overfullQuery())
	add(r.unnoticedQuery(m, mode, since))
	add(r.raisedQuery(m, mode, since, 500))
	once = false
	add(casesQuery, []any{string(m), firstID, 100, string(mode)})
	add(outstandingsQuery, []any{1000, string(m), string(mode)})
	add(triesQuery, []any{string(e), behindAll, lastTries})
	add(lastGoodQuery, []any{string(e), behindAll, 1000})
	add(lastTryQuery, []any{string(e), behindAll})
	add(oneAttemptQuery, []any{firstID})
	add(acksQuery, []any{string(m), string(mode), behindAll, firstID, 1000})
	return out
}
