package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	// Pairs are compared as in noticesByChannelQuery. Index: attempt_by_endpoint backwards.
	triesQuery = `select at, outcome from attempt where endpoint_id >= $1 and (endpoint_id, id) < ($1, $2)
		order by endpoint_id desc, id desc limit $3`
	// The last good one of some. Index: attempt_by_endpoint backwards.
	lastGoodQuery = `select max(at) from (` + triesQuery + `) as page where outcome = 'good'`
	// Index: attempt_by_endpoint backwards.
	lastTryQuery = `select id from attempt where endpoint_id >= $1 and (endpoint_id, id) < ($1, $2) order by endpoint_id desc, id desc limit 1`
	// Index: attempt_pkey, attempt_body_pkey.
	oneAttemptQuery = attemptColumnsOf + ` from attempt a left join attempt_body b on b.id = a.id where a.id = $1`
)

// How many tries of an endpoint are looked at: the last ones, and more if none of them
// was good.
const (
	lastTries = 50
	goodTries = 1000
)

// Tries are the last 50 tries of an endpoint, and when it last took one: among the last
// 1,000.
func (r *Reader) Tries(ctx context.Context, id webhook.EndpointID) (t webhook.Tries, err error) {
	err = each(ctx, over(r.db), triesQuery, []any{string(id), behindAll, lastTries}, func(rows rowSet) error {
		var one webhook.Tried
		var at int64
		err := rows.Scan(&at, &one.Outcome)
		one.At = moment(at)
		if one.Outcome == webhook.Good && t.LastGood.IsZero() {
			t.LastGood = one.At
		}
		t.Last = append(t.Last, one)
		return err
	})
	if err != nil || !t.LastGood.IsZero() || len(t.Last) < lastTries {
		return t, away(err)
	}
	var at sql.NullInt64
	err = r.db.QueryRowContext(ctx, lastGoodQuery, string(id), behindAll, goodTries).Scan(&at)
	t.LastGood = momentOrZero(at)
	return t, away(err)
}

// Certificate is until when the certificate is valid that an endpoint showed at its last
// try; zero if it showed none, or what it showed is no longer kept.
func (r *Reader) Certificate(ctx context.Context, id webhook.EndpointID) (time.Time, error) {
	var last string
	err := r.db.QueryRowContext(ctx, lastTryQuery, string(id), behindAll).Scan(&last)
	if isNoRows(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, away(err)
	}
	list, err := r.attempts(ctx, oneAttemptQuery, last)
	if err != nil || len(list) == 0 {
		return time.Time{}, away(err)
	}
	return list[0].Trace.Certificate, nil
}
