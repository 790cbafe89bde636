package merchant

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// RepeatLife is how long the answer to a request is kept for whoever sends it
// again under the same Idempotency-Key.
const RepeatLife = 3 * time.Hour

// A Repeatable is one run of a request that its sender may send again: it bears
// an Idempotency-Key (멱등 키).
type Repeatable struct {
	ID      string // a keyed hash of the store, the credential's mode and the sender's key
	Content string // a keyed hash of everything that is asked
	Run     string // a UUID of this run alone
}

// A KeptAnswer is what a repeatable request was answered; its zero value is none.
type KeptAnswer struct {
	Status int
	Body   []byte
}

// Why a repeatable request is not run.
var (
	ErrOutstanding  = fault.Errorf(fault.Conflict, "a request with this Idempotency-Key is being worked on: ask again in a moment")
	ErrOtherRequest = fault.Errorf(fault.Invalid, "the Idempotency-Key was used for another request (method, path or body) in the last %d hours: send a new key", RepeatLife/time.Hour)
)
