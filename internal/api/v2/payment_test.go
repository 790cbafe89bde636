package v2

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestPaymentIssued(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.golden("issued", b.register("test", "order-1"))
		b.golden("issued", b.call("GET", "/payments/order-1", "portone test", ""))
		b.golden("issued", b.register("test", "order-1")) // the same again changes nothing
		head := b.call("GET", "/payments/order-1?storeId="+string(mainStore), "PORTONE test", "")
		b.golden("issued", head)
		if strings.Contains(head.body, "ps_s3cr3t") {
			b.Error("the answer holds the PG's secret")
		}
	})
}

func TestPaymentPaid(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		time.Sleep(time.Minute)
		b.deliver(webhook.NoAnswer, 0)
		time.Sleep(time.Hour)
		r := deposit("d1", 12000)
		r.CashReceipt = &payment.CashReceipt{Number: "123456789", Type: "PERSONAL", At: time.Now()}
		b.settle("order-1", r)
		b.deliver(webhook.BadAnswer, 500)
		b.golden("paid", b.call("GET", "/payments/order-1", "PortOne test", ""))
	})
}

func TestPaymentReversedByBank(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.settle("order-1", deposit("d1", 12000))
		time.Sleep(time.Hour)
		r := deposit("d1", 12000)
		r.Event, r.Key = payment.EventReversed, "r1"
		b.settle("order-1", r)
		b.golden("reversed", b.call("GET", "/payments/order-1", "PortOne test", ""))

		// Toss opens the account again. What the bank took back is not part of
		// the money that comes now.
		time.Sleep(time.Hour)
		b.settle("order-1", deposit("d2", 12000))
		got := b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))
		amount := got["amount"].(map[string]any)
		if got["status"] != "PAID" || amount["paid"] != 12000.0 || amount["cancelled"] != 0.0 {
			b.Errorf("after a second deposit: status %v, amount %v", got["status"], amount)
		}
	})
}

func TestPaymentPartlyCancelled(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.settle("order-1", deposit("d1", 12000))
		b.settle("order-1", payment.Report{
			Event: payment.EventPartiallyCancelled, Key: "c1", PGCancel: "pg-c1", Amount: payment.Won(2000), HasAmount: true,
		})
		b.golden("partly", b.call("GET", "/payments/order-1", "PortOne test", ""))
	})
}

func TestPaymentClosed(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.settle("order-1", payment.Report{Event: payment.EventCancelled, Key: "c1", Closes: true})
		b.golden("closed", b.call("GET", "/payments/order-1", "PortOne test", ""))
	})
}

func TestPaymentUnlimitedAccount(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1", `"bank"`, `"type":"FIXED_UNLIMITED","bank"`))
		b.settle("order-1", deposit("d1", 500))
		b.settle("order-1", deposit("d2", 700))
		got := b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))
		amount, method := got["amount"].(map[string]any), got["method"].(map[string]any)
		if amount["paid"] != 1200.0 || amount["total"] != 12000.0 || method["accountType"] != "FIXED" {
			b.Errorf("amount %v, method %v", amount, method)
		}
	})
}

func TestPaymentOfDeletedChannel(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.all.Channels[0].Disabled = true
		b.save()
		got := b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))["channel"].(map[string]any)
		if got["pgProvider"] != "KCP_V2" || got["pgMerchantId"] != "MID-1" {
			b.Errorf("a disabled channel is shown as %v", got)
		}
		b.all.Channels = b.all.Channels[1:]
		b.save()
		got = b.ok(b.call("GET", "/payments/order-1", "PortOne test", ""))["channel"].(map[string]any)
		if got["pgProvider"] != "UNKNOWN" || got["key"] != string(testChannel) || got["type"] != "TEST" {
			b.Errorf("a deleted channel is shown as %v", got)
		}
	})
}

func TestPaymentIDMayHoldAnything(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, id := range []string{"a/b c", "주문 1", "..", "a//b", "%", "a%2Fb", "?#&+"} {
			path := "/payments/" + url.PathEscape(id)
			// As SDKs write it: encodeURIComponent leaves dots alone.
			got := b.ok(b.call("POST", path+"/virtual-account", "PortOne test", issue))
			if got["id"] != id {
				b.Errorf("registered %q as %q", id, got["id"])
			}
			if got := b.ok(b.call("GET", path, "PortOne test", "")); got["id"] != id {
				b.Errorf("asked for %q, got %q", id, got["id"])
			}
		}
	})
}

func TestChannelOfLivePayment(t *testing.T) {
	got := channelOf(merchant.Channel{Name: "n", Provider: "html5_inicis", MID: "m"}, "k", merchant.Live)
	want := channelAnswer{Type: "LIVE", Key: "k", Name: "n", PGProvider: "HTML5_INICIS", PGMerchantID: "m"}
	if *got != want {
		t.Errorf("channelOf = %+v, want %+v", *got, want)
	}
}

func TestRefundStatus(t *testing.T) {
	tests := []struct {
		name    string
		refunds []payment.RefundStatus
		want    string
	}{
		{"no transfer", []payment.RefundStatus{""}, ""},
		{"one under way", []payment.RefundStatus{"COMPLETED", "PENDING"}, "PENDING"},
		{"one of two failed", []payment.RefundStatus{"COMPLETED", "FAILED"}, "PARTIAL_REFUND_FAILED"},
		{"all failed", []payment.RefundStatus{"FAILED"}, "FAILED"},
		{"all done", []payment.RefundStatus{"COMPLETED", ""}, "COMPLETED"},
	}
	for _, test := range tests {
		var p payment.Payment
		for _, r := range test.refunds {
			p.Cancellations = append(p.Cancellations, payment.Cancellation{Refund: r})
		}
		if got := refundOf(p); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
