package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestEventsOfCards has every event of a merchant's life with cards come from a real
// flow, on both engines: approved, declined, lost and found out, cancelled, scheduled
// and approved, scheduled and failed.
func TestEventsOfCards(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			database := "sqlite:" + t.TempDir() + "/t.db"
			if engine == "PostgreSQL" {
				database = storetest.Postgres(t)
			}
			s := openTrial(t, database, func(*merchant.Channel) {})
			s.cards()
		})
	}
}

const orderOfBook = `"orderName":"책","currency":"KRW","amount":{"total":11000}`

func withCard(number string) string {
	return `{"channelKey":"` + string(trialChannel(0)) + `",` + orderOfBook + `,"method":{"card":{"credential":{"number":"` + number + `","expiryYear":"30","expiryMonth":"12"}}}}`
}

func (s *trialShop) cards() {
	s.Helper()
	s.want(200, `"paidAt"`, "POST", "/payments/approved/instant", withCard("4242424242424242"))
	s.tells("Transaction.Paid", "approved")
	s.want(200, `"SUCCEEDED"`, "POST", "/payments/approved/cancel", `{"reason":"변심","amount":1000}`)
	s.tells("Transaction.PartialCancelled", "approved")
	s.want(200, `"SUCCEEDED"`, "POST", "/payments/approved/cancel", `{"reason":"변심"}`)
	s.tells("Transaction.Cancelled", "approved")
	s.want(502, "TRIAL_STOLEN_CARD", "POST", "/payments/declined/instant", withCard("4000000000009979"))
	s.tells("Transaction.Failed", "declined")
	s.want(502, "UNCLEAR", "POST", "/payments/lost/instant", withCard("4000000000001117"))
	s.want(502, "UNCLEAR", "POST", "/payments/nowhere/instant", withCard("4000000000002222"))
	s.tells("Transaction.PayPending", "lost")

	good, poor := s.billingKey("4242424242424242"), s.billingKey("4000000000009995")
	s.tells("BillingKey.Issued", "")
	s.want(200, `"paidAt"`, "POST", "/payments/by-key/billing-key", `{"billingKey":"`+good+`",`+orderOfBook+`}`)
	s.tells("Transaction.Paid", "by-key")
	soon := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)
	plan := func(key string) string {
		return fmt.Sprintf(`{"payment":{"billingKey":%q,%s},"timeToPay":%q}`, key, orderOfBook, soon)
	}
	s.want(200, `"schedule"`, "POST", "/payments/monthly/schedule", plan(good))
	s.want(200, `"schedule"`, "POST", "/payments/poor/schedule", plan(poor))
	s.want(409, "PAYMENT_SCHEDULE_ALREADY_EXISTS", "DELETE", "/billing-keys/"+good, "")
	s.tells("Transaction.Paid", "monthly")
	s.tells("Transaction.Failed", "poor")
	s.want(200, `"status":"PAID"`, "GET", "/payments/monthly", "")
	s.want(200, `TRIAL_INSUFFICIENT_FUNDS`, "GET", "/payments/poor", "")
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	list := s.want(200, `"totalCount":2`, "GET", "/payment-schedules", `{"filter":{"until":"`+until+`"}}`)
	if !strings.Contains(list, `"status":"SUCCEEDED"`) || !strings.Contains(list, `"status":"FAILED"`) {
		s.Errorf("schedules: %s", list)
	}
	s.want(200, `"deletedAt"`, "DELETE", "/billing-keys/"+good, "")
	s.tells("BillingKey.Deleted", "")

	s.tells("Transaction.Paid", "lost")
	s.tells("Transaction.Failed", "nowhere")
	s.want(200, `"status":"PAID"`, "GET", "/payments/lost", "")
	s.want(200, `TRIAL_CARD_DECLINED`, "GET", "/payments/nowhere", "")
	s.verified()
}

// billingKey has a billing key issued for a card.
func (s *trialShop) billingKey(number string) string {
	s.Helper()
	var out struct {
		Info struct {
			BillingKey string `json:"billingKey"`
		} `json:"billingKeyInfo"`
	}
	body := `{"channelKey":"` + string(trialChannel(0)) + `","method":{"card":{"credential":{"number":"` + number + `","expiryYear":"30","expiryMonth":"12"}}}}`
	if status, text := s.call("POST", "/billing-keys", body, &out); status != 200 {
		s.Fatalf("POST /billing-keys: %d %s", status, text)
	}
	return out.Info.BillingKey
}

// TestScheduledOverARestart schedules a payment whose time passes while the server is
// down: it is charged once when it is back.
func TestScheduledOverARestart(t *testing.T) {
	t.Parallel()
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(*merchant.Channel) {})
	key := s.billingKey("4242424242424242")
	soon := time.Now().Add(1500 * time.Millisecond)
	s.want(200, `"schedule"`, "POST", "/payments/monthly/schedule", fmt.Sprintf(`{"payment":{"billingKey":%q,%s},"timeToPay":%q}`, key, orderOfBook, soon.UTC().Format(time.RFC3339Nano)))
	s.stop()
	<-s.stopped
	<-time.After(time.Until(soon))
	s.restart()
	s.tells("Transaction.Paid", "monthly")
	text := s.want(200, `"status":"PAID"`, "GET", "/payments/monthly/transactions", "")
	if n := strings.Count(text, `"paymentId":"monthly"`); n != 1 {
		t.Errorf("%d attempts: %s", n, text)
	}
}
