package delivery

import (
	"context"
	"sync"
	"time"
)

// An agenda says when the loop has to look at the queue. The zero value is an
// empty one. Safe for concurrent use; one goroutine sleeps on it.
type agenda struct {
	mu   sync.Mutex
	next time.Time // zero: nothing is known to wait
	look bool      // look at once
	bell chan struct{}
}

// lookNow makes the sleeper wake at once.
func (a *agenda) lookNow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.look = true
	a.ring()
}

// sooner makes the sleeper wake at t, unless it does so earlier anyway.
func (a *agenda) sooner(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next.IsZero() || t.Before(a.next) {
		a.next = t
		a.ring()
	}
}

// sleep waits for what the agenda says, at most idle, and then empties it: it
// must be emptied before the queue is read, so that what is noted during the
// reading counts for the next sleep. It is false if ctx ended.
func (a *agenda) sleep(ctx context.Context, idle time.Duration) bool {
	latest := time.Now().Add(idle)
	for ctx.Err() == nil {
		wait, bell := a.wait(latest)
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-bell:
		case <-timer.C:
		}
		timer.Stop()
	}
	return false
}

// wait is how long to sleep. If that is over, the agenda is empty afterwards.
func (a *agenda) wait(latest time.Time) (time.Duration, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	until := latest
	if !a.next.IsZero() && a.next.Before(until) {
		until = a.next
	}
	wait := time.Until(until)
	if a.look || wait <= 0 {
		a.look, a.next = false, time.Time{}
		return 0, nil
	}
	return wait, a.channel()
}

func (a *agenda) ring() {
	select {
	case a.channel() <- struct{}{}:
	default:
	}
}

func (a *agenda) channel() chan struct{} {
	if a.bell == nil {
		a.bell = make(chan struct{}, 1)
	}
	return a.bell
}
