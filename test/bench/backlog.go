//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// later is a schedule whose second try comes after any measure is over.
const later = webhook.Schedule(`["6h"]`)

// liveRate is at which rate notices come beside a backlog.
const liveRate = 100

// drain measures how soon a backlog is gone once the shop is back, and what
// that does to live events meanwhile. The shop refused every first try, and all
// second tries are due at once.
func drain(b *bench, e *engine) error {
	backlog := min(b.rows(100_000, 2_000), b.orders*4/5)
	outage, err := b.lived(e, scene{hooks: hooks{Endpoints: 1, Schedule: later}, manner: manner{Down: true}}, backlog)
	if err != nil {
		return err
	}
	defer func() { _ = e.drop(b.ctx, outage) }() // it goes with the folder too
	now := time.Now().UnixMicro()
	if err := e.change(b.ctx, outage, "update delivery set due_at = $1, ready_at = $2 where state = 'waiting'", now, now); err != nil {
		return err
	}
	if err := e.tidy(b.ctx, outage); err != nil {
		return err
	}
	span := b.span(40*time.Second, 2*time.Second)
	live := series{backlog, stores}
	for range b.runs {
		t := b.topic("drain", e)
		var calm *histogram
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}}, func(w *world) error {
			l, err := w.steady(live, liveRate, span/2)
			calm = l.took
			return errors.Join(err, l.whole())
		}); err != nil {
			return err
		}
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1, Schedule: later}, from: outage}, func(w *world) error {
			return w.drained(t, live, backlog, span, calm)
		}); err != nil {
			return err
		}
	}
	return nil
}

// drained sends live notices beside the backlog until it is gone.
func (w *world) drained(t topic, live series, backlog int, span time.Duration, calm *histogram) error {
	j := w.open(live, liveRate, span)
	j.Resend = true
	v, err := fire(j)
	if err != nil {
		return err
	}
	var waited []sending
	for k := range backlog {
		waited = append(waited, sending{Order: series{Stores: stores}.at(k), Due: w.began.UnixNano(), Status: 200})
	}
	arrived, err := w.settled(append(waited, v.sendings...), 5*time.Minute)
	if err != nil {
		return err
	}
	gone := land(waited, arrived, nil)
	took := gone.took.most
	meanwhile := land(v.sendings, arrived, func(s sending) bool { return s.Due < w.began.Add(took).UnixNano() })
	if err := land(append(waited, v.sendings...), arrived, nil).whole(); err != nil {
		return err
	}
	t.note("live events, p99 meanwhile to without a backlog", unitless, "≤ 2", float64(meanwhile.took.quantile(0.99))/float64(calm.quantile(0.99)))
	t.note(fmt.Sprintf("%s waiting, from the start until they are gone", grouped(int64(backlog))), seconds, "≤ 40", took.Seconds())
	t.note("drained", perSecond, "", float64(backlog)/took.Seconds())
	t.note("live notices told to come again (503)", number, "", float64(v.again()))
	t.spread("live events without a backlog,", "", "", calm)
	t.spread("live events meanwhile,", "", "", meanwhile.took)
	return nil
}

// refusedAll waits until the shop has refused so many webhooks.
func (w *world) refusedAll(want int) error {
	var got int
	err := await(5*time.Minute, nil, func() bool {
		var err error
		got, err = w.shop.refused()
		return err != nil || got >= want
	})
	if err != nil {
		return fmt.Errorf("the shop refused %d of %d webhooks: %w", got, want, err)
	}
	return nil
}

// waiting measures a server on which a million deliveries wait for later.
func waiting(b *bench, e *engine) error {
	rows := b.rows(1_000_000, 20_000)
	name, err := b.lived(e, scene{hooks: hooks{Endpoints: stores, Paused: true}}, few)
	if err != nil {
		return err
	}
	defer func() { _ = e.drop(b.ctx, name) }() // it goes with the folder too
	if err := b.wait(e, name, rows); err != nil {
		return err
	}
	span := b.span(20*time.Second, 2*time.Second)
	for i := range b.runs {
		t := b.topic("waiting", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: stores}, in: name, synthetic: true}, func(w *world) error {
			l, err := w.steady(series{few + (i+1)*liveRate*int(span.Seconds()), stores}, liveRate, span)
			if err != nil {
				return err
			}
			what := grouped(int64(rows)) + " waiting, "
			t.note(what+"from the start to ready", seconds, "≤ 2", w.ready.Seconds())
			t.note(what+"RSS after events at 100/s", megabytes, "≤ 200", residentOf(w.nodes[0].pid()))
			t.spread(what+"live events at 100/s,", "", "", l.took)
			return l.whole()
		}); err != nil {
			return err
		}
	}
	return nil
}

// wait makes deliveries that are due over the coming month, to all endpoints.
func (b *bench) wait(e *engine, database string, rows int) error {
	now := time.Now()
	// The end of a pause would make them due at once.
	unpaused := hooks{Endpoints: stores, URL: func(int) string { return "http://shop.invalid/" }}
	if err := declare(b.ctx, e.url(database), b.key, declared(unpaused)); err != nil {
		return err
	}
	endpoint := "'00000000-0000-7000-8000-' || substr('000000000000' || cast(i % 100 as text), -12)"
	if e.postgres() {
		endpoint = "'00000000-0000-7000-8000-' || lpad((i % 100)::text, 12, '0')"
	}
	id := "(" + endpoint + ")"
	if e.postgres() {
		id += "::uuid"
	}
	step := int64(30*24*time.Hour/time.Microsecond) / int64(rows)
	due := fmt.Sprintf("%d + i * %d", now.Add(time.Hour).UnixMicro(), step)
	err := e.multiply(b.ctx, database, "delivery", past{now.AddDate(0, 0, -1), 1, rows}, map[string]string{
		"due_at": due, "ready_at": due, "target": endpoint, "endpoint_id": id, "state": "'waiting'", "lease": "null",
	})
	if err != nil {
		return err
	}
	return e.tidy(b.ctx, database)
}

// slow is how long the shops think where two nodes are compared with one, and
// perNode how many tries a node may have under way to each of them.
const (
	slow    = 200 * time.Millisecond
	perNode = 2
)

// nodes measures what a second node adds where shops are slow: the same limits
// for each node, one database.
func nodes(b *bench, e *engine) error {
	if !e.postgres() {
		return nil // one node is all that SQLite has
	}
	backlog := min(b.rows(30_000, 3_000), b.orders)
	parked, err := b.lived(e, scene{hooks: hooks{Endpoints: stores, Paused: true}}, backlog)
	if err != nil {
		return err
	}
	defer func() { _ = e.drop(b.ctx, parked) }() // it goes with the cluster too
	for range b.runs {
		t := b.topic("nodes", e)
		var rates [3]float64
		for _, n := range []int{1, 2} {
			s := scene{hooks: hooks{Endpoints: stores, InFlight: n * perNode}, nodes: n, from: parked, manner: manner{Delay: slow}}
			if err := b.with(e, s, func(w *world) error {
				var told []sending
				for k := range backlog {
					told = append(told, sending{Order: series{Stores: stores}.at(k), Status: 200})
				}
				arrived, err := w.settled(told, 5*time.Minute)
				if err != nil {
					return err
				}
				rates[n] = middle(arrived)
				return land(told, arrived, nil).whole()
			}); err != nil {
				return err
			}
		}
		t.note("two nodes to one", unitless, "≥ 1.8", rates[2]/rates[1])
		t.note("one node, to 100 shops of 200 ms", perSecond, "", rates[1])
		t.note("two nodes, to 100 shops of 200 ms", perSecond, "", rates[2])
	}
	return nil
}
