package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// How much is looked at at once: of each table and store.
const resendsLooked = 500

// A candidates is where deliveries are looked for that a filter means.
type candidates struct {
	r      *Reader
	q      querier
	f      webhook.ResendFilter
	stores []merchant.StoreID
}

// candidateColumns are those of a webhook.Candidate.
const candidateColumns = `id, merchant_id, store_id, mode, endpoint_id, target, type, state, tries, original, created_at`

// next is what the filter means of the deliveries behind an id, in order, and how
// far it has looked; done says that there is nothing behind. It looks at 500 rows of
// each store at most. Index: delivery_pkey, delivery_end_by_store or
// delivery_end_failed, attempt_by_webhook.
func (c candidates) next(ctx context.Context, after webhook.DeliveryID) (list []webhook.Candidate, upto webhook.DeliveryID, done bool, err error) {
	end := lastID
	if !c.f.Until.IsZero() {
		end = idAt(c.f.Until.Add(time.Millisecond))
	}
	upto, done = webhook.DeliveryID(end), true
	look := func(query string, args ...any) error {
		n := 0
		var last webhook.DeliveryID
		err := each(ctx, c.q, query, args, func(rows rowSet) error {
			one, err := scanCandidate(rows)
			n, last = n+1, one.ID
			if c.f.Takes(one) {
				list = append(list, one)
			}
			return err
		})
		if n == resendsLooked { // nothing behind is known
			upto, done = min(upto, last), false
		}
		return err
	}
	// What waits is looked at first: it may end meanwhile, and is then seen twice.
	if c.f.Kind != webhook.ResendFailed {
		if err := look(`select `+candidateColumns+` from delivery where id > $1 and id < $2 order by id limit $3`,
			string(after), end, resendsLooked); err != nil {
			return nil, "", false, err
		}
	}
	narrow := ""
	if c.f.Kind != webhook.ResendAll {
		narrow = " and state = 'failed'"
	}
	for _, s := range c.stores {
		if err := look(`select `+candidateColumns+` from delivery_end where store_id = $1 and mode = $2`+narrow+`
			and id > $3 and id < $4 order by id limit $5`, string(s), string(c.f.Mode), string(after), end, resendsLooked); err != nil {
			return nil, "", false, err
		}
	}
	list = slices.DeleteFunc(list, func(x webhook.Candidate) bool { return x.ID > upto })
	if list, err = c.missed(ctx, list); err != nil {
		return nil, "", false, err
	}
	slices.SortFunc(list, func(a, b webhook.Candidate) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b webhook.Candidate) bool { return a.ID == b.ID }), upto, done, nil
}

// missed leaves out what some try brought over, if the filter asks for that.
func (c candidates) missed(ctx context.Context, list []webhook.Candidate) ([]webhook.Candidate, error) {
	if c.f.Kind != webhook.ResendMissed || len(list) == 0 {
		return list, nil
	}
	ids := make([]webhook.DeliveryID, len(list))
	for i, x := range list {
		ids[i] = x.ID
	}
	arg, err := many(c.r, ids)
	if err != nil {
		return nil, err
	}
	received := make(map[webhook.DeliveryID]bool)
	// Index: attempt_by_webhook.
	if err := each(ctx, c.q, `select webhook_id from attempt where `+c.r.among("webhook_id", "uuid", 1)+` and outcome = 'good'`, []any{arg},
		func(rows rowSet) error {
			var id webhook.DeliveryID
			err := rows.Scan(&id)
			received[id] = true
			return err
		}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(x webhook.Candidate) bool {
		x.Received = received[x.ID]
		return !c.f.Takes(x)
	}), nil
}

func scanCandidate(rows rowSet) (c webhook.Candidate, err error) {
	var endpoint, original sql.NullString
	var created int64
	err = rows.Scan(&c.ID, &c.Merchant, &c.Store, &c.Mode, &endpoint, &c.Target, &c.Type, &c.State, &c.Tries, &original, &created)
	c.Endpoint, c.Resend, c.At = webhook.EndpointID(endpoint.String), original.Valid, moment(created)
	return c, err
}

// storesOfFilter are the stores that a filter speaks of.
func (r *Reader) storesOfFilter(ctx context.Context, f webhook.ResendFilter) ([]merchant.StoreID, error) {
	return r.storesOf(ctx, Scope{Merchant: f.Merchant, Store: f.Store, Mode: f.Mode})
}

// How far a preview counts, and how many steps it looks for it.
const (
	mostPreviewed = MostCounted
	mostPreviews  = 400
)

