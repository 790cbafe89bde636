//go:build linux

package main

import (
	"slices"
	"time"
)

// shops is how many endpoints there are where one of them hangs.
const shops = 10

// crowd is the rate at which things go wrong on purpose.
const crowd = 600

// isolation measures what one endpoint of ten that hangs costs the other nine.
func isolation(b *bench, e *engine) error {
	for range b.runs {
		t := b.topic("isolation", e)
		all, err := b.beside(e, manner{})
		if err != nil {
			return err
		}
		hung, err := b.beside(e, manner{Hanging: []int{0}, HangFor: 20 * time.Second})
		if err != nil {
			return err
		}
		t.note("the other nine, throughput to undisturbed", unitless, "≥ 0.95", hung.rate/all.rate)
		t.note("the other nine, p99 to undisturbed", unitless, "≤ 1.2", float64(hung.took.quantile(0.99))/float64(all.took.quantile(0.99)))
		t.note("the other nine, undisturbed", perSecond, "", all.rate)
		t.note("the other nine, one hangs", perSecond, "", hung.rate)
		t.spread("undisturbed,", "", "", all.took)
		t.spread("one hangs,", "", "", hung.took)
	}
	return nil
}

// A neighbourhood is how the endpoints fared that nothing was wrong with.
type neighbourhood struct {
	rate float64
	took *histogram
}

// beside sends to ten endpoints and tells how all but the first fared.
func (b *bench) beside(e *engine, m manner) (out neighbourhood, err error) {
	span := b.span(30*time.Second, 2*time.Second)
	err = b.with(e, scene{hooks: hooks{Endpoints: shops}, manner: m}, func(w *world) error {
		v, err := fire(w.open(series{Stores: shops}, crowd, span))
		if err != nil {
			return err
		}
		others := func(s sending) bool { return s.Order.store() != 0 }
		arrived, err := w.settled(slices.DeleteFunc(slices.Clone(v.sendings), func(s sending) bool { return !others(s) }), stragglers)
		if err != nil {
			return err
		}
		l := land(v.sendings, arrived, others)
		inTime := 0
		for _, a := range arrived {
			if a.Endpoint != 0 && a.At < v.Start.Add(span+time.Second).UnixNano() {
				inTime++
			}
		}
		out = neighbourhood{float64(inTime) / span.Seconds(), l.took}
		return w.shop.behave(manner{}) // what hangs is let go
	})
	return out, err
}

// saturation measures what becomes of delivery while more notices come than
// can be taken.
func saturation(b *bench, e *engine) error {
	span := b.span(20*time.Second, 2*time.Second)
	for range b.runs {
		t := b.topic("saturation", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}}, func(w *world) error {
			j := b.burst(w.notices())
			j.For, j.Connections = span, 256
			v, err := fire(j)
			if err != nil {
				return err
			}
			end := time.Now()
			arrived, err := w.settled(v.sendings, 5*time.Minute)
			if err != nil {
				return err
			}
			l := land(v.sendings, arrived, nil)
			took := end.Sub(v.Start)
			meanwhile := within(arrived, v.Start, end)
			t.note("delivered to accepted, meanwhile", unitless, "", float64(meanwhile)/float64(v.acked()))
			t.note("accepted at 256 connections", perSecond, "", float64(v.acked())/took.Seconds())
			t.note("delivered meanwhile", perSecond, "", float64(meanwhile)/took.Seconds())
			t.note("delivered in the slowest second", perSecond, "> 0", float64(slowest(arrived, v.Start, end)))
			t.note("told to come again (503)", number, "", float64(l.denied))
			t.note("backlog at the end", number, "bounded or shown", float64(v.acked()-meanwhile))
			t.note("until the backlog was gone", seconds, "", max(l.last.Sub(end), 0).Seconds())
			return landing{missing: l.missing}.whole()
		}); err != nil {
			return err
		}
	}
	return nil
}

// slowest is how few webhooks arrived in any second of a span, after the first.
func slowest(arrived []arrival, from, to time.Time) int {
	fewest := -1
	for at := from.Add(time.Second); !at.Add(time.Second).After(to); at = at.Add(time.Second) {
		if n := within(arrived, at, at.Add(time.Second)); fewest < 0 || n < fewest {
			fewest = n
		}
	}
	return max(fewest, 0)
}
