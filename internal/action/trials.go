package action

import (
	"context"
	"log/slog"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/settings"
)

// A TrialStore is where settings are on trial.
type TrialStore interface {
	// Settings returns the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
	// SaveSettings makes next the settings and writes the entries, in one
	// transaction. It reports fault.Stale if next was made of older ones.
	SaveSettings(ctx context.Context, next settings.All, now time.Time, entries ...member.Entry) error
}

// Trials clears away what was on trial and has undone itself, and tells the audit log.
// Nothing waits for it: whether a line of an address list counts is seen by the time
// stored with it. Store and Hash must be set; the fields must not change while it
// runs. Several may run on several machines.
type Trials struct {
	Store TrialStore
	// Hash is the installation's keyed hash.
	Hash func(purpose, value string) string
	// Log hears when the store fails and when it is back. Nil logs nothing.
	Log *slog.Logger

	alarm alarm
}

// Wake makes Run look at once. It never blocks and is safe from any goroutine.
func (t *Trials) Wake() { t.alarm.set(time.Unix(0, 0)) }

// Run clears away until ctx ends, and returns nil. If the store fails it tries again
// for ever. Only one Run may be active at a time.
func (t *Trials) Run(ctx context.Context) error {
	var pause time.Duration
	for ctx.Err() == nil {
		t.alarm.forget()
		next, err := settle(ctx, t.Store, t.Hash)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				t.log().ErrorContext(ctx, "what was on trial is not cleared away for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			next = time.Now().Add(pause)
		default:
			pause = 0
		}
		if !next.IsZero() {
			t.alarm.set(next)
		}
		t.alarm.sleep(ctx, longestIdle)
	}
	return nil
}

func (t *Trials) log() *slog.Logger {
	if t.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return t.Log
}

// settle writes down what has undone itself, and returns when the next trial ends,
// zero if there is none.
func settle(ctx context.Context, st TrialStore, hash func(purpose, value string) string) (next time.Time, err error) {
	for {
		current, err := st.Settings(ctx)
		if err != nil {
			return time.Time{}, err
		}
		at := now()
		settled, undone, next := current.Settled(at)
		if !undone {
			return next, nil
		}
		err = st.SaveSettings(ctx, settled, at, settings.Undone(current, settled, hash)...)
		if !fault.Is(err, fault.Stale) || ctx.Err() != nil {
			return next, err
		}
	}
}
