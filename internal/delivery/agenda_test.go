package delivery

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAgendaSleeps(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*agenda)
		want time.Duration
	}{
		{"an empty one as long as it may", func(*agenda) {}, time.Hour},
		{"until the earliest", func(a *agenda) {
			a.sooner(time.Now().Add(30 * time.Minute))
			a.sooner(time.Now().Add(20 * time.Minute))
			a.sooner(time.Now().Add(40 * time.Minute))
		}, 20 * time.Minute},
		{"not at all for what is past", func(a *agenda) { a.sooner(time.Now().Add(-time.Second)) }, 0},
		{"not at all when told to look", func(a *agenda) { a.lookNow() }, 0},
		{"until something earlier is noted", func(a *agenda) {
			a.sooner(time.Now().Add(30 * time.Minute))
			time.AfterFunc(10*time.Minute, func() { a.sooner(time.Now().Add(5 * time.Minute)) })
		}, 15 * time.Minute},
		{"until told to look", func(a *agenda) { time.AfterFunc(10*time.Minute, a.lookNow) }, 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			var a agenda
			c.do(&a)
			start := time.Now()
			if !a.sleep(t.Context(), time.Hour) || time.Since(start) != c.want {
				t.Errorf("%s: slept %v, want %v", c.name, time.Since(start), c.want)
			}
			start = time.Now()
			if !a.sleep(t.Context(), 2*time.Hour) || time.Since(start) != 2*time.Hour {
				t.Errorf("%s: the agenda was not emptied: slept %v more, want 2h", c.name, time.Since(start))
			}
		})
	}
}

func TestAgendaEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var a agenda
		start := time.Now()
		if a.sleep(ctx, time.Hour) || time.Since(start) != time.Minute {
			t.Errorf("slept %v, want a minute and false", time.Since(start))
		}
	})
}

func TestOutageBacksOffAndLogsOnce(t *testing.T) {
	var text strings.Builder
	o := outage{what: "testing", log: slog.New(slog.NewTextHandler(&text, nil))}
	want := []int{100, 200, 400, 800, 1000, 1000} // milliseconds
	for round := range 2 {
		for i, ms := range want {
			w := time.Duration(ms) * time.Millisecond
			if got := o.failed(t.Context(), errors.New("away")); got != w {
				t.Errorf("round %d: wait %d is %v, want %v", round, i, got, w)
			}
		}
		o.over(t.Context())
		o.over(t.Context())
		if n := strings.Count(text.String(), "\n"); n != 2*(round+1) {
			t.Errorf("round %d: %d lines were logged, want one for each change:\n%s", round, n, text.String())
		}
	}
	o.random = func() float64 { return 0 }
	if got := o.failed(t.Context(), errors.New("away")); got != 50*time.Millisecond {
		t.Errorf("the shortest jittered wait is %v, want 50ms", got)
	}
}
