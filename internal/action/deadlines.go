package action

import (
	"context"
	"log/slog"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An Expirer is where payments wait for their deadline.
type Expirer interface {
	// Expire flags at most n payments whose deadline passed before now, as
	// expire decides, and returns the next deadline; zero if none waits. It
	// reports fault.Stale if the settings are no longer of that version.
	Expire(ctx context.Context, now time.Time, n int, version int64, expire func(payment.Payment) (notice.Expiry, error)) (next time.Time, err error)
	// Settings returns the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
}

// Deadlines flags payments that were not paid in time, and tells endpoints
// that ask for it. The payments stay payable: money is never refused for being
// late. Store must be set; the fields must not change while it runs.
//
// It sleeps until the next deadline. Several may run on several machines.
type Deadlines struct {
	Store Expirer
	// Idle is the longest sleep, and so the longest that a deadline which
	// another machine has written can go unseen; zero means one hour.
	Idle time.Duration
	// Log hears when the store fails and when it is back. Nil logs nothing.
	Log *slog.Logger
	// NewID makes ids of events and deliveries; nil makes UUIDv7s.
	NewID func() string
	// Providers finds the PG modules of this build. Of the PGs that can be asked,
	// Sweeps asks whether money came after all; nil: none is.
	Providers func(code string) (provider.Provider, bool)
	// Expired, if set, is told of channels whose accounts were flagged, once that is
	// written: Silence.Look belongs here. It must not block.
	Expired func(merchant.ChannelKey)

	alarm alarm
}

const (
	expiresAtOnce = 200 // payments in one transaction
	longestIdle   = time.Hour
	firstPause    = 100 * time.Millisecond // after a failure of the store
	lastPause     = 30 * time.Second
)

// Wake makes Run look at once. It never blocks and is safe from any goroutine.
func (d *Deadlines) Wake() { d.Sooner(time.Unix(0, 0)) }

// Sooner makes Run look at t, unless it does so earlier anyway. It never
// blocks and is safe from any goroutine.
func (d *Deadlines) Sooner(t time.Time) { d.alarm.set(t) }

// Run flags what is due until ctx ends, and returns nil. If the store fails it
// tries again for ever. Only one Run may be active at a time.
func (d *Deadlines) Run(ctx context.Context) error {
	x := &expiry{store: d.Store, providers: d.Providers, newID: func() string { return idFrom(d.NewID) }, told: d.Expired}
	var pause time.Duration
	for ctx.Err() == nil {
		d.alarm.forget()
		next, err := x.run(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				d.log().ErrorContext(ctx, "deadlines are not kept for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			next = time.Now().Add(pause)
		case pause != 0:
			pause = 0
			d.log().InfoContext(ctx, "deadlines are kept again")
		}
		if !next.IsZero() {
			d.Sooner(next)
		}
		idle := d.Idle
		if idle <= 0 {
			idle = longestIdle
		}
		d.alarm.sleep(ctx, idle)
	}
	return nil
}

func (d *Deadlines) log() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

// An expiry flags payments by one version of the settings, read anew when they
// have changed. It belongs to one goroutine.
type expiry struct {
	store   Expirer
	newID   func() string
	loaded  bool
	version int64
	planner webhook.Planner

	providers func(code string) (provider.Provider, bool)
	askable   map[merchant.ChannelKey]bool

	told    func(merchant.ChannelKey) // may be nil
	flagged map[merchant.ChannelKey]bool
}

// tell tells of the channels whose accounts were flagged.
func (x *expiry) tell() {
	for c := range x.flagged {
		if x.told != nil {
			x.told(c)
		}
	}
}

// run flags some of what is due and returns the next deadline, which is past
// if there is more.
func (x *expiry) run(ctx context.Context) (time.Time, error) {
	for {
		if !x.loaded {
			all, err := x.store.Settings(ctx)
			if err != nil {
				return time.Time{}, err
			}
			x.loaded, x.version, x.planner = true, all.Version, all.Planner(x.newID)
			if x.providers != nil {
				x.askable = askable(all, x.providers)
			}
		}
		at := now()
		x.flagged = make(map[merchant.ChannelKey]bool)
		next, err := x.store.Expire(ctx, at, expiresAtOnce, x.version, func(p payment.Payment) (notice.Expiry, error) {
			return x.expire(p, at), nil
		})
		if err == nil {
			x.tell()
		}
		if !fault.Is(err, fault.Stale) || ctx.Err() != nil {
			return next, err
		}
		x.loaded = false
	}
}

// expire decides on one payment.
func (x *expiry) expire(p payment.Payment, at time.Time) notice.Expiry {
	d := p.Decide(payment.Report{Event: payment.EventExpired, At: at}, payment.Env{Now: at, NewID: x.newID})
	out := notice.Expiry{Payment: d.Payment}
	if t, ok := p.Transaction(); ok && d.Changed {
		x.flagged[t.Channel] = true
		if x.askable[t.Channel] {
			out.Sweep = p.Deadline().Add(afterDeadline[0])
		}
	}
	for _, tr := range d.Transitions {
		e := webhook.EventOf(d.Payment, tr, at, x.newID())
		em, err := x.planner.Plan(e, d.Payment.NoticeURLs)
		if err != nil {
			// A payload that cannot be written is a mistake in this program: the
			// event is kept, and told to nobody.
			em = webhook.Emission{Event: e}
		}
		out.Emissions = append(out.Emissions, em)
	}
	return out
}
