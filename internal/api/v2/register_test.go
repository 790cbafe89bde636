package v2

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestRegisterConflicts(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.want(b.register("test", "order-1", "12000", "13000"), 409, "INFORMATION_MISMATCH")
		b.want(b.register("test", "order-1", `"KRW"`, `"USD"`), 409, "INFORMATION_MISMATCH")
		b.want(b.register("any", "order-1", string(testChannel), string(liveChannel)), 409, "INFORMATION_MISMATCH")

		other := b.ok(b.register("test", "order-1", "T0309260010000", "T0309260010001"))
		if got := other["method"].(map[string]any)["accountNumber"]; got != "T0309260010001" {
			b.Errorf("another account is shown as %v", got)
		}
		b.settle("order-1", deposit("d1", 12000))
		b.want(b.register("test", "order-1", "T0309260010000", "T0309260010002"), 409, "ALREADY_PAID")
		b.ok(b.register("test", "order-1")) // told again, after it was paid
	})
}

// A conflict looks the same whether it is with a payment that the caller may
// see or with one that it may not.
func TestConflictsTellNothing(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("live", "live-order", string(testChannel), string(liveChannel)))
		b.ok(b.register("test", "own-order"))
		b.ok(b.register("test", "main-order"))
		own := b.register("test", "own-order", "12000", "13000")
		for name, got := range map[string]answer{
			"the id of a live payment": b.register("test", "live-order"),
			"another store's order":    b.register("sub", "sub-order", `"pgTxId"`, `"pgOrderId":"main-order","pgTxId"`),
		} {
			b.want(got, 409, "INFORMATION_MISMATCH")
			if got.body != own.body {
				b.Errorf("%s is answered %s, a conflict of one's own %s", name, got.body, own.body)
			}
		}
		for _, hidden := range []string{"live-order", "main-order", "live mode", "13000"} {
			if strings.Contains(own.body, hidden) {
				b.Errorf("the answer holds %q: %s", hidden, own.body)
			}
		}
	})
}

// Told again with another description, a registration keeps the first one, and
// the answer says so.
func TestRegisterAgainKeepsTheFirst(t *testing.T) {
	inBubble(t, func(b *bench) {
		first := b.ok(b.register("test", "order-1"))
		again := b.ok(b.register("test", "order-1", "사과", "배", "2000-01-07", "2000-02-07", "가나상점", "다라상점",
			`"customData"`, `"noticeUrls":["http://other.example/"],"customData"`))
		for _, field := range []string{"orderName", "method", "customer", "updatedAt", "webhooks"} {
			if diff := cmp.Diff(first[field], again[field]); diff != "" {
				b.Errorf("%s changed:\n%s", field, diff)
			}
		}
	})
}

