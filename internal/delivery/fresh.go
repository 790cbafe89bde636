package delivery

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Reserve keeps room for a delivery that is being made, so that its first try
// needs no claim, and says until when it is to be leased to this dispatcher:
// then Take or Release must follow. The zero time says that there is no room,
// that first tries of its target were left by the last claim, or that the
// dispatcher does not run. It does not block; any goroutine may call it.
func (d *Dispatcher) Reserve(x webhook.Delivery) (until time.Time) {
	r := d.active.Load()
	if r == nil || !r.keep() {
		return time.Time{}
	}
	if !r.mayKeep(x) {
		r.kept(1)
		return time.Time{}
	}
	return time.Now().Add(r.Lease)
}

// mayKeep takes room for a delivery, if there is some.
func (r *run) mayKeep(x webhook.Delivery) bool {
	owner, limit := r.capOf(x.Target)
	if owner != x.Merchant || r.plan.Load().Held(x.Target) {
		return false
	}
	if !r.targets.reserve(x.Target, owner, limit) {
		r.pace.owe() // it will be claimed
		return false
	}
	return true
}

// Take tries deliveries for which Reserve kept room and which are committed
// now. version is that of the settings which their transaction saw. It does
// not block; any goroutine may call it.
func (d *Dispatcher) Take(jobs []webhook.Job, version int64) {
	r := d.active.Load()
	if r == nil {
		return // it stopped, and waited for this as long as it may: the leases lapse
	}
	defer r.kept(len(jobs))
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

// Left looks at the queue for deliveries that are committed and for which
// Reserve had no room: at once if there is room for one by now, else when a
// record of its target, or of another that shares its merchant's room, makes
// some. It does not block; any goroutine may call it.
func (d *Dispatcher) Left(names []string) {
	r := d.active.Load()
	if r == nil || r.targets.left(names) {
		d.agenda.lookNow()
	}
}

// Release gives back the room that Reserve kept. If it is unseen whether the
// deliveries were committed, their leases are given back too. It does not block;
// any goroutine may call it.
func (d *Dispatcher) Release(jobs []webhook.Job, unseen bool) {
	r := d.active.Load()
	if r == nil {
		return
	}
	defer r.kept(len(jobs))
	r.letGo(jobs)
	if unseen {
		r.left.add(jobs...)
		r.agenda.lookNow()
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

// keep counts a delivery for which room is asked, until kept; it is false if no
// more tries begin.
func (r *run) keep() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.keeping++
	}
	return !r.stopped
}

// kept ends the count of deliveries for which room was asked.
func (r *run) kept(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keeping -= n; r.stopped && r.keeping == 0 {
		close(r.told)
	}
}

// stop lets no more tries begin.
func (r *run) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.left.add(r.late...)
	r.letGo(r.late)
	r.late = nil
	if r.keeping == 0 {
		close(r.told)
	}
}
