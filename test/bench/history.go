//go:build linux

package main

import (
	"fmt"
	"time"
)

// historyTables are the ones that only grow, an event's rows in them.
var historyTables = []string{"notice", "verdict", "event", "delivery_end", "attempt"}

// historyDays is over how long the history is spread.
const historyDays = 180

// history measures what millions of finished deliveries in the same tables
// cost the living ones.
func history(b *bench, e *engine) error {
	rows, began := b.finished, time.Now()
	old, err := b.aged(e, rows)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.progress, "  %s: %s finished deliveries made in %v\n", e.name, grouped(int64(rows)), time.Since(began).Round(time.Second))
	defer func() { _ = e.drop(b.ctx, old) }() // it goes with the folder too
	span := b.span(10*time.Second, time.Second)
	share := (b.orders - few) / b.runs
	for i := range b.runs {
		var rates [2]float64
		for j, s := range []scene{
			{hooks: hooks{Endpoints: 1}},
			{hooks: hooks{Endpoints: 1}, in: old, synthetic: true},
		} {
			if err := b.with(e, s, func(w *world) error {
				burst := b.burst(w.notices())
				burst.Orders, burst.For, burst.Count = series{few + i*share, stores}, span, share
				v, err := fire(burst)
				if err != nil {
					return err
				}
				arrived, err := w.settled(v.sendings, stragglers)
				rates[j] = middle(arrived)
				return err
			}); err != nil {
				return err
			}
		}
		t := b.topic("history", e)
		t.note("end to end, with history to without", unitless, "≥ 0.9", rates[1]/rates[0])
		t.note("end to end, without", perSecond, "", rates[0])
		t.note("end to end, with "+grouped(int64(rows))+" finished", perSecond, "", rates[1])
	}
	return nil
}

// few is how many real orders stand at the beginning of what is made of them.
const few = 100

// aged makes a database with so many finished deliveries, and returns its
// name.
func (b *bench) aged(e *engine, rows int) (string, error) {
	name, err := b.lived(e, scene{hooks: hooks{Endpoints: 1}}, few)
	if err != nil {
		return "", err
	}
	p := past{time.Now().AddDate(0, 0, -historyDays-1), historyDays, rows}
	for _, table := range historyTables {
		if err := e.multiply(b.ctx, name, table, p, nil); err != nil {
			return "", err
		}
	}
	return name, e.tidy(b.ctx, name)
}

// lived makes a database on which a server has taken so many notices, and
// returns its name. It stays until it is dropped.
func (b *bench) lived(e *engine, s scene, notices int) (name string, err error) {
	if s.in, err = e.copyOf(b.ctx, seedName); err != nil {
		return "", err
	}
	return s.in, b.with(e, s, func(w *world) error {
		j := b.burst(w.notices())
		j.Count, j.For, j.Resend = notices, time.Hour, true
		v, err := fire(j)
		if err != nil {
			return err
		}
		switch {
		case s.hooks.Paused:
			_, _, err = v.answered()
			return err
		case s.manner.Down:
			return w.refusedAll(notices)
		}
		arrived, err := w.settled(v.sendings, stragglers)
		if err != nil {
			return err
		}
		return land(v.sendings, arrived, nil).whole()
	})
}

// rows is how many rows are made up.
func (b *bench) rows(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}
