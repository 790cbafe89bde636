package delivery

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// settings are a dispatcher's fields with their defaults.
type settings struct {
	Queue       Queue
	Client      *http.Client
	Random      webhook.Random
	MaxInFlight int
	Pace        int
	Lease       time.Duration
	Timeout     time.Duration // of one try
	Margin      time.Duration // that its lease has left when a try ends at the latest
	Share       func(limit int) int
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
	pace     *pace
	outage   outage
	left     leftover
	held     time.Duration        // how long rows were left alone that others held
	plan     atomic.Pointer[plan] // set before anything is tried
	work     context.Context      // that tries live as long as; it ends after the loop's
	tries    sync.WaitGroup
	writing  sync.WaitGroup

	mu      sync.Mutex
	stopped bool          // no more tries begin
	keeping int           // deliveries being made for which room was asked
	told    chan struct{} // closed when it is stopped and knows what became of those
	late    []webhook.Job // taken while the plan was older than they are
}

// A plan is what the settings of one version say.
type plan struct {
	webhook.Planner
	version int64
}

func (d *Dispatcher) newRun(work context.Context) *run {
	s := d.settings()
	r := &run{
		settings: s, agenda: &d.agenda, work: work, told: make(chan struct{}),
		targets: newTargets(s.MaxInFlight), pace: newPace(s.Pace, s.MaxInFlight),
		outage: outage{what: "claiming webhooks", log: s.Log, random: s.Random},
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
			r.plan.Store(&plan{planner, version})
			return true
		}
		pause(ctx, r.outage.failed(ctx, err))
	}
	return false
}

// claim takes what is due and starts its tries. If the queue fails it waits a
// little and leaves a note to look again.
func (r *run) claim(ctx context.Context) {
	if !r.mayClaim() {
		return // Share's owner wakes us
	}
	now := time.Now()
	total, retries, wait := r.pace.allow(now)
	if total == 0 {
		r.agenda.sooner(now.Add(wait))
		return
	}
	room := r.targets.ask(total)
	if room <= 0 {
		return // the next record makes room and looks again
	}
	// Of what is claimed later than that, no try could begin.
	limited, cancel := context.WithTimeout(ctx, r.Lease-r.Timeout-r.Margin)
	defer cancel()
	c, err := r.Queue.Claim(limited, now, r.Lease, webhook.Room{Total: room, Retries: min(room, retries), Of: r.free})
	if err != nil {
		r.targets.settle(nil)
		r.left.add(c.Jobs...)
		pause(ctx, r.outage.failed(ctx, err))
		r.agenda.lookNow()
		return
	}
	r.outage.over(ctx)
	// The jobs go by settings that are at least as new as the claim: a revoked
	// secret must not sign once more.
	if c.Version != r.plan.Load().version && !r.refresh(ctx) {
		r.left.add(c.Jobs...)
		return
	}
	if len(c.Jobs) >= room && room < total {
		r.targets.short()
	}
	again := 0
	for _, job := range c.Jobs {
		again += min(1, job.Tries)
		if r.inTime(job) {
			r.targets.begin(job)
			r.start(job)
		}
	}
	wait = r.pace.spend(c.Jobs, now)
	r.note(c, now, len(c.Jobs) >= total || again >= retries, wait)
}

// free is how much of a target there is room for.
func (r *run) free(target string, taken []webhook.Job) int {
	owner, limit := r.capOf(target)
	return r.targets.free(target, owner, limit, taken)
}

// note writes down when to look again after a claim of what was due at asked. If
// it was paced, it took all that the pace allows, and there is more after wait.
func (r *run) note(c webhook.Claim, asked time.Time, paced bool, wait time.Duration) {
	limited, look := r.targets.settle(c.Left)
	switch now := time.Now(); {
	case c.Next.IsZero():
	case c.Next.After(asked): // it may have become due since
		r.agenda.sooner(c.Next)
	case paced:
		r.agenda.sooner(asked.Add(wait))
	case look:
		r.agenda.lookNow()
	case limited:
		// It is due and has no room here. A record of its target looks again;
		// the lease bounds the wait in case it was for another reason.
		r.agenda.sooner(now.Add(r.Lease))
	default:
		// It is due and there is room, but somebody holds the row just now.
		r.held = min(max(2*r.held, heldRow), longHeld)
		r.agenda.sooner(now.Add(r.held))
		return
	}
	r.held = 0
}

// How long to leave rows alone that another transaction holds: the first time,
// and at most. Most hold them for moments.
const (
	heldRow  = 10 * time.Millisecond
	longHeld = 250 * time.Millisecond
)

// inTime reports whether a try of a job ends before its lease may, by the clock
// of any node. If not, it is let go until then.
func (r *run) inTime(job webhook.Job) bool {
	if time.Until(job.Until) < r.Timeout+r.Margin {
		r.agenda.sooner(job.Until)
		return false
	}
	return true
}

// start tries a job, for which there is room, in a goroutine of its own.
func (r *run) start(job webhook.Job) {
	planner := r.plan.Load().Planner
	r.tries.Go(func() {
		res := r.try(r.work, job, planner)
		if res.cut {
			// The stop itself ended the try, so it says nothing about the
			// shop: nothing is recorded, and the lease is given back.
			r.left.add(job)
			r.targets.end(job.Target, "")
			r.targets.release(job)
			return
		}
		r.targets.end(job.Target, res.attempt.Outcome)
		f := r.conclude(r.work, job, res, planner)
		r.report(r.work, f)
		r.finisher.add(f)
	})
}

// recorded hears of a record that was written, or let go for good: then the
// delivery is somebody else's, or due again when the lease ends.
func (r *run) recorded(rec webhook.Finish, written bool) {
	look := r.targets.release(rec.Job)
	switch {
	case !written:
		r.agenda.sooner(rec.Job.Until)
	case rec.State == webhook.Waiting:
		r.agenda.sooner(rec.Next)
	}
	if look || rec.Attention != nil {
		r.agenda.lookNow()
	}
}
