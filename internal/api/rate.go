// Package api holds what the REST faces have in common.
package api

import (
	"sync"
	"time"
)

// A Rate bounds how often something is done under each of many names, such as
// keys or addresses: so many times a second, and a burst of that after a rest. A
// nil Rate bounds nothing. Its methods are safe for concurrent use and do not
// block; the fields must not change once it is in use.
//
// It remembers at most Most names. Beyond that a name is forgotten, and so may do
// a burst again.
type Rate struct {
	PerSecond float64 // more than 0
	Burst     float64 // at least 1
	Most      int     // at least 1

	mu      sync.Mutex
	buckets map[string]bucket
}

// A bucket holds what may be done at a time. Names without one have a full one.
type bucket struct {
	tokens float64
	at     time.Time
}

// looked is how many names are looked at to find one that can be forgotten.
const looked = 32

// Take does something once under a name. A wait of more than zero says that it
// must not be done now, and when it can be.
func (r *Rate) Take(name string, now time.Time) (wait time.Duration) {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.filled(name, now)
	if b.tokens < 1 {
		return r.until(b)
	}
	b.tokens--
	r.put(name, b)
	return 0
}

// Wait is how long nothing may be done under a name; zero if it may now.
func (r *Rate) Wait(name string, now time.Time) time.Duration {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.filled(name, now); b.tokens < 1 {
		return r.until(b)
	}
	return 0
}

// Charge notes what was done already, though it might not have been: the more
// there is, the longer is the wait, up to the time of two bursts.
func (r *Rate) Charge(name string, now time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.filled(name, now)
	b.tokens = max(b.tokens-1, -r.Burst)
	r.put(name, b)
}

// filled is a name's bucket with what came into it until now.
func (r *Rate) filled(name string, now time.Time) bucket {
	b, ok := r.buckets[name]
	if !ok {
		return bucket{r.Burst, now}
	}
	if since := now.Sub(b.at); since > 0 { // clocks are set back, too
		b.tokens = min(b.tokens+since.Seconds()*r.PerSecond, r.Burst)
	}
	b.at = now
	return b
}

// until is when there is one in a bucket again.
func (r *Rate) until(b bucket) time.Duration {
	return time.Duration((1 - b.tokens) / r.PerSecond * float64(time.Second))
}

func (r *Rate) put(name string, b bucket) {
	if r.buckets == nil {
		r.buckets = make(map[string]bucket)
	}
	if _, known := r.buckets[name]; !known && len(r.buckets) >= r.Most {
		r.forget(b.at)
	}
	r.buckets[name] = b
}

// forget makes room: of a few names, whichever they are, it drops those whose
// buckets are full, or else the fullest one.
func (r *Rate) forget(now time.Time) {
	left, fullest, most := looked, "", -r.Burst-1
	for name := range r.buckets {
		if left--; left < 0 {
			break
		}
		b := r.filled(name, now)
		if b.tokens >= r.Burst {
			delete(r.buckets, name)
		}
		if b.tokens > most {
			fullest, most = name, b.tokens
		}
	}
	delete(r.buckets, fullest)
}
