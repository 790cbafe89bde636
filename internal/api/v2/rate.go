package v2

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/api"
)

// How the limits of calls belong together.
const (
	bursts   = 4  // a burst is what may be done in so many seconds
	failures = 10 // of so many calls that may succeed, one may fail to prove who makes it

	mostSecrets   = 10_000
	mostAddresses = 100_000
)

// Limit bounds the calls of each API secret: so many a second, and four times as
// many after a rest. Of calls that prove nothing an address has a tenth. 0 bounds
// nothing. It must be called before the API is used.
func (a *API) Limit(perSecond int) {
	a.calls, a.strangers = nil, nil
	if perSecond <= 0 {
		return
	}
	rate := float64(perSecond)
	a.calls = &api.Rate{PerSecond: rate, Burst: bursts * rate, Most: mostSecrets}
	a.strangers = &api.Rate{PerSecond: rate / failures, Burst: max(bursts*rate/failures, 1), Most: mostAddresses}
}

// A tooManyError says that a call came too soon.
type tooManyError struct {
	wait time.Duration
	who  string
}

// Error says who has to wait.
func (t tooManyError) Error() string { return "too many calls " + t.who + ": wait as Retry-After says" }

// retryAfter is the wait in whole seconds.
func (t tooManyError) retryAfter() int { return int((t.wait + time.Second - 1) / time.Second) }

// mayTry reports tooManyError if calls from the client's address failed to prove who
// makes them, too often to look at another.
func (a *API) mayTry(r *http.Request) error {
	from := a.stranger(r)
	if from == "" {
		return nil
	}
	if wait := a.strangers.Wait(from, time.Now()); wait > 0 {
		return tooManyError{wait, "from this address did not prove who makes them"}
	}
	return nil
}

// provedNothing counts a call that did not prove who makes it against its address.
func (a *API) provedNothing(r *http.Request) {
	if from := a.stranger(r); from != "" {
		a.strangers.Charge(from, time.Now())
	}
}

// stranger names the client by its address, with IPv6 by its /64. It is empty if
// that cannot be told: then it may be everyone's.
func (a *API) stranger(r *http.Request) string {
	addr := a.clientAddr(r)
	if !addr.IsValid() {
		return ""
	}
	if addr.Is6() && !addr.Is4In6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.Unmap().String()
}
