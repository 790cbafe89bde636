package notice

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// An Outage is a time in which no node took notices.
type Outage struct{ From, Until time.Time }

// IsZero reports whether there was none.
func (o Outage) IsZero() bool { return o.Until.IsZero() }

// Lasted is how long it was.
func (o Outage) Lasted() time.Duration { return o.Until.Sub(o.From) }

// A SweepReason says why a PG is to be asked whether money came to an account.
type SweepReason string

// The reasons.
const (
	SweepDue    SweepReason = "due"    // its deadline is near or past
	SweepOutage SweepReason = "outage" // its notice may have been sent while nobody took any
)

// An Enlisting names accounts that wait for money, by their deadlines.
type Enlisting struct {
	Why SweepReason
	// After and Until bound the deadlines, the first exclusively; a zero Until
	// does not.
	After, Until time.Time
	// Undated adds accounts without a deadline that were ordered since then, but
	// for unlimited ones; zero: none.
	Undated time.Time
	// When says when the PG is to be asked first about an account of a channel
	// with a deadline, which may be zero; zero: it is not.
	When func(merchant.ChannelKey, time.Time) time.Time
}

// A Sweeping is an account about which the PG is to be asked.
type Sweeping struct {
	Payment payment.Payment
	Channel merchant.ChannelKey
	Tries   int // that were begun, this one included
	Why     SweepReason
	Until   time.Time // when others may take it
}
