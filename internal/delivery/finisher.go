package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

// maxBatch is how many outcomes one transaction records at most.
const maxBatch = 512

// apart is how long after the begin of one write the next one begins at the
// earliest. A slot for tries is free before, so nothing waits for it but the
// record.
const apart = 20 * time.Millisecond

// A finisher records outcomes. What gathers while one batch is written, and
// until the next may begin, makes the next: batches are as large as the load
// makes them, and a lone outcome waits for nothing.
type finisher struct {
	queue    Queue
	log      *slog.Logger
	timeout  time.Duration                        // of one write
	recorded func(r webhook.Finish, written bool) // hears of each record once
	bell     chan struct{}                        // something was added, or closed
	outage   outage
	limit    int // of the next batch

	mu      sync.Mutex
	waiting []webhook.Finish
	closed  bool
}

// add hands over an outcome. It never blocks.
func (f *finisher) add(r webhook.Finish) {
	f.mu.Lock()
	f.waiting = append(f.waiting, r)
	f.mu.Unlock()
	f.ring()
}

// close says that nothing more will be added; run then returns when what was
// added is dealt with.
func (f *finisher) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.ring()
}

func (f *finisher) ring() {
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

// run records what is added until close. An outcome that cannot be written
// before its lease ends is let go: the try is then repeated with the same id.
// It goes on when ctx has ended, since a stop must not lose outcomes.
func (f *finisher) run(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for {
		batch, closed := f.take()
		if len(batch) > 0 {
			began := time.Now()
			f.write(ctx, batch)
			f.rest(time.Until(began.Add(apart)))
			continue
		}
		if closed {
			return
		}
		<-f.bell
	}
}

// rest waits, unless nothing more will be added or a whole batch waits already.
func (f *finisher) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		f.mu.Lock()
		enough := f.closed || len(f.waiting) >= f.limit
		f.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-timer.C:
			f.ring() // of what was added meanwhile
			return
		case <-f.bell:
		}
	}
}

// take removes the next batch.
func (f *finisher) take() (batch []webhook.Finish, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(len(f.waiting), f.limit)
	batch = f.waiting[:n:n]
	if f.waiting = f.waiting[n:]; len(f.waiting) == 0 {
		f.waiting = nil
	}
	return batch, f.closed
}

// write records one batch. If that fails, it goes behind what waits, and the
// next batch is half as large: an outcome that the queue cannot swallow ends
// up alone and holds up nobody.
func (f *finisher) write(ctx context.Context, batch []webhook.Finish) {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	errs, err := f.queue.Finish(limited, batch)
	cancel()
	if err != nil {
		f.limit = max(1, len(batch)/2)
		f.again(ctx, batch, err)
		pause(ctx, f.outage.failed(ctx, err))
		return
	}
	f.outage.over(ctx)
	f.limit = min(f.limit*2, maxBatch)
	for i, err := range errs {
		f.note(ctx, batch[i], err)
		f.recorded(batch[i], err == nil)
	}
}

// note logs an outcome that was not recorded although its batch was.
func (f *finisher) note(ctx context.Context, r webhook.Finish, err error) {
	switch {
	case err == nil:
	case fault.Is(err, fault.Conflict):
		f.log.InfoContext(ctx, "lease lost", "delivery_id", r.Job.ID, "attempt", r.Attempt.Number, "outcome", r.Attempt.Outcome)
	default:
		f.log.ErrorContext(ctx, "outcome not recorded", "delivery_id", r.Job.ID, "attempt", r.Attempt.Number, "outcome", r.Attempt.Outcome, "err", err)
	}
}

// again puts back what still has its lease, and lets the rest go.
func (f *finisher) again(ctx context.Context, batch []webhook.Finish, err error) {
	var kept, lost []webhook.Finish
	for _, r := range batch {
		if time.Now().Before(r.Job.Until) {
			kept = append(kept, r)
			continue
		}
		lost = append(lost, r)
		f.log.ErrorContext(ctx, "outcome not recorded", "delivery_id", r.Job.ID, "attempt", r.Attempt.Number, "outcome", r.Attempt.Outcome, "err", err)
	}
	f.mu.Lock()
	f.waiting = append(f.waiting, kept...)
	f.mu.Unlock()
	for _, r := range lost {
		f.recorded(r, false)
	}
}