// ResendPreview counts what a filter means, up to 10,000.
func (r *Reader) ResendPreview(ctx context.Context, f webhook.ResendFilter) (p webhook.ResendPreview, err error) {
	stores, err := r.storesOfFilter(ctx, f)
	if err != nil {
		return p, err
	}
	c := candidates{r: r, q: over(r.db), f: f, stores: stores}
	after := webhook.DeliveryID(firstID)
	if !f.From.IsZero() {
		after = webhook.DeliveryID(idAt(f.From))
	}
	by := make(map[string]*webhook.TargetCount)
	for range mostPreviews {
		list, upto, done, err := c.next(ctx, after)
		if err != nil {
			return p, away(err)
		}
		for _, one := range list {
			if p.N == mostPreviewed {
				p.More = true
				return sorted(p, by), nil
			}
			if p.N++; p.N == 1 {
				p.Oldest = one.At
			}
			p.Newest = one.At
			if by[one.Target] == nil {
				by[one.Target] = &webhook.TargetCount{Endpoint: one.Endpoint, Target: one.Target}
			}
			by[one.Target].N++
		}
		if after = upto; done {
			return sorted(p, by), nil
		}
	}
	p.More = true
	return sorted(p, by), nil
}

func sorted(p webhook.ResendPreview, by map[string]*webhook.TargetCount) webhook.ResendPreview {
	for _, one := range by {
		p.Targets = append(p.Targets, *one)
	}
	slices.SortFunc(p.Targets, func(a, b webhook.TargetCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Target, b.Target))
	})
	return p
}

// StepResends makes up to n of a job's resends, each due when the pace says, in the
// transaction that notes how far the job has come: so each webhook is sent again
// once, whoever dies when. It keeps the lease until a time, and ends the job when
// nothing is left. pace is left as it is; the step's is returned. It reports
// fault.Conflict, and changes nothing, if the job was stopped or its lease lost.
func (s *Store) StepResends(ctx context.Context, j webhook.ResendJob, n int, pace webhook.Pace, now, until time.Time) (webhook.ResendStep, webhook.Pace, error) {
	var out webhook.ResendStep
	var after webhook.Pace
	stores, err := s.storesOfFilter(ctx, j.Filter)
	if err != nil {
		return out, pace, err
	}
	err = s.write(ctx, func(t *tx) error {
		after = webhook.Pace{Rate: pace.Rate, Next: maps.Clone(pace.Next)}
		var upto webhook.DeliveryID
		found, err := t.has(`select upto, made, skipped from resend_job where id = $1 and lease = $2 and state = 'running'`+t.d.forUpdate,
			[]any{string(j.ID), string(j.Lease)}, &upto, &j.Made, &j.Skipped)
		switch {
		case err != nil:
			return err
		case !found:
			return fault.Errorf(fault.Conflict, "the resend was stopped, or another node goes on with it")
		}
		c := candidates{r: s.Reader, q: t.q, f: j.Filter, stores: stores}
		list, next, done, err := c.next(t.ctx, upto)
		if err != nil {
			return err
		}
		if most := min(n, webhook.MostResent-j.Made); len(list) > most {
			list, done = list[:most], j.Made+most == webhook.MostResent
			if next = upto; most > 0 {
				next = list[most-1].ID
			}
		}
		out = webhook.ResendStep{Job: j, Again: now}
		for _, one := range list {
			if err := t.resendOf(&out, one, after, now); err != nil {
				return err
			}
		}
		return t.noteResends(&out, next, done, now, until)
	})
	return out, after, err
}

// resendOf makes the resend of a candidate, unless this job has made it.
func (t *tx) resendOf(step *webhook.ResendStep, one webhook.Candidate, pace webhook.Pace, now time.Time) error {
	// Index: resend_made_pkey.
	before, err := t.has(`select 1 from resend_made where job_id = $1 and original = $2`, []any{string(step.Job.ID), string(one.ID)}, new(int))
	if err != nil || before {
		return err
	}
	d, _, err := t.delivery(webhook.Which{ID: one.ID, Merchant: one.Merchant, Store: one.Store, Mode: one.Mode}, "")
	if err != nil {
		return err
	}
	var made sql.NullString
	again, err := t.resendOne(d, func(again *webhook.Delivery) error {
		again.CreatedAt, again.DueAt = now, pace.Take(one.Target, now)
		return nil
	})
	switch {
	case errors.Is(err, webhook.ErrTooManyResends):
		step.Job.Skipped++
	case err != nil:
		return err
	default:
		made = sql.NullString{String: string(again.ID), Valid: true}
		step.Job.Made++
		step.Made++
	}
	return t.must(`insert into resend_made (job_id, original, delivery_id, at) values ($1, $2, $3, $4)`, string(step.Job.ID), string(one.ID), made,
		micros(now))
}

// noteResends writes how far a job has come, and ends it if it is done.
func (t *tx) noteResends(step *webhook.ResendStep, upto webhook.DeliveryID, done bool, now, until time.Time) error {
	j := &step.Job
	var ended sql.NullInt64
	lease, ready := j.Lease, until
	if done {
		j.State, j.EndedAt, step.Again = webhook.ResendDone, now, time.Time{}
		ended, lease, ready = sql.NullInt64{Int64: micros(now), Valid: true}, "", now
	}
	return t.must(`update resend_job set state = $2, upto = $3, made = $4, skipped = $5, ended_at = $6, lease = $7, ready_at = $8 where id = $1`,
		string(j.ID), string(j.State), string(upto), j.Made, j.Skipped, ended, string(lease), micros(ready))
}
