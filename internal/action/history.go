package action

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tongbo/tongbo/internal/settings"
)

// A Pruner is where history grows.
type Pruner interface {
	// MakeAhead makes room for what will come, and returns how many parts of
	// tables were missing.
	MakeAhead(ctx context.Context, now time.Time) (made int, err error)
	// MakeSlowly makes what MakeAhead left out because it would keep notices
	// waiting. It may take as long as reading all history does.
	MakeSlowly(ctx context.Context, now time.Time) (made int, err error)
	// Prune takes away what was kept for long enough at now, and calls told for
	// each table of which something went. What is open stays.
	Prune(ctx context.Context, now time.Time, keep settings.Retention, told func(settings.Pruned)) error
	// DropOldSecrets takes out signing secrets whose overlap is over.
	DropOldSecrets(ctx context.Context, now time.Time) (dropped int, err error)
}

// History makes room for history ahead of time, and takes away what was kept
// for long enough. Store must be set; the fields must not change while it runs.
// Several may run on several machines.
type History struct {
	Store Pruner
	Keep  settings.Retention // its zero value keeps all for ever
	// Every is the time between rounds; zero means one hour. It is also the
	// longest that anything is kept beyond its time, where nothing is dropped as
	// a whole.
	Every time.Duration
	// Log hears what was pruned, when the store fails and when it is back. Nil
	// logs nothing.
	Log *slog.Logger
}

const (
	betweenRounds = time.Hour
	// afterStart keeps pruning away from a server that has a backlog to send.
	afterStart = time.Minute
	// afterFailure is how long a round waits that could not be finished: somebody
	// held a table, or the store was away.
	afterFailure  = 5 * time.Minute
	prepareWithin = time.Second
)

// Prepare makes room for what comes next, before anything comes. It takes at
// most a second, since nobody is listened to meanwhile; what it could not make
// is logged and left to Run, since nothing is lost by it.
func (h *History) Prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, prepareWithin)
	defer cancel()
	if err := h.ahead(ctx); err != nil {
		h.log().WarnContext(ctx, "partitions could not be made, trying again", "err", err)
	}
}

// Run works in rounds until ctx ends, and returns nil. What a round cannot do
// is done by a later one. Only one Run may be active at a time.
func (h *History) Run(ctx context.Context) error {
	failing := false
	for rest := afterStart; slept(ctx, rest); {
		err := h.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && failing:
			failing = false
			h.log().InfoContext(ctx, "history is looked after again")
		case err != nil && !failing:
			failing = true
			h.log().WarnContext(ctx, "history is not looked after for now", "err", err)
		}
		rest = h.Every
		if rest <= 0 {
			rest = betweenRounds
		}
		if failing {
			rest = min(rest, afterFailure)
		}
	}
	return nil
}

func (h *History) round(ctx context.Context) error {
	made := h.ahead(ctx)
	dropped, err := h.Store.DropOldSecrets(ctx, now())
	if err != nil {
		return err
	}
	if dropped > 0 {
		h.log().InfoContext(ctx, "old signing secrets dropped", "endpoints", dropped)
	}
	if err := h.Store.Prune(ctx, now(), h.Keep, func(p settings.Pruned) {
		h.log().InfoContext(ctx, "pruned", "what", p.What, "partitions", p.Partitions, "rows", p.Rows, "took", p.Took)
	}); err != nil {
		return err
	}
	return errors.Join(made, h.making(ctx, h.Store.MakeSlowly))
}

func (h *History) ahead(ctx context.Context) error { return h.making(ctx, h.Store.MakeAhead) }

func (h *History) making(ctx context.Context, parts func(context.Context, time.Time) (int, error)) error {
	made, err := parts(ctx, now())
	if made > 0 {
		h.log().InfoContext(ctx, "partitions made ahead", "partitions", made)
	}
	return err
}

func (h *History) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// slept sleeps and reports whether ctx still lives.
func slept(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
