package action

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// A CallStore is where calls of the APIs are kept.
type CallStore interface {
	// PutCalls writes calls, all or none of them.
	PutCalls(ctx context.Context, list []merchant.Call) error
}

// A Journal keeps the log of API calls, apart from their answers: Note takes a call
// into a bounded buffer, and Run writes what is there together, once a second at
// most. What comes while the buffer is full is dropped and counted. With nothing to
// write it sleeps. Store must be set; the fields must not change while it is used.
type Journal struct {
	Store CallStore
	// Log hears when calls are dropped, and when the store fails. Nil logs nothing.
	Log *slog.Logger

	once    sync.Once
	buffer  chan merchant.Call
	dropped atomic.Int64
}

const (
	journalRoom  = 8192        // calls that wait
	journalBatch = 512         // calls that are written together
	journalPause = time.Second // from the first of a batch on
	journalGrace = 5 * time.Second
)

func (j *Journal) waiting() chan merchant.Call {
	j.once.Do(func() { j.buffer = make(chan merchant.Call, journalRoom) })
	return j.buffer
}

// Note takes a call. It never blocks and is safe from any goroutine.
func (j *Journal) Note(c merchant.Call) {
	select {
	case j.waiting() <- c:
	default:
		j.dropped.Add(1)
	}
}

// Dropped is how many calls were not kept since this process began: more came than
// could be written.
func (j *Journal) Dropped() int64 { return j.dropped.Load() }

// Run writes what is noted until ctx ends, and then once more what waits; it returns
// nil. While the store fails, what it could not write is tried again and again, and
// the buffer fills. Only one Run may be active at a time.
func (j *Journal) Run(ctx context.Context) error {
	var told int64
	for ctx.Err() == nil {
		batch := j.gather(ctx)
		j.write(ctx, batch)
		if n := j.Dropped(); n > told {
			j.log().WarnContext(ctx, "calls are not in the log of API requests: more came than could be written", "calls", n-told)
			told = n
		}
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalGrace)
	defer cancel()
	for len(j.waiting()) > 0 && rest.Err() == nil {
		batch := j.take(nil)
		if err := j.Store.PutCalls(rest, batch); err != nil {
			j.lose(ctx, len(batch)+len(j.waiting()), err)
			break
		}
	}
	return nil
}

func (j *Journal) log() *slog.Logger {
	if j.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return j.Log
}

func (j *Journal) lose(ctx context.Context, n int, err error) {
	j.dropped.Add(int64(n))
	j.log().ErrorContext(ctx, "calls are not in the log of API requests", "calls", n, "err", err)
}

// gather waits for a call and for what comes soon behind it. What it returns at the
// end of ctx may be empty.
func (j *Journal) gather(ctx context.Context) (batch []merchant.Call) {
	select {
	case <-ctx.Done():
		return nil
	case c := <-j.waiting():
		batch = append(batch, c)
	}
	timer := time.NewTimer(journalPause)
	defer timer.Stop()
	for len(batch) < journalBatch {
		select {
		case <-ctx.Done():
			return j.take(batch)
		case <-timer.C:
			return batch
		case c := <-j.waiting():
			batch = append(batch, c)
		}
	}
	return batch
}

// take adds what waits to a batch, as far as there is room.
func (j *Journal) take(batch []merchant.Call) []merchant.Call {
	for len(batch) < journalBatch {
		select {
		case c := <-j.waiting():
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// write writes a batch, however long it takes. At the end of ctx it is tried once more.
func (j *Journal) write(ctx context.Context, batch []merchant.Call) {
	if len(batch) == 0 {
		return
	}
	for pause := time.Duration(0); ; {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalGrace)
		err := j.Store.PutCalls(within, batch)
		cancel()
		switch {
		case err == nil:
			if pause != 0 {
				j.log().InfoContext(ctx, "the log of API requests is written again")
			}
			return
		case ctx.Err() != nil:
			j.lose(ctx, len(batch), err)
			return
		case pause == 0:
			j.log().ErrorContext(ctx, "the log of API requests is not written for now", "err", err)
		}
		pause = min(max(2*pause, firstPause), lastPause)
		slept(ctx, pause)
	}
}
