package action

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
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

	turns map[merchant.ChannelKey]time.Time // when a channel's PG may be asked again
	due   map[merchant.ChannelKey]time.Time // when the next account is due
	swept time.Time                         // up to which deadline accounts are enlisted
	alarm alarm
}

// How sweeps go. The PG of a channel is asked once in sweepPace by each node, and
// rests for sweepRest after it did not answer.
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
	clear(w.due)
	for c := range v.askable {
		w.due[c] = at // for all that is known
	}
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

// round asks about the accounts that are due on channels whose turn it is, at most
// one of each, and returns when something is due again.
func (w *Sweeps) round(ctx context.Context, v *view, at, beat time.Time) (next time.Time, err error) {
	var ready []merchant.ChannelKey
	for c, due := range w.due {
		switch {
		case !v.askable[c]:
			delete(w.due, c) // not any more
		case !due.After(at) && !w.turns[c].After(at):
			ready = append(ready, c)
		}
	}
	slices.Sort(ready)
	list, due, err := w.Store.Sweep(ctx, at, stored(at.Add(2*askAfter)), ready)
	if err != nil {
		return next, err
	}
	for _, c := range ready {
		delete(w.due, c)
		w.turns[c] = at.Add(sweepPace)
	}
	maps.Copy(w.due, due)
	w.ask(context.WithoutCancel(ctx), v, list)
	next = beat
	for c, t := range w.due {
		if t.Before(w.turns[c]) {
			t = w.turns[c]
		}
		if t.Before(next) {
			next = t
		}
	}
	return next, nil
}

// ask asks about several accounts at once, and gives the channels that were asked a
// rest.
func (w *Sweeps) ask(ctx context.Context, v *view, list []notice.Sweeping) {
	var all sync.WaitGroup
	var mu sync.Mutex
	free := make(chan struct{}, sweepsAtOnce)
	for _, x := range list {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			got := w.one(ctx, v, x)
			mu.Lock()
			defer mu.Unlock()
			w.rest(x, got)
		})
	}
	all.Wait()
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

// unaskable reports whether an error of an inquiry says that nothing was sent, and
// nothing will be: an id is missing that the PG's call needs.
func unaskable(err error) bool {
	return fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Invalid)
}

// A swept is an attempt that was asked about.
type swept struct {
	payment.Transaction
	err error // why the PG told nothing
}

// one asks about all attempts of one account that wait for money, on whatever channel,
// and notes when to ask again if none came.
func (w *Sweeps) one(ctx context.Context, v *view, x notice.Sweeping) (got []swept) {
	for _, t := range waiting(x.Payment, v) {
		i := notice.Inquiry{Payment: x.Payment, Tries: x.Tries, Until: x.Until}
		err := w.Inquiries.askAbout(ctx, i, t)
		if err != nil {
			w.Log.WarnContext(ctx, "a PG was asked about an account in vain", "payment_key", x.Payment.Key, "channel", t.Channel, "try", x.Tries, "err", err)
		}
		got = append(got, swept{t, err})
	}
	var learnt merchant.ChannelKey
	err := w.Store.Swept(ctx, x, func(p payment.Payment) (time.Time, notice.SweepReason) {
		learnt = learntBy(p, x.Payment)
		return after(got, p, x, v)
	})
	switch {
	case err != nil:
		// It is due again when what was taken may be taken by others.
		w.Log.ErrorContext(ctx, "when to ask about an account again is not written down", "payment_key", x.Payment.Key, "err", err)
	case learnt != "":
		w.Log.WarnContext(ctx, "a deposit was found by asking the PG: no notice told of it", "payment_key", x.Payment.Key, "channel", learnt)
	}
	return got
}

// after says when to ask about an account again, by the payment as it is once it was
// asked about, and why; the zero time: not any more.
func after(got []swept, p payment.Payment, x notice.Sweeping, v *view) (next time.Time, why notice.SweepReason) {
	failed := false
	for _, t := range waiting(p, v) {
		i := slices.IndexFunc(got, func(g swept) bool { return g.ID == t.ID })
		switch {
		case i >= 0 && unaskable(got[i].err):
			continue
		case i >= 0 && got[i].err != nil:
			failed = true
		}
		if at := nextSweep(t.Account.ExpiresAt, now()); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	switch {
	case !failed:
		return next, notice.SweepDue
	case x.Tries >= mostSweeps:
		return time.Time{}, ""
	}
	return now().Add(sweepAgain(x.Tries)), x.Why
}

// learntBy is the channel of a deposit that a payment has by asking, and had not before;
// empty if there is none.
func learntBy(p, before payment.Payment) merchant.ChannelKey {
	for _, d := range p.Deposits[min(len(before.Deposits), len(p.Deposits)):] {
		i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == d.Transaction })
		if d.Learnt && i >= 0 {
			return p.Transactions[i].Channel
		}
	}
	return ""
}

// sweepAgain is how long after a try in vain the next one is.
func sweepAgain(tries int) time.Duration {
	return min(10*time.Minute<<min(max(tries-1, 0), 8), 6*time.Hour)
}

// waiting are the attempts of a payment that wait for money on channels whose PG can
// be asked; none once it needs no money any more.
func waiting(p payment.Payment, v *view) []payment.Transaction {
	switch p.State {
	case payment.Paid, payment.PartiallyCancelled, payment.Cancelled, payment.Failed:
		return nil
	default:
	}
	return slices.DeleteFunc(slices.Clone(p.Transactions), func(t payment.Transaction) bool {
		return t.State != payment.Issued || t.Account == nil || !v.askable[t.Channel]
	})
}
