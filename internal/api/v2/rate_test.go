package v2

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestCallsAreLimited(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.api.Limit(5)
		call := func(auth string) answer { return b.call("GET", "/payments/x", auth, "") }
		tokens := b.login("test") // counts
		for range 19 {
			b.want(call("PortOne test"), 404, "PAYMENT_NOT_FOUND")
		}
		got := call("PortOne test")
		b.want(got, 429, "TOO_MANY_REQUESTS")
		if after := got.header.Get("Retry-After"); after != "1" {
			b.Errorf("Retry-After is %q", after)
		}
		b.want(call("Bearer "+tokens.Access), 429, "TOO_MANY_REQUESTS") // the same secret
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"test"}`), 429, "TOO_MANY_REQUESTS")
		b.want(b.keyed(keyA, "POST", "/payments/order-1/virtual-account", "test", issue), 429, "TOO_MANY_REQUESTS")
		b.want(call("PortOne any"), 404, "PAYMENT_NOT_FOUND")
		b.want(call("PortOne rival"), 404, "PAYMENT_NOT_FOUND")
		time.Sleep(time.Second)
		b.ok(b.keyed(keyA, "POST", "/payments/order-1/virtual-account", "test", issue)) // nothing was kept
		for range 4 {
			b.want(call("PortOne test"), 404, "PAYMENT_NOT_FOUND")
		}
		b.want(call("PortOne test"), 429, "TOO_MANY_REQUESTS")

		b.api.Limit(0)
		for range 100 {
			b.want(call("PortOne test"), 404, "PAYMENT_NOT_FOUND")
		}
	})
}

// TestGuessing has an address try secrets: soon it is not even told whether one
// is right, while others go on.
func TestGuessing(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.api.Limit(10)
		guess := func(secret string) answer { return b.call("GET", "/payments/x", "PortOne "+secret, "") }
		b.from("2001:db8::1")
		for range 3 {
			b.want(guess("guess"), 401, "UNAUTHORIZED")
		}
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"guess"}`), 401, "UNAUTHORIZED")
		for _, secret := range []string{"guess", "test"} {
			b.want(guess(secret), 429, "TOO_MANY_REQUESTS")
		}
		b.from("2001:db8::ffff") // of the same /64
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"test"}`), 429, "TOO_MANY_REQUESTS")
		b.from("2001:db8:0:1::1")
		b.want(guess("test"), 404, "PAYMENT_NOT_FOUND")
		b.from("::ffff:203.0.113.1")
		b.want(guess("test"), 404, "PAYMENT_NOT_FOUND")
		b.from("2001:db8::1")
		time.Sleep(time.Second)
		b.want(guess("guess"), 401, "UNAUTHORIZED")
		b.want(guess("test"), 429, "TOO_MANY_REQUESTS")
		time.Sleep(time.Second)
		b.want(guess("test"), 404, "PAYMENT_NOT_FOUND")

		// An address that cannot be told may be everyone's: one who guesses must not
		// keep the others out.
		b.api.ClientAddr = func(*http.Request) netip.Addr { return netip.Addr{} }
		for range 10 {
			b.want(guess("guess"), 401, "UNAUTHORIZED")
		}
		b.want(guess("test"), 404, "PAYMENT_NOT_FOUND")
	})
}
