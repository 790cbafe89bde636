package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// handBackPatience is how long a stop waits for the queue to take leases back.
const handBackPatience = 5 * time.Second

// hearPatience is how long a stop waits for transactions under way to tell what
// became of the deliveries for which they were given room.
const hearPatience = 5 * time.Second

// hear waits until all deliveries for which room was asked are handed over or
// released, so that their leases can be given back.
func (r *run) hear() {
	timer := time.NewTimer(hearPatience)
	defer timer.Stop()
	select {
	case <-r.told:
	case <-timer.C:
	}
}

// A leftover is what is leased to this node and will not be tried: when a run
// ends, and where nobody knows whether it was ever committed. Safe for
// concurrent use.
type leftover struct {
	mu   sync.Mutex
	jobs []webhook.Job
}

func (l *leftover) add(jobs ...webhook.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, jobs...)
}

// take removes what has not lapsed by itself.
func (l *leftover) take(now time.Time) []webhook.Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	jobs := slices.DeleteFunc(l.jobs, func(j webhook.Job) bool { return j.Until.Before(now) })
	l.jobs = nil
	return jobs
}

// handBack gives the leases of what is left over back, so that nobody need wait
// for their end. If the queue does not take them, that is tried again as long as
// the run lasts; then they end by themselves.
func (r *run) handBack(ctx context.Context) {
	jobs := r.left.take(time.Now())
	if len(jobs) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackPatience)
	defer cancel()
	if err := r.Queue.Release(limited, jobs); err != nil {
		r.left.add(jobs...)
		r.agenda.sooner(time.Now().Add(lastWait))
		if ctx.Err() == nil {
			return // that the queue fails, its claims tell
		}
		r.Log.WarnContext(ctx, "leases not given back: they end by themselves", "deliveries", len(jobs), "err", err)
		return
	}
	r.Log.InfoContext(ctx, "leases given back", "deliveries", len(jobs))
}
