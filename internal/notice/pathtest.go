package notice

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A PathTest is a test of all that a payment on a test channel goes through, from the
// account to the shop's answer, as far as it has come.
type PathTest struct {
	ID      string // sorts by time
	Channel merchant.ChannelKey
	Store   merchant.StoreID // on whose behalf
	By      string           // who asked for it; empty if nobody is known
	// Payment is that which was made for it, and Key its own; empty before.
	Payment   payment.ID
	Key       payment.Key
	StartedAt time.Time
	SeenAt    time.Time // when it last came further
	EndedAt   time.Time // zero while it goes on
	Good      bool      // it has ended, and all went well
	Rungs     []PathRung
}

// A PathRung is how one step of a PathTest went.
type PathRung struct {
	Part    string        `json:"part"` // of the way: "issue", "notice", "webhook" …
	Step    string        `json:"step"` // within it
	Subject string        `json:"subject,omitempty"`
	Outcome string        `json:"outcome"` // ok, failed or skipped
	Took    time.Duration `json:"took,omitempty"`
	// Key is of the text that says what was found, and Args what fills it: names and
	// values in turn.
	Key  string   `json:"key"`
	Args []string `json:"args,omitempty"`
	// What may be opened beside it: a notice, or a delivery.
	Notice   ID     `json:"notice,omitempty"`
	Delivery string `json:"delivery,omitempty"`
}

// pathSilence is how long a test of a path that goes on is silent at most.
const pathSilence = 90 * time.Second

// BrokenOff reports whether a test never ended: whoever ran it is gone.
func (t PathTest) BrokenOff(now time.Time) bool {
	return t.EndedAt.IsZero() && now.Sub(t.SeenAt) > pathSilence
}

// Failed is the first step that went badly; false if there is none.
func (t PathTest) Failed() (PathRung, bool) {
	for _, r := range t.Rungs {
		if r.Outcome == "failed" {
			return r, true
		}
	}
	return PathRung{}, false
}
