package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
)

// A running server serves until stop is called; ended says how it went.
type running struct {
	base  string
	l     net.Listener
	stop  context.CancelFunc
	ended chan error
}

// start serves on a free port and an empty database.
func start(t *testing.T, drain time.Duration, log io.Writer) *running {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Config{
		Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()},
		Drain: drain, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{base: "http://" + l.Addr().String(), l: l, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- s.Serve(ctx, l) }()
	return r
}

// ready asks /readyz; the status is 0 if nobody listens.
func (r *running) ready(t *testing.T) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(b)
}

func TestDrain(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour, io.Discard)
	if status, body := r.ready(t); status != http.StatusOK {
		t.Fatalf("readyz is %d %s before the stop", status, body)
	}
	r.stop()
	status, body := r.ready(t)
	for status == http.StatusOK { // it has not heard of it yet
		status, body = r.ready(t)
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "stopping") {
		t.Errorf("readyz is %d %s while draining", status, body)
	}
	// An hour is long: a listener that breaks ends it.
	if err := r.l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err == nil {
		t.Error("Serve hides that its listener broke")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]time.Duration{"at once": 0, "after a drain": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			r := start(t, drain, &log)
			if status, body := r.ready(t); status != http.StatusOK {
				t.Fatalf("readyz is %d %s", status, body)
			}
			r.stop()
			if err := <-r.ended; err != nil {
				t.Errorf("Serve = %v", err)
			}
			if status, _ := r.ready(t); status != 0 {
				t.Errorf("readyz is %d after the stop", status)
			}
			if got := strings.Contains(log.String(), "draining"); got != (drain > 0) {
				t.Errorf("the log tells of a drain: %v\n%s", got, log.String())
			}
		})
	}
}

func TestKeyLoad(t *testing.T) {
	t.Parallel()
	for database, want := range map[string]string{
		"tongbo.db":                        "sqlite:FILE or postgres://",
		"postgres://tongbo:s3cret@db/t":    "PostgreSQL needs a key",
		"host=db password=s3cret dbname=t": "sqlite:FILE or postgres://",
	} {
		_, err := server.KeySource{Database: database}.Load(slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the key for %q: %v, want %q", database, err, want)
		}
	}
}
