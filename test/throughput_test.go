package test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// tick is how finely throughput is told.
const tick = 500 * time.Millisecond

// regain is how soon after a blow the program is as fast as before it.
const regain = 5 * time.Second

// A flow is what came through in a second.
type flow struct{ notices, webhooks float64 }

// times is a share of a flow.
func (f flow) times(share float64) flow { return flow{f.notices * share, f.webhooks * share} }

func (f flow) String() string {
	return fmt.Sprintf("%.0f notices/s and %.0f webhooks/s", f.notices, f.webhooks)
}

// measured is over how long throughput is averaged, and which share of it has
// to be back after a blow. In an ordinary run it is brief and looks for what
// does not recover at all: the machine has other things to do.
func measured() (span time.Duration, share float64) {
	if os.Getenv("TONGBO_TORTURE") == "" {
		return 3 * tick, 0.5
	}
	return 20 * tick, 0.95
}

// long is a short time in an ordinary run, and a long one at night.
func long(day, night time.Duration) time.Duration {
	if os.Getenv("TONGBO_TORTURE") == "" {
		return day
	}
	return night
}

// flow is what was acknowledged to the PG and told to the shop in a time, by
// their own records.
func (s *siege) flow(from, to time.Time) flow {
	var f flow
	s.ledger.mu.Lock()
	for _, t := range s.ledger.tries {
		if at := t.At.Add(t.Took); t.What == "notice" && t.Acked && !at.Before(from) && at.Before(to) {
			f.notices++
		}
	}
	s.ledger.mu.Unlock()
	for _, c := range s.shop.Calls() {
		if !c.At.Before(from) && c.At.Before(to) {
			f.webhooks++
		}
	}
	seconds := to.Sub(from).Seconds()
	return flow{f.notices / seconds, f.webhooks / seconds}
}

// disturb measures the throughput, strikes a blow and waits until as much
// comes through as before. That has to begin within 5 s of the blow's end. It
// returns what came through during the blow.
func (s *siege) disturb(name string, strike func()) (during flow) {
	s.t.Helper()
	span, share := measured()
	s.flowing(1)
	<-time.After(span)
	b := blow{from: time.Now()}
	before := s.flow(b.from.Add(-span), b.from)
	strike()
	b.to = time.Now()
	s.blows = append(s.blows, b)
	during = s.flow(b.from, b.to)
	s.t.Logf("%s: %v before, %v during its %v", name, before, during, b.to.Sub(b.from).Round(time.Millisecond))
	s.regains(name, b.to, span, before, share)
	return during
}

// regains waits until a share of the notices and webhooks before a blow has
// flown for a span that began within 5 s of the blow's end.
func (s *siege) regains(name string, end time.Time, span time.Duration, before flow, share float64) {
	s.t.Helper()
	want := before.times(share)
	ctx, cancel := context.WithDeadline(context.Background(), end.Add(regain+span))
	defer cancel()
	notices, webhooks := time.Duration(-1), time.Duration(-1) // until each was back
	best := flow{}
	again := time.NewTicker(tick / 5)
	defer again.Stop()
	for notices < 0 || webhooks < 0 {
		select {
		case <-ctx.Done():
			s.settles(name, end, span, before, best, share)
			return
		case now := <-again.C:
			from := now.Add(-span)
			if from.Before(end) {
				continue
			}
			f := s.flow(from, now)
			best = flow{max(best.notices, f.notices), max(best.webhooks, f.webhooks)}
			if notices < 0 && f.notices >= want.notices {
				notices = from.Sub(end)
			}
			if webhooks < 0 && f.webhooks >= want.webhooks {
				webhooks = from.Sub(end)
			}
		}
	}
	s.t.Logf("%s: back at %v, and at least %v, from %v for notices and %v for webhooks on; per %v afterwards: %v",
		name, best, want, notices.Round(time.Millisecond), webhooks.Round(time.Millisecond), tick, s.counts(end, time.Now()))
}

// settles looks whether throughput that did not return in time returns later:
// only then was it the blow. Otherwise the machine has other things to do than
// before, which never explains a loss of half.
func (s *siege) settles(name string, end time.Time, span time.Duration, before, best flow, share float64) {
	s.t.Helper()
	from := time.Now()
	<-time.After(span)
	later := s.flow(from, time.Now())
	want := flow{min(before.notices, later.notices), min(before.webhooks, later.webhooks)}.times(share)
	want = flow{max(want.notices, before.notices/2), max(want.webhooks, before.webhooks/2)}
	text := fmt.Sprintf("%s: at best %v within %v, and %v later; per %v: %v", name, best, regain, later, tick, s.counts(end, time.Now()))
	if best.notices < want.notices || best.webhooks < want.webhooks {
		s.t.Errorf("%s; want %v", text, want)
		return
	}
	s.t.Log(text)
}

// counts are what came through in each tick of a time.
func (s *siege) counts(from, to time.Time) string {
	var out strings.Builder
	for ; from.Add(tick).Before(to); from = from.Add(tick) {
		f := s.flow(from, from.Add(tick))
		fmt.Fprintf(&out, "%.0f/%.0f ", f.notices*tick.Seconds(), f.webhooks*tick.Seconds())
	}
	return strings.TrimSpace(out.String())
}