func TestRegisterInvalid(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"no amount", `{"total":12000}`, `{}`},
		{"an amount below zero", "12000", "-1"},
		{"an amount beyond JavaScript", "12000", "9007199254740992"},
		{"a fraction", "12000", "12000.0"},
		{"an amount as text", "12000", `"12000"`},
		{"an amount as null", "12000", "null"},
		{"no currency", `"KRW"`, `""`},
		{"an unknown currency", `"KRW"`, `"KRX"`},
		{"two currencies", `"KRW"`, `"KRW USD"`},
		{"an unknown bank", `"SHINHAN"`, `"SHINHAN2"`},
		{"no account", `"T0309260010000"`, `""`},
		{"an account of dashes", `T0309260010000`, `---`},
		{"an account with blanks", `T0309260010000`, `T0309 260010000`},
		{"an account too long", `T0309260010000`, strings.Repeat("1", 41)},
		{"an account as number", `"T0309260010000"`, `309260010000`},
		{"an unknown type", `"bank"`, `"type":"ROTATING","bank"`},
		{"a deadline in words", `"2000-01-07"`, `"tomorrow"`},
		{"a deadline long ago", `"2000-01-07"`, `"1999-12-31"`},
		{"no order name", `"사과 <1 상자>"`, `""`},
		{"a control character", `사과`, `\u0007`},
		{"a NUL", `"20000101000001"`, `"\u0000"`},
		{"no channel", string(testChannel), ""},
		{"a long PG order id", `"pgTxId"`, `"pgOrderId":"` + strings.Repeat("x", 101) + `","pgTxId"`},
		{"a notice URL without host", `"customData"`, `"noticeUrls":["http://"],"customData"`},
		{"a notice URL of files", `"customData"`, `"noticeUrls":["file:///etc"],"customData"`},
		{"too many notice URLs", `"customData"`, `"noticeUrls":["http://a/"` + strings.Repeat(`,"http://a/"`, 10) + `],"customData"`},
		{"an address line too long", `길 1`, strings.Repeat("x", 1001)},
		{"custom data as an object", `"{\"cart\":7}"`, `{"cart":7}`},
		{"half an object", `}`, ``},
		{"a list", `{"channelKey"`, `[{"channelKey"`},
		{"more after the object", `"unknown"`, `"a":1} {"unknown"`},
	}
	inBubble(t, func(b *bench) {
		for _, test := range tests {
			got := b.register("test", "order-1", test.old, test.new)
			if got.status != 400 || !strings.Contains(got.body, `"INVALID_REQUEST"`) {
				b.Errorf("%s: answer is %d %s", test.name, got.status, got.body)
			}
			if strings.Contains(got.body, "309260010000") || strings.Contains(got.body, "s3cr3t") {
				b.Errorf("%s: the answer quotes a secret: %s", test.name, got.body)
			}
		}
		b.want(b.call("POST", "/payments/x/virtual-account", "PortOne test", ""), 400, "INVALID_REQUEST")
		b.want(b.register("test", "x", "사과", "\xff"), 400, "INVALID_REQUEST")
		b.want(b.register("test", strings.Repeat("x", 201)), 400, "INVALID_REQUEST")
		b.want(b.register("test", "a%00b"), 400, "INVALID_REQUEST")
		b.want(b.register("test", "a%ff"), 400, "INVALID_REQUEST")
		b.want(b.register("test", ""), 400, "INVALID_REQUEST")
		big := `{"customData":"` + strings.Repeat("x", maxBody) + `"}`
		b.want(b.call("POST", "/payments/x/virtual-account", "PortOne test", big), 400, "INVALID_REQUEST")
		b.want(b.call("GET", "/payments/order-1", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
	})
}

func TestRegisterReadsDeadlines(t *testing.T) {
	inBubble(t, func(b *bench) {
		for in, want := range map[string]string{
			"2026-08-31":                     "2026-08-31T14:59:59.000Z",
			"2026-08-31T10:00:00":            "2026-08-31T01:00:00.000Z",
			"2026-08-31T10:00:00+09:00":      "2026-08-31T01:00:00.000Z",
			"2026-08-31T01:00:00.123456789Z": "2026-08-31T01:00:00.123Z",
		} {
			got := b.ok(b.register("test", "d-"+strings.ReplaceAll(in, ":", ""), "2000-01-07", in))
			if at := got["method"].(map[string]any)["expiredAt"]; at != want {
				b.Errorf("deadline %q is answered as %v, want %s", in, at, want)
			}
		}
		none := b.ok(b.register("test", "none", `,"expiredAt":"2000-01-07"`, ""))
		if at, ok := none["method"].(map[string]any)["expiredAt"]; ok {
			b.Errorf("no deadline is answered as %v", at)
		}
	})
}

func TestRegisterNames(t *testing.T) {
	for in, want := range map[string]string{
		`{"full":"김손님"}`: "김손님", `{"separated":{"first":"Ann","last":"Lee"}}`: "Ann Lee",
		`{"separated":{"first":"손님","last":"김"}}`: "김손님", `{}`: "",
	} {
		var n nameInput
		if err := json.Unmarshal([]byte(in), &n); err != nil {
			t.Fatal(err)
		}
		if got := payment.FullName(n.Full, n.Separated.First, n.Separated.Last); got != want {
			t.Errorf("name %s is %q, want %q", in, got, want)
		}
	}
}

func TestResendWebhook(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
		b.ok(b.register("test", "order-1"))
		b.deliver(webhook.Good, 200)
		time.Sleep(time.Minute)
		// No body and no Content-Type: nothing is required.
		b.golden("resent", b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", ""))
		b.deliver(webhook.NoConnect, 0)
		list := b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))["webhooks"].([]any)
		hook := list[0].(map[string]any)
		if len(list) != 1 || hook["trigger"] != "MANUAL" || hook["status"] != "FAILED_UNEXPECTED_ERROR" || hook["response"] != nil {
			b.Errorf("after a resend that failed: %v", list)
		}
		b.ok(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", `{"webhookId":"`+hook["id"].(string)+`"}`))
		for range webhook.MaxResends - 2 {
			b.ok(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", `{"webhookId":"`+hook["id"].(string)+`"}`))
		}
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", `{"webhookId":"`+hook["id"].(string)+`"}`), 400, "MAX_WEBHOOK_RETRY_COUNT_REACHED")
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", `{"webhookId":"whk_x"}`), 404, "WEBHOOK_NOT_FOUND")
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne test", `{"webhookId":1}`), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne live", ""), 404, "PAYMENT_NOT_FOUND")
	})
}

