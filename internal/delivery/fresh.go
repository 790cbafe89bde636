package delivery

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Reserve keeps room for a delivery that is being made, so that its first try
// needs no claim, and says until when it is to be leased to this dispatcher:
// then Take or Release must follow. The zero time says that there is no room,
// that others of its target waited before it at the last claim, or that the
// dispatcher does not run. It does not block; any goroutine may call it.
func (d *Dispatcher) Reserve(x webhook.Delivery) (until time.Time) {
	r := d.active.Load()
	if r == nil || r.ended() {
		return time.Time{}
	}
	owner, limit := r.capOf(x.Target)
	if owner != x.Merchant || r.plan.Load().Held(x.Target) || !r.targets.reserve(x.Target, owner, limit) {
		return time.Time{}
	}
	return time.Now().Add(r.Lease)
}

// Take tries deliveries for which Reserve kept room and which are committed
// now. version is that of the settings which their transaction saw. It does
// not block; any goroutine may call it.
func (d *Dispatcher) Take(jobs []webhook.Job, version int64) {
	r := d.active.Load()
	if r == nil {
		return // it stopped meanwhile: the leases lapse
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		r.left.add(jobs...)
	case version > r.plan.Load().version:
		// They go by settings that are at least as new as they are: the loop
		// reads those first.
		r.late = append(r.late, jobs...)
		r.agenda.lookNow()
	default:
		r.startReserved(jobs)
	}
}

// Release gives back the room that Reserve kept. It does not block; any
// goroutine may call it.
func (d *Dispatcher) Release(jobs []webhook.Job) {
	if r := d.active.Load(); r != nil {
		r.letGo(jobs)
	}
}

// startReserved starts jobs for which room was reserved.
func (r *run) startReserved(jobs []webhook.Job) {
	for _, job := range jobs {
		if r.plan.Load().Held(job.Target) || !r.inTime(job) {
			r.letGo([]webhook.Job{job})
			continue
		}
		r.start(job)
	}
}

// letGo gives back the room of jobs that are not tried.
func (r *run) letGo(jobs []webhook.Job) {
	for _, job := range jobs {
		r.targets.end(job.Target, "")
		if r.targets.release(job) {
			r.agenda.lookNow()
		}
	}
}

// startLate starts the jobs that came with newer settings than were known. If
// those cannot be read before ctx ends, they are left to others.
func (r *run) startLate(ctx context.Context) {
	r.mu.Lock()
	late := r.late
	r.late = nil
	r.mu.Unlock()
	if len(late) == 0 {
		return
	}
	if !r.refresh(ctx) {
		r.left.add(late...)
		r.letGo(late)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.startReserved(late)
}

// ended reports whether no more tries begin.
func (r *run) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// stop lets no more tries begin.
func (r *run) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.left.add(r.late...)
	r.letGo(r.late)
	r.late = nil
}
