package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
)

// TestAPIRate has one address guess: with a limit it is told to wait.
func TestAPIRate(t *testing.T) {
	t.Parallel()
	for rate, want := range map[int]int{0: http.StatusUnauthorized, 1: http.StatusTooManyRequests} {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		s, err := server.Open(t.Context(), server.Config{
			Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()}, APIRate: rate, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		var last *httptest.ResponseRecorder
		for range 2 {
			last = httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/payments/x", http.NoBody)
			r.RemoteAddr = "203.0.113.1:4711"
			r.Header.Set("Authorization", "PortOne guess")
			s.Handler().ServeHTTP(last, r)
		}
		if last.Code != want {
			t.Errorf("with a rate of %d the second guess is answered %d, want %d", rate, last.Code, want)
		}
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	}
}
