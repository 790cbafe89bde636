//go:build linux

package main

import (
	"fmt"
	"net/http"
	"time"
)

// A landing is what became of the notices of a volley: webhooks that the shop
// answered.
type landing struct {
	took    *histogram // from when the notice was due to the shop's 200
	missing int        // notices that were acknowledged and not told
	denied  int        // notices that were not acknowledged
	again   int        // webhooks that came more than once
	last    time.Time  // arrival of all
}

// land compares what was sent with what arrived. Only sendings that count, for
// which counts is true, are in the histogram; nil means all.
func land(sent []sending, arrived []arrival, counts func(sending) bool) landing {
	first := make(map[order]int64, len(arrived))
	l := landing{took: &histogram{}}
	for _, a := range arrived {
		if at := time.Unix(0, a.At); at.After(l.last) {
			l.last = at
		}
		if _, known := first[a.Order]; known && a.Order >= 0 {
			l.again++
			continue
		}
		first[a.Order] = a.At
	}
	for _, s := range sent {
		at, told := first[s.Order]
		switch {
		case s.Status != http.StatusOK:
			l.denied++
		case !told:
			l.missing++
		case counts == nil || counts(s):
			l.took.add(time.Duration(at - s.Due))
		}
	}
	return l
}

// whole reports what a run must not have: notices that were denied or not told.
func (l landing) whole() error {
	if l.denied > 0 || l.missing > 0 {
		return fmt.Errorf("%d notices were not acknowledged, and %d acknowledged ones were not told", l.denied, l.missing)
	}
	return nil
}

// last is when the last answer had been read.
func (v volley) last() time.Time {
	last := v.Start.UnixNano()
	for _, s := range v.sendings {
		last = max(last, s.Done)
	}
	return time.Unix(0, last)
}

// acked is how many notices of a volley were acknowledged.
func (v volley) acked() int {
	n := 0
	for _, s := range v.sendings {
		if s.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// again is how many notices were sent again.
func (v volley) again() int {
	n := 0
	for _, s := range v.sendings {
		n += s.Tries - 1
	}
	return n
}

// settled waits until the shop has answered the webhook of every notice that
// was acknowledged, or patience is over, and returns all that it answered.
func (w *world) settled(sent []sending, patience time.Duration) (arrived []arrival, err error) {
	want := 0
	for _, s := range sent {
		if s.Status == http.StatusOK {
			want++
		}
	}
	end := time.Now().Add(patience)
	_ = await(patience, nil, func() bool { // what did not arrive is counted by whoever calls
		var n int
		n, err = w.shop.count()
		return err != nil || n >= want
	})
	for err == nil {
		arrived, err = w.shop.arrivals()
		// Some may be of notices that were committed and not acknowledged.
		if land(sent, arrived, nil).missing == 0 || time.Now().After(end) {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	return arrived, err
}

// within is how many webhooks arrived in a span.
func within(arrived []arrival, from, to time.Time) int {
	n := 0
	for _, a := range arrived {
		if a.At >= from.UnixNano() && a.At < to.UnixNano() {
			n++
		}
	}
	return n
}

// middle is how many webhooks a second arrived between the first tenth of them
// and the last.
func middle(arrived []arrival) float64 {
	from, to := len(arrived)/10, len(arrived)*9/10
	if to <= from {
		return 0
	}
	return float64(to-from) / time.Duration(arrived[to].At-arrived[from].At).Seconds()
}
