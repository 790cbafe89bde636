package webhook

import (
	"testing"
	"time"
)

func TestHealthOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	// tries are a minute apart, the newest first: + is good, anything else failed.
	tries := func(list string) (t Tries) {
		for i, c := range list {
			one := Tried{At: now.Add(-time.Duration(i) * time.Minute), Outcome: BadAnswer}
			if c == '+' {
				one.Outcome = Good
				t.LastGood = now
			}
			t.Last = append(t.Last, one)
		}
		return t
	}
	old := tries("-")
	old.Last[0].At, old.LastGood = now.Add(-30*time.Minute), now.Add(-time.Hour)
	young := tries("-")
	young.Last[0].At, young.LastGood = now.Add(-29*time.Minute), now.Add(-time.Hour)
	for _, tc := range []struct {
		name   string
		paused bool
		tries  Tries
		want   Health
	}{
		{"no try", false, Tries{}, HealthNew},
		{"all good", false, tries("+++"), HealthGood},
		{"one of five failed", false, tries("+-+++"), HealthFailing},
		{"one before the last five", false, tries("+++++-"), HealthGood},
		{"four in a row", false, tries("----+"), HealthFailing},
		{"five in a row", false, tries("-----+"), HealthDown},
		{"one, half an hour ago", false, old, HealthDown},
		{"one, a little later", false, young, HealthFailing},
		{"never a good one", false, tries("-"), HealthNever},
		{"paused", true, tries("-----+"), HealthPaused},
	} {
		if got := HealthOf(tc.paused, tc.tries, now); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if since := tries("---+").Since(); !since.Equal(now.Add(-2 * time.Minute)) {
		t.Errorf("failing since %v", since)
	}
}
