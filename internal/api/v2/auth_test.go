package v2

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// login logs in and returns the tokens.
func (b *bench) login(secret string) tokens {
	b.Helper()
	return b.tokens(b.call("POST", "/login/api-secret", "PortOne ignored", `{"apiSecret":"`+secret+`"}`))
}

func (b *bench) tokens(got answer) (t tokens) {
	b.Helper()
	b.ok(got)
	if err := json.Unmarshal([]byte(got.body), &t); err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bench) refreshed(t tokens) answer {
	return b.call("POST", "/token/refresh", "", `{"refreshToken":"`+t.Refresh+`"}`)
}

func TestTokens(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		first := b.login("test")
		b.ok(b.call("GET", "/payments/order-1", "bearer "+first.Access, ""))
		second := b.tokens(b.refreshed(first))

		b.want(b.refreshed(first), 401, "UNAUTHORIZED") // used
		third := b.login("test")
		b.want(b.refreshed(second), 401, "UNAUTHORIZED") // ended by the login
		b.ok(b.call("GET", "/payments/order-1", "Bearer "+first.Access, ""))

		b.want(b.call("GET", "/payments/order-1", "Bearer "+third.Refresh, ""), 401, "UNAUTHORIZED")
		b.want(b.call("POST", "/token/refresh", "", `{"refreshToken":"`+third.Access+`"}`), 401, "UNAUTHORIZED")
		changed := third.Access[:len(third.Access)-2] + "xx"
		b.want(b.call("GET", "/payments/order-1", "Bearer "+changed, ""), 401, "UNAUTHORIZED")

		time.Sleep(accessLife - time.Second)
		b.ok(b.call("GET", "/payments/order-1", "Bearer "+third.Access, ""))
		time.Sleep(time.Second)
		b.want(b.call("GET", "/payments/order-1", "Bearer "+third.Access, ""), 401, "UNAUTHORIZED")
		time.Sleep(refreshLife - accessLife)
		b.want(b.refreshed(third), 401, "UNAUTHORIZED")
	})
}

func TestTokensDieWithTheirSecret(t *testing.T) {
	inBubble(t, func(b *bench) {
		got := b.login("test")
		b.all.APISecrets[0].Hash = b.api.Key.Hash("api_secret", "another value")
		b.save()
		b.want(b.call("GET", "/payments/order-1", "Bearer "+got.Access, ""), 401, "UNAUTHORIZED")
		b.want(b.refreshed(got), 401, "UNAUTHORIZED")
		b.want(b.call("GET", "/payments/order-1", "PortOne test", ""), 401, "UNAUTHORIZED")
	})
}

func TestSecretExpires(t *testing.T) {
	inBubble(t, func(b *bench) {
		got := b.login("brief")
		b.want(b.call("GET", "/payments/x", "PortOne brief", ""), 404, "PAYMENT_NOT_FOUND")
		time.Sleep(time.Hour)
		b.want(b.call("GET", "/payments/x", "PortOne brief", ""), 401, "UNAUTHORIZED")
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"brief"}`), 401, "UNAUTHORIZED")
		b.want(b.refreshed(got), 401, "UNAUTHORIZED")
	})
}

func TestUnauthorized(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, auth := range []string{"", "PortOne", "PortOne wrong", "Basic dGVzdA==", "Bearer", "Bearer !", "test"} {
			got := b.call("GET", "/payments/order-1", auth, "")
			b.want(got, 401, "UNAUTHORIZED")
			if got.header.Get("WWW-Authenticate") == "" {
				b.Errorf("%q: no WWW-Authenticate", auth)
			}
		}
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"wrong"}`), 401, "UNAUTHORIZED")
		b.want(b.call("POST", "/login/api-secret", "", ""), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":7}`), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/token/refresh", "", `{}`), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/token/refresh", "", `[]`), 400, "INVALID_REQUEST")
	})
}

