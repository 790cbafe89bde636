package webhook_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

// sampleEvent is an event of a type, at a time with a zone and nanoseconds.
func sampleEvent(typ webhook.Type) webhook.Event {
	e := webhook.Event{
		ID: "01990000-0000-7000-8000-000000000001", Type: typ,
		At:       time.Date(2026, 8, 1, 19, 0, 0, 123456789, time.FixedZone("KST", 9*3600)),
		Merchant: "merchant-1", Store: "store-1", Mode: "test",
		Payment: "key-1", PaymentID: "주문 #1&2<3>", Transaction: "0199-tx",
	}
	if strings.HasPrefix(string(typ), "BillingKey.") {
		e.Payment, e.PaymentID, e.Transaction, e.BillingKey = "", "", "", "billing-key-1"
	}
	switch typ {
	case webhook.PartialCancelled, webhook.Cancelled, webhook.CancelPending:
		e.Cancellation = "0199-cancel"
	case webhook.Attention:
		e.Concern = &webhook.Concern{Kind: "unmatched", Reason: "unknown_order", Channel: "channel-key-1", Subject: "ntc_1"}
	default: // nothing more to say
	}
	return e
}

const (
	latestHead = `","timestamp":"2026-08-01T10:00:00.123Z","data":{"storeId":"store-1","paymentId":"주문 #1&2<3>","transactionId":"0199-tx"`
	keyHead    = `","timestamp":"2026-08-01T10:00:00.123Z","data":{"storeId":"store-1","billingKey":"billing-key-1"}}`
	firstJSON  = `{"payment_id":"주문 #1&2<3>","tx_id":"0199-tx","status":"`
	firstForm  = "payment_id=%EC%A3%BC%EB%AC%B8+%231%262%3C3%3E&tx_id=0199-tx&status="
	v1JSON     = `{"imp_uid":"0199-tx","merchant_uid":"주문 #1&2<3>","status":"`
	v1Form     = "imp_uid=0199-tx&merchant_uid=%EC%A3%BC%EB%AC%B8+%231%262%3C3%3E&status="
	cancelJSON = `,"cancellationId":"0199-cancel"`
)

// golden are the exact bytes of every type in every version and content type;
// empty where the version does not tell of the type.
var golden = []struct {
	typ                                              webhook.Type
	latest, firstJSON, firstForm, legacy, legacyForm string
}{
	{"Transaction.Ready", latestHead + `}}`, `Ready"}`, "Ready", "", ""},
	{"Transaction.Paid", latestHead + `}}`, `Paid"}`, "Paid", `paid"}`, "paid"},
	{"Transaction.VirtualAccountIssued", latestHead + `}}`, `VirtualAccountIssued"}`, "VirtualAccountIssued", `ready"}`, "ready"},
	{"Transaction.PartialCancelled", latestHead + cancelJSON + `}}`, `PartialCancelled"}`, "PartialCancelled", `cancelled","cancellation_id":"0199-cancel"}`, "cancelled&cancellation_id=0199-cancel"},
	{"Transaction.Cancelled", latestHead + cancelJSON + `}}`, `Cancelled"}`, "Cancelled", `cancelled","cancellation_id":"0199-cancel"}`, "cancelled&cancellation_id=0199-cancel"},
	{"Transaction.CancelPending", latestHead + cancelJSON + `}}`, `CancelPending"}`, "CancelPending", "", ""},
	{"Transaction.Failed", latestHead + `}}`, `Failed"}`, "Failed", "", ""},
	{"Transaction.PayPending", latestHead + `}}`, `PayPending"}`, "PayPending", "", ""},
	{"Transaction.VirtualAccountExpired", latestHead + `}}`, "", "", "", ""},
	{"BillingKey.Ready", keyHead, "", "", "", ""},
	{"BillingKey.Issued", keyHead, "", "", "", ""},
	{"BillingKey.Failed", keyHead, "", "", "", ""},
	{"BillingKey.Deleted", keyHead, "", "", "", ""},
	{"BillingKey.Updated", keyHead, "", "", "", ""},
	{"tongbo.attention", `","timestamp":"2026-08-01T10:00:00.123Z","data":{"storeId":"store-1","kind":"unmatched","reason":"unknown_order","channelKey":"channel-key-1","paymentId":"주문 #1&2<3>","subject":"ntc_1"}}`, "", "", "", ""},
}

