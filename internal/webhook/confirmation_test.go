package webhook_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestConfirmation writes the bytes that PortOne's guide of the confirm process shows.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	q := webhook.Confirmation{
		Store: "store-1", Payment: "주문 #1&2", Transaction: "0199-tx", Amount: payment.Won(1000), At: time.Date(2026, 8, 1, 10, 0, 0, 123456789, time.UTC),
	}
	for _, tt := range []struct {
		version webhook.Version
		content webhook.ContentType
		want    string
	}{
		{webhook.V20240425, webhook.JSON, `{"type":"Transaction.Confirm","timestamp":"2026-08-01T10:00:00.123Z","data":{"storeId":"store-1","paymentId":"주문 #1&2","transactionId":"0199-tx","totalAmount":1000}}`},
		{webhook.V20240101, webhook.JSON, `{"payment_id":"주문 #1&2","tx_id":"0199-tx","total_amount":1000}`},
		{webhook.V20240101, webhook.Form, `payment_id=%EC%A3%BC%EB%AC%B8+%231%262&tx_id=0199-tx&total_amount=1000`},
		{webhook.V1, webhook.JSON, `{"imp_uid":"0199-tx","merchant_uid":"주문 #1&2","amount":1000}`},
		{webhook.V1, webhook.Form, `imp_uid=0199-tx&merchant_uid=%EC%A3%BC%EB%AC%B8+%231%262&amount=1000`},
	} {
		if got, err := q.Render(tt.version, tt.content); err != nil || string(got) != tt.want {
			t.Errorf("%s, %s: %s, %v", tt.version, tt.content, got, err)
		}
	}
	if _, err := q.Render("2023-01-01", webhook.JSON); !fault.Is(err, fault.Invalid) {
		t.Errorf("a version that nobody knows: %v", err)
	}
}
