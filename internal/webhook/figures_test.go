package webhook_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// The newest of 45 tries is in the last step, and a step without a good one is zero.
func TestFigureSteps(t *testing.T) {
	at := time.Unix(1000, 0)
	var list []webhook.TimedTry
	for i := range 45 {
		x := webhook.TimedTry{Tried: webhook.Tried{At: at.Add(-time.Duration(i) * time.Second), Outcome: webhook.Good}, Took: time.Duration(45 - i)}
		if i == 20 || i == 21 {
			x.Outcome = webhook.NoAnswer
		}
		list = append(list, x)
	}
	f := webhook.FiguresOf(list)
	if f.Parts() != webhook.FigureSteps || f.Steps[0] != 2 || f.Steps[19] != 44 || f.Steps[10] != 0 || f.Good != 43 || !f.Since.Equal(list[44].At) {
		t.Errorf("%+v", f)
	}
	if f := webhook.FiguresOf(list[:3]); f.Parts() != 3 || f.Steps != [webhook.FigureSteps]time.Duration{43, 44, 45} {
		t.Errorf("of three: %v", f.Steps)
	}
	if f := webhook.FiguresOf(nil); f != (webhook.Figures{}) {
		t.Errorf("of none: %+v", f)
	}
}

func TestPercentile(t *testing.T) {
	var list []time.Duration
	for i := range 20 {
		list = append(list, time.Duration(20-i))
	}
	for p, want := range map[int]time.Duration{50: 10, 95: 19, 100: 20, 1: 1} {
		if got := webhook.Percentile(list, p); got != want {
			t.Errorf("Percentile %d = %d, want %d", p, got, want)
		}
	}
	if webhook.Percentile(nil, 50) != 0 || webhook.Percentile([]time.Duration{7}, 95) != 7 {
		t.Error("Percentile of none or one")
	}
	for f, want := range map[webhook.Figures]int{{}: 0, {Tries: 3, Good: 2}: 66, {Tries: 1000, Good: 999}: 99, {Tries: 5, Good: 5}: 100} {
		if got := f.Percent(); got != want {
			t.Errorf("%+v: %d percent, want %d", f, got, want)
		}
	}
}
