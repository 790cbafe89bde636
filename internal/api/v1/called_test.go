package v1

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/merchant"
)

// TestCalled: calls of a key are noted with what became of them; every answer names
// its call.
func TestCalled(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	var mu sync.Mutex
	var got []string
	s.api.Called = func(c merchant.Call) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %s %s %d %s", c.By, c.Credential[len(c.Credential)-1:], c.Method, c.Route, c.Status, c.Error))
	}
	for _, c := range []struct{ method, path, key, body string }{
		{"GET", "/banks", "main", ""},
		{"GET", "/banks", "", ""},
		{"GET", "/payments/imp_none", "sub", ""},
		{"POST", "/payments/cancel", "main", `{"imp_uid":"imp_none"}`},
		{"POST", "/subscribe/payments/onetime", "main", ""},
		{"POST", "/users/getToken", "", `{"imp_key":"main","imp_secret":"wrong"}`},
		{"GET", "/nothing", "main", ""},
	} {
		if a := s.call(c.method, c.path, c.key, c.body); len(a.header.Get(api.RequestID)) != 36 {
			t.Errorf("%s %s: the call is named %q", c.method, c.path, a.header.Get(api.RequestID))
		}
	}
	want := []string{
		"v1_key 1 POST /users/getToken 200 ", "v1_key 1 GET /banks 200 ",
		"v1_key 4 POST /users/getToken 200 ", "v1_key 4 GET /payments/{imp_uid} 404 code -1",
		"v1_key 1 POST /payments/cancel 200 code 1", "v1_key 1 POST /subscribe/payments/onetime 501 code -1",
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
}
