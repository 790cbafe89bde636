package action

import (
	"context"
	"sync"
	"time"
)

// An alarm wakes a loop that sleeps until the next thing is due. The zero alarm
// is ready; its methods are safe for concurrent use.
type alarm struct {
	mu   sync.Mutex
	next time.Time // zero: nothing is known to wait
	bell chan struct{}
}

// set makes sleep end at t, unless it ends earlier anyway. It never blocks.
func (a *alarm) set(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next.IsZero() || t.Before(a.next) {
		a.next = t
		select {
		case a.channel() <- struct{}{}:
		default:
		}
	}
}

func (a *alarm) channel() chan struct{} {
	if a.bell == nil {
		a.bell = make(chan struct{}, 1)
	}
	return a.bell
}

// forget empties what is known of the next moment. That is done before the
// store is read, so that what comes up meanwhile counts for the next sleep.
func (a *alarm) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = time.Time{}
}

// sleep waits until the next moment, at most idle.
func (a *alarm) sleep(ctx context.Context, idle time.Duration) {
	latest := time.Now().Add(idle)
	for ctx.Err() == nil {
		a.mu.Lock()
		until, bell := latest, a.channel()
		if !a.next.IsZero() && a.next.Before(until) {
			until = a.next
		}
		a.mu.Unlock()
		wait := time.Until(until)
		if wait <= 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-bell:
		case <-timer.C:
		}
		timer.Stop()
	}
}