func TestRenderGolden(t *testing.T) {
	covered := map[webhook.Type]bool{}
	for _, g := range golden {
		covered[g.typ] = true
		for _, c := range []struct {
			version      webhook.Version
			content      webhook.ContentType
			prefix, rest string
		}{
			{webhook.V20240425, webhook.JSON, `{"type":"` + string(g.typ), g.latest},
			{webhook.V20240101, webhook.JSON, firstJSON, g.firstJSON},
			{webhook.V20240101, webhook.Form, firstForm, g.firstForm},
			{webhook.V1, webhook.JSON, v1JSON, g.legacy},
			{webhook.V1, webhook.Form, v1Form, g.legacyForm},
		} {
			got, err := webhook.Render(sampleEvent(g.typ), c.version, c.content)
			if c.rest == "" {
				if !fault.Is(err, fault.Invalid) || c.version.Carries(g.typ) {
					t.Errorf("Render(%s, %s, %s) = %s, %v, want %v", g.typ, c.version, c.content, got, err, fault.Invalid)
				}
				continue
			}
			if want := c.prefix + c.rest; err != nil || string(got) != want {
				t.Errorf("Render(%s, %s, %s)\n got %s, %v\nwant %s", g.typ, c.version, c.content, got, err, want)
			}
			if !strings.HasPrefix(string(g.typ), "BillingKey.") {
				parses(t, c.content, got)
			}
		}
	}
	for _, typ := range allTypes() {
		if !covered[typ] {
			t.Errorf("no golden payload for %s", typ)
		}
	}
}

// parses checks that a body is what its content type says, and that the
// payment id survives.
func parses(t *testing.T, c webhook.ContentType, body []byte) {
	t.Helper()
	want := sampleEvent(webhook.Paid).PaymentID
	if c == webhook.Form {
		v, err := url.ParseQuery(string(body))
		if id := v.Get("payment_id") + v.Get("merchant_uid"); err != nil || id != string(want) {
			t.Errorf("the form %s says payment %q, %v", body, id, err)
		}
		return
	}
	var v struct {
		Data        struct{ PaymentID string }
		PaymentID   string `json:"payment_id"`
		MerchantUID string `json:"merchant_uid"`
	}
	err := json.Unmarshal(body, &v)
	if id := v.Data.PaymentID + v.PaymentID + v.MerchantUID; err != nil || id != string(want) {
		t.Errorf("the JSON %s says payment %q, %v", body, id, err)
	}
}

func TestRenderIsStable(t *testing.T) {
	a, _ := webhook.Render(sampleEvent(webhook.Paid), webhook.V20240425, webhook.JSON)
	b, _ := webhook.Render(sampleEvent(webhook.Paid), webhook.V20240425, webhook.JSON)
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("two renderings differ (-first +second):\n%s", diff)
	}
}

func TestRenderUnknownVersion(t *testing.T) {
	if _, err := webhook.Render(sampleEvent(webhook.Paid), "2099-01-01", webhook.JSON); !fault.Is(err, fault.Invalid) {
		t.Errorf("Render in version 2099-01-01: %v, want %v", err, fault.Invalid)
	}
}

func TestTimestampKeepsMilliseconds(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2024, 4, 25, 10, 0, 0, 0, time.UTC), "2024-04-25T10:00:00.000Z"},
		{time.Date(2024, 4, 25, 0, 0, 0, 999999999, time.FixedZone("", 9*3600)), "2024-04-24T15:00:00.999Z"},
	} {
		if got := webhook.Timestamp(c.at); got != c.want {
			t.Errorf("Timestamp(%v) = %s, want %s", c.at, got, c.want)
		}
	}
}
