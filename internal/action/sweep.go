package action

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A SweepStore is where accounts wait to be asked about. Its methods are safe for
// concurrent use.
type SweepStore interface {
	// Beat says that a node serves at now, and returns the time longer than least
	// in which none did, until EndOutage is called for it.
	Beat(ctx context.Context, now time.Time, least time.Duration) (notice.Outage, error)
	EndOutage(ctx context.Context, o notice.Outage) error
	// Enlist has PGs asked about accounts that wait for money, and returns how many
	// wait on each channel.
	Enlist(ctx context.Context, e notice.Enlisting) (map[merchant.ChannelKey]int, error)
	// SweepsDue says when the first account of each channel is due.
	SweepsDue(ctx context.Context) (map[merchant.ChannelKey]time.Time, error)
	// Sweep takes of each channel the account that is due first, if it is due by
	// now, and says when the next of each is; no other caller gets it before until.
	Sweep(ctx context.Context, now, until time.Time, channels []merchant.ChannelKey) ([]notice.Sweeping, map[merchant.ChannelKey]time.Time, error)
	// Swept notes what came of a sweep; see the store's.
	Swept(ctx context.Context, x notice.Sweeping, again func(payment.Payment) (time.Time, notice.SweepReason)) error
}

// Sweeps asks PGs about accounts whose deposit may have come without a notice
// (미통보 입금): before and after their deadlines, and all that wait once nobody has
// taken notices for longer than the PG repeats them. A deposit that is found is
// settled as its notice would have been. What waits is in the store, so a crash
// delays it and loses nothing; several may run on several machines.
type Sweeps struct {
	Store     SweepStore
	Inquiries *Inquiries
	Log       *slog.Logger

	swept  time.Time // up to which deadline accounts are enlisted
	alarm  alarm
	asking sync.WaitGroup

	mu    sync.Mutex
	turns map[merchant.ChannelKey]time.Time // when a channel's PG may be asked again
	due   map[merchant.ChannelKey]time.Time // when the next account is due
	busy  map[merchant.ChannelKey]bool      // of which an account is asked about now
}

// How sweeps go. The PG of a channel is asked once in sweepPace by each node, and
// rests for sweepRest after it did not answer. One that is slow holds up its own
// channel, and one of the sweepsAtOnce places.
const (
	beatEvery    = time.Minute
	leastOutage  = 3 * time.Minute
	sweepAhead   = 30 * time.Minute // of the deadline
	sweepPace    = time.Second
	sweepRest    = time.Minute
	sweepsAtOnce = 4
	mostSweeps   = 20 // that fail
	// undatedFor is for how long before an outage an account without a deadline
	// may have been ordered, to be asked about after it.
	undatedFor = 30 * 24 * time.Hour
)

