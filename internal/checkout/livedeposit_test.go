package checkout_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestLiveDeposit: money of a live account comes from the buyer's bank alone. Who posts a
// test window's form to its page sees the account again.
func TestLiveDeposit(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	pg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			OrderID string
			Amount  int64
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, `{"paymentKey":"pk-1","orderId":%q,"method":"가상계좌","status":"WAITING_FOR_DEPOSIT","totalAmount":%d,"currency":"KRW","secret":"ps_1",
			"virtualAccount":{"accountNumber":"65050000000001","accountType":"일반","bankCode":"88","dueDate":%q}}`, q.OrderID, q.Amount, time.Now().Add(time.Hour).Format(time.RFC3339))
	}))
	t.Cleanup(pg.Close)
	all, err := d.server.Store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range all.Channels {
		all.Channels[i].BaseURL = map[bool]string{true: pg.URL}[all.Channels[i].Key == lively]
	}
	if err := d.server.Store.SaveSettings(t.Context(), all, time.Now()); err != nil {
		t.Fatal(err)
	}
	x := d.opens("IFRAME", map[string]any{"channelKey": lively})
	number := d.accounted(x)
	d.does(x, "", "/deposit")
	if again := d.accounted(x); again != number {
		t.Errorf("the account is %s, was %s", again, number)
	}
	if got := d.api("GET", "/payments/"+x.PaymentID, ""); !strings.Contains(got.text, `"status":"VIRTUAL_ACCOUNT_ISSUED"`) {
		t.Errorf("the payment is %s", got.text)
	}
}