func TestRoutes(t *testing.T) {
	inBubble(t, func(b *bench) {
		banks := b.ok(b.call("GET", "/banks", "", ""))["items"].([]any)
		if len(banks) != len(payment.Banks()) || banks[0].(map[string]any)["name"].(map[string]any)["ko"] != "한국은행" {
			b.Errorf("banks: %d of %d, first %v", len(banks), len(payment.Banks()), banks[0])
		}
		for _, path := range []string{"/", "/nothing", "/banks/", "//banks", "/payments/x/y", "/payments/x/../banks", "/payments/a/b/virtual-account"} {
			b.want(b.call("GET", path, "PortOne test", ""), 404, "NOT_FOUND")
		}
		for path, allow := range map[string]string{
			"/banks": "GET, HEAD", "/login/api-secret": "POST", "/payments/x": "GET, HEAD", "/payments/x/virtual-account": "POST",
		} {
			got := b.call("DELETE", path, "", "")
			b.want(got, 405, "METHOD_NOT_ALLOWED")
			if got.header.Get("Allow") != allow {
				b.Errorf("%s: Allow is %q, want %q", path, got.header.Get("Allow"), allow)
			}
		}
		b.ok(b.call("HEAD", "/banks", "", ""))
	})
}

// FuzzRegisterBody feeds the parser of the registration's body: it never
// panics, and what it accepts survives its own answer.
func FuzzRegisterBody(f *testing.F) {
	f.Add([]byte(issue), "order-1")
	f.Add([]byte(`{"amount":{"total":1e3},"customer":{"name":null,"address":{}},"virtualAccount":null}`), "")
	f.Add([]byte(`{"virtualAccount":{"expiredAt":"2026-02-30"},"noticeUrls":[null,"x"]}`), "가\x00")
	f.Add([]byte("\xef\xbb\xbf{}"), "..")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		var in registerBody
		if decode(body, &in) != nil {
			return
		}
		g, err := in.registration(payment.ID(id))
		if err != nil {
			return
		}
		if len(g.Customer.Address) > 0 && !json.Valid(g.Customer.Address) {
			t.Errorf("the address is no JSON: %q", g.Customer.Address)
		}
		if g.Account.Number != in.VirtualAccount.AccountNumber || g.ID != payment.ID(id) || g.Amount.Amount != in.Amount.Total {
			t.Errorf("the registration is another than the body: %+v", g)
		}
	})
}
