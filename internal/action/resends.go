package action

import (
	"context"
	"log/slog"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A ResendStore is where jobs wait that send many webhooks again. Its methods are
// safe for concurrent use, by many nodes.
type ResendStore interface {
	// TakeResends leases a job that nobody has, until a time; nil if there is none,
	// and then when to look again, zero for no time.
	TakeResends(ctx context.Context, now, until time.Time) (*webhook.ResendJob, time.Time, error)
	// StepResends makes up to n resends of it in one transaction, and keeps the lease
	// until a time. It reports fault.Conflict if the job was stopped or its lease
	// lost.
	StepResends(ctx context.Context, j webhook.ResendJob, n int, pace webhook.Pace, now, until time.Time) (webhook.ResendStep, webhook.Pace, error)
	// GiveBackResends lets others take it up at once.
	GiveBackResends(ctx context.Context, j webhook.ResendJob, now time.Time) error
}

// Resends sends webhooks again that a person asked for together, job after job, at
// the rate of each. A job is in the store with how far it has come: when a node
// dies, another goes on with it once its lease is over. Several may run on several
// machines; each job is run by one of them at a time.
type Resends struct {
	Store ResendStore
	Log   *slog.Logger
	// Idle is how long Run sleeps at most; zero: a minute.
	Idle time.Duration
	// Fit, if set, says whether this machine may go by its clock. It must not block.
	Fit func() bool

	alarm alarm
}

const (
	resendLease = 30 * time.Second
	// resendAhead is how far a job's resends are made before they are due: what was
	// made goes out even if the job is stopped then.
	resendAhead = time.Second
	// resendPause keeps a step from following a failure, and a look a look, at once.
	resendPause = time.Second
)

// Wake has Run look for jobs soon. It does not block; any goroutine may call it.
func (r *Resends) Wake() { r.alarm.set(time.Now().Add(resendPause)) }

// Run goes on with jobs until ctx ends, and returns nil. If the store fails it
// tries again for ever. Only one Run may be active at a time.
func (r *Resends) Run(ctx context.Context) error {
	idle := r.Idle
	if idle <= 0 {
		idle = time.Minute
	}
	failing := false
	for ctx.Err() == nil {
		untilFit(ctx, r.Fit)
		r.alarm.forget()
		job, next, err := r.Store.TakeResends(ctx, now(), now().Add(resendLease))
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if !failing {
				r.Log.ErrorContext(ctx, "webhooks are not sent again for now", "err", err)
			}
			failing = true
			r.alarm.set(time.Now().Add(lastPause))
		case job != nil:
			failing = false
			r.work(ctx, *job)
			continue
		default:
			failing = false
			if !next.IsZero() {
				r.alarm.set(next)
			}
		}
		r.alarm.sleep(ctx, idle)
	}
	return nil
}

// work goes on with a job until it is over, lost or stopped, or ctx ends.
func (r *Resends) work(ctx context.Context, j webhook.ResendJob) {
	pace := webhook.Pace{Rate: j.Rate, Next: map[string]time.Time{}}
	r.Log.InfoContext(ctx, "sending webhooks again", "resend_id", j.ID, "expected", j.Expected, "made", j.Made)
	for {
		step, after, err := r.Store.StepResends(ctx, j, j.Rate, pace, now(), now().Add(resendLease))
		switch {
		case ctx.Err() != nil:
			r.giveBack(ctx, j)
			return
		case fault.Is(err, fault.Conflict):
			r.Log.InfoContext(ctx, "webhooks are not sent again any more", "resend_id", j.ID, "err", err)
			return
		case err != nil:
			// The lease outlasts a few failures; then the job is anybody's.
			r.Log.WarnContext(ctx, "a part of a resend failed", "resend_id", j.ID, "err", err)
			if !slept(ctx, resendPause) {
				r.giveBack(ctx, j)
				return
			}
			continue
		}
		j, pace = step.Job, after
		if step.Again.IsZero() {
			r.Log.InfoContext(ctx, "webhooks were sent again", "resend_id", j.ID, "made", j.Made, "skipped", j.Skipped)
			return
		}
		if rest := pace.Ahead(time.Now()) - resendAhead; rest > 0 && !slept(ctx, rest) {
			r.giveBack(ctx, j)
			return
		}
	}
}

// giveBack lets another node go on with a job, now that this one stops.
func (r *Resends) giveBack(ctx context.Context, j webhook.ResendJob) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resendPause)
	defer cancel()
	if err := r.Store.GiveBackResends(ctx, j, now()); err != nil {
		r.Log.WarnContext(ctx, "a resend is not given back: its lease ends by itself", "resend_id", j.ID, "err", err)
	}
}