func TestTenantsAndModes(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.ok(b.register("sub", "order-1", "사과", "배", `"pgTxId"`, `"pgOrderId":"sub-1","pgTxId"`)) // another store's: another payment
		live := strings.NewReplacer(string(testChannel), string(liveChannel))
		b.ok(b.call("POST", "/payments/order-2/virtual-account", "PortOne live", live.Replace(issue)))

		b.want(b.call("GET", "/payments/order-1", "PortOne live", ""), 404, "PAYMENT_NOT_FOUND")
		b.want(b.call("GET", "/payments/order-2", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
		b.want(b.call("GET", "/payments/order-1", "PortOne rival", ""), 404, "PAYMENT_NOT_FOUND")
		b.ok(b.call("GET", "/payments/order-1", "PortOne any", ""))
		b.ok(b.call("GET", "/payments/order-2", "PortOne any", ""))

		of := func(s merchant.StoreID) string { return "/payments/order-1?storeId=" + string(s) }
		if got := b.ok(b.call("GET", of(subStore), "PortOne test", "")); !strings.HasPrefix(got["orderName"].(string), "배") {
			b.Errorf("the representative store sees %q of the sub-store", got["orderName"])
		}
		b.want(b.call("GET", of(mainStore), "PortOne sub", ""), 403, "FORBIDDEN")
		b.want(b.call("GET", of(subStore), "PortOne rival", ""), 403, "FORBIDDEN")
		b.want(b.call("GET", of(rivalStore), "PortOne test", ""), 403, "FORBIDDEN")
		b.want(b.call("GET", of("store-none"), "PortOne test", ""), 403, "FORBIDDEN")
		b.want(b.call("POST", "/payments/order-1/resend-webhook", "PortOne sub", `{"storeId":"`+string(mainStore)+`"}`), 403, "FORBIDDEN")

		// In a body too, and channels are as far apart.
		b.ok(b.register("test", "order-3", `{"channelKey"`, `{"storeId":"`+string(subStore)+`","channelKey"`))
		b.ok(b.call("GET", "/payments/order-3", "PortOne sub", ""))
		b.want(b.register("sub", "order-4", `{"channelKey"`, `{"storeId":"`+string(mainStore)+`","channelKey"`), 403, "FORBIDDEN")
		b.want(b.register("test", "order-4", string(testChannel), string(rivalChannel)), 404, "CHANNEL_NOT_FOUND")
		b.want(b.register("sub", "order-4", string(testChannel), string(liveChannel)), 404, "CHANNEL_NOT_FOUND")
		b.want(b.register("live", "order-4"), 403, "FORBIDDEN")
		b.want(b.register("test", "order-4", string(testChannel), string(oldChannel)), 400, "INVALID_REQUEST")
	})
}

func TestAddressList(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.all.Allows = []merchant.Allow{
			{Store: mainStore, Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("203.0.113.0/24")},
			{Store: subStore, Scope: merchant.AllowConsole, CIDR: netip.MustParsePrefix("198.51.100.0/24")},
		}
		b.save()
		b.from("203.0.113.9")
		got := b.login("test")
		b.want(b.call("GET", "/payments/x", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
		b.from("::ffff:203.0.113.9")
		b.want(b.call("GET", "/payments/x", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")

		b.from("192.0.2.7")
		for _, auth := range []string{"PortOne test", "Bearer " + got.Access} {
			refused := b.call("GET", "/payments/x", auth, "")
			b.want(refused, 403, "FORBIDDEN")
			if !strings.Contains(refused.body, "192.0.2.7") {
				b.Errorf("the answer does not say which address was seen: %s", refused.body)
			}
		}
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"test"}`), 401, "UNAUTHORIZED") // lists no 403
		b.want(b.refreshed(got), 401, "UNAUTHORIZED")
		b.want(b.call("GET", "/payments/x", "PortOne sub", ""), 404, "PAYMENT_NOT_FOUND")
		b.ok(b.call("GET", "/banks", "", ""))

		b.api.ClientAddr = func(*http.Request) netip.Addr { return netip.Addr{} }
		b.want(b.call("GET", "/payments/x", "PortOne test", ""), 403, "FORBIDDEN")
		b.api.ClientAddr = nil
		r := httptest.NewRequestWithContext(b.Context(), "GET", "/payments/x", http.NoBody)
		r.RemoteAddr = "203.0.113.1:4711"
		r.Header.Set("Authorization", "PortOne test")
		b.want(b.serve(r), 404, "PAYMENT_NOT_FOUND")
	})
}

// goneStore is a store that fails to count logins.
type goneStore struct {
	action.Store
	err error
}

// NextGeneration fails.
func (g goneStore) NextGeneration(context.Context, string, int64) (int64, error) { return 0, g.err }

func TestFaultsOfOurs(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.api.Actions.Store = goneStore{b.store, fault.Errorf(fault.Unavailable, "the disk is full")}
		got := b.call("POST", "/login/api-secret", "", `{"apiSecret":"test"}`)
		b.want(got, 503, "UNAVAILABLE")
		if strings.Contains(got.body, "disk") || got.header.Get("Retry-After") == "" {
			b.Errorf("answer is %v %s", got.header, got.body)
		}
		b.api.Actions.Store = goneStore{b.store, fault.Errorf(fault.Internal, "page 7 is torn")}
		got = b.call("POST", "/login/api-secret", "", `{"apiSecret":"test"}`)
		b.want(got, 500, "INTERNAL")
		if strings.Contains(got.body, "torn") || !strings.Contains(b.log.String(), "page 7 is torn") {
			b.Errorf("answer is %s, the log\n%s", got.body, b.log)
		}
	})
}
