package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Waits between tries of a queue that fails. The longest is short: a database
// that is away is asked by one loop of each node, and when it is back, webhooks
// that others wait for should be too.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = time.Second
)

// An outage follows how a queue fails and recovers: it says how long to wait
// and logs each change once. It belongs to one goroutine.
type outage struct {
	what   string
	log    *slog.Logger
	random webhook.Random
	wait   time.Duration // zero: all is well
	since  time.Time
}

// failed notes a failure and returns how long to wait.
func (o *outage) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0 // not the queue's fault: we are being stopped
	}
	if o.wait == 0 {
		o.since = time.Now()
		o.log.ErrorContext(ctx, "queue fails", "doing", o.what, "err", err)
	}
	o.wait = min(max(o.wait*2, firstWait), lastWait)
	if o.random == nil {
		return o.wait
	}
	return o.wait/2 + time.Duration(o.random()*float64(o.wait)/2)
}

// over notes a success.
func (o *outage) over(ctx context.Context) {
	if o.wait == 0 {
		return
	}
	o.wait = 0
	o.log.InfoContext(ctx, "queue works again", "doing", o.what, "took", time.Since(o.since))
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
