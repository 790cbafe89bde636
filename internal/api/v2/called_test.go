package v2

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/merchant"
)

// TestCalled: calls that bear a credential are noted with what became of them, and the
// others are not; every answer names its call.
func TestCalled(t *testing.T) {
	inBubble(t, func(b *bench) {
		var got []string
		var last merchant.Call
		b.api.Called = func(c merchant.Call) {
			got = append(got, fmt.Sprintf("%s %s %s %d %s", c.Credential[len(c.Credential)-1:], c.Method, c.Route, c.Status, c.Error))
			last = c
		}
		ids := map[string]bool{}
		call := func(method, path, auth, body string) answer {
			t.Helper()
			a := b.call(method, path, auth, body)
			id := a.header.Get(api.RequestID)
			if ids[id] || len(id) != 36 {
				t.Errorf("%s %s: the call is named %q", method, path, id)
			}
			ids[id] = true
			return a
		}
		call("GET", "/banks", "", "")
		call("GET", "/nothing", "PortOne test", "")
		call("GET", "/payments/p-1", "", "")
		call("GET", "/payments/p-1", "PortOne wrong", "")
		a := call("GET", "/payments/p-1?x=secret-query", "PortOne test", "")
		if last.ID != a.header.Get(api.RequestID) || last.Path != "/payments/p-1" || last.Merchant != acme || last.Store != mainStore ||
			last.Mode != merchant.Test || last.By != merchant.ByAPISecret || !last.At.Equal(time.Now()) {
			t.Errorf("noted %+v of the call %s", last, a.header.Get(api.RequestID))
		}
		if strings.Contains(fmt.Sprint(last), "secret-query") {
			t.Errorf("the query is kept: %+v", last)
		}
		b.register("test", "p-1")
		call("POST", "/login/api-secret", "", `{"apiSecret":"live"}`)
		call("POST", "/login/api-secret", "", `{"apiSecret":"wrong"}`)
		call("GET", "/billing-keys/billing-key-0123456789", "PortOne test", "")
		if last.Path != "/billing-keys/…6789" {
			t.Errorf("the path of a billing key is kept as %q", last.Path)
		}
		time.Sleep(time.Hour)
		call("GET", "/payments", "PortOne brief", "")
		want := []string{
			"1 GET /payments/{paymentId} 404 PAYMENT_NOT_FOUND", "1 POST /payments/{paymentId}/virtual-account 200 ",
			"2 POST /login/api-secret 200 ", "1 GET /billing-keys/{billingKey} 404 BILLING_KEY_NOT_FOUND", "6 GET /payments 401 UNAUTHORIZED",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("noted (-want +got):\n%s", diff)
		}
	})
}

// TestCalledOnce: a call that is repeated under its key is a call, and one that broke
// off in the program is told as what it was answered.
func TestCalledOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		var got []string
		b.api.Called = func(c merchant.Call) { got = append(got, fmt.Sprintf("%d %s", c.Status, c.Error)) }
		for range 2 {
			b.keyed("0123456789abcdef", "POST", "/payments/p-1/cancel", "test", `{"reason":"x"}`)
		}
		rt := router{b.api, []operation{{http.MethodGet, "/try", false, func(*call) (any, error) { panic("boom") }}}}
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/try", http.NoBody)
		r.Header.Set("Authorization", "PortOne test")
		rt.ServeHTTP(httptest.NewRecorder(), r)
		if want := []string{"404 PAYMENT_NOT_FOUND", "404 ", "500 INTERNAL"}; !cmp.Equal(got, want) {
			t.Errorf("noted %q, want %q", got, want)
		}
	})
}
