package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
)

// TestV1Listener has API V1 beside V2, on a listener of its own, which ends with the
// server.
func TestV1Listener(t *testing.T) {
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
	listen := func() net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := listen()
	s.V1 = listen()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	get := func(at net.Listener, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.Addr().String()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := get(s.V1, path); status != http.StatusOK {
			t.Errorf("%s is %d %s", path, status, text)
		}
	}
	if status, text := get(s.V1, "/payments/x"); status != http.StatusUnauthorized || text != `{"code":-1,"message":"Unauthorized","response":null}`+"\n" {
		t.Errorf("V1 answers %d %s", status, text)
	}
	if status, text := get(l, "/payments/x"); status != http.StatusUnauthorized || !strings.Contains(text, `"type":"UNAUTHORIZED"`) {
		t.Errorf("V2 answers %d %s", status, text)
	}
	if status, _ := get(s.V1, "/kcp-v2"); status != http.StatusNotFound {
		t.Errorf("a notice path of V1's listener is answered %d", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.V1.Addr().String()); err == nil {
		t.Error("V1 listens when the server has ended")
	}
}

// TestV1Rate has API V1 bounded as V2 is.
func TestV1Rate(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Config{
		Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()}, APIRate: 1, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Store.Close() }()
	for _, want := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		w := httptest.NewRecorder()
		s.V1Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/payments/x", http.NoBody))
		if w.Code != want {
			t.Errorf("a guess is answered %d, want %d", w.Code, want)
		}
	}
}
