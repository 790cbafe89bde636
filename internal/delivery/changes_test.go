package delivery_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestPausedIsHeldAndResumedAtOnce(t *testing.T) {
	play(t, one(webhook.Toss), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(1, webhook.Paid)
		s.Pass(2 * time.Minute) // tries at 0 and 1
		s.Configure(func(a *settings.All) { a.Endpoints[0].Paused = true })
		s.Tell(1, webhook.Failed)
		s.Pass(58 * time.Minute)
		if diff := cmp.Diff([]int{0, 1}, s.Minutes()); diff != "" {
			t.Errorf("while paused, minutes of the tries (-want +got):\n%s", diff)
		}
		s.Configure(func(a *settings.All) { a.Endpoints[0].Paused = false })
		s.Pass(200 * time.Hour)
		byID := map[string][]int{}
		for _, c := range s.Shops.Calls() {
			byID[c.ID] = append(byID[c.ID], int(c.At.Sub(s.Start)/time.Minute))
		}
		// Resumed at 60, the first has six of its eight tries left: the third
		// comes at once, and its delays go on as if nothing had been.
		var got [][]int
		for _, id := range slices.Sorted(maps.Keys(byID)) {
			got = append(got, byID[id])
		}
		want := [][]int{{0, 1, 60, 76, 140, 396, 1420, 5516}, {60, 61, 65, 81, 145, 401, 1425, 5521}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("minutes of the tries by webhook (-want +got):\n%s", diff)
		}
	})
}

func TestResendByHandLeavesTheScheduleAlone(t *testing.T) {
	watch := endpoint("watch", webhook.PortOne)
	watch.Events, watch.Paused = []string{"tongbo.attention"}, true
	play(t, append(one(webhook.PortOne), watch), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		d := s.Tell(1, webhook.Paid)[0]
		s.Pass(10 * time.Minute)
		again, err := s.Store.Resend(t.Context(), "key-1", d.ID, time.Now())
		if err != nil || again.WebhookID() != d.WebhookID() {
			t.Fatalf("Resend = %s, %v, want %s", again.WebhookID(), err, d.WebhookID())
		}
		s.Pass(10 * time.Hour)
		if diff := cmp.Diff([]int{0, 0, 1, 5, 10, 21, 277}, s.Minutes()); diff != "" {
			t.Errorf("minutes of the tries (-want +got):\n%s", diff)
		}
		for _, c := range s.Shops.Calls() {
			if c.ID != d.WebhookID() || c.Body != string(d.Body) {
				t.Errorf("a try sent %s with %s, want %s with %s", c.ID, c.Body, d.WebhookID(), d.Body)
			}
		}
		s.WantEnded(2, webhook.Undone, webhook.BadAnswer)
		if n := s.Count(`select count(*) from event where type = 'tongbo.attention'`); n != 1 {
			t.Errorf("%d tellings of a failure, want one for the schedule and none for the resend", n)
		}
	})
}

func TestDeletedEndpointEndsItsDeliveries(t *testing.T) {
	play(t, one(webhook.Toss), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(3, webhook.Paid)
		s.Pass(30 * time.Second)
		s.Configure(func(a *settings.All) { a.Endpoints = nil })
		s.Pass(2 * time.Minute)
		if n := len(s.Shops.Calls()); n != 3 {
			t.Errorf("%d calls, want none after the endpoint was deleted", n-3)
		}
		s.WantEnded(3, webhook.Undone, webhook.Gone)
		if n := s.Count(`select count(*) from delivery`); n != 0 {
			t.Errorf("%d deliveries still wait", n)
		}
	})
}

