package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

const deliveryColumns = `id, event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id, url, target,
	content_type, body, schedule, state, tries, due_at, manual, original, created_at`

func scanDelivery(rows interface{ Scan(...any) error }) (d webhook.Delivery, err error) {
	var paymentKey, endpoint, original sql.NullString
	var due, created int64
	err = rows.Scan(&d.ID, &d.Event, &paymentKey, &d.PaymentID, &d.Channel, &d.Merchant, &d.Store,
		&d.Mode, &d.Type, &endpoint, &d.URL, &d.Target,
		&d.ContentType, &d.Body, &d.Schedule, &d.State, &d.Tries, &due, &d.Manual, &original, &created)
	d.Payment, d.Endpoint = keyOf(paymentKey), webhook.EndpointID(endpoint.String)
	d.Original = webhook.DeliveryID(original.String)
	d.DueAt, d.CreatedAt = moment(due), moment(created)
	return d, err
}

// Claim leases deliveries that are due at now: at most total, and at most
// free(target, taken) of each target, where taken are the jobs of the claim so
// far. First tries go ahead of retries, the earliest due first. Until the lease
// ends no other caller gets them; when it ends without an outcome they are due
// again. An endpoint that is paused is passed over: its deliveries wait.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, total int, free func(target string, taken []webhook.Job) int) (webhook.Claim, error) {
	var out webhook.Claim
	err := s.write(ctx, func(t *tx) error {
		out = webhook.Claim{}
		var err error
		if out.Version, err = t.settingsVersion(); err != nil {
			return err
		}
		targets, err := t.unpaused()
		if err != nil {
			return err
		}
		token := uuid.NewString()
		// Each claim begins with another target, so that scarce room does not
		// always go to the same ones.
		turn := 0
		if len(targets) > 0 {
			turn = int(s.turn.Add(1)) % len(targets)
		}
		for _, target := range slices.Concat(targets[turn:], targets[:turn]) {
			n := min(free(target, out.Jobs), total-len(out.Jobs))
			if n <= 0 {
				continue
			}
			jobs, err := t.claimOf(target, now, now.Add(lease), token, n)
			if err != nil {
				return err
			}
			out.Jobs = append(out.Jobs, jobs...)
		}
		out.Next, err = t.nextReady(targets)
		return err
	})
	return out, err
}

// unpaused lists the targets that have deliveries waiting, without the
// endpoints that are paused.
func (t *tx) unpaused() ([]string, error) {
	list, err := t.targets()
	if err != nil {
		return nil, err
	}
	paused := make(map[string]bool)
	if err := t.each(`select id from endpoint where paused`, nil, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		paused[id] = true
		return err
	}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(target string) bool { return paused[target] }), nil
}

// targets lists who has deliveries waiting, by hopping along the index
// instead of reading it.
func (t *tx) targets() ([]string, error) {
	var out []string
	// Index: delivery_ready.
	err := t.each(`with recursive hop (target) as (
			select (select target from delivery where state = 'waiting' order by target limit 1)
			union all
			select (select target from delivery where state = 'waiting' and target > hop.target order by target limit 1)
			from hop where hop.target is not null)
		select target from hop where target is not null`, nil, func(rows *sql.Rows) error {
		var s string
		err := rows.Scan(&s)
		out = append(out, s)
		return err
	})
	return out, err
}

