package cli

import (
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestListenV1 asks for API V1 in every way.
func TestListenV1(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	listen := func(at *string, main string) (net.Listener, string, error) {
		var log strings.Builder
		c := serveCmd{Listen: main, V1Listen: at}
		l, err := c.listenV1(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
		return l, log.String(), err
	}
	free, none := "127.0.0.1:0", ""
	l, _, err := listen(&free, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if l, log, err := listen(&none, "127.0.0.1:0"); l != nil || log != "" || err != nil {
		t.Errorf("listens at %v, %q, %v", l, log, err)
	}
	at := taken.Addr().String()
	if _, _, err := listen(&at, "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a port that was asked for and is taken: %v", err)
	}
	// Nor is any other trouble there a reason not to serve the rest. 192.0.2.1 is
	// nobody's.
	if l, log, err := listen(nil, "192.0.2.1:8080"); l != nil || err != nil || !strings.Contains(log, "level=WARN") || !strings.Contains(log, "--v1-listen") {
		t.Errorf("listens at %v, %q, %v", l, log, err)
	}
	// A --listen of that port says by itself that V1 is not there.
	if l, log, err := listen(nil, "127.0.0.1:"+usualV1); l != nil || err != nil || strings.Contains(log, "WARN") || !strings.Contains(log, "--v1-listen") {
		t.Errorf("listens at %v, %q, %v", l, log, err)
	}
	// Where nothing is said, another program's port is left to it. 127.0.0.9 is
	// nobody's else.
	theirs, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.9:"+usualV1)
	if err != nil {
		t.Skip("this machine has no 127.0.0.9")
	}
	defer func() { _ = theirs.Close() }()
	if l, log, err := listen(nil, "127.0.0.9:8080"); l != nil || err != nil || !strings.Contains(log, "--v1-listen") {
		t.Errorf("listens at %v, %q, %v", l, log, err)
	}
}

func TestV1Address(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "t.db")
	code, _, errs := run(t, "", "serve", "--listen=127.0.0.1:0", "--database=sqlite:"+database, "--v1-listen=8081")
	if code == exitOK || !strings.Contains(errs, "Write it like :8080") {
		t.Errorf("code %d, %q", code, errs)
	}
}