// A new address and a revoked secret hold from the next try on.
func TestSettingsHoldAtTheNextTry(t *testing.T) {
	play(t, one(webhook.Toss), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(1, webhook.Paid)
		s.Pass(30 * time.Second)
		s.Configure(func(a *settings.All) {
			a.Endpoints[0].URL = "https://new.example/"
			a.Endpoints[0].Secrets = []secret.Text{newKey}
		})
		s.Pass(time.Minute)
		calls := s.Shops.Calls()
		if len(calls) != 2 || calls[1].Host != "new.example" {
			t.Fatalf("the calls are %+v, want the second at new.example", calls)
		}
		want, _ := webhook.Sign(calls[1].ID, calls[1].At, []byte(calls[1].Body), newKey)
		if calls[1].Sig != want {
			t.Errorf("the second try is signed %q, want the new secret alone, %q", calls[1].Sig, want)
		}
	})
}

// Who asked for it is told when a delivery fails for good, once in ten minutes
// for each channel, and never about such a telling itself.
func TestAttention(t *testing.T) {
	watch := endpoint("watch", `[]`)
	watch.Events = []string{"tongbo.attention"}
	play(t, []webhook.Endpoint{endpoint("e1", `[]`), endpoint("e2", `[]`), watch}, func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		failed := s.Tell(1, webhook.Paid)
		s.Pass(time.Minute)
		s.Tell(2, webhook.Paid) // within the ten minutes
		s.Pass(time.Minute)
		var told []string
		for _, c := range s.Shops.Calls() {
			if c.Host == "watch.example" {
				told = append(told, c.Body)
			}
		}
		if len(told) != 1 {
			t.Fatalf("told %d times, want once: %q", len(told), told)
		}
		for _, want := range []string{`"type":"tongbo.attention"`, `"kind":"delivery_failed"`, `"reason":"bad_answer"`, `"channelKey":"channel-1"`, `"paymentId":"order-1"`} {
			if !strings.Contains(told[0], want) {
				t.Errorf("the telling %s lacks %s", told[0], want)
			}
		}
		if !slices.ContainsFunc(failed, func(d webhook.Delivery) bool {
			return strings.Contains(told[0], `"subject":"`+d.WebhookID()+`"`)
		}) {
			t.Errorf("the telling %s names none of the webhooks that failed", told[0])
		}
		if n := s.Count(`select count(*) from event where type = 'tongbo.attention' and payment_key = 'key-1' and payment_id = 'order-1'`); n != 1 {
			t.Errorf("%d tellings belong to the payment, want 1", n)
		}
		s.Pass(10 * time.Minute)
		s.Tell(1, webhook.Paid)
		s.Pass(time.Hour)
		if n := s.Count(`select count(*) from event where type = 'tongbo.attention'`); n != 2 {
			t.Errorf("%d tellings in all, want 2", n)
		}
	})
}

// If nobody asked to be told, a failure makes no event.
func TestAttentionNobodyWants(t *testing.T) {
	play(t, one(`[]`), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(1, webhook.Paid)
		s.Pass(time.Minute)
		s.WantEnded(1, webhook.Undone, webhook.BadAnswer)
		if n := s.Count(`select count(*) from event where type = 'tongbo.attention'`) + s.Count(`select count(*) from attention`); n != 0 {
			t.Errorf("a failure that nobody wants to hear of wrote %d rows", n)
		}
	})
}

// An endpoint that was paused or resumed while a try was under way gets what
// came of the try by its new setting, though it was planned by the old one.
func TestAttentionFollowsAPause(t *testing.T) {
	watch := endpoint("watch", `[]`)
	watch.Events = []string{"tongbo.attention"}
	for _, c := range []struct {
		name          string
		before, after bool // paused
	}{{"paused during the try", false, true}, {"resumed during the try", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			watch.Paused = c.before
			play(t, []webhook.Endpoint{watch, endpoint("e1", `[]`)}, func(t *testing.T, s *scene) {
				s.Shops.Answer = func(r *http.Request, _ int) *http.Response {
					if r.URL.Host == "e1.example" {
						<-time.After(10 * time.Second)
						return answer(500)
					}
					return answer(200)
				}
				told := func(want int) {
					t.Helper()
					n := 0
					for _, c := range s.Shops.Calls() {
						if c.Host == "watch.example" {
							n++
						}
					}
					if n != want {
						t.Errorf("told %d times, want %d", n, want)
					}
				}
				pause := func(paused bool) {
					s.Configure(func(a *settings.All) {
						for i := range a.Endpoints {
							a.Endpoints[i].Paused = paused && a.Endpoints[i].ID == "watch"
						}
					})
				}
				s.Run()
				s.Tell(1, webhook.Paid)
				s.Pass(time.Second)
				pause(c.after)
				s.Pass(time.Hour)
				if !c.after {
					told(1)
					return
				}
				told(0)
				pause(false)
				s.Pass(0)
				told(1)
			})
		})
	}
}

