package delivery

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// settings are a dispatcher's fields with their defaults.
type settings struct {
	Queue       Queue
	Client      *http.Client
	Random      webhook.Random
	MaxInFlight int
	Lease       time.Duration
	Timeout     time.Duration // of one try
	Idle        time.Duration
	Grace       time.Duration
	Log         *slog.Logger
	NewID       func() string
}

// A run is one call of Run. The planner and its version belong to the loop.
type run struct {
	settings
	agenda   *agenda
	targets  *targets
	finisher *finisher
	outage   outage
	planner  webhook.Planner
	version  int64
	tries    sync.WaitGroup
	writing  sync.WaitGroup
}

func (d *Dispatcher) newRun() *run {
	s := d.settings()
	r := &run{
		settings: s, agenda: &d.agenda,
		targets: newTargets(s.MaxInFlight),
		outage:  outage{what: "claiming webhooks", log: s.Log, random: s.Random},
	}
	r.finisher = &finisher{
		queue: s.Queue, log: s.Log, timeout: s.Lease, recorded: r.recorded,
		bell: make(chan struct{}, 1), limit: maxBatch,
		outage: outage{what: "recording webhooks", log: s.Log, random: s.Random},
	}
	return r
}

// refresh reads the settings, trying until it succeeds. It is false if ctx
// ended first.
func (r *run) refresh(ctx context.Context) bool {
	for ctx.Err() == nil {
		planner, version, err := r.Queue.Planner(ctx, r.NewID)
		if err == nil {
			r.outage.over(ctx)
			r.planner, r.version = planner, version
			return true
		}
		pause(ctx, r.outage.failed(ctx, err))
	}
	return false
}

// claim takes what is due and starts its tries, which live as long as work. If
// the queue fails it waits a little and leaves a note to look again.
func (r *run) claim(ctx, work context.Context) {
	room := r.targets.ask()
	if room <= 0 {
		return // the next record makes room and looks again
	}
	now := time.Now()
	c, err := r.Queue.Claim(ctx, now, r.Lease, room, func(target string, taken []webhook.Job) int {
		owner, limit := r.planner.Cap(target)
		return r.targets.free(target, owner, limit, taken)
	})
	if err != nil {
		pause(ctx, r.outage.failed(ctx, err))
		r.agenda.lookNow()
		return
	}
	r.outage.over(ctx)
	// The jobs go by settings that are at least as new as the claim: a revoked
	// secret must not sign once more. If they cannot be read before ctx ends,
	// the leases lapse.
	if c.Version != r.version && !r.refresh(ctx) {
		return
	}
	if len(c.Jobs) >= room {
		r.targets.short()
	}
	for _, job := range c.Jobs {
		r.start(work, job, now.Add(r.Lease))
	}
	r.note(c.Next, now)
}

// note writes down when to look again after a claim of what was due at asked,
// given when the next delivery is due.
func (r *run) note(next, asked time.Time) {
	limited, look := r.targets.settle()
	switch now := time.Now(); {
	case next.IsZero():
	case next.After(asked): // it may have become due since
		r.agenda.sooner(next)
	case look:
		r.agenda.lookNow()
	case limited:
		// It is due and has no room here. A record of its target looks again;
		// the lease bounds the wait in case it was for another reason.
		r.agenda.sooner(now.Add(r.Lease))
	default:
		// It is due and there is room, but somebody holds the row just now.
		r.agenda.sooner(now.Add(heldRow))
	}
}

// heldRow is how long to leave a row alone that another transaction holds.
const heldRow = 250 * time.Millisecond

// start tries a job in a goroutine of its own. A job whose lease would end
// before its try does is let go.
func (r *run) start(work context.Context, job webhook.Job, until time.Time) {
	if time.Until(until) < r.Timeout {
		r.agenda.sooner(until)
		return
	}
	r.targets.begin(job)
	planner := r.planner
	r.tries.Go(func() {
		res := r.try(work, job, planner)
		if res.cut {
			// The stop itself ended the try, so it says nothing about the
			// shop: nothing is recorded, and the lease runs out.
			r.targets.end(job.Target, "")
			r.targets.release(job)
			return
		}
		r.targets.end(job.Target, res.attempt.Outcome)
		f := r.conclude(work, job, res, planner)
		r.report(work, f)
		r.finisher.add(record{f, until})
	})
}

// recorded hears of a record that was written, or let go for good: then the
// delivery is somebody else's, or due again when the lease ends.
func (r *run) recorded(rec record, written bool) {
	look := r.targets.release(rec.Job)
	switch {
	case !written:
		r.agenda.sooner(rec.until)
	case rec.State == webhook.Waiting:
		r.agenda.sooner(rec.Next)
	}
	if look || rec.Attention != nil {
		r.agenda.lookNow()
	}
}
