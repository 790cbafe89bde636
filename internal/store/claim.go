package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Claim leases deliveries that are due at now: at most total, and at most
// free(target, taken) of each target, where taken are the jobs of the claim so
// far. First tries go ahead of retries, the earliest due first. Until the lease
// ends no other caller gets them; when it ends without an outcome they are due
// again. An endpoint that is paused is passed over: its deliveries wait.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, total int, free func(target string, taken []webhook.Job) int) (webhook.Claim, error) {
	var out webhook.Claim
	err := s.write(ctx, func(t *tx) error {
		out = webhook.Claim{}
		targets, err := t.unpaused()
		if err != nil {
			return err
		}
		// Each claim begins with another target, so that scarce room does not
		// always go to the same ones.
		turn := 0
		if len(targets) > 0 {
			turn = int(s.turn.Add(1)) % len(targets)
		}
		c := claiming{tx: t, now: now, until: now.Add(lease), lease: webhook.Lease(uuid.NewString()), total: total, free: free}
		if err := c.from(slices.Concat(targets[turn:], targets[:turn])); err != nil {
			return err
		}
		out.Next, err = t.nextReady(targets)
		out.Version, out.Jobs = t.version, c.jobs
		return err
	})
	return out, err
}

// unpaused lists the targets that have deliveries waiting, without the
// endpoints that are paused. Before that it reads the settings' version.
func (t *tx) unpaused() (list []string, err error) {
	if err := t.soon(versionQuery, nil, func(rows rowSet) error { return rows.Scan(&t.version) }); err != nil {
		return nil, err
	}
	if err := t.targets(&list); err != nil {
		return nil, err
	}
	paused := make(map[string]bool)
	if err := t.each(`select id from endpoint where paused`, nil, func(rows rowSet) error {
		var id string
		err := rows.Scan(&id)
		paused[id] = true
		return err
	}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(target string) bool { return paused[target] }), nil
}

// targets lists who has deliveries waiting, once it is sent, by hopping along
// the index instead of reading it.
func (t *tx) targets(list *[]string) error {
	// Index: delivery_ready.
	return t.soon(`with recursive hop (target) as (
			select (select target from delivery where state = 'waiting' order by target limit 1)
			union all
			select (select target from delivery where state = 'waiting' and target > hop.target order by target limit 1)
			from hop where hop.target is not null)
		select target from hop where target is not null`, nil, func(rows rowSet) error {
		var s string
		err := rows.Scan(&s)
		*list = append(*list, s)
		return err
	})
}

// A claiming is one claim under way.
type claiming struct {
	*tx
	now, until time.Time
	lease      webhook.Lease
	total      int
	free       func(target string, taken []webhook.Job) int
	jobs       []webhook.Job // what was leased; on PostgreSQL once it is sent
}

// from leases what is due of the targets, in their order.
func (c *claiming) from(targets []string) (err error) {
	if c.d.postgres {
		return c.together(targets)
	}
	for _, target := range targets {
		n := min(c.free(target, c.jobs), c.total-len(c.jobs))
		if n <= 0 {
			continue
		}
		if c.jobs, err = c.of(target, n, c.jobs); err != nil {
			return err
		}
	}
	for _, j := range c.jobs {
		if err := c.must(`update delivery set lease = $2, ready_at = $3 where id = $1`,
			string(j.ID), string(c.lease), micros(c.until)); err != nil {
			return err
		}
	}
	return nil
}

