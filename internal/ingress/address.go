package ingress

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/provider"
)

// ClientAddr finds who sent a request: the peer, or, behind proxies that are
// trusted, the rightmost hop of X-Forwarded-For that is not one of them.
//
// The zero Addr, which no list admits, stands for a hop that cannot be read.
//
// ok is false if that cannot be told: a request with forwarding headers came
// from a private address that is no trusted proxy's. The peer would then be a
// proxy, and taking its address for the sender's would admit the world.
func ClientAddr(r *http.Request, trusted []netip.Prefix) (addr netip.Addr, ok bool) {
	peer := peerOf(r)
	if !provider.Admits(trusted, peer) {
		return peer, !forwarded(r.Header) || !private(peer)
	}
	list := r.Header.Values("X-Forwarded-For")
	if len(list) == 0 && !forwarded(r.Header) {
		return peer, true // the proxy's own machine speaks, for nobody else
	}
	hops := strings.Split(strings.Join(list, ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop, err := parseHop(hop)
		if err != nil {
			return netip.Addr{}, true // no sender list admits it
		}
		if !provider.Admits(trusted, hop) {
			return hop, true
		}
	}
	return peer, true
}

// forwarded reports whether a proxy has put its mark on a request.
func forwarded(h http.Header) bool {
	for _, name := range []string{
		"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "Via",
	} {
		if len(h.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// private reports whether an address is of this machine or its network: no PG
// is there.
func private(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() ||
		sharedSpace.Contains(a)
}

// sharedSpace is what carriers and clouds use between themselves (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// parseHop reads one entry of X-Forwarded-For, with or without a port.
func parseHop(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err
}
