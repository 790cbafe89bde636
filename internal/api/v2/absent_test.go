package v2

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

func TestCashReceipt(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.ok(b.register("test", "order-2", "T0309260010000", "T0309260010001", `"pgTxId"`, `"pgOrderId":"order-2","pgTxId"`, "20000101000001", "2"))
		const receipt, cancel = "/payments/order-1/cash-receipt", "/payments/order-1/cash-receipt/cancel"
		get := func() answer { return b.call("GET", receipt, "PortOne test", "") }
		b.want(get(), 404, "CASH_RECEIPT_NOT_FOUND")
		b.want(b.call("POST", cancel, "PortOne test", ""), 404, "CASH_RECEIPT_NOT_ISSUED")
		r := deposit("D1", 12000)
		r.CashReceipt = &payment.CashReceipt{Number: "150000001", Type: "소득공제", At: time.Now().UTC()}
		b.settle("order-1", r)
		b.golden("receipt", get())
		b.ok(b.call("GET", receipt+"?storeId="+string(mainStore), "Bearer "+b.login("test").Access, ""))

		refused := b.call("POST", cancel, "PortOne test", `{}`)
		if b.want(refused, 400, "INVALID_REQUEST"); !strings.Contains(refused.body, "PG's own pages") {
			b.Errorf("cancelling is refused: %s", refused.body)
		}
		b.want(b.call("POST", "/payments/none/cash-receipt/cancel", "PortOne test", ""), 404, "CASH_RECEIPT_NOT_FOUND")
		b.want(b.call("GET", "/payments/none/cash-receipt", "PortOne test", ""), 404, "CASH_RECEIPT_NOT_FOUND")
		b.want(b.call("GET", "/cash-receipts", "PortOne test", ""), 400, "INVALID_REQUEST")

		issue := func(id, channel string) answer {
			return b.call("POST", "/cash-receipts", "PortOne test", `{"paymentId":"`+id+`","channelKey":"`+channel+`","type":"PERSONAL"}`)
		}
		b.want(issue("order-1", string(testChannel)), 409, "CASH_RECEIPT_ALREADY_ISSUED")
		b.want(issue("order-2", string(testChannel)), 400, "INVALID_REQUEST")
		b.want(issue("none", string(testChannel)), 400, "INVALID_REQUEST")
		b.want(issue("order-1", "none"), 404, "CHANNEL_NOT_FOUND")
		b.want(issue("", string(testChannel)), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/cash-receipts", "PortOne test", `[]`), 400, "INVALID_REQUEST")
	})
}

func TestAbsent(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		calls := []string{
			"POST /payments/order-1/capture", "POST /payments/order-1/register-store-receipt", "POST /payments/order-1/escrow/logistics",
			"PATCH /payments/order-1/escrow/logistics", "POST /payments/order-1/escrow/complete",
		}
		each := func(status int, kind string) {
			b.Helper()
			for _, c := range calls {
				method, path, _ := strings.Cut(c, " ")
				b.want(b.call(method, path, "PortOne test", `{"items":[]}`), status, kind)
			}
		}
		confirm := func(body string) answer { return b.call("POST", "/payments/order-1/confirm", "PortOne test", body) }
		each(409, "PAYMENT_NOT_PAID")
		b.want(confirm(`{}`), 400, "INVALID_REQUEST")
		b.want(confirm(`{"paymentToken":"t"}`), 400, "INVALID_PAYMENT_TOKEN")
		b.settle("order-1", deposit("D1", 12000))
		each(400, "INVALID_REQUEST")
		b.want(confirm(`{"paymentToken":"t"}`), 409, "ALREADY_PAID")
		b.want(b.call("POST", "/payments/none/confirm", "PortOne test", `{"paymentToken":"t"}`), 404, "PAYMENT_NOT_FOUND")
		b.want(b.call("POST", "/payments/order-1/capture", "PortOne test", `[]`), 400, "INVALID_REQUEST")
		b.want(b.call("DELETE", "/payments/order-1/capture", "PortOne test", ""), 405, "METHOD_NOT_ALLOWED")
	})
}

// TestCancelWithoutChannel has a channel taken away from under a payment: the payment
// is still there.
func TestCancelWithoutChannel(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.ok(b.register("test", "order-2", "T0309260010000", "T0309260010001", `"pgTxId"`, `"pgOrderId":"order-2","pgTxId"`, "20000101000001", "2"))
		b.settle("order-1", deposit("D1", 12000))
		b.all.Channels[0].Store, b.all.Channels[0].Stores = subStore, []merchant.StoreID{subStore}
		b.save()
		b.want(b.call("POST", "/payments/order-1/cancel", "PortOne test", tossCancel), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/payments/order-2/virtual-account/close", "PortOne test", ""), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/payments/none/cancel", "PortOne test", tossCancel), 404, "PAYMENT_NOT_FOUND")
	})
}

// serveIn has a router of the test's own serve a call of /try.
func (b *bench) serveIn(ctx context.Context, rt router, method string) answer {
	b.Helper()
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, httptest.NewRequestWithContext(ctx, method, "/try", http.NoBody))
	got := answer{w.Code, w.Header(), w.Body.String()}
	b.sound(got)
	return got
}

// TestSlowAndBroken has an operation take too long, and another go wrong: both are
// answered with JSON before SDKs give up.
func TestSlowAndBroken(t *testing.T) {
	inBubble(t, func(b *bench) {
		try := func(method string, do func(*call) (any, error)) answer {
			b.Helper()
			rt := router{b.api, []operation{{method, "/try", true, do}}}
			return b.serveIn(b.Context(), rt, method)
		}
		slow := func(c *call) (any, error) {
			<-c.ctx().Done()
			return nil, fault.Errorf(fault.Internal, "query: %w", c.ctx().Err())
		}
		for _, method := range []string{"GET", "POST"} {
			began := time.Now()
			b.want(try(method, slow), 503, "UNAVAILABLE")
			if took := time.Since(began); took != longestWork {
				b.Errorf("a slow %s is answered after %v, want %v", method, took, longestWork)
			}
			got := try(method, func(*call) (any, error) { panic("a secret") })
			if b.want(got, 500, "INTERNAL"); strings.Contains(got.body, "secret") {
				b.Errorf("a broken %s is answered %s", method, got.body)
			}
		}
		if !strings.Contains(b.log.String(), "a secret") {
			b.Errorf("the log does not say what went wrong: %s", b.log)
		}
		defer func() {
			if went := recover(); went != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
				b.Errorf("an answer that breaks off ends in %v", went)
			}
		}()
		try("GET", func(*call) (any, error) { panic(http.ErrAbortHandler) })
	})
}

// TestGone has the client of a GET hang up: nothing is left running for it.
func TestGone(t *testing.T) {
	inBubble(t, func(b *bench) {
		rt := router{b.api, []operation{{"GET", "/try", true, func(c *call) (any, error) {
			<-c.ctx().Done()
			return nil, c.ctx().Err()
		}}}}
		ctx, hangUp := context.WithCancel(b.Context())
		time.AfterFunc(time.Second, hangUp)
		began := time.Now()
		b.serveIn(ctx, rt, "GET")
		if took := time.Since(began); took != time.Second || strings.Contains(b.log.String(), "ERROR") {
			b.Errorf("ended after %v, with the log %s", took, b.log)
		}
	})
}
