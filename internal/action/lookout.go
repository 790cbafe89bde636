package action

import (
	"context"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// How a lookout looks: how often, while anybody waits; and how far back, since what is
// being written comes into sight later. Nobody waits longer than lookSelf without looking
// himself, should more have been written at once than a look lists; and not so long who
// waits for the try of a webhook, whose row is named by when it began.
const (
	lookEvery = 250 * time.Millisecond
	lookBack  = 3 * time.Second
	lookSelf  = 3 * time.Second
	tryEvery  = 500 * time.Millisecond
)

// firstLooks are when a waiter looks himself at first: what it waits for mostly comes at
// once.
var firstLooks = []time.Duration{20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond}

// mostWaiters is how many wait for one payment at once on this node. Its page and the shop's
// are two, for each window in which it is looked at; each costs some 50 KiB while it waits.
const mostWaiters = 64

// ErrCrowded says that so many wait for a payment already that nobody else is to.
var ErrCrowded = fault.Errorf(fault.Unavailable, "too many wait for this payment already: look again in a while")

// crowded reports whether nobody else is to wait for a payment.
func (l *lookout) crowded(k payment.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting[k]) >= mostWaiters
}

// A lookout tells whoever waits for a payment that something was written of it, by
// whatever node. However many wait, it looks once in lookEvery; while nobody does, not at
// all. Whose turn it is looks for all, so it needs no goroutine. The zero lookout is ready.
type lookout struct {
	mu      sync.Mutex
	waiting map[payment.Key]map[chan struct{}]bool
	seen    map[string]time.Time // what was told of, and when
	looked  time.Time
	busy    bool
}

// join makes a channel that hears of a payment until leave is called.
func (l *lookout) join(k payment.Key) (heard chan struct{}, leave func()) {
	heard = make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting, l.seen = make(map[payment.Key]map[chan struct{}]bool), make(map[string]time.Time)
	}
	if l.waiting[k] == nil {
		l.waiting[k] = make(map[chan struct{}]bool)
	}
	l.waiting[k][heard] = true
	return heard, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if delete(l.waiting[k], heard); len(l.waiting[k]) == 0 {
			delete(l.waiting, k)
		}
	}
}

// turn reports whether the caller is to look now.
func (l *lookout) turn(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy || at.Sub(l.looked) < lookEvery {
		return false
	}
	l.busy, l.looked = true, at
	return true
}

// tell wakes those who wait for what was written, once for each.
func (l *lookout) tell(list []notice.Stir, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	for row, told := range l.seen {
		if at.Sub(told) > 2*lookBack {
			delete(l.seen, row)
		}
	}
	for _, s := range list {
		if _, told := l.seen[s.Row]; told {
			continue
		}
		l.seen[s.Row] = at
		l.wake(s.Payment)
	}
}

// poke tells of a payment of which this node has just written.
func (l *lookout) poke(k payment.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake(k)
}

func (l *lookout) wake(k payment.Key) {
	for heard := range l.waiting[k] {
		select {
		case heard <- struct{}{}:
		default:
		}
	}
}

// until looks whether something came about of a payment, again whenever something was
// written of it, and at least so often, until it did, done reports an error, or ctx ends,
// whose cause it reports.
func (a *Actions) until(ctx context.Context, k payment.Key, often time.Duration, done func() (bool, error)) error {
	heard, leave := a.watch.join(k)
	defer leave()
	began := time.Now()
	early := 0
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		self := time.Now()
		for again := false; !again; {
			wait := lookEvery
			if early < len(firstLooks) {
				wait = max(time.Until(began.Add(firstLooks[early])), time.Millisecond)
			}
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			case <-heard:
				timer.Stop()
				again = true
			case at := <-timer.C:
				if early < len(firstLooks) {
					early, again = early+1, true
				} else {
					a.look(ctx, at)
					again = time.Since(self) >= often
				}
			}
		}
	}
}

// look looks for all who wait, if nobody else does.
func (a *Actions) look(ctx context.Context, at time.Time) {
	if !a.watch.turn(at) {
		return
	}
	list, err := a.Store.Stirred(ctx, at.Add(-lookBack))
	if err != nil {
		list = nil // whoever waits looks himself after a while
	}
	a.watch.tell(list, at)
}
