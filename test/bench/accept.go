//go:build linux

package main

import (
	"fmt"
	"net/http"
	"time"
)

// connections is how many senders post at once where the loop is closed.
const connections = 32

// The floors: the least that a durable answer and a webhook cost.
const (
	keepFloorName = "floor (a): net/http and one insert, group commit"
	postFloorName = "floor (b): posts to the shop"
)

// accept measures how many notices a second are acknowledged, which is after
// their commit, when nobody subscribes to them; and the floors beside it.
func accept(b *bench, e *engine) error {
	for range b.runs {
		t := b.topic("accept", e)
		floor, err := b.floor(e)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		post, err := b.postFloor()
		if err != nil {
			return fmt.Errorf("floor of posting: %w", err)
		}
		err = b.with(e, scene{}, func(w *world) error {
			v, _, err := w.fire(t, b.burst(w.notices()))
			if err != nil {
				return err
			}
			rate, h, err := v.answered()
			if err != nil {
				return err
			}
			t.note("accepted, to floor (a)", unitless, "≥ 0.5, better 0.8", rate/floor)
			t.note("accepted", perSecond, "", rate)
			t.note(keepFloorName, perSecond, "", floor)
			t.note(postFloorName, perSecond, "", post)
			t.spread("answer", "", "", h)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// burst is a closed loop of notices, as long as a floor is measured.
func (b *bench) burst(url string) job {
	return job{URL: url, Orders: series{Stores: stores}, Count: b.orders, Connections: connections, For: b.span(10*time.Second, time.Second)}
}

// floor is how many notices a second are answered by the least that keeps them.
func (b *bench) floor(e *engine) (rate float64, err error) {
	name, err := e.empty(b.ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = e.drop(b.ctx, name) }() // it goes with the folder too
	c, addr, err := spawn("floor", floorTask{e.url(name)})
	if err != nil {
		return 0, err
	}
	v, err := fire(b.burst("http://" + addr + "/"))
	if err != nil {
		c.kill()
		return 0, err
	}
	if rate, _, err = v.answered(); err != nil {
		c.kill()
		return 0, err
	}
	return rate, c.end()
}

// postFloor is how many webhooks a second the generator posts to the shop over
// connections that are kept.
func (b *bench) postFloor() (float64, error) {
	s, err := openShop()
	if err != nil {
		return 0, err
	}
	j := b.burst(s.endpoint(0))
	j.Webhooks = true
	v, err := fire(j)
	if err != nil {
		s.child.kill()
		return 0, err
	}
	rate, _, err := v.answered()
	if err != nil {
		s.child.kill()
		return 0, err
	}
	return rate, s.child.end()
}

// warmUp is the part of a volley in which connections are made and caches
// filled, which counts for nothing.
const warmUp = 0.1

// answered is how many answers a second came once all was warm, and how long
// they took from when they were due. It is an error if one was not 200.
func (v volley) answered() (rate float64, took *histogram, err error) {
	if len(v.sendings) == 0 {
		return 0, nil, fmt.Errorf("nothing was sent")
	}
	for _, s := range v.sendings {
		if s.Status != http.StatusOK {
			return 0, nil, fmt.Errorf("the notice of %s was answered with %d", s.Order.id(), s.Status)
		}
	}
	last := v.last().UnixNano()
	from := v.Start.UnixNano() + int64(warmUp*float64(last-v.Start.UnixNano()))
	took = &histogram{}
	for _, s := range v.sendings {
		if s.Due >= from {
			took.add(time.Duration(s.Done - s.Due))
		}
	}
	return float64(took.n) / time.Duration(last-from).Seconds(), took, nil
}
