package delivery

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// TestDiagnose tells from what is kept of a try what is wrong with its receiver.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*webhook.Attempt)
		want FindingCode // empty if nothing is to be said
	}{
		"good":   {func(a *webhook.Attempt) { a.Outcome, a.Status = webhook.Good, 200 }, ""},
		"late":   {func(a *webhook.Attempt) { a.Outcome, a.Status, a.Took = webhook.Good, 200, longestTry/2 }, FoundSlow},
		"denied": {func(a *webhook.Attempt) { a.Outcome, a.Status = webhook.BadAnswer, 403 }, FoundDenied},
		"error":  {func(a *webhook.Attempt) { a.Outcome, a.Status = webhook.BadAnswer, 500 }, FoundStatus},
		"redirect": {func(a *webhook.Attempt) {
			a.Outcome, a.Status, a.ResponseHeader = webhook.BadAnswer, 308, "location: /hook/"
		}, FoundSlash},
		"timeout": {func(a *webhook.Attempt) { a.Outcome, a.Cause = webhook.NoAnswer, webhook.CauseTimeout }, FoundTimeout},
		"refused": {func(a *webhook.Attempt) { a.Outcome, a.Cause = webhook.NoConnect, webhook.CauseRefused }, FoundRefused},
		"private": {func(a *webhook.Attempt) { a.Outcome, a.Cause = webhook.NotAllowed, webhook.CauseBlocked }, FoundPrivate},
		"unknown": {func(a *webhook.Attempt) { a.Outcome = webhook.NoConnect }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := webhook.Attempt{URL: "https://shop.example/hook", Took: 84 * time.Millisecond}
			c.edit(&a)
			f, ok := Diagnose(a)
			if ok != (c.want != "") || ok && f.Code != c.want {
				t.Errorf("Diagnose = %q, %v; want %q", f.Code, ok, c.want)
			}
		})
	}
}
