package ingress

import (
	"net/netip"
	"testing"
)

func TestReadersOfOnePeerHoldBackNobodyElse(t *testing.T) {
	var r readers
	slow, other := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	for n := range mostOfPeer {
		if !r.begin(slow) {
			t.Fatalf("body %d was refused", n)
		}
	}
	if r.begin(slow) {
		t.Errorf("a peer reads more than %d bodies at once", mostOfPeer)
	}
	if !r.begin(other) {
		t.Error("another peer was held back")
	}
	r.end(slow)
	if !r.begin(slow) {
		t.Error("room that was given back is not used")
	}
	r.end(other)
	if len(r.byPeer) != 1 {
		t.Errorf("%d peers are remembered, want 1", len(r.byPeer))
	}
}
