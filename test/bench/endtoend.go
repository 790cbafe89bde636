//go:build linux

package main

import (
	"fmt"
	"time"
)

const (
	// held is how long the slowest hundredth may take at a rate that is held.
	held = time.Second
	// many is how many notices may be under way in an open loop.
	many = 512
	// stragglers is how long webhooks may come after the last notice.
	stragglers = 30 * time.Second
)

// endToEnd measures a closed loop of notices whose webhooks are taken by one
// endpoint.
func endToEnd(b *bench, e *engine) error {
	for range b.runs {
		t := b.topic("e2e", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}}, func(w *world) error {
			v, arrived, err := w.fire(t, b.burst(w.notices()))
			if err != nil {
				return err
			}
			rate, _, err := v.answered()
			if err != nil {
				return err
			}
			b.toFloors(t, "webhooks, to both floors one after the other", middle(arrived))
			t.note("accepted, with an endpoint", perSecond, "", rate)
			t.note("webhooks until the last", perSecond, "", middle(arrived))
			return land(v.sendings, arrived, nil).whole()
		}); err != nil {
			return err
		}
	}
	return nil
}

// toFloors notes the ratio of a rate to what is left if each event costs both
// floors: a durable answer and a webhook. It needs accept in the same run.
func (b *bench) toFloors(t topic, what string, rate float64) {
	keep, post := t.median("accept", keepFloorName), t.median("accept", postFloorName)
	if keep > 0 && post > 0 {
		t.note(what, unitless, "", rate*(1/keep+1/post))
	}
}

// stream sends notices in a closed loop and waits until all are told.
func (w *world) stream(s series, span time.Duration) (volley, []arrival, error) {
	j := w.bench.burst(w.notices())
	j.Orders, j.For, j.Count = s, span, j.Count-s.First
	v, err := fire(j)
	if err != nil {
		return v, nil, err
	}
	arrived, err := w.settled(v.sendings, stragglers)
	return v, arrived, err
}

// ceiling searches the highest rate that is held, with one endpoint and with
// one for each store.
func ceiling(b *bench, e *engine) error {
	for _, endpoints := range []int{1, stores} {
		rate, err := b.closedRate(e, endpoints)
		if err != nil {
			return err
		}
		for i := range b.runs {
			search := b.climb
			if i == 0 {
				search = b.search
			}
			found, l, err := search(e, endpoints, rate)
			if err != nil {
				return err
			}
			rate = found
			t := b.topic("ceiling", e)
			what := fmt.Sprintf("highest rate held, %d endpoints", endpoints)
			if endpoints == 1 {
				what = "highest rate held, one endpoint"
			}
			b.toFloors(t, what+", to both floors", found)
			t.note(what, perSecond, "≥ 4,000", found)
			t.spread(what+",", "", "", l.took)
		}
	}
	return nil
}

// closedRate is about as much as the program can do.
func (b *bench) closedRate(e *engine, endpoints int) (rate float64, err error) {
	err = b.with(e, scene{hooks: hooks{Endpoints: endpoints}}, func(w *world) error {
		_, arrived, err := w.stream(series{Stores: stores}, b.span(5*time.Second, time.Second))
		rate = middle(arrived)
		return err
	})
	return rate, err
}

// fine is the step between rates that are tried for as long as it counts.
const fine = 1.033

// search finds the highest rate that is held, beginning near a guess: first in
// steps of a tenth for a moment each.
func (b *bench) search(e *engine, endpoints int, guess float64) (float64, landing, error) {
	rate := guess * 0.9
	for {
		ok, _, err := b.hold(e, endpoints, rate, b.span(6*time.Second, time.Second))
		if err != nil {
			return 0, landing{}, err
		}
		if !ok {
			return b.climb(e, endpoints, rate/1.1)
		}
		rate *= 1.1
	}
}

// climb finds the highest rate that is held for as long as it counts, near one
// that may be held: up in fine steps until one is not held, or else down until
// one is.
func (b *bench) climb(e *engine, endpoints int, rate float64) (float64, landing, error) {
	long := b.span(30*time.Second, 2*time.Second)
	ok, best, err := b.hold(e, endpoints, rate, long)
	for up := ok; up && err == nil; {
		var higher landing
		if up, higher, err = b.hold(e, endpoints, rate*fine, long); up {
			rate, best = rate*fine, higher
		}
	}
	for !ok && err == nil {
		if rate /= fine; rate < 10 {
			return 0, best, fmt.Errorf("not even %.0f notices a second are held", rate)
		}
		ok, best, err = b.hold(e, endpoints, rate, long)
	}
	return rate, best, err
}

// hold reports whether a rate is held: all notices are acknowledged and told,
// and of a hundred at most one later than a second after it was due.
func (b *bench) hold(e *engine, endpoints int, rate float64, span time.Duration) (ok bool, l landing, err error) {
	if need := int(rate * span.Seconds()); need > b.orders {
		return false, l, fmt.Errorf("%d orders are needed for %v at %.0f/s: -orders", need, span, rate)
	}
	err = b.with(e, scene{hooks: hooks{Endpoints: endpoints}}, func(w *world) error {
		l, err = w.steady(series{Stores: stores}, rate, span)
		return err
	})
	ok = l.denied == 0 && l.missing == 0 && l.took.quantile(0.99) < held
	fmt.Fprintf(b.progress, "  %s, %d endpoints, %.0f/s for %v: held %t (p99 %v, %d denied, %d not told)\n",
		e.name, endpoints, rate, span, ok, l.took.quantile(0.99).Round(time.Millisecond/10), l.denied, l.missing)
	return ok, l, err
}

// steady sends notices in an open loop and waits until all are told.
func (w *world) steady(s series, rate float64, span time.Duration) (landing, error) {
	empty := landing{took: &histogram{}}
	v, err := fire(w.open(s, rate, span))
	if err != nil {
		return empty, err
	}
	arrived, err := w.settled(v.sendings, stragglers)
	if err != nil {
		return empty, err
	}
	return land(v.sendings, arrived, nil), nil
}

// open is the job of an open loop.
func (w *world) open(s series, rate float64, span time.Duration) job {
	return job{URL: w.notices(), Orders: s, Count: int(rate * span.Seconds()), Connections: many, Rate: rate, For: span}
}

// latency measures how long a notice takes to the shop's 200 at two rates.
func latency(b *bench, e *engine) error {
	for _, l := range []struct {
		rate         float64
		aim50, aim99 string
		span         time.Duration
	}{
		{500, "≤ 5 ms", "≤ 25 ms", b.span(time.Minute, 2*time.Second)},
		{10, "", "≤ 10 ms", b.span(time.Minute, 3*time.Second)},
	} {
		for range b.runs {
			t := b.topic("latency", e)
			if err := b.with(e, scene{hooks: hooks{Endpoints: 1}}, func(w *world) error {
				before := w.usage()
				got, err := w.steady(series{Stores: stores}, l.rate, l.span)
				if err != nil {
					return err
				}
				t.spread(fmt.Sprintf("at %.0f/s,", l.rate), l.aim50, l.aim99, got.took)
				t.note(fmt.Sprintf("at %.0f/s, CPU of the server", l.rate), cores, "", w.busy(before))
				return got.whole()
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
