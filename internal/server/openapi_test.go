package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/api/openapi"
	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/checkout"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
)

// TestDocumentsAreServed reads what the server answers by itself, as it is documented.
func TestDocumentsAreServed(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Config{
		Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	both := []http.Handler{
		openapitest.Handler(t, s.Handler(), "v2.yaml", "tongbo.yaml"), openapitest.Handler(t, s.V1Handler(), "v1.yaml", "tongbo.yaml"),
	}
	paths := []string{"/healthz", "/readyz"}
	for _, name := range openapi.Names() {
		paths = append(paths, openapi.Prefix+name)
	}
	for _, path := range []string{checkout.ScriptV2, checkout.ScriptV1} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://hub.example"+path, http.NoBody))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"http://hub.example"`) {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
	}
	for i, h := range both {
		for _, path := range paths {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, http.NoBody))
			if w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("listener %d, %s: %d %s", i, path, w.Code, w.Body)
			}
		}
	}
}
