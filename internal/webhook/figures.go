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
	// Steps are how long half of the good tries took at most, in as many equal parts of the
	// tries as Parts says, the oldest first; zero where none was good.
	Steps [FigureSteps]time.Duration
}

// FigureSteps is in how many parts the tries of an endpoint are looked at, one by one.
const FigureSteps = 20

// Parts is how many of the steps there are: no more than tries.
func (f Figures) Parts() int { return min(f.Tries, FigureSteps) }

// FiguresOf sums up tries, which come the newest first.
func FiguresOf(tries []TimedTry) Figures {
	f := Figures{Tries: len(tries)}
	parts := make([][]time.Duration, f.Parts())
	var good []time.Duration
	for i, t := range tries {
		f.Since = t.At
		if t.Outcome != Good {
			continue
		}
		f.Good++
		good = append(good, t.Took)
		part := (len(tries) - 1 - i) * len(parts) / len(tries)
		parts[part] = append(parts[part], t.Took)
	}
	for i, list := range parts {
		f.Steps[i] = Percentile(list, 50)
	}
	f.P50, f.P95 = Percentile(good, 50), Percentile(good, 95)
	return f
}

// A TimedTry is how a try went, and how long it took.
type TimedTry struct {
	Tried
	Took time.Duration
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
