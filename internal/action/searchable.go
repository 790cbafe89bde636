package action

import (
	"context"
	"log/slog"
	"time"
)

// A SearchStore is where people search for payments.
type SearchStore interface {
	// PutSearchable notes for search what became of payments until shortly
	// before now, up to n changes, and returns how many it took up.
	PutSearchable(ctx context.Context, now time.Time, n int) (int, error)
}

// Searchable keeps search up to date, behind what changes payments, so that
// nobody who changes one waits for it. Store must be set; the fields must not
// change while it runs. Several may run on several machines.
type Searchable struct {
	Store SearchStore
	// Every is the time between rounds while there is nothing to catch up with;
	// zero means 10 s.
	Every time.Duration
	// Log hears when the store fails and when it is back. Nil logs nothing.
	Log *slog.Logger
}

const (
	searchEvery = 10 * time.Second
	// searchAtOnce is how many changes one transaction notes: on SQLite notices
	// wait for its end, some 10 ms.
	searchAtOnce = 500
	// searchRest is how many times as long as its work it rests after each: it
	// takes a twentieth of a processor at most, some 1,000 changes a second.
	searchRest = 19
)

// Run works in rounds until ctx ends, and returns nil. A round that fails is
// made again.
func (s *Searchable) Run(ctx context.Context) error {
	every := s.Every
	if every <= 0 {
		every = searchEvery
	}
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	failing := false
	for rest := every; slept(ctx, rest); {
		began := time.Now()
		n, err := s.Store.PutSearchable(ctx, now(), searchAtOnce)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && failing:
			failing = false
			log.InfoContext(ctx, "search is kept up to date again")
		case err != nil && !failing:
			failing = true
			log.WarnContext(ctx, "search is not kept up to date for now", "err", err)
		}
		rest = every
		if n >= searchAtOnce {
			rest = min(every, searchRest*time.Since(began))
		}
	}
	return nil
}
