package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Claim leases deliveries that are due at now: at most room.Total, of these at
// most room.Retries that were tried before, and at most room.Of(target, taken)
// of each target, where taken are the jobs of the claim so far. First tries go
// ahead of retries, the earliest due first. Until the lease ends no other caller
// gets them; when it ends without an outcome they are due again. An endpoint
// that is paused is passed over: its deliveries wait. With an error come those
// whose leases may have been committed unseen.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error) {
	var out webhook.Claim
	err := s.write(ctx, func(t *tx) error {
		out = webhook.Claim{}
		all, err := t.unpaused()
		if err != nil {
			return err
		}
		out.Version = t.version
		first := s.begin(len(all))
		all = slices.Concat(all[first:], all[:first])
		c := claiming{tx: t, now: now, until: now.Add(lease), lease: webhook.Lease(uuid.NewString()), room: room}
		if out.Jobs, err = c.from(all); err != nil {
			return err
		}
		return c.rest(all, &out)
	})
	return out, err
}

// begin is with which of n targets a claim begins: each with another, so that
// scarce room does not always go to the same ones, and each node elsewhere, so
// that two do not choose the same.
func (s *Store) begin(n int) int {
	if n == 0 {
		return 0
	}
	c := &s.company
	c.mu.Lock()
	defer c.mu.Unlock()
	return (int(s.turn.Add(1)) + n*c.place/max(1, c.nodes)) % n
}

// A queue is what waits for one target: when the first of each lane is ready,
// first tries and retries. Leases count too: one may run out without an outcome.
type queue struct {
	target string
	ready  [2]sql.NullInt64
}

// has reports whether something in a lane is due at now.
func (q queue) has(lane int, now time.Time) bool {
	return q.ready[lane].Valid && q.ready[lane].Int64 <= micros(now)
}

// firstReady is when the first of a lane is ready.
// Index: delivery_ready.
const firstReady = `(select min(ready_at) from delivery where state = 'waiting' and target = hop.target and lane = `

// unpaused lists what waits, without the endpoints that are paused, and notes the
// version of the settings. It hops along the index of deliveries instead of
// reading it.
func (t *tx) unpaused() ([]queue, error) {
	id := "id"
	if t.d.postgres {
		id = "id::text"
	}
	var out []queue
	// Index: delivery_ready.
	err := t.each(`with recursive hop (target) as (
			select (select target from delivery where state = 'waiting' order by target limit 1)
			union all
			select (select target from delivery where state = 'waiting' and target > hop.target order by target limit 1)
			from hop where hop.target is not null)
		select setting.version, hop.target, `+firstReady+`0), `+firstReady+`1)
			from setting left join hop on hop.target is not null and hop.target not in (select `+id+` from endpoint where paused)
			where setting.id = 1`, nil, func(rows rowSet) error {
		var target sql.NullString
		var q queue
		err := rows.Scan(&t.version, &target, &q.ready[0], &q.ready[1])
		if q.target = target.String; target.Valid {
			out = append(out, q)
		}
		return err
	})
	return out, err
}

// A claiming is one claim under way.
type claiming struct {
	*tx
	now, until time.Time
	lease      webhook.Lease
	room       webhook.Room
	again      int // retries taken
}

