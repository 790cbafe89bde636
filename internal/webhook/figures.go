package webhook

import (
	"slices"
	"time"
)

// Figures are what the last tries of an endpoint come to.
type Figures struct {
	Tries, Good int           // that were looked at
	Since       time.Time     // when the oldest of them was made; zero without any
	P50, P95    time.Duration // of the good ones; zero without any
}

// Percent is how many of a hundred tries were good, rounded down: 100 is all of
// them.
func (f Figures) Percent() int { return f.Good * 100 / max(1, f.Tries) }

// Percentile is the nearest-rank percentile of durations, zero of none.
func Percentile(list []time.Duration, p int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)*p+99)/100-1]
}
