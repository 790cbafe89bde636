package webhook_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	secretA = secret.Text("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh")
	secretB = secret.Text("whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi")
	secretC = secret.Text("whsec_Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj")
)

func TestRotate(t *testing.T) {
	noon := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		have    []secret.Text
		overlap time.Duration
		now     []secret.Text // that sign at once
		later   []secret.Text // and once the overlap is over
	}{
		{"one secret, a day", []secret.Text{secretA}, webhook.DefaultOverlap, []secret.Text{secretC, secretA}, []secret.Text{secretC}},
		{"two secrets: the older goes at once", []secret.Text{secretB, secretA}, time.Hour, []secret.Text{secretC, secretB}, []secret.Text{secretC}},
		{"no overlap", []secret.Text{secretA}, 0, []secret.Text{secretC}, []secret.Text{secretC}},
		{"none before", nil, time.Hour, []secret.Text{secretC}, []secret.Text{secretC}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := webhook.Endpoint{Secrets: c.have}.Rotate(secretC, noon, c.overlap)
			if err != nil {
				t.Fatal(err)
			}
			for at, want := range map[time.Time][]secret.Text{
				noon: c.now, noon.Add(c.overlap): c.later, noon.Add(c.overlap + time.Hour): c.later,
			} {
				if got := e.Signing(at); !slices.Equal(got, want) {
					t.Errorf("%d secrets sign %v after, want %d", len(got), at.Sub(noon), len(want))
				}
			}
			if c.overlap > 0 && len(c.now) == 2 && !slices.Equal(e.Signing(noon.Add(c.overlap-time.Microsecond)), c.now) {
				t.Error("the old secret is gone before its time")
			}
		})
	}
	for _, overlap := range []time.Duration{-time.Second, webhook.MaxOverlap + time.Second} {
		if _, err := (webhook.Endpoint{}).Rotate(secretC, noon, overlap); !fault.Is(err, fault.Invalid) {
			t.Errorf("Rotate with an overlap of %v = %v, want fault.Invalid", overlap, err)
		}
	}
}

func TestEndOverlap(t *testing.T) {
	noon := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	two, err := webhook.Endpoint{Secrets: []secret.Text{secretA}}.Rotate(secretB, noon, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	one, err := two.EndOverlap(noon.Add(time.Minute))
	if err != nil || !slices.Equal(one.Secrets, []secret.Text{secretB}) || !one.OldUntil.IsZero() {
		t.Errorf("EndOverlap = %d secrets until %v, %v", len(one.Secrets), one.OldUntil, err)
	}
	for name, e := range map[string]webhook.Endpoint{"one secret": one, "an overlap that is over": two} {
		if _, err := e.EndOverlap(noon.Add(time.Hour)); !fault.Is(err, fault.Conflict) {
			t.Errorf("EndOverlap of %s = %v, want fault.Conflict", name, err)
		}
	}
	if declared := (webhook.Endpoint{Secrets: []secret.Text{secretA, secretB}}); len(declared.Signing(noon.AddDate(9, 0, 0))) != 2 {
		t.Error("two secrets that were declared together do not both sign for as long as they are declared")
	}
}
