package console

import (
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A ladder draws the tries of a delivery: when each was to be made by the schedule, and
// when it was. Rungs are as far from each other, since delays go from seconds to days.
type ladder struct {
	Width, Height int
	Rungs         []rung
	Title, Desc   string
}

// A rung is one try, made or to come.
type rung struct {
	Number  int
	X       int       // where it was to be
	At      int       // where it was: beside it, if it was varied or late
	Planned time.Time // nominal, counted from the end of the try before
	Made    time.Time // zero if it is to come
	Late    string    // by how much it was off, in words
	Class   string    // ok, bad, or wait
	Mark    string
	Label   string // after what delay
	Answer  string
}

const (
	rungWide = 112
	rungHigh = 96
	mostRung = 12 // drawn; the table has all
)

// ladder is that of a delivery with its own tries. A resend by hand has one rung.
func (v *visit) ladder(d store.DeliveryDetail, own []webhook.Attempt) ladder {
	var l ladder
	planned := d.CreatedAt
	for n := 1; n <= max(d.MaxTries, len(own)); n++ {
		r := rung{Number: n, Planned: planned, X: (n-1)*rungWide + rungWide/2, Class: "wait", Mark: "○"}
		r.At, r.Label = r.X, v.delayText(d.Schedule, n)
		switch {
		case n <= len(own):
			a := own[n-1]
			r.Made, r.Answer, r.Class, r.Mark = a.At, v.answer(a), "bad", "✕"
			if a.Outcome == webhook.Good {
				r.Class, r.Mark = "ok", "●"
			}
			off := a.At.Sub(planned)
			r.Late, r.At = v.offText(off), r.X+shift(off, d.Schedule, n)
			planned = a.At.Add(a.Took)
		case d.State == webhook.Completed || d.State == webhook.Undone:
			n = max(d.MaxTries, len(own)) // nothing more is tried
			continue
		case n == len(own)+1:
			planned = d.DueAt
			r.Planned = planned
		}
		if delay, more := d.Schedule.After(n, 0, nil); more {
			planned = planned.Add(delay)
		}
		l.Rungs = append(l.Rungs, r)
	}
	drawn := min(len(l.Rungs), mostRung)
	l.Width, l.Height = max(1, drawn)*rungWide, rungHigh
	l.Title = v.t("deliveries.ladder")
	l.Desc = v.t("deliveries.ladder_says", "made", len(own), "all", d.MaxTries)
	return l
}

// Drawn are the rungs that are drawn.
func (l ladder) Drawn() []rung { return l.Rungs[:min(len(l.Rungs), mostRung)] }

// End is where the line ends.
func (l ladder) End() int { return l.Width - rungWide/2 }

// delayText is after what delay a try is made.
func (v *visit) delayText(s webhook.Schedule, n int) string {
	if n == 1 {
		return v.t("deliveries.at_once")
	}
	d, ok := s.After(n-1, 0, nil)
	switch {
	case !ok:
		return ""
	case d == 0:
		return v.t("deliveries.at_once")
	}
	return "+" + roundly(d)
}

// offText says by how much a try was off what was planned; nothing if it was not.
func (v *visit) offText(off time.Duration) string {
	switch {
	case off >= time.Second:
		return "+" + roundly(off)
	case off <= -time.Second:
		return "−" + roundly(-off)
	}
	return ""
}

// roundly is a time as one says it: 12 s, 4 min, 4 h 16 min.
func roundly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d%time.Hour < time.Minute:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// shift is how far beside its rung a try is drawn: by the part of its delay that it was
// off, at most a third of the way to the next.
func shift(off time.Duration, s webhook.Schedule, n int) int {
	delay := 10 * time.Second
	if d, ok := s.After(n-1, 0, nil); ok && d > 0 {
		delay = d
	}
	part := float64(off) / float64(delay)
	return int(max(-1, min(1, part)) * rungWide / 3)
}
