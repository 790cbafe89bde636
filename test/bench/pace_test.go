//go:build linux

package main

import (
	"testing"
	"time"
)

func TestPaceIsDue(t *testing.T) {
	start := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	p := pace{start, 1000}
	for _, c := range []struct {
		after time.Duration
		n     int
		want  int
	}{
		{-time.Second, 10, 0},
		{0, 10, 1},
		{999 * time.Microsecond, 10, 1},
		{time.Millisecond, 10, 2},
		{2500 * time.Microsecond, 10, 3},
		{time.Hour, 10, 10},
	} {
		if got := p.due(start.Add(c.after), c.n); got != c.want {
			t.Errorf("%v after the start %d of %d are due, want %d", c.after, got, c.n, c.want)
		}
	}
}

// TestPaceKeepsItsSchedule sends everything in order, nothing before its time,
// and does not wait for whoever is slow.
func TestPaceKeepsItsSchedule(t *testing.T) {
	p := pace{time.Now(), 2000}
	const n = 100
	to := make(chan int, n)
	go p.emit(n, to)
	k := 0
	for got := range to {
		if got != k {
			t.Fatalf("number %d came, want %d", got, k)
		}
		if now := time.Now(); now.Before(p.at(k)) {
			t.Errorf("number %d came %v early", k, p.at(k).Sub(now))
		}
		k++
	}
	if k != n {
		t.Errorf("%d came, want %d", k, n)
	}
}
