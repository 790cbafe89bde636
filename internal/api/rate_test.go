package api

import (
	"strconv"
	"testing"
	"time"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

func TestRate(t *testing.T) {
	t.Parallel()
	r := &Rate{PerSecond: 2, Burst: 4, Most: 10}
	take := func(name string, at, want time.Duration) {
		t.Helper()
		if got := r.Take(name, noon.Add(at)); got != want {
			t.Errorf("Take(%s) after %v = %v, want %v", name, at, got, want)
		}
	}
	for range 4 {
		take("a", 0, 0)
	}
	take("a", 0, 500*time.Millisecond)
	take("b", 0, 0)
	take("a", 250*time.Millisecond, 250*time.Millisecond)
	take("a", 500*time.Millisecond, 0)
	take("a", 500*time.Millisecond, 500*time.Millisecond)
	take("a", 0, 500*time.Millisecond) // the clock was set back
	take("a", time.Hour, 0)
	for range 3 {
		take("a", time.Hour, 0)
	}
	take("a", time.Hour, 500*time.Millisecond) // a long rest is no more than a burst
}

func TestCharge(t *testing.T) {
	t.Parallel()
	r := &Rate{PerSecond: 2, Burst: 4, Most: 10}
	if got := r.Wait("a", noon); got != 0 || len(r.buckets) != 0 {
		t.Errorf("Wait = %v with %d names, want none of either", got, len(r.buckets))
	}
	for range 100 {
		r.Charge("a", noon)
	}
	if got, want := r.Wait("a", noon), 2500*time.Millisecond; got != want {
		t.Errorf("Wait = %v, want %v", got, want)
	}
	if got := r.Wait("a", noon.Add(2500*time.Millisecond)); got != 0 {
		t.Errorf("Wait later = %v", got)
	}
	if got := r.Wait("b", noon); got != 0 {
		t.Errorf("Wait of another = %v", got)
	}
}

func TestNoRate(t *testing.T) {
	t.Parallel()
	var r *Rate
	r.Charge("a", noon)
	if r.Take("a", noon) != 0 || r.Wait("a", noon) != 0 {
		t.Error("what bounds nothing says wait")
	}
}

// TestRateForgets fills the memory: what waits longest is kept as long as there
// is anything else to forget.
func TestRateForgets(t *testing.T) {
	t.Parallel()
	r := &Rate{PerSecond: 1, Burst: 4, Most: 20}
	for range 8 {
		r.Charge("bad", noon)
	}
	for i := range 10_000 {
		r.Take(strconv.Itoa(i), noon)
		if len(r.buckets) > r.Most {
			t.Fatalf("%d names are remembered", len(r.buckets))
		}
	}
	if r.Wait("bad", noon) == 0 {
		t.Error("who went over the limit was forgotten")
	}
	r.Take("new", noon.Add(time.Minute))
	if n := len(r.buckets); n != 1 {
		t.Errorf("%d names are remembered once all may do a burst again", n)
	}
}