// of adds up to n due deliveries of a target: first tries, then retries.
func (c *claiming) of(target string, n int, jobs []webhook.Job) ([]webhook.Job, error) {
	most := len(jobs) + n
	for _, l := range []int{0, 1} {
		if len(jobs) >= most {
			break
		}
		// Index: delivery_ready.
		if err := c.each(`select `+deliveryColumns+` from delivery
			where state = 'waiting' and target = $1 and lane = $2 and ready_at <= $3
			order by ready_at limit $4`, []any{target, l, micros(c.now), most - len(jobs)}, func(rows rowSet) error {
			d, err := scanDelivery(rows)
			jobs = append(jobs, c.job(d))
			return err
		}); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func (c *claiming) job(d webhook.Delivery) webhook.Job {
	return webhook.Job{Delivery: d, Lease: c.lease, Until: c.until}
}

// together is from for PostgreSQL: one question finds what may be taken of all
// targets, passing over what others hold, and one statement leases what is
// taken of it.
func (c *claiming) together(targets []string) error {
	rooms := make([]int64, len(targets))
	for i, target := range targets {
		rooms[i] = int64(min(c.free(target, nil), c.total))
	}
	due, err := c.due(targets, rooms)
	if err != nil {
		return err
	}
	var taken []webhook.Job
	for _, target := range targets {
		n := min(c.free(target, taken), c.total-len(taken), len(due[target]))
		taken = append(taken, due[target][:max(n, 0)]...)
	}
	if len(taken) == 0 {
		return nil
	}
	ids := make([]string, len(taken))
	for i, j := range taken {
		ids[i] = string(j.ID)
	}
	// Index: delivery_pkey.
	return c.soon(`update delivery set lease = $2, ready_at = $3 where id = any ($1::uuid[]) returning `+deliveryColumns,
		[]any{ids, string(c.lease), micros(c.until)}, func(rows rowSet) error {
			d, err := scanDelivery(rows)
			c.jobs = append(c.jobs, c.job(d))
			return err
		})
}

// due finds what is due of each target, as far as there is room: first tries,
// then retries. Of its jobs only what due reads is set.
func (c *claiming) due(targets []string, rooms []int64) (map[string][]webhook.Job, error) {
	out := make(map[string][]webhook.Job)
	// Index: delivery_ready.
	err := c.each(`select d.id, d.target, d.merchant_id from
			unnest($1::text[], $2::bigint[]) with ordinality as k (target, room, n)
			cross join (values (0), (1)) as l (lane)
			cross join lateral (select id, target, merchant_id, lane, ready_at from delivery
				where state = 'waiting' and target = k.target and lane = l.lane and ready_at <= $3
				order by ready_at limit k.room for update skip locked) as d
			where k.room > 0 order by k.n, d.lane, d.ready_at`, []any{targets, rooms, micros(c.now)}, func(rows rowSet) error {
		var j webhook.Job
		err := rows.Scan(&j.ID, &j.Target, &j.Merchant)
		out[j.Target] = append(out[j.Target], j)
		return err
	})
	return out, err
}

// nextReady is when the next delivery becomes ready. Leases count too: one may
// run out without an outcome.
func (t *tx) nextReady(targets []string) (time.Time, error) {
	next := never
	sooner := func(ready sql.NullInt64) {
		if ready.Valid && moment(ready.Int64).Before(next) {
			next = moment(ready.Int64)
		}
	}
	var ready sql.NullInt64
	if t.d.postgres {
		// Index: delivery_ready.
		if err := t.row(`select min(d.ready_at) from unnest($1::text[]) as k (target) cross join (values (0), (1)) as l (lane)
			cross join lateral (select ready_at from delivery where state = 'waiting' and target = k.target and lane = l.lane
				order by ready_at limit 1) as d`, targets).Scan(&ready); err != nil {
			return time.Time{}, err
		}
		sooner(ready)
		targets = nil
	}
	for _, target := range targets {
		for _, l := range []int{0, 1} {
			// Index: delivery_ready.
			if err := t.row(`select min(ready_at) from delivery where state = 'waiting' and target = $1 and lane = $2`,
				target, l).Scan(&ready); err != nil {
				return time.Time{}, err
			}
			sooner(ready)
		}
	}
	if next.Equal(never) {
		return time.Time{}, nil
	}
	return next, nil
}