// afterDeadline is when accounts are asked about once their deadline has passed:
// banks book late, and PGs tell late.
var afterDeadline = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// nextSweep is when an account with a deadline is asked about next; zero: not any
// more.
func nextSweep(deadline, now time.Time) time.Time {
	if first := deadline.Add(-sweepAhead); first.After(now) {
		return first
	}
	for _, d := range afterDeadline {
		if at := deadline.Add(d); at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// Run asks what is due until ctx ends, and returns nil once its last write is
// recorded. If the store fails it tries again for ever. Only one Run of a Sweeps
// may be active at a time.
func (w *Sweeps) Run(ctx context.Context) error {
	w.turns, w.due = make(map[merchant.ChannelKey]time.Time), make(map[merchant.ChannelKey]time.Time)
	w.busy = make(map[merchant.ChannelKey]bool)
	defer w.asking.Wait()
	var alive sync.WaitGroup
	defer alive.Wait()
	alive.Go(func() { w.live(ctx) })
	var pause time.Duration
	var beat time.Time // the next
	for ctx.Err() == nil {
		w.alarm.forget()
		at := now()
		next, err := w.step(ctx, at, &beat)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				w.Log.ErrorContext(ctx, "accounts are not swept for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			next = at.Add(pause)
		default:
			pause = 0
		}
		w.alarm.set(next)
		w.alarm.sleep(ctx, beatEvery)
	}
	return nil
}

// live says that this node serves, whatever keeps the sweeps busy.
func (w *Sweeps) live(ctx context.Context) {
	var a alarm
	for ctx.Err() == nil {
		_, _ = w.Store.Beat(ctx, now(), leastOutage) // Run hears what is wrong with the store
		a.sleep(ctx, beatEvery)
	}
}

// step does what is due at a moment, and returns when something is again.
func (w *Sweeps) step(ctx context.Context, at time.Time, beat *time.Time) (next time.Time, err error) {
	v, err := w.Inquiries.Actions.views.Get(ctx, w.Inquiries.Actions.load)
	if err != nil {
		return next, err
	}
	if !at.Before(*beat) {
		if err := w.enlist(ctx, v, at); err != nil {
			return next, err
		}
		*beat = at.Add(beatEvery)
	}
	return w.round(ctx, v, at, *beat)
}

// enlist enlists what came up since the last time.
func (w *Sweeps) enlist(ctx context.Context, v *view, at time.Time) error {
	o, err := w.Store.Beat(ctx, at, leastOutage)
	if err != nil {
		return err
	}
	if !o.IsZero() {
		if err := w.outage(ctx, v, o); err != nil {
			return err
		}
	}
	if w.swept.Before(at) {
		w.swept = at
	}
	until := at.Add(sweepAhead)
	_, err = w.Store.Enlist(ctx, notice.Enlisting{
		Why: notice.SweepDue, After: w.swept, Until: until,
		When: func(c merchant.ChannelKey, deadline time.Time) time.Time {
			if !v.askable[c] {
				return time.Time{}
			}
			return deadline.Add(-sweepAhead)
		},
	})
	if err != nil {
		return err
	}
	w.swept = until
	due, err := w.Store.SweepsDue(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due = due
	return nil
}

// outage enlists all accounts that wait on channels whose PG gave up repeating
// notices in that time, to be asked about before others, and tells of them.
func (w *Sweeps) outage(ctx context.Context, v *view, o notice.Outage) error {
	lost := make(map[merchant.ChannelKey]bool)
	for key, c := range v.channels.Channels() {
		if p, ok := w.Inquiries.Actions.Providers(c.Provider); ok {
			window, _ := p.Info().ResendsFor()
			lost[key] = o.Lasted() > window
		}
	}
	waiting, err := w.Store.Enlist(ctx, notice.Enlisting{Why: notice.SweepOutage, Undated: o.From.Add(-undatedFor), When: func(c merchant.ChannelKey, _ time.Time) time.Time {
		if !lost[c] || !v.askable[c] {
			return time.Time{}
		}
		return o.From
	}})
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(waiting)) {
		c, _ := v.channels.Channel(key)
		about := []any{"channel", key, "provider", c.Provider, "from", o.From, "until", o.Until, "accounts", waiting[key]}
		switch {
		case !lost[key]:
		case v.askable[key]:
			w.Log.WarnContext(ctx, "nobody took notices for longer than the PG repeats them: its accounts are asked about now", about...)
		default:
			w.Log.WarnContext(ctx, "nobody took notices for longer than the PG repeats them, and it cannot be asked: compare the accounts that wait with its pages", about...)
		}
	}
	return w.Store.EndOutage(ctx, o)
}

// round has accounts asked about that are due on channels whose turn it is, at most
// one of each, and returns when something is due again. It does not wait for the PGs.
func (w *Sweeps) round(ctx context.Context, v *view, at, beat time.Time) (next time.Time, err error) {
	ready := w.ready(v, at)
	if len(ready) == 0 {
		return w.next(beat), nil
	}
	list, due, err := w.Store.Sweep(ctx, at, stored(at.Add(2*askAfter)), ready)
	if err != nil {
		return next, err
	}
	w.mu.Lock()
	for _, c := range ready {
		delete(w.due, c)
		w.turns[c] = at.Add(sweepPace)
	}
	maps.Copy(w.due, due)
	for _, x := range list {
		w.busy[x.Channel] = true
	}
	w.mu.Unlock()
	for _, x := range list {
		w.asking.Go(func() { w.ask(context.WithoutCancel(ctx), v, x) })
	}
	return w.next(beat), nil
}

// ready are the channels of which an account may be asked about at a moment, as many
// as there are places for: those first that waited longest.
func (w *Sweeps) ready(v *view, at time.Time) (ready []merchant.ChannelKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.due {
		switch {
		case !v.askable[c]:
			delete(w.due, c) // not any more
		case !w.busy[c] && !w.since(c).After(at):
			ready = append(ready, c)
		}
	}
	slices.SortFunc(ready, func(a, b merchant.ChannelKey) int {
		return cmp.Or(w.since(a).Compare(w.since(b)), cmp.Compare(a, b))
	})
	return ready[:min(len(ready), sweepsAtOnce-len(w.busy))]
}

// since is from when on a channel's next account may be asked about.
func (w *Sweeps) since(c merchant.ChannelKey) time.Time {
	if due := w.due[c]; due.After(w.turns[c]) {
		return due
	}
	return w.turns[c]
}

// next is when the next account may be asked about, at the latest the beat. The end of
// what is under way is told by the alarm.
func (w *Sweeps) next(beat time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.busy) >= sweepsAtOnce {
		return beat
	}
	for c := range w.due {
		if t := w.since(c); !w.busy[c] && t.Before(beat) {
			beat = t
		}
	}
	return beat
}

// ask asks about an account, and gives the channels that were asked a rest.
func (w *Sweeps) ask(ctx context.Context, v *view, x notice.Sweeping) {
	got := w.one(ctx, v, x)
	w.mu.Lock()
	w.rest(x, got)
	delete(w.busy, x.Channel)
	w.mu.Unlock()
	w.alarm.set(now())
}

// rest gives channels a rest after an account was asked about.
func (w *Sweeps) rest(x notice.Sweeping, got []swept) {
	w.turns[x.Channel] = now().Add(sweepPace)
	for _, g := range got {
		rest := sweepPace
		if g.err != nil && !unaskable(g.err) {
			rest = sweepRest
		}
		if until := now().Add(rest); w.turns[g.Channel].Before(until) {
			w.turns[g.Channel] = until
		}
	}
}