// A resend by hand waits for the end of a pause, as everything does.
func TestResendToAPausedEndpointWaits(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Run()
		d := s.Tell(1, webhook.Paid)[0]
		s.Pass(time.Minute)
		s.Configure(func(a *settings.All) { a.Endpoints[0].Paused = true })
		if _, err := s.Store.Resend(t.Context(), "key-1", d.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		s.Pass(time.Hour)
		if n := len(s.Shops.Calls()); n != 1 {
			t.Errorf("%d calls while the endpoint is paused, want only the one before", n)
		}
		s.Configure(func(a *settings.All) { a.Endpoints[0].Paused = false })
		s.Pass(0)
		if n := len(s.Shops.Calls()); n != 2 {
			t.Errorf("%d calls, want the resend as soon as the pause ends", n)
		}
	})
}

// Notice URLs of one origin share a cap, and sign like the store's endpoint.
func TestNoticeURLs(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Tell(1, webhook.Paid, "https://a.example/1", "https://a.example/2")
		s.Run()
		s.Pass(time.Second)
		calls := s.Shops.Calls()
		if len(calls) != 2 {
			t.Fatalf("%d calls, want one for each URL", len(calls))
		}
		for _, c := range calls {
			want, _ := webhook.Sign(c.ID, c.At, []byte(c.Body), oldKey)
			if c.Host != "a.example" || c.Sig != want {
				t.Errorf("a call to %s signed %q, want a.example and %q", c.Host, c.Sig, want)
			}
		}
		s.WantEnded(2, webhook.Completed, webhook.Good)
	})
}

// While secrets overlap, both sign; then the old one signs no more, although
// nobody touches the settings, and whoever runs: a node that is started anew too.
func TestOldSecretStopsSigningByItself(t *testing.T) {
	play(t, one(`["1h", "22h59m", "1m", "1h"]`), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Configure(func(a *settings.All) {
			var err error
			if a.Endpoints[0], err = a.Endpoints[0].Rotate(newKey, time.Now(), webhook.DefaultOverlap); err != nil {
				t.Fatal(err)
			}
		})
		s.Run()
		d := s.Tell(1, webhook.Paid)[0]
		s.Pass(2 * time.Hour)
		s.Stop()
		s.Run()
		s.Pass(48 * time.Hour)
		calls := s.Shops.Calls()
		if len(calls) != 5 {
			t.Fatalf("%d tries, want 5", len(calls))
		}
		for i, keys := range [][]secret.Text{{newKey, oldKey}, {newKey, oldKey}, {newKey, oldKey}, {newKey}, {newKey}} {
			want, err := webhook.Sign(d.WebhookID(), calls[i].At, d.Body, keys...)
			if err != nil || calls[i].Sig != want {
				t.Errorf("the try after %v is signed %q, want %d signatures", calls[i].At.Sub(s.Start), calls[i].Sig, len(keys))
			}
		}
		if dropped, err := s.Store.DropOldSecrets(t.Context(), time.Now()); dropped != 1 || err != nil {
			t.Errorf("DropOldSecrets = %d, %v", dropped, err)
		}
	})
}
