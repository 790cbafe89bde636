package merchant

import (
	"net/netip"
	"time"
)

// The kinds of credentials by which servers call the APIs.
const (
	ByAPISecret = "api_secret" // API V2
	ByAPIKey    = "v1_key"     // API V1
)

// A Call is one call of an API, as the log keeps it: never what it carried or was
// answered, and no credential's value.
type Call struct {
	ID         string // a UUIDv7; the answer bore it as X-Request-Id
	At         time.Time
	Merchant   ID
	Store      StoreID // the credential's
	Mode       Mode    // likewise; Any of one for both
	Credential string  // the id of the credential
	By         string  // its kind
	Method     string
	Route      string // the pattern, such as "/payments/{paymentId}"
	Path       string // as it was called, without its query
	Status     int
	Took       time.Duration
	Client     netip.Addr // invalid if that could not be told
	Error      string     // the type of the error that was answered; empty if there was none, or an earlier answer was repeated
}
