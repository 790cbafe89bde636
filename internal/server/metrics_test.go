package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/server"
)

// TestMetrics tells this machine and its network what it counts, and nobody else that it
// does.
func TestMetrics(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "t.db")
	s, err := server.Open(t.Context(), server.Config{
		Database: "sqlite:" + file, Key: server.KeySource{Database: "sqlite:" + file}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Store.Close() })
	get := func(method, from, forwarded string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/metrics", http.NoBody)
		r.RemoteAddr = from
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	for _, from := range []string{"127.0.0.1:1", "[::1]:1", "10.1.2.3:1", "[fd00::1]:1"} {
		w := get(http.MethodGet, from, "")
		if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "\ntongbo_checkout_answers_total{order=\"at_once\"} 0\n") ||
			!strings.Contains(body, "\n# TYPE tongbo_checkout_answers_total counter\n") || !strings.Contains(body, "order=\"limit\"") {
			t.Errorf("from %s: %d\n%s", from, w.Code, body)
		}
	}
	for _, x := range [][2]string{{"203.0.113.7:1", ""}, {"10.1.2.3:1", "203.0.113.7"}, {"127.0.0.1:1", "203.0.113.7"}} {
		if w := get(http.MethodGet, x[0], x[1]); w.Code != http.StatusNotFound {
			t.Errorf("from %s for %q: %d", x[0], x[1], w.Code)
		}
	}
	if w := get(http.MethodPost, "127.0.0.1:1", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a post: %d", w.Code)
	}
}
