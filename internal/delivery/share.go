package delivery

import "github.com/tongbo/tongbo/internal/merchant"

// capOf is whose a target is, and how many tries at once this dispatcher may
// give it: its part of the target's cap.
func (r *run) capOf(target string) (merchant.ID, int) {
	owner, limit := r.plan.Load().Cap(target)
	return owner, r.Share(limit)
}

// mayClaim reports whether this dispatcher may lease deliveries now. If it may
// not, whoever decides that wakes it when it may.
func (r *run) mayClaim() bool { return r.Share(1) > 0 }

// whole is the share of a dispatcher that is alone.
func whole(limit int) int { return limit }
