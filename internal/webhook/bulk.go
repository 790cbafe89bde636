package webhook

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// A Which names a delivery to those who may know of it.
type Which struct {
	ID       DeliveryID
	Merchant merchant.ID
	Store    merchant.StoreID // empty: any store of the merchant
	Mode     merchant.Mode
}

// Covers reports whether a delivery is one that the name may mean.
func (w Which) Covers(d Delivery) bool {
	return d.Merchant == w.Merchant && (w.Store == "" || d.Store == w.Store) && w.Mode.Sees(d.Mode)
}

// A ResendKind says which webhooks of a period are sent again together.
type ResendKind string

// The kinds.
const (
	ResendFailed ResendKind = "failed"         // whose tries were used up, whatever resends came to
	ResendMissed ResendKind = "never_received" // that no try brought over, those included that are still tried
	ResendAll    ResendKind = "all"            // that were tried
)

// ResendKinds lists the kinds.
func ResendKinds() []ResendKind { return []ResendKind{ResendFailed, ResendMissed, ResendAll} }

// A ResendFilter says which webhooks are sent again together (일괄 재전송): first
// deliveries, never resends.
type ResendFilter struct {
	Merchant    merchant.ID      `json:"merchant"`
	Store       merchant.StoreID `json:"store,omitempty"` // empty: all of the merchant
	Mode        merchant.Mode    `json:"mode"`
	Endpoint    EndpointID       `json:"endpoint,omitempty"` // empty: any, and notice URLs
	Types       []Type           `json:"types,omitempty"`    // none: any
	From, Until time.Time        // of being made, to a millisecond; zero leaves an end open
	Kind        ResendKind       `json:"kind"`
}

// Check reports fault.Invalid if the filter cannot find anything.
func (f ResendFilter) Check() error {
	switch {
	case f.Merchant == "":
		return fault.Errorf(fault.Invalid, "a resend needs a merchant")
	case f.Mode != merchant.Live && f.Mode != merchant.Test:
		return fault.Errorf(fault.Invalid, "mode %q: want live or test", f.Mode)
	case !slices.Contains(ResendKinds(), f.Kind):
		return fault.Errorf(fault.Invalid, "kind %q: want failed, never_received or all", f.Kind)
	case !f.From.IsZero() && !f.Until.IsZero() && f.Until.Before(f.From):
		return fault.Errorf(fault.Invalid, "the period ends before it begins")
	}
	known := append(PortOneTypes(), OwnTypes()...)
	for _, t := range f.Types {
		if !slices.Contains(known, t) {
			return fault.Errorf(fault.Invalid, "event type %q is unknown", t)
		}
	}
	return nil
}

// A Candidate is what of a delivery a filter looks at.
type Candidate struct {
	ID       DeliveryID
	Merchant merchant.ID
	Store    merchant.StoreID
	Mode     merchant.Mode
	Endpoint EndpointID
	Target   string
	Type     Type
	State    DeliveryState
	Tries    int
	Resend   bool // it was itself sent by hand
	Received bool // some try under its id was good; asked for ResendMissed alone
	At       time.Time
}

// Takes reports whether the filter means a delivery. Its period is not looked at.
func (f ResendFilter) Takes(c Candidate) bool {
	switch {
	case c.Resend, c.Tries == 0, c.Merchant != f.Merchant, c.Mode != f.Mode:
		return false
	case f.Store != "" && c.Store != f.Store, f.Endpoint != "" && c.Endpoint != f.Endpoint:
		return false
	case len(f.Types) > 0 && !slices.Contains(f.Types, c.Type):
		return false
	}
	switch f.Kind {
	case ResendFailed:
		return c.State == Undone
	case ResendMissed:
		return c.State != Completed && !c.Received
	case ResendAll:
		return true
	}
	return false
}

// The rate of a job: resends a second for each target.
const (
	DefaultResendRate = 20
	MaxResendRate     = 200
)

// ConfirmedResends is how many webhooks a person may send again together without
// proving once more who it is.
const ConfirmedResends = 1000

// MostResent is how many webhooks one job sends again at most.
const MostResent = 100_000

// A ResendPreview is what a job would do, as far as it was counted.
type ResendPreview struct {
	N              int
	More           bool // counting stopped: there may be more
	Oldest, Newest time.Time
	// Targets are whose deliveries these are, the most first: an endpoint's id, or
	// the origin of notice URLs.
	Targets []TargetCount
}

// A TargetCount is how many of something a target has.
type TargetCount struct {
	Endpoint EndpointID // empty for notice URLs
	Target   string
	N        int
}

// A ResendJobID names a job: a UUIDv7.
type ResendJobID string

// A ResendState is where a job stands.
type ResendState string

// The states of a job.
const (
	ResendRunning ResendState = "running"
	ResendDone    ResendState = "done"
	ResendStopped ResendState = "stopped"
)

// A ResendJob sends webhooks again, a few at a time. It is in the store: whichever
// node takes it up goes on where the last one was.
type ResendJob struct {
	ID        ResendJobID
	Filter    ResendFilter // its Until is set
	Rate      int          // resends a second for each target
	By        string       // who asked for it, in words
	State     ResendState
	Expected  int  // by the preview
	More      bool // and perhaps more
	Made      int  // resends
	Skipped   int  // that could not be made, such as the 101st of one webhook
	CreatedAt time.Time
	EndedAt   time.Time // zero while it runs
	// Lease and Until are of who runs it; only then set.
	Lease Lease
	Until time.Time
}

// ResendProgress is what became of a job's resends so far.
type ResendProgress struct {
	Completed, Failed, Waiting int
}

// A ResendStep is a part of a job that is done at once.
type ResendStep struct {
	Job   ResendJob // as it is after it
	Made  int
	Again time.Time // when the next step may be made; zero: the job is over
}

// A Pace spreads resends in time: for each target, when its next one may go.
type Pace struct {
	Rate int
	Next map[string]time.Time
}

// Take returns when the next resend to a target goes, which is not before now.
func (p Pace) Take(target string, now time.Time) time.Time {
	at := p.Next[target]
	if at.Before(now) {
		at = now
	}
	p.Next[target] = at.Add(time.Second / time.Duration(max(1, p.Rate)))
	return at
}

// Ahead is how far beyond now the pace has gone.
func (p Pace) Ahead(now time.Time) time.Duration {
	var most time.Duration
	for _, at := range p.Next {
		most = max(most, at.Sub(now))
	}
	return most
}
