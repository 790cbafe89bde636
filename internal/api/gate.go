package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
)

// How the limits of calls belong together.
const (
	bursts   = 4  // a burst is what may be done in so many seconds
	failures = 10 // of so many calls that may succeed, one may fail to prove who makes it

	mostCredentials = 10_000
	mostAddresses   = 100_000
)

// A Gate bounds the calls of each credential, and the guesses of each address.
// The zero Gate bounds nothing. Its methods are safe for concurrent use, but for
// Limit.
type Gate struct {
	calls     *Rate // by the id of the credential
	strangers *Rate // by address
}

// Limit bounds the calls of each credential: so many a second, and four times as
// many after a rest. Of calls that prove nothing an address has a tenth. 0 bounds
// nothing. It must be called before the gate is used.
func (g *Gate) Limit(perSecond int) {
	g.calls, g.strangers = nil, nil
	if perSecond <= 0 {
		return
	}
	rate := float64(perSecond)
	g.calls = &Rate{PerSecond: rate, Burst: bursts * rate, Most: mostCredentials}
	g.strangers = &Rate{PerSecond: rate / failures, Burst: max(bursts*rate/failures, 1), Most: mostAddresses}
}

// A TooManyError says that a call came too soon.
type TooManyError struct {
	wait time.Duration
	who  string
}

// Error says who has to wait.
func (t TooManyError) Error() string { return "too many calls " + t.who + ": wait as Retry-After says" }

// RetryAfter is the wait in whole seconds, at least one.
func (t TooManyError) RetryAfter() int { return int((t.wait + time.Second - 1) / time.Second) }

// Count counts a call of a credential, and reports TooManyError if it is one too
// many. who says in words whose calls they are.
func (g *Gate) Count(credential, who string) error {
	if wait := g.calls.Take(credential, time.Now()); wait > 0 {
		return TooManyError{wait, who}
	}
	return nil
}

// MayTry reports TooManyError if calls from an address failed to prove who makes
// them, too often to look at another.
func (g *Gate) MayTry(from netip.Addr) error {
	name := stranger(from)
	if name == "" {
		return nil
	}
	if wait := g.strangers.Wait(name, time.Now()); wait > 0 {
		return TooManyError{wait, "from this address did not prove who makes them"}
	}
	return nil
}

// ProvedNothing counts a call that did not prove who makes it against its address.
func (g *Gate) ProvedNothing(from netip.Addr) {
	if name := stranger(from); name != "" {
		g.strangers.Charge(name, time.Now())
	}
}

// stranger names a client by its address, with IPv6 by its /64. It is empty if
// that cannot be told: then it may be everyone's.
func stranger(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	if addr.Is6() && !addr.Is4In6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.Unmap().String()
}

// Admit reports fault.Forbidden if a store has a list of addresses for the API
// that does not hold the one that a call came from.
func Admit(ctx context.Context, r *store.Reader, s merchant.StoreID, from netip.Addr) error {
	list, err := r.Allowed(ctx, s, merchant.AllowAPI, time.Now())
	if err != nil || len(list) == 0 || provider.Admits(list, from) {
		return err
	}
	seen := "an unknown address"
	if from.IsValid() {
		seen = from.String()
	}
	return fault.Errorf(fault.Forbidden, "the call came from %s, which the store's address list for the API does not hold", seen)
}

// Peer is the address that a request's connection comes from; the invalid address
// if that cannot be told.
func Peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
