package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestResend(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		if _, err := s.Resend(t.Context(), p.Key, webhook.DeliveryID(storetest.NewID()), storetest.Noon); !fault.Is(err, fault.NotFound) {
			t.Errorf("Resend of nothing = %v, want fault.NotFound", err)
		}
		first := claim(t, s, 0, 10, all).Jobs[0]
		again, err := s.Resend(t.Context(), p.Key, "", storetest.Noon)
		if err != nil || again.Original != first.ID || again.WebhookID() != first.WebhookID() || again.ID == first.ID || !again.Manual {
			t.Errorf("Resend of a waiting one = %+v, %v", again, err)
		}
		finish(t, s, outcome(first, 0, 0, webhook.Good))
		j := claim(t, s, 0, 10, all).Jobs[0]
		if j.ID != again.ID || string(j.Body) != string(first.Body) {
			t.Errorf("claimed %+v", j)
		}
		finish(t, s, outcome(j, 0, 0, webhook.BadAnswer))
		third, err := s.Resend(t.Context(), p.Key, first.ID, storetest.Noon.Add(time.Hour))
		if err != nil || third.Original != first.ID {
			t.Errorf("Resend of one that is over = %+v, %v", third, err)
		}
		tried, err := s.Attempts(t.Context(), first.ID)
		if err != nil || len(tried) != 2 {
			t.Errorf("%d attempts under the webhook's id, want 2; %v", len(tried), err)
		}
		verified(t, s)
	})
}

// A webhook is resent a hundred times at most, however many ask at once.
func TestResendsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		wait(t, s, "o-2")
		first := claim(t, s, 0, 1, all).Jobs[0]
		if first.Payment != p.Key {
			first = claim(t, s, 0, 1, all).Jobs[0]
		}
		var done, refused atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 30 {
					_, err := s.Resend(t.Context(), p.Key, first.ID, storetest.Noon)
					switch {
					case err == nil:
						done.Add(1)
					case errors.Is(err, webhook.ErrTooManyResends) && fault.Is(err, fault.Conflict):
						refused.Add(1)
					default:
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if done.Load() != webhook.MaxResends || refused.Load() != 120-webhook.MaxResends {
			t.Errorf("%d resends and %d refusals, want %d and %d", done.Load(), refused.Load(), webhook.MaxResends, 120-webhook.MaxResends)
		}
		if n := db.Count(t, `select count(*) from delivery where original is not null`); n != webhook.MaxResends {
			t.Errorf("%d resends were written, want %d", n, webhook.MaxResends)
		}
		other := claim(t, s, 0, 1000, func(string, []webhook.Job) int { return 1000 })
		for _, j := range other.Jobs {
			if j.Payment != p.Key {
				if _, err := s.Resend(t.Context(), j.Payment, j.ID, storetest.Noon); err != nil {
					t.Errorf("Resend of another webhook = %v", err)
				}
			}
		}
		verified(t, s)
	})
}

// What a delivery is of comes back with it, from what waits and from what is
// over.
func TestDeliveriesKnowTheirPayment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		check := func(d webhook.Delivery) {
			t.Helper()
			if d.Payment != p.Key || d.PaymentID != p.ID || d.Channel != storetest.Channel {
				t.Errorf("delivery %s is of %s, %s in channel %s", d.ID, d.Payment, d.PaymentID, d.Channel)
			}
		}
		j := claim(t, s, 0, 10, all).Jobs[0]
		check(j.Delivery)
		finish(t, s, outcome(j, 0, 0, webhook.Good))
		again, err := s.Resend(t.Context(), p.Key, j.ID, storetest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		check(again)
	})
}
