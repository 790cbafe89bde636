package delivery

import (
	"net/http"
	"testing"
	"time"
)

// TestLeasesOutliveWrongClocks states how far two nodes' clocks may be apart
// before one takes what the other is still trying: each may differ from the
// database's by 2 s before it claims nothing any more.
func TestLeasesOutliveWrongClocks(t *testing.T) {
	const apart = 2 * 2 * time.Second
	s := (&Dispatcher{Client: &http.Client{}}).settings()
	if s.Lease != 45*time.Second || s.Timeout != 30*time.Second || s.Margin <= apart {
		t.Errorf("a lease of %v, tries of %v and a margin of %v, want 45s, 30s and more than %v", s.Lease, s.Timeout, s.Margin, apart)
	}
	if s.Lease-s.Timeout-s.Margin < 5*time.Second {
		t.Errorf("a claim has only %v", s.Lease-s.Timeout-s.Margin)
	}
}
