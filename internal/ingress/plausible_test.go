package ingress

import (
	"testing"
	"time"
)

func TestPlausible(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"now", now, true},
		{"months ago", now.AddDate(0, -7, 0), true},
		{"a clock that is a day ahead", now.Add(24 * time.Hour), true},
		{"not told", time.Time{}, false},
		{"the year 1", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{"the year 9999", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{"next week", now.AddDate(0, 0, 7), false},
	} {
		if got := plausible(c.at, now); got != c.want {
			t.Errorf("%s: plausible = %v", c.name, got)
		}
	}
}
