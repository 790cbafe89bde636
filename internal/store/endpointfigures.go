package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// figuredTries is how many tries the figures of an endpoint are made of.
const figuredTries = 500

// figuresQuery is as triesQuery. Index: attempt_by_endpoint backwards.
const figuresQuery = `select at, took, outcome from attempt where endpoint_id >= $1 and (endpoint_id, id) < ($1, $2)
	order by endpoint_id desc, id desc limit $3`

// EndpointFigures sums up the last 500 tries of an endpoint.
func (r *Reader) EndpointFigures(ctx context.Context, id webhook.EndpointID) (f webhook.Figures, err error) {
	var good []time.Duration
	err = each(ctx, over(r.db), figuresQuery, []any{string(id), behindAll, figuredTries}, func(rows rowSet) error {
		var at, took int64
		var outcome webhook.Outcome
		err := rows.Scan(&at, &took, &outcome)
		f.Tries, f.Since = f.Tries+1, moment(at)
		if outcome == webhook.Good {
			f.Good++
			good = append(good, time.Duration(took)*time.Microsecond)
		}
		return err
	})
	f.P50, f.P95 = webhook.Percentile(good, 50), webhook.Percentile(good, 95)
	return f, away(err)
}
