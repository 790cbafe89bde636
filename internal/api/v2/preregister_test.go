package v2

import (
	"strings"
	"testing"
	"time"
)

// preregister fixes something of a payment.
func (b *bench) preregister(auth, id, body string) answer {
	b.Helper()
	return b.call("POST", "/payments/"+id+"/pre-register", "PortOne "+auth, body)
}

func TestPreregister(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.toss()
		instant := func(id, amount string) answer {
			return b.call("POST", "/payments/"+id+"/instant", "PortOne test", strings.Replace(tossIssue, `"amount":{"total":11000}`, `"amount":`+amount, 1))
		}
		if got := b.preregister("test", "order-1", `{"totalAmount":12001,"currency":"KRW"}`); got.status != 200 || strings.TrimSpace(got.body) != "{}" {
			b.Errorf("answer is %d %s", got.status, got.body)
		}
		b.want(b.call("GET", "/payments/order-1", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
		refused := b.register("test", "order-1")
		if b.want(refused, 409, "INFORMATION_MISMATCH"); !strings.Contains(refused.body, "pre-registered") {
			b.Errorf("registered with another amount: %s", refused.body)
		}
		refused = instant("order-1", `{"total":12000}`)
		if b.want(refused, 400, "INVALID_REQUEST"); !strings.Contains(refused.body, "pre-registered") {
			b.Errorf("begun with another amount: %s", refused.body)
		}
		time.Sleep(time.Second)
		b.ok(b.preregister("test", "order-1", `{"totalAmount":12000,"taxFreeAmount":500}`))
		got := b.ok(b.register("test", "order-1"))
		if amount, _ := got["amount"].(map[string]any); amount["taxFree"] != 500.0 {
			b.Errorf("registered as %v", amount)
		}
		b.ok(b.preregister("test", "order-1", `{"totalAmount":12000,"currency":"KRW"}`))
		b.want(b.preregister("test", "order-1", `{"totalAmount":1}`), 400, "INVALID_REQUEST")
		b.settle("order-1", deposit("D1", 12000))
		b.want(b.preregister("test", "order-1", `{"totalAmount":12000}`), 409, "ALREADY_PAID")

		b.ok(b.preregister("test", "order-2", `{"totalAmount":11000,"taxFreeAmount":1000}`))
		b.want(instant("order-2", `{"total":11000}`), 400, "INVALID_REQUEST")
		b.ok(instant("order-2", `{"total":11000,"taxFree":1000}`))
		b.ok(b.preregister("test", "order-3", ""))
		b.ok(b.register("test", "order-3"))
	})
}

func TestPreregisterRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, body := range []string{
			`{"totalAmount":0}`, `{"totalAmount":-1}`, `{"totalAmount":9007199254740992}`, `{"totalAmount":"1000"}`,
			`{"taxFreeAmount":-1}`, `{"totalAmount":1000,"taxFreeAmount":1001}`, `{"currency":"WON"}`, `[]`,
		} {
			b.want(b.preregister("test", "order-1", body), 400, "INVALID_REQUEST")
		}
		b.want(b.preregister("test", "order-1", `{"storeId":"`+string(rivalStore)+`"}`), 403, "FORBIDDEN")
		b.want(b.preregister("nobody", "order-1", `{}`), 401, "UNAUTHORIZED")
		b.ok(b.preregister("rival", "order-1", `{"totalAmount":1}`)) // another store's
		b.ok(b.preregister("live", "order-1", `{"totalAmount":2}`))  // another mode's
		b.ok(b.preregister("test", "order-1", `{"totalAmount":3,"storeId":"`+string(subStore)+`"}`))
		b.ok(b.register("test", "order-1"))
	})
}

func TestStopCancel(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.paidAt(p, "order-1")
		done := b.ok(b.call("POST", "/payments/order-1/cancel", "PortOne test", tossCancel))["cancellation"].(map[string]any)["id"].(string)
		b.dies(p, keyA, "/payments/order-1/cancel", tossCancel)
		pending := b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))["cancellations"].([]any)[1].(map[string]any)["id"].(string)
		stop := func(auth, path, body string) answer {
			return b.call("POST", "/payments/"+path+"/stop", "PortOne "+auth, body)
		}
		b.want(stop("test", "order-1/cancellations/"+done, ""), 409, "PAYMENT_CANCELLATION_NOT_PENDING")
		got := stop("test", "order-1/cancellations/"+pending, "{}")
		if b.want(got, 502, "PG_PROVIDER"); !strings.Contains(got.body, `"pgCode":"CANNOT_STOP"`) || !strings.Contains(got.body, `"pgMessage"`) {
			b.Errorf("a pending one: %s", got.body)
		}
		b.want(stop("test", "order-1/cancellations/nonsense", ""), 404, "PAYMENT_CANCELLATION_NOT_FOUND")
		b.want(stop("test", "order-2/cancellations/"+pending, ""), 404, "PAYMENT_NOT_FOUND")
		b.want(stop("rival", "order-1/cancellations/"+pending, ""), 404, "PAYMENT_NOT_FOUND")
		b.want(stop("live", "order-1/cancellations/"+pending, ""), 404, "PAYMENT_NOT_FOUND")
		b.want(stop("test", "order-1/cancellations/"+pending, "["), 400, "INVALID_REQUEST")
		b.want(b.call("GET", "/payments/order-1/cancellations/"+pending+"/stop", "PortOne test", ""), 405, "METHOD_NOT_ALLOWED")
	})
}