// from leases what is due of the queues, in their order.
func (c *claiming) from(all []queue) (jobs []webhook.Job, err error) {
	if c.d.postgres {
		return c.together(all)
	}
	for _, q := range all {
		n := min(c.room.Of(q.target, jobs), c.room.Total-len(jobs))
		if n <= 0 {
			continue
		}
		if jobs, err = c.of(q, n, jobs); err != nil {
			return nil, err
		}
	}
	for _, j := range jobs {
		if err := c.must(`update delivery set lease = $2, ready_at = $3 where id = $1`,
			string(j.ID), string(c.lease), micros(c.until)); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// of adds up to n due deliveries of a target: first tries, then retries.
func (c *claiming) of(q queue, n int, jobs []webhook.Job) ([]webhook.Job, error) {
	most := len(jobs) + n
	for lane := range q.ready {
		want := most - len(jobs)
		if lane > 0 {
			want = min(want, c.room.Retries-c.again)
		}
		if want <= 0 || !q.has(lane, c.now) {
			continue
		}
		before := len(jobs)
		// Index: delivery_ready.
		if err := c.each(`select `+deliveryColumns+` from delivery
			where state = 'waiting' and target = $1 and lane = $2 and ready_at <= $3
			order by ready_at limit $4`, []any{q.target, lane, micros(c.now), want}, func(rows rowSet) error {
			d, err := scanDelivery(rows)
			jobs = append(jobs, c.job(d))
			return err
		}); err != nil {
			return nil, err
		}
		c.again += lane * (len(jobs) - before)
	}
	return jobs, nil
}

func (c *claiming) job(d webhook.Delivery) webhook.Job {
	return webhook.Job{Delivery: d, Lease: c.lease, Until: c.until}
}

// together is from for PostgreSQL: one question, which locks nothing, finds what
// may be taken of all queues, and one statement leases what was chosen of it.
// What others hold or took meanwhile it passes over, and takes what comes next.
func (c *claiming) together(all []queue) ([]webhook.Job, error) {
	due, err := c.due(all)
	if err != nil {
		return nil, err
	}
	var taken []webhook.Job
	var chosen parts
	for _, q := range all {
		n := len(due[q.target])
		if n == 0 {
			continue
		}
		n = max(0, min(n, c.room.Of(q.target, taken), c.room.Total-len(taken)))
		var of [len(q.ready)]int
		for _, j := range due[q.target][:n] {
			l := lane(j.Tries)
			if l > 0 && c.again == c.room.Retries {
				break
			}
			c.again += l
			of[l]++
			taken = append(taken, j)
		}
		for l, n := range of {
			if n > 0 {
				chosen.add(q.target, l, n)
			}
		}
	}
	if len(taken) == 0 {
		return nil, nil
	}
	return c.lock(chosen, taken[:0])
}

// due finds what is due of each queue, as far as there is room: first tries,
// then retries. Of its jobs only what due reads is set.
func (c *claiming) due(all []queue) (map[string][]webhook.Job, error) {
	var wanted parts
	for _, q := range all {
		most := min(c.room.Of(q.target, nil), c.room.Total)
		for l := range q.ready {
			if l > 0 {
				most = min(most, c.room.Retries)
			}
			if most > 0 && q.has(l, c.now) {
				wanted.add(q.target, l, most)
			}
		}
	}
	out := make(map[string][]webhook.Job)
	if len(wanted.targets) == 0 {
		return out, nil
	}
	// Index: delivery_ready.
	err := c.each(`select d.target, d.merchant_id, d.tries from
			unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality as k (target, lane, most, n)
			cross join lateral (select target, merchant_id, tries, ready_at from delivery
				where state = 'waiting' and target = k.target and lane = k.lane and ready_at <= $4
				order by ready_at limit k.most) as d
			order by k.n, d.ready_at`, []any{wanted.targets, wanted.lanes, wanted.counts, micros(c.now)}, func(rows rowSet) error {
		var j webhook.Job
		err := rows.Scan(&j.Target, &j.Merchant, &j.Tries)
		out[j.Target] = append(out[j.Target], j)
		return err
	})
	return out, err
}

// Parts are how many of targets and lanes, as PostgreSQL takes them.
type parts struct {
	targets       []string
	lanes, counts []int64
}

func (p *parts) add(target string, lane, n int) {
	p.targets, p.lanes, p.counts = append(p.targets, target), append(p.lanes, int64(lane)), append(p.counts, int64(n))
}

// lock leases so many of each target and lane.
func (c *claiming) lock(chosen parts, jobs []webhook.Job) ([]webhook.Job, error) {
	// Index: delivery_ready, delivery_pkey.
	err := c.each(`with chosen as materialized (select d.id from
				unnest($1::text[], $2::bigint[], $3::bigint[]) as k (target, lane, most)
				cross join lateral (select id from delivery
					where state = 'waiting' and target = k.target and lane = k.lane and ready_at <= $4
					order by ready_at limit k.most for update skip locked) as d)
			update delivery set lease = $5, ready_at = $6 where id = any (array(select id from chosen)) returning `+deliveryColumns,
		[]any{chosen.targets, chosen.lanes, chosen.counts, micros(c.now), string(c.lease), micros(c.until)}, func(rows rowSet) error {
			d, err := scanDelivery(rows)
			jobs = append(jobs, c.job(d))
			return err
		})
	return jobs, err
}

// rest tells what the claim leaves, and when the next is ready.
func (c *claiming) rest(all []queue, out *webhook.Claim) error {
	if err := c.lookAgain(all); err != nil {
		return err
	}
	next := never
	for _, q := range all {
		if q.has(0, c.now) {
			out.Left = append(out.Left, q.target)
		}
		for _, ready := range q.ready {
			if ready.Valid && moment(ready.Int64).Before(next) {
				next = moment(ready.Int64)
			}
		}
	}
	if !next.Equal(never) {
		out.Next = next
	}
	return nil
}

// lookAgain reads again when the first of those queues is ready of which
// something was due: the others are as they were.
func (c *claiming) lookAgain(all []queue) error {
	changed := make(map[string]*queue)
	var targets []string
	for i, q := range all {
		if q.has(0, c.now) || q.has(1, c.now) {
			changed[q.target] = &all[i]
			targets = append(targets, q.target)
		}
	}
	scan := func(rows rowSet) error {
		var q queue
		err := rows.Scan(&q.target, &q.ready[0], &q.ready[1])
		changed[q.target].ready = q.ready
		return err
	}
	if c.d.postgres {
		if len(targets) == 0 {
			return nil
		}
		return c.each(`select target, `+firstReady+`0), `+firstReady+`1) from unnest($1::text[]) as hop (target)`, []any{targets}, scan)
	}
	for _, target := range targets {
		if err := c.each(`select target, `+firstReady+`0), `+firstReady+`1) from (select $1 as target) as hop`, []any{target}, scan); err != nil {
			return err
		}
	}
	return nil
}
