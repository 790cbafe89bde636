package ingress

import (
	"sync"
	"time"
)

const (
	// goodCommit is how long a commit may take before fewer notices share the
	// next one: a batch that does not fit into a sender's patience commits
	// nothing at all, and the next one would be no smaller.
	goodCommit = Patience / 4
	// firstBatch is how many notices share a commit before anything is known
	// of the database's speed.
	firstBatch = 8
)

// A pace finds how many notices one commit can carry: it doubles while full
// commits are quick, and halves when one is slow or fails.
type pace struct {
	mu   sync.Mutex
	most int // 0 before the first commit
}

// limit is how many notices the next commit may carry.
func (p *pace) limit() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 {
		p.most = firstBatch
	}
	return p.most
}

// note tells how a commit of n notices went.
func (p *pace) note(n int, took time.Duration, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case failed || took > goodCommit:
		p.most = max(1, min(p.most, n)/2)
	case n >= p.most && took < goodCommit/2:
		p.most = min(mostAtOnce, p.most*2)
	}
}
