//go:build linux

package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramAgreesWithSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var h histogram
	for range 20_000 {
		d := time.Duration(math.Exp(random.Float64() * 30)) // up to hours
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if got := h.quantile(q); got < want || float64(got) > float64(want)*(1+1.0/fineness) {
			t.Errorf("quantile(%v) = %v, want %v and at most 1/%d more", q, got, want, fineness)
		}
	}
	if h.n != 20_000 || h.most != all[len(all)-1] {
		t.Errorf("%d counted, the longest %v; want 20000 and %v", h.n, h.most, all[len(all)-1])
	}
}

func TestHistogramSteps(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 127, 128, 255, 256, 257, 511, 512, time.Second, 1 << 40, math.MaxInt64} {
		i := step(d)
		if longest(i) < d {
			t.Errorf("%v is counted at a place for at most %v", d, longest(i))
		}
		if i > 0 && longest(i-1) >= d {
			t.Errorf("%v is counted too high: the place before takes up to %v", d, longest(i-1))
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h histogram
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("an empty histogram says %v, want 0", got)
	}
	h.add(-time.Second)
	if got := h.quantile(1); got != 0 {
		t.Errorf("a negative duration counts as %v, want 0", got)
	}
}
