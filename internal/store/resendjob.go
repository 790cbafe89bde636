package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A resendDoc is the part of a job that is sealed.
type resendDoc struct {
	Filter webhook.ResendFilter `json:"filter"`
	Rate   int                  `json:"rate"`
	By     string               `json:"by"`
}

func resendContext(id webhook.ResendJobID) string { return "resend_job/" + string(id) }

const resendJobColumns = `id, state, expected, more, made, skipped, created_at, ended_at, ready_at, lease, doc`

// StartResends begins a job, which TakeResends then hands out. Its ID, state,
// times and counts are made here; what was made after now is not part of it.
func (s *Store) StartResends(ctx context.Context, j webhook.ResendJob, now time.Time, audit ...func(webhook.ResendJob) []member.Entry) (webhook.ResendJob, error) {
	j.ID, j.State, j.CreatedAt = webhook.ResendJobID(idMade(now)), webhook.ResendRunning, now
	if j.Filter.Until.IsZero() || j.Filter.Until.After(now) {
		j.Filter.Until = now
	}
	doc, err := json.Marshal(resendDoc{j.Filter, j.Rate, j.By})
	if err != nil {
		return j, &programError{err}
	}
	sealed, err := s.key.Seal(doc, resendContext(j.ID))
	if err != nil {
		return j, &programError{err}
	}
	from := firstID
	if !j.Filter.From.IsZero() {
		from = idAt(j.Filter.From)
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.must(`insert into resend_job (id, merchant_id, store_id, mode, state, upto, expected, more, made, skipped, created_at,
			ready_at, lease, doc) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $9, '', $10)`,
			string(j.ID), string(j.Filter.Merchant), string(j.Filter.Store), string(j.Filter.Mode), string(j.State), from,
			j.Expected, j.More, micros(now), sealed); err != nil {
			return err
		}
		t.due = true // somebody takes it up
		return t.audit(auditing(audit, j))
	})
	return j, err
}

// scanResendJob reads a row of resendJobColumns.
func (r *Reader) scanResendJob(rows scanner) (j webhook.ResendJob, err error) {
	var ended sql.NullInt64
	var created, ready int64
	var sealed []byte
	if err := rows.Scan(&j.ID, &j.State, &j.Expected, &j.More, &j.Made, &j.Skipped, &created, &ended, &ready, &j.Lease, &sealed); err != nil {
		return j, err
	}
	j.CreatedAt, j.EndedAt, j.Until = moment(created), momentOrZero(ended), moment(ready)
	var doc resendDoc
	if err := r.openJSON(sealed, resendContext(j.ID), &doc); err != nil {
		return j, err
	}
	j.Filter, j.Rate, j.By = doc.Filter, doc.Rate, doc.By
	return j, nil
}

var errNoResends = fault.Errorf(fault.NotFound, "there is no such resend, or it is too old to be kept")

// inScope is whose a job is: of the store alone, or of all, given $2 to $4.
const inScope = ` and merchant_id = $2 and ($3 = '' or store_id = $3) and mode = $4`

// ResendJob returns a job of a scope, and how far what it sent has come. It reports
// fault.NotFound if the scope has none.
func (r *Reader) ResendJob(ctx context.Context, s Scope, id webhook.ResendJobID) (j webhook.ResendJob, p webhook.ResendProgress, err error) {
	if !isID(string(id)) {
		return j, p, errNoResends
	}
	found := false
	// Index: resend_job_pkey.
	err = each(ctx, over(r.db), `select `+resendJobColumns+` from resend_job where id = $1`+inScope,
		[]any{string(id), string(s.Merchant), string(s.Store), string(s.Mode)}, func(rows rowSet) (err error) {
			found = true
			j, err = r.scanResendJob(rows)
			return err
		})
	switch {
	case err != nil:
		return j, p, away(err)
	case !found:
		return j, p, errNoResends
	}
	p, err = r.resendProgress(ctx, id)
	return j, p, away(err)
}

// resendProgress counts what became of a job's resends, one by one: a job has
// webhook.MostResent at most. Index: resend_made_pkey, delivery_end_pkey.
func (r *Reader) resendProgress(ctx context.Context, id webhook.ResendJobID) (p webhook.ResendProgress, err error) {
	err = each(ctx, over(r.db), `select coalesce(e.state, 'waiting'), count(*) from resend_made m left join delivery_end e on e.id = m.delivery_id
		where m.job_id = $1 and m.delivery_id is not null group by 1`, []any{string(id)}, func(rows rowSet) error {
		var state webhook.DeliveryState
		var n int
		err := rows.Scan(&state, &n)
		switch state {
		case webhook.Completed:
			p.Completed = n
		case webhook.Undone:
			p.Failed = n
		case webhook.Waiting, webhook.Held:
			p.Waiting = n
		}
		return err
	})
	return p, err
}

// ResendJobs lists the jobs of a scope, the newest first, at most 100.
// Index: resend_job_by_merchant.
func (r *Reader) ResendJobs(ctx context.Context, s Scope) (out []webhook.ResendJob, err error) {
	err = each(ctx, over(r.db), `select `+resendJobColumns+` from resend_job where merchant_id = $1 and ($2 = '' or store_id = $2) and mode = $3
		order by id desc limit 100`, []any{string(s.Merchant), string(s.Store), string(s.Mode)}, func(rows rowSet) error {
		j, err := r.scanResendJob(rows)
		out = append(out, j)
		return err
	})
	return out, away(err)
}

