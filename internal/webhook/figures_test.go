package webhook_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

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
