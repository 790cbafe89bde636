package webhook

import "time"

// A Health says how an endpoint answers, by its last tries.
type Health string

// The states.
const (
	HealthNew     Health = "new" // nothing was sent to it yet
	HealthGood    Health = "healthy"
	HealthFailing Health = "failing" // some of its last tries failed
	HealthDown    Health = "down"    // all of the last five failed, or all of half an hour
	HealthNever   Health = "never"   // no try ever succeeded
	HealthPaused  Health = "paused"
)

// Tries are the last tries of an endpoint.
type Tries struct {
	Last     []Tried   // the newest first
	LastGood time.Time // of all that is known of; zero if none ever succeeded
}

// A Tried is how one try ended.
type Tried struct {
	At      time.Time
	Outcome Outcome
}

const (
	downTries = 5
	downTime  = 30 * time.Minute
)

// Since is when the failures began that have gone on since the last good try; zero if
// the last try was good, or there was none.
func (t Tries) Since() (at time.Time) {
	for _, one := range t.Last {
		if one.Outcome == Good {
			break
		}
		at = one.At
	}
	return at
}

// HealthOf says how an endpoint answers at now.
func HealthOf(paused bool, t Tries, now time.Time) Health {
	since := t.Since()
	failed := 0
	for _, one := range t.Last[:min(downTries, len(t.Last))] {
		if one.Outcome != Good {
			failed++
		}
	}
	switch {
	case paused:
		return HealthPaused
	case len(t.Last) == 0:
		return HealthNew
	case t.LastGood.IsZero():
		return HealthNever
	case failed == downTries, !since.IsZero() && now.Sub(since) >= downTime:
		return HealthDown
	case failed > 0:
		return HealthFailing
	}
	return HealthGood
}
