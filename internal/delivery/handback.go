package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// handBackPatience is how long a stop waits for the queue to take leases back.
const handBackPatience = 5 * time.Second

// A leftover is what was claimed and is not dealt with when a run ends. Safe
// for concurrent use.
type leftover struct {
	mu   sync.Mutex
	jobs []webhook.Job
}

func (l *leftover) add(jobs ...webhook.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, jobs...)
}

// handBack gives the leases of what is left over back, so that another node
// need not wait for their end. If the queue does not take them, they end by
// themselves.
func (r *run) handBack(ctx context.Context) {
	r.left.mu.Lock()
	jobs := r.left.jobs
	r.left.mu.Unlock()
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackPatience)
	defer cancel()
	if err := r.Queue.Release(ctx, jobs); err != nil {
		r.Log.WarnContext(ctx, "leases not given back: they end by themselves", "deliveries", len(jobs), "err", err)
		return
	}
	r.Log.InfoContext(ctx, "leases given back", "deliveries", len(jobs))
}
