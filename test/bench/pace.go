//go:build linux

package main

import (
	"runtime"
	"syscall"
	"time"
)

// A pace says when each of many things is to be sent: the k-th so many
// intervals after the start, whatever became of those before it.
type pace struct {
	start time.Time
	rate  float64 // a second
}

// at is when the k-th is due, from 0.
func (p pace) at(k int) time.Time {
	return p.start.Add(time.Duration(float64(k) / p.rate * float64(time.Second)))
}

// due is how many of n are due at a moment.
func (p pace) due(now time.Time, n int) int {
	since := now.Sub(p.start)
	if since < 0 {
		return 0
	}
	k := min(int(since.Seconds()*p.rate), n)
	for k < n && !p.at(k).After(now) { // floating point may be one off
		k++
	}
	return k
}

// emit sends the numbers from 0 to n-1, each when it is due, and closes to.
// What finds no receiver waits for one and is late: its schedule stays as it
// is. It keeps a thread of its own, whose sleep is truer than a timer's.
func (p pace) emit(n int, to chan<- int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(to)
	for sent := 0; sent < n; {
		for due := p.due(time.Now(), n); sent < due; sent++ {
			to <- sent
		}
		if sent < n {
			doze(time.Until(p.at(sent)))
		}
	}
}

// doze lets the thread sleep for about d, and returns early if it is disturbed.
func doze(d time.Duration) {
	if d <= 0 {
		return
	}
	span := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&span, nil) // whoever calls looks at the clock again
}
