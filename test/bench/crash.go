//go:build linux

package main

import (
	"time"
)

// crash kills the server under load, again and again, starts it at once, and
// measures how soon the shop hears anything.
func crash(b *bench, e *engine) error {
	kills := 3
	if b.quick {
		kills = 1
	}
	for range b.runs {
		t := b.topic("crash", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}}, func(w *world) error { return w.killed(t, kills) }); err != nil {
			return err
		}
	}
	return nil
}

// killed sends notices at a steady rate, each again until it is acknowledged,
// and kills the server so many times meanwhile.
func (w *world) killed(t topic, kills int) error {
	const calm = 3 * time.Second
	j := w.open(series{Stores: stores}, crowd, time.Duration(kills+1)*calm)
	j.Resend = true
	s, err := shoot(j)
	if err != nil {
		return err
	}
	var lives []time.Time
	for k := range kills {
		<-time.After(time.Until(s.start.Add(time.Duration(k+1) * calm)))
		w.nodes[0].kill()
		lives = append(lives, time.Now())
		took, err := w.nodes[0].start()
		if err != nil {
			return err
		}
		t.millis("from the restart to ready", "", took)
	}
	v, err := s.wait()
	if err != nil {
		return err
	}
	// What was posted and not recorded may wait for its lease.
	arrived, err := w.settled(v.sendings, 2*time.Minute)
	if err != nil {
		return err
	}
	for _, from := range lives {
		t.millis("from the restart to the first webhook", "≤ 400 ms", firstAfter(arrived, from))
	}
	l := land(v.sendings, arrived, nil)
	t.note("webhooks sent again, a kill", number, "", float64(l.again)/float64(kills))
	return l.whole()
}

// firstAfter is how long after a moment the next webhook arrived.
func firstAfter(arrived []arrival, from time.Time) time.Duration {
	for _, a := range arrived {
		if a.At > from.UnixNano() {
			return time.Duration(a.At - from.UnixNano())
		}
	}
	return time.Hour // never
}
