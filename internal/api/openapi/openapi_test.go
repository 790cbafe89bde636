package openapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/api/openapi"
	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
)

func TestDocumentsAreSound(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Flaws() {
		t.Error(err)
	}
}

func TestServed(t *testing.T) {
	t.Parallel()
	call := func(method, path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		openapitest.Handler(t, http.HandlerFunc(openapi.ServeHTTP), "tongbo.yaml").ServeHTTP(w, r)
		return w
	}
	for _, name := range openapi.Names() {
		got := call("GET", openapi.Prefix+name, "")
		text, err := openapi.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Code != http.StatusOK || got.Body.String() != string(text) || got.Header().Get("Content-Type") != "application/yaml" {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
		if again := call("GET", openapi.Prefix+name, got.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", name, again.Code)
		}
		if head := call("HEAD", openapi.Prefix+name, ""); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d, %d bytes", name, head.Code, head.Body.Len())
		}
	}
	for _, path := range []string{"", "v9.yaml", "../openapi.go", "v2.yaml/"} {
		if got := call("GET", openapi.Prefix+path, ""); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "v2.yaml") {
			t.Errorf("%q: %d %s", path, got.Code, got.Body)
		}
	}
	if got := call("POST", openapi.Prefix+"v2.yaml", ""); got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", got.Code, got.Header())
	}
}
