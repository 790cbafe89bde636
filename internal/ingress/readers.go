package ingress

import (
	"net/netip"
	"sync"
)

// Bounds on bodies that are being read: in all, and of one peer. A proxy that
// hands requests on whole, as nginx does, reads them faster than it fills its
// share.
const (
	mostReading = 4096
	mostOfPeer  = 512
)

// readers counts the bodies that are being read, so that slow senders can hold
// back only themselves. The zero readers is ready for use.
type readers struct {
	mu     sync.Mutex
	total  int
	byPeer map[netip.Addr]int
}

// begin reports whether another body of the peer may be read; if so, end must
// follow.
func (r *readers) begin(peer netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total >= mostReading || r.byPeer[peer] >= mostOfPeer {
		return false
	}
	if r.byPeer == nil {
		r.byPeer = make(map[netip.Addr]int)
	}
	r.total++
	r.byPeer[peer]++
	return true
}

func (r *readers) end(peer netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total--
	if r.byPeer[peer]--; r.byPeer[peer] == 0 {
		delete(r.byPeer, peer)
	}
}
