package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

func v7() string { return uuid.Must(uuid.NewV7()).String() }

// tell registers a payment and tells the endpoint that is not paused.
func (db settingsDB) tell(t *testing.T, all settings.All, id payment.ID) payment.Payment {
	t.Helper()
	planner := all.Planner(v7)
	p, _, err := db.Register(t.Context(), payment.Registration{
		Merchant: "merchant-1", Store: "store-1", Channel: "channel-key-1", Mode: "test", ID: id, OrderName: "책",
		Amount: payment.Won(1000), Account: payment.Account{Bank: "IBK", Number: "123", ExpiresAt: settingsNow.Add(time.Hour)},
	}, notice.Registering{
		Version: all.Version, Env: payment.Env{Now: settingsNow, NewID: v7},
		Announce: func(p payment.Payment) ([]webhook.Emission, error) {
			e, err := planner.Plan(webhook.Event{
				ID: webhook.EventID(v7()), Type: webhook.Paid, At: settingsNow, Merchant: p.Merchant, Store: p.Store, Mode: p.Mode,
				Payment: p.Key, PaymentID: p.ID, State: payment.Paid, Deposited: true,
			}, nil)
			return []webhook.Emission{e}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tryOf makes one try of a webhook that is due at a time. Others that were
// claimed with it wait out their lease.
func (db settingsDB) tryOf(t *testing.T, id webhook.DeliveryID, at time.Time, o webhook.Outcome, next time.Time) webhook.Attempt {
	t.Helper()
	c, err := db.Claim(t.Context(), at, time.Second, webhook.Room{Total: 9, Retries: 9, Of: func(string, []webhook.Job) int { return 9 }})
	i := slices.IndexFunc(c.Jobs, func(j webhook.Job) bool { return j.WebhookID() == id.WebhookID() })
	if err != nil || i < 0 {
		t.Fatalf("Claim = %v, %v; want webhook %s", c, err, id)
	}
	j := c.Jobs[i]
	a := webhook.Attempt{
		ID: webhook.AttemptID(v7()), Delivery: j.ID, Webhook: j.ID, Number: j.Tries + 1, At: at, Took: 12345 * time.Microsecond,
		URL: "https://a.example/one", Outcome: o, Status: 200, RequestHeader: "a: b\nc: d", RequestBody: j.Body,
		ResponseHeader: "e: f", ResponseBody: []byte{0xff, 0}, Truncated: true,
	}
	if j.Original != "" {
		a.Webhook = j.Original
	}
	f := webhook.Finish{Job: j, Attempt: a, State: webhook.Completed, Next: next}
	if _, err := db.Finish(t.Context(), []webhook.Finish{f}); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWebhooks(t *testing.T) {
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		all := db.save(t, someSettings())
		p, other := db.tell(t, all, "one"), db.tell(t, all, "two")
		history := func() []webhook.History {
			t.Helper()
			list, err := db.Webhooks(t.Context(), p.Key)
			if err != nil || len(list) != 2 {
				t.Fatalf("Webhooks = %v, %v; want one for each endpoint", list, err)
			}
			return list
		}
		list := history()
		var id webhook.DeliveryID
		for _, h := range list {
			switch h.State {
			case webhook.Waiting:
				id = h.ID
			case webhook.Held:
			default:
				t.Errorf("a webhook that was not tried is %s", h.State)
			}
			if h.URL == "" || h.MaxTries != 8 || h.Tries != 0 || h.Last != nil || h.PaymentState != payment.Paid ||
				h.Trigger != webhook.TriggerDeposit || !h.TriggeredAt.Equal(settingsNow) || len(h.Body) == 0 {
				t.Errorf("untried: %+v", h)
			}
		}

		of := func() webhook.History {
			t.Helper()
			for _, h := range history() {
				if h.ID == id {
					return h
				}
			}
			t.Fatalf("webhook %s is gone", id)
			return webhook.History{}
		}
		first := db.tryOf(t, id, settingsNow, webhook.BadAnswer, settingsNow.Add(time.Minute))
		if got := of(); got.Tries != 1 || got.State != webhook.Waiting || cmp.Diff(&first, got.Last) != "" {
			t.Errorf("tried once: %+v\n%s", got, cmp.Diff(&first, got.Last))
		}
		second := db.tryOf(t, id, settingsNow.Add(time.Minute), webhook.Good, time.Time{})
		if got := of(); got.Tries != 2 || got.State != webhook.Completed || got.Last.ID != second.ID {
			t.Errorf("completed: %+v", got)
		}
		if _, err := db.Resend(context.WithoutCancel(t.Context()), p.Key, id, settingsNow.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := of(); got.Trigger != webhook.TriggerManual || got.State != webhook.Waiting || got.Last != nil || got.MaxTries != 1 {
			t.Errorf("resent: %+v", got)
		}
		third := db.tryOf(t, id, settingsNow.Add(time.Hour), webhook.Good, time.Time{})
		attempts, err := db.Attempts(t.Context(), id)
		if diff := cmp.Diff([]webhook.Attempt{first, second, third}, attempts); err != nil || diff != "" {
			t.Errorf("Attempts: %v (-want +got):\n%s", err, diff)
		}
		if _, err := db.raw.ExecContext(t.Context(), `delete from attempt_body`); err != nil {
			t.Fatal(err)
		}
		if got := of(); got.Last == nil || got.Last.RequestBody != nil || got.Last.Status != 200 {
			t.Errorf("after bodies were pruned: %+v", got)
		}
		if list, err := db.Webhooks(t.Context(), other.Key); err != nil || len(list) != 2 || list[0].Tries+list[1].Tries != 0 {
			t.Errorf("the other payment's: %+v, %v", list, err)
		}
		if list, err := db.Webhooks(t.Context(), payment.Key(v7())); err != nil || len(list) != 0 {
			t.Errorf("nobody's: %+v, %v", list, err)
		}
		if list, err := db.Attempts(t.Context(), "whk_x"); err != nil || len(list) != 0 {
			t.Errorf("attempts of no webhook: %+v, %v", list, err)
		}
	})
}