func (t *tx) claimOf(target string, now, until time.Time, token string, n int) ([]webhook.Job, error) {
	var jobs []webhook.Job
	for _, l := range []int{0, 1} { // the lanes: first tries, retries
		if len(jobs) >= n {
			break
		}
		skip := ""
		if t.d.postgres {
			skip = " for update skip locked"
		}
		// Index: delivery_ready.
		if err := t.each(`select `+deliveryColumns+` from delivery
			where state = 'waiting' and target = $1 and lane = $2 and ready_at <= $3
			order by ready_at limit $4`+skip, []any{target, l, micros(now), n - len(jobs)}, func(rows *sql.Rows) error {
			d, err := scanDelivery(rows)
			jobs = append(jobs, webhook.Job{Delivery: d, Lease: webhook.Lease(token)})
			return err
		}); err != nil {
			return nil, err
		}
	}
	for _, j := range jobs {
		if err := t.must(`update delivery set lease = $2, ready_at = $3 where id = $1`,
			string(j.ID), token, micros(until)); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// nextReady is when the next delivery becomes ready. Leases count too: one may
// run out without an outcome.
func (t *tx) nextReady(targets []string) (time.Time, error) {
	next := never
	for _, target := range targets {
		for _, l := range []int{0, 1} {
			var ready sql.NullInt64
			// Index: delivery_ready.
			if err := t.row(`select min(ready_at) from delivery where state = 'waiting' and target = $1 and lane = $2`,
				target, l).Scan(&ready); err != nil {
				return time.Time{}, err
			}
			if ready.Valid && moment(ready.Int64).Before(next) {
				next = moment(ready.Int64)
			}
		}
	}
	if next.Equal(never) {
		return time.Time{}, nil
	}
	return next, nil
}

// Finish records attempts with their consequences in one transaction. The
// i-th error is fault.Conflict if that job's lease has been lost: nothing was
// changed for it. The second error says that nothing was written at all.
func (s *Store) Finish(ctx context.Context, list []webhook.Finish) ([]error, error) {
	var errs []error
	err := s.write(ctx, func(t *tx) error {
		errs = make([]error, len(list))
		for _, i := range byDelivery(list) {
			f := list[i]
			lost, err := t.finish(f)
			if err != nil {
				return err
			}
			if lost {
				errs[i] = fault.Errorf(fault.Conflict, "delivery %s: the lease was lost", f.Job.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return errs, nil
}

// byDelivery is the order in which rows are locked: the same for everybody, so
// that no two transactions wait for each other.
func byDelivery(list []webhook.Finish) []int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[a].Job.ID, list[b].Job.ID) })
	return order
}

func (t *tx) finish(f webhook.Finish) (lost bool, err error) {
	var rows int64
	if f.Next.IsZero() {
		rows, err = t.endDelivery(f)
	} else {
		rows, err = t.exec(`update delivery set tries = $3, lane = 1, due_at = $4, ready_at = $4, lease = null
			where id = $1 and lease = $2`, string(f.Job.ID), string(f.Job.Lease), f.Attempt.Number, micros(f.Next))
		t.due = true
	}
	if err != nil || rows == 0 {
		return rows == 0 && err == nil, err
	}
	if err := t.putAttempt(f.Attempt); err != nil {
		return false, err
	}
	if f.Attention != nil {
		return false, t.emit([]webhook.Emission{*f.Attention}, "")
	}
	return false, nil
}

// endDelivery moves a delivery from what waits to what is over.
func (t *tx) endDelivery(f webhook.Finish) (int64, error) {
	rows, err := t.exec(`insert into delivery_end (id, event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id,
			url, target, content_type, body, schedule, state, tries, manual, original, created_at, ended_at, outcome)
		select id, event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id, url, target, content_type, body,
			schedule, $3, $4, manual, original, created_at, $5, $6
		from delivery where id = $1 and lease = $2`,
		string(f.Job.ID), string(f.Job.Lease), string(f.State), f.Attempt.Number,
		micros(f.Attempt.At.Add(f.Attempt.Took)), string(f.Attempt.Outcome))
	if err != nil || rows == 0 {
		return rows, err
	}
	return t.exec(`delete from delivery where id = $1`, string(f.Job.ID))
}

// keptExchange is a request and its answer as they are sealed.
type keptExchange struct {
	RequestHeader  string `json:"requestHeader"`
	RequestBody    []byte `json:"requestBody"`
	ResponseHeader string `json:"responseHeader,omitempty"`
	ResponseBody   []byte `json:"responseBody,omitempty"`
	Truncated      bool   `json:"truncated,omitempty"`
}

func (t *tx) putAttempt(a webhook.Attempt) error {
	if err := t.must(`insert into attempt (id, delivery_id, webhook_id, number, at, took, url, outcome, status, error)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		string(a.ID), string(a.Delivery), string(a.Webhook), a.Number, micros(a.At), a.Took.Microseconds(), text(a.URL),
		string(a.Outcome), a.Status, text(a.Error)); err != nil {
		return err
	}
	b, err := json.Marshal(keptExchange{a.RequestHeader, a.RequestBody, a.ResponseHeader, a.ResponseBody, a.Truncated})
	if err != nil {
		return err
	}
	sealed, err := t.s.key.Seal(b, "attempt_body/"+string(a.ID))
	if err != nil {
		return err
	}
	return t.must(`insert into attempt_body (id, exchange) values ($1, $2)`, string(a.ID), sealed)
}

// freeLeases makes what a dead server had leased due again. Only a SQLite
// database that is held exclusively may do so: there is no other server.
func (s *Store) freeLeases(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`update delivery set lease = null, ready_at = due_at where lease is not null`)
		t.due = n > 0
		return err
	})
}