// A Resent is a webhook that a job sent again.
type Resent struct {
	Original webhook.DeliveryID
	Delivery webhook.DeliveryID    // the resend; empty if there may be none
	State    webhook.DeliveryState // of the resend
	Outcome  webhook.Outcome       // once it is over
	Payment  string                // the merchant's id of it; empty without one
	Type     webhook.Type
}

// Resent lists what a job of a scope sent again, in its order, from behind a first
// delivery on; failed leaves out what went well or is still sent. It reports
// fault.NotFound as ResendJob does.
func (r *Reader) Resent(ctx context.Context, s Scope, id webhook.ResendJobID, after webhook.DeliveryID, failed bool, size int) (out []Resent, err error) {
	if _, _, err := r.ResendJob(ctx, s, id); err != nil {
		return nil, err
	}
	if !isID(string(after)) {
		after = firstID
	}
	narrow := ""
	if failed {
		narrow = " and (m.delivery_id is null or e.state = 'failed')"
	}
	// Index: resend_made_pkey, delivery_pkey, delivery_end_pkey.
	err = each(ctx, over(r.db), `select m.original, m.delivery_id, coalesce(e.state, d.state, ''), coalesce(e.outcome, ''),
			coalesce(e.payment_id, d.payment_id, ''), coalesce(e.type, d.type, '')
		from resend_made m left join delivery_end e on e.id = m.delivery_id left join delivery d on d.id = m.delivery_id
		where m.job_id = $1 and m.original > $2`+narrow+` order by m.original limit $3`,
		[]any{string(id), string(after), min(max(size, 1), mostOnPage)}, func(rows rowSet) error {
			var one Resent
			var made sql.NullString
			err := rows.Scan(&one.Original, &made, &one.State, &one.Outcome, &one.Payment, &one.Type)
			one.Delivery = webhook.DeliveryID(made.String)
			out = append(out, one)
			return err
		})
	return out, away(err)
}

// StopResends ends a job; what it has not made is not made any more. It reports
// fault.NotFound if the merchant, the store if it is named, has no such job in the
// mode, and fault.Conflict if it is over.
func (s *Store) StopResends(ctx context.Context, id webhook.ResendJobID, m merchant.ID, st merchant.StoreID, mode merchant.Mode, now time.Time, audit ...func(webhook.ResendJob) []member.Entry) (webhook.ResendJob, error) {
	var j webhook.ResendJob
	if !isID(string(id)) {
		return j, errNoResends
	}
	err := s.write(ctx, func(t *tx) error {
		found := false
		err := t.each(`select `+resendJobColumns+` from resend_job where id = $1`+inScope+t.d.forUpdate,
			[]any{string(id), string(m), string(st), string(mode)}, func(rows rowSet) (err error) {
				found = true
				j, err = s.scanResendJob(rows)
				return err
			})
		switch {
		case err != nil:
			return err
		case !found:
			return errNoResends
		case j.State != webhook.ResendRunning:
			return fault.Errorf(fault.Conflict, "the resend is over: it is %s", j.State)
		}
		j.State, j.EndedAt = webhook.ResendStopped, now
		if err := t.must(`update resend_job set state = $2, ended_at = $3, lease = '' where id = $1`, string(id), string(j.State), micros(now)); err != nil {
			return err
		}
		return t.audit(auditing(audit, j))
	})
	return j, err
}

// firstResends is when the first job may be taken up. Index: resend_job_running.
const firstResends = `select min(ready_at) from resend_job where state = 'running'`

// TakeResends leases a job that runs and that nobody has at now, until a time. It
// is nil if there is none; next is when to look again then, zero for no time.
func (s *Store) TakeResends(ctx context.Context, now, until time.Time) (job *webhook.ResendJob, next time.Time, err error) {
	var at sql.NullInt64
	err = s.db.QueryRowContext(ctx, firstResends).Scan(&at)
	if next = momentOrZero(at); err != nil || !at.Valid || next.After(now) {
		return nil, next, away(err) // most looks find nothing, and write nothing
	}
	err = s.write(ctx, func(t *tx) error {
		job, next = nil, time.Time{}
		skip := ""
		if t.d.postgres {
			skip = " for update skip locked"
		}
		// Index: resend_job_running.
		if err := t.each(`select `+resendJobColumns+` from resend_job where state = 'running' and ready_at <= $1
			order by ready_at limit 1`+skip, []any{micros(now)}, func(rows rowSet) error {
			j, err := s.scanResendJob(rows)
			job = &j
			return err
		}); err != nil {
			return err
		}
		if job == nil {
			err := t.row(firstResends).Scan(&at)
			next = momentOrZero(at)
			return err
		}
		job.Lease, job.Until = webhook.Lease(uuid.NewString()), until
		return t.must(`update resend_job set lease = $2, ready_at = $3 where id = $1`, string(job.ID), string(job.Lease), micros(until))
	})
	return job, next, err
}

// GiveBackResends lets others take up a leased job at once.
func (s *Store) GiveBackResends(ctx context.Context, j webhook.ResendJob, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		t.due = true
		return t.must(`update resend_job set lease = '', ready_at = $3 where id = $1 and lease = $2`, string(j.ID), string(j.Lease), micros(now))
	})
}
