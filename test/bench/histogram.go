//go:build linux

package main

import (
	"math"
	"math/bits"
	"time"
)

// fineness is how many steps a histogram has between a value and its double:
// what it tells is at most 1/128 too long.
const fineness = 128

// A histogram counts durations from a nanosecond to hours, log-linear: short
// ones exactly, long ones by their leading digits. The zero value is empty. It
// is not safe for concurrent use.
type histogram struct {
	counts [(64 - 7) * fineness]uint64
	n      uint64
	most   time.Duration
}

// add counts a duration. One that is negative, which only a clock set back can
// make, counts as zero.
func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[step(d)]++
	h.n++
	h.most = max(h.most, d)
}

// quantile is a duration that the share q of what was counted did not exceed:
// 0.99 for the 99th percentile. An empty histogram says zero.
func (h *histogram) quantile(q float64) time.Duration {
	want := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for i, c := range h.counts {
		if seen += c; c > 0 && seen >= want {
			return min(longest(i), h.most)
		}
	}
	return 0
}

// step is the place at which a duration is counted.
func step(d time.Duration) int {
	shift := max(bits.Len64(uint64(d))-8, 0)
	return shift*fineness + int(d>>shift)
}

// longest is the longest duration that is counted at a place.
func longest(i int) time.Duration {
	if i < 2*fineness {
		return time.Duration(i)
	}
	shift := i/fineness - 1
	return time.Duration(i-shift*fineness+1)<<shift - 1
}
