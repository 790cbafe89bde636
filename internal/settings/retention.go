package settings

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Retention is how many days of each kind a database keeps. Zero keeps it
// for ever.
type Retention struct {
	// Bodies are requests and answers as they came and went.
	Bodies int
	// History is everything else that only tells what was: notices, verdicts,
	// events, deliveries that are over, attempts.
	History int
	// Payments counts from a payment's last change.
	Payments int
}

// DefaultRetention is what the money rules ask for: bodies for 90 days, history
// for 400, payments for five years.
func DefaultRetention() Retention { return Retention{Bodies: 90, History: 400, Payments: 1826} }

// mostDays is a hundred years: whoever means more means for ever.
const mostDays = 36_525

// Check reports fault.Invalid if no database can be kept so.
func (r Retention) Check() error {
	for _, f := range []struct {
		name string
		days int
	}{{"bodies", r.Bodies}, {"history", r.History}, {"payments", r.Payments}} {
		if f.days < 0 || f.days > mostDays {
			return fault.Errorf(fault.Invalid, "%s cannot be kept for %d days: want 0, which is for ever, to %d", f.name, f.days, mostDays)
		}
	}
	switch {
	case r.History == 0:
	case r.Bodies == 0:
		return fault.Errorf(fault.Invalid, "bodies cannot be kept for ever if history is kept for %d days: a body belongs to a row of the history", r.History)
	case r.History < r.Bodies:
		return fault.Errorf(fault.Invalid, "history cannot be kept for %d days and bodies for %d: a body belongs to a row of the history", r.History, r.Bodies)
	}
	return nil
}

// Pruned is what was taken away at one go.
type Pruned struct {
	What       string // which table
	Partitions int    // dropped as a whole
	Rows       int64  // taken one by one, besides
	Took       time.Duration
}
