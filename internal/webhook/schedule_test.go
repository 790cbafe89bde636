package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestParseSchedule(t *testing.T) {
	longest := `["` + strings.Repeat(`1s","`, 48) + `1s"]`
	for _, c := range []struct {
		name, in string
		want     webhook.Schedule
		tries    int // 0: refused
	}{
		{"nothing is the default", "", webhook.PortOne, 6},
		{"a preset", "portone", webhook.PortOne, 6},
		{"a preset with blanks", " toss\n", webhook.Toss, 8},
		{"PortOne's page today", "portone-2024", webhook.PortOne2024, 6},
		{"a list", `["1m","4m"]`, `["1m","4m"]`, 3},
		{"an empty list is a single try", `[]`, `[]`, 1},
		{"a delay of zero", `["0s"]`, `["0s"]`, 2},
		{"49 delays", longest, webhook.Schedule(longest), 50},
		{"50 delays", `["1s",` + longest[1:], "", 0},
		{"720 hours", `["720h"]`, `["720h"]`, 2},
		{"more than 720 hours", `["720h1s"]`, "", 0},
		{"a negative delay", `["-1s"]`, "", 0},
		{"a number", `[60]`, "", 0},
		{"a delay without a unit", `["60"]`, "", 0},
		{"null", `null`, "", 0},
		{"null as a delay", `[null]`, "", 0},
		{"another name", "stripe", "", 0},
		{"only resends are tried once", "once", "", 0},
	} {
		got, err := webhook.ParseSchedule(c.in)
		switch {
		case c.tries == 0:
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: ParseSchedule(%q) = %q, %v, want %v", c.name, c.in, got, err, fault.Invalid)
			}
		case err != nil || got != c.want || got.Tries() != c.tries:
			t.Errorf("%s: ParseSchedule(%q) = %q with %d tries, %v, want %q with %d", c.name, c.in, got, got.Tries(), err, c.want, c.tries)
		}
	}
}

func TestCustomSchedule(t *testing.T) {
	got, err := webhook.CustomSchedule([]string{"30s", "2h"})
	if err != nil || got.Tries() != 3 {
		t.Errorf("CustomSchedule = %q, %v, want three tries", got, err)
	}
	if d, _ := got.After(2, 0, nil); d != 2*time.Hour {
		t.Errorf("After(2) = %v, want 2h", d)
	}
	if got, err := webhook.CustomSchedule(nil); err != nil || got.Tries() != 1 {
		t.Errorf("CustomSchedule(nil) = %q, %v, want a single try", got, err)
	}
	if _, err := webhook.CustomSchedule([]string{"soon"}); !fault.Is(err, fault.Invalid) {
		t.Errorf(`CustomSchedule("soon"): %v, want %v`, err, fault.Invalid)
	}
}

func TestNominalDelays(t *testing.T) {
	for s, want := range map[webhook.Schedule][]int{
		webhook.PortOne:     {0, 1, 4, 16, 256},
		webhook.PortOne2024: {1, 4, 16, 64, 256},
		webhook.Toss:        {1, 4, 16, 64, 256, 1024, 4096},
		webhook.Once:        nil,
		"":                  {0, 1, 4, 16, 256},
	} {
		var got []int
		for n := 1; ; n++ {
			d, more := s.After(n, 0, nil)
			if !more {
				break
			}
			got = append(got, int(d/time.Minute))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: delays in minutes (-want +got):\n%s", s, diff)
		}
		if _, more := s.After(0, 0, nil); more {
			t.Errorf("%q has a delay after try 0", s)
		}
	}
}

func TestGood(t *testing.T) {
	for _, c := range []struct {
		status             int
		portone, toss, own bool
	}{
		{199, false, false, false}, {200, true, true, true}, {201, true, false, true}, {204, true, false, true},
		{299, true, false, true}, {300, false, false, false}, {301, false, false, false}, {404, false, false, false}, {500, false, false, false},
	} {
		for s, want := range map[webhook.Schedule]bool{webhook.PortOne: c.portone, webhook.Toss: c.toss, `["1m"]`: c.own} {
			if got := s.Good(c.status); got != want {
				t.Errorf("%s: Good(%d) = %v, want %v", s, c.status, got, want)
			}
		}
	}
}

// TestJitterBounds draws numbers in [0, 1) and checks every delay against the
// bounds of its preset.
func TestJitterBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0, 1).Filter(func(f float64) bool { return f < 1 }).Draw(t, "random")
		random := func() float64 { return f }
		for _, s := range []webhook.Schedule{webhook.PortOne, webhook.PortOne2024, webhook.Toss, `["3m","1m"]`} {
			for n := 1; n < s.Tries(); n++ {
				nominal, _ := s.After(n, 0, nil)
				low, high := nominal, nominal
				switch {
				case s == webhook.PortOne && nominal == 0:
					high = 5 * time.Second
				case s == webhook.PortOne:
					high += nominal / 10
				case s == webhook.PortOne2024:
					low = 0
				}
				if d, _ := s.After(n, 0, random); d < low || d > high {
					t.Fatalf("%s: After(%d) with %v = %v, want between %v and %v", s, n, f, d, low, high)
				}
			}
		}
	})
}

func TestJitterMoves(t *testing.T) {
	half := func() float64 { return 0.5 }
	for _, c := range []struct {
		s    webhook.Schedule
		n    int
		want time.Duration
	}{
		{webhook.PortOne, 1, 2500 * time.Millisecond},
		{webhook.PortOne, 2, 63 * time.Second},
		{webhook.PortOne2024, 2, 2 * time.Minute},
		{webhook.Toss, 2, 4 * time.Minute},
	} {
		if got, _ := c.s.After(c.n, 0, half); got != c.want {
			t.Errorf("%s: After(%d) with 0.5 = %v, want %v", c.s, c.n, got, c.want)
		}
	}
}

func TestRetryAfterLengthensUpToTheNextDelay(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     webhook.Schedule
		n     int
		asked time.Duration
		want  time.Duration
	}{
		{"shorter than the delay", webhook.Toss, 2, time.Minute, 4 * time.Minute},
		{"longer than the delay", webhook.Toss, 2, 10 * time.Minute, 10 * time.Minute},
		{"longer than the next delay", webhook.Toss, 2, time.Hour, 16 * time.Minute},
		{"where the delay is zero", webhook.PortOne, 1, 30 * time.Second, 30 * time.Second},
		{"after the last but one try", webhook.PortOne, 5, 1000 * time.Hour, 256 * time.Minute},
		{"where the next delay is shorter", `["10m","1m"]`, 1, 5 * time.Minute, 10 * time.Minute},
		{"negative", webhook.Toss, 1, -time.Hour, time.Minute},
	} {
		if got, _ := c.s.After(c.n, c.asked, nil); got != c.want {
			t.Errorf("%s: %s: After(%d, %v) = %v, want %v", c.name, c.s, c.n, c.asked, got, c.want)
		}
	}
	if d, more := webhook.Toss.After(8, time.Hour, nil); more {
		t.Errorf("Toss: After(8) = %v: asking for another try gives one", d)
	}
}
