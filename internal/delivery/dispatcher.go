// Package delivery sends webhooks: it claims deliveries that are due, posts
// them and records what came of it.
//
// What this node's own transactions make is handed to the dispatcher as it is
// committed (Reserve, Take), as long as there is room and no first try of the same
// target waits. Everything else, such as retries, one loop claims. Every try
// runs in a goroutine of its own; one finisher writes the outcomes of whatever
// ended since it wrote the last ones, at most fifty times a second. Nothing
// ticks: the loop sleeps until the next delivery is due, until room appears for
// one that waits, or until Wake.
//
// # Who may have how much
//
// A slow shop harms only itself, within these bounds. A target's own cap is for
// all dispatchers together, as Share divides it; the others are for one process.
// A target is an endpoint, or the origin of a merchant's notice URLs; one
// without room is simply not claimed from.
//
//   - A target begins with 32 tries at once and earns one more with each
//     success, up to its own cap (256 unless the endpoint says otherwise).
//     After ten failures in a row it has 8, until successes earn more.
//   - What is between claim and record is at most MaxInFlight, 2048. One
//     merchant may hold as much of it as then remains for all others: half
//     if it is alone, a third beside another such merchant, and so on. So
//     some room is always left for a merchant that has none.
//
// A try lasts 30 s at most, so room that hanging shops took is back by then.
// Health does not order claims: while room is scarce they begin with another
// target each time, and a target that fails has little to take anyway.
//
// # A backlog leaves room to what is new
//
// Claims are paced: so many deliveries a second for each processor, in small
// portions. A first try that is taken as it is made is not claimed, and one that
// found no room may be claimed beside the pace. So what was refused for hours, or
// waited for the end of a pause, goes steadily, and what is made meanwhile finds
// processors and database free. Retries do not stand in a first try's way; first
// tries of the same target do.
//
// Whatever goes wrong on this side, the lease of a claim ends and the delivery
// is tried again with the same id. Nothing is dropped, and nothing that the
// engine holds in memory is needed to find the work again.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Queue is where deliveries wait. Its methods are safe for many dispatchers
// at once, on many machines.
type Queue interface {
	// Claim leases deliveries that are due at now, as many as there is room for,
	// none of an endpoint that is paused. Until the lease has lasted, nobody else
	// gets them. First tries go ahead of retries. The claim says what first tries
	// it left, and when to look again. With an error come the jobs whose leases
	// may have been committed unseen.
	Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error)

	// Finish records outcomes in one transaction. The i-th error is
	// fault.Conflict if the lease of the i-th job was lost; then nothing was
	// changed for it. The second result is about the whole batch: if it is not
	// nil, nothing was written.
	Finish(ctx context.Context, batch []webhook.Finish) ([]error, error)

	// Release gives leases back before they end. One that was lost meanwhile is
	// passed over.
	Release(ctx context.Context, jobs []webhook.Job) error

	// Planner returns what makes deliveries by the settings of this moment,
	// and their version. newID makes the ids of new deliveries.
	Planner(ctx context.Context, newID func() string) (webhook.Planner, int64, error)
}

// A Dispatcher sends what waits in a queue. Queue and Client must be set; the
// other fields have defaults. Its fields must not change while it runs, and it
// must not be copied.
type Dispatcher struct {
	Queue Queue
	// Client makes the calls. Its redirect rule is not used: a redirect is an
	// answer like any other.
	Client *http.Client
	// Random varies delays and must be safe for concurrent use; nil keeps them
	// nominal. Production uses webhook.SystemRandom.
	Random webhook.Random
	// MaxInFlight is how many deliveries may be between claim and record at
	// once; zero means 2048.
	MaxInFlight int
	// Pace is how many deliveries a second may be claimed, beside as many first
	// tries as were made here and found no room; zero means 1500 for each
	// processor. What is taken as it is made is not claimed.
	Pace int
	// Lease is how long a claim lasts; zero means 45 s. A try is given two
	// thirds of it at most, so that it never outlives its lease.
	Lease time.Duration
	// Share says how much of a limit that is meant for all dispatchers together
	// is this one's part, at least 1; 0 of any limit means that it must not
	// lease deliveries now, and Wake must be called when it may. It is asked at
	// each claim and for each delivery that is made, and must be safe for
	// concurrent use. Nil: it is alone, and has all of it.
	Share func(limit int) int
	// Idle is the longest sleep between claims; zero means one hour.
	Idle time.Duration
	// Grace is how long tries may go on after a stop; zero means 30 s.
	Grace time.Duration
	// Log gets one line for each try. Nil logs nothing.
	Log *slog.Logger
	// NewID makes ids of attempts and events; nil makes UUIDv7s.
	NewID func() string

	agenda agenda
	active atomic.Pointer[run]
}

const (
	defaultInFlight = 2048
	defaultLease    = 45 * time.Second
	defaultIdle     = time.Hour
	defaultGrace    = 30 * time.Second
	longestTry      = webhook.MaxTimeout
)

// errStopped is why a try ends that outlasts the grace after a stop.
var errStopped = errors.New("the dispatcher stops")

// Wake makes Run look at the queue at once, or as soon as it has started. It
// never blocks and is safe from any goroutine; calls that come together count
// as one.
func (d *Dispatcher) Wake() { d.agenda.lookNow() }

// Run sends deliveries until ctx ends. Then it claims nothing more, lets the
// tries in hand go on for Grace, records how they ended, waits at most 5 s for
// transactions that make deliveries for it, gives back the leases of these and
// of tries that it had to cut off, and returns nil.
// Failures of the queue do not end it: it tries again for ever. Only one Run
// may be active at a time.
func (d *Dispatcher) Run(ctx context.Context) error {
	work, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(errStopped)
	r := d.newRun(work)
	r.writing.Go(func() { r.finisher.run(work) })
	if r.refresh(ctx) {
		d.active.Store(r)
		defer d.active.Store(nil)
		d.agenda.lookNow()
		for d.agenda.sleep(ctx, r.Idle) {
			r.startLate(ctx)
			r.claim(ctx)
			r.handBack(ctx)
		}
	}
	r.stop()
	grace := time.AfterFunc(r.Grace, func() { cut(errStopped) })
	defer grace.Stop()
	r.tries.Wait()
	r.finisher.close()
	r.writing.Wait()
	r.hear()
	r.handBack(ctx)
	return nil
}

// settings copies the fields, with defaults for what is not set.
func (d *Dispatcher) settings() settings {
	client := *d.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := settings{
		Queue: d.Queue, Client: &client, Random: d.Random, NewID: d.NewID, Log: d.Log,
		MaxInFlight: or(d.MaxInFlight, defaultInFlight), Pace: or(d.Pace, defaultPace()), Lease: or(d.Lease, defaultLease),
		Idle: or(d.Idle, defaultIdle), Share: d.Share, Grace: or(d.Grace, defaultGrace),
	}
	s.Timeout = min(longestTry, s.Lease*2/3)
	// 5 s of 45 s: more than two nodes' clocks may differ from each other, 4 s,
	// when each is right within 2 s.
	s.Margin = (s.Lease - s.Timeout) / 3
	if s.Share == nil {
		s.Share = whole
	}
	if s.NewID == nil {
		s.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s
}

// or returns v, or def where v is zero or less.
func or[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
