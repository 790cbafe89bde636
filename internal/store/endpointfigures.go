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
func (r *Reader) EndpointFigures(ctx context.Context, id webhook.EndpointID) (webhook.Figures, error) {
	var list []webhook.TimedTry
	err := each(ctx, over(r.db), figuresQuery, []any{string(id), behindAll, figuredTries}, func(rows rowSet) error {
		var at, took int64
		var one webhook.TimedTry
		err := rows.Scan(&at, &took, &one.Outcome)
		one.At, one.Took = moment(at), time.Duration(took)*time.Microsecond
		list = append(list, one)
		return err
	})
	return webhook.FiguresOf(list), away(err)
}
