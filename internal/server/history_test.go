package server_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // looks into the database beside the server

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestPartitionsBeforeTraffic starts a server and looks whether there are
// partitions once it answers.
func TestPartitionsBeforeTraffic(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Config{
		Database: url, Key: server.KeySource{Text: key.Text()}, Log: slog.New(slog.DiscardHandler),
		Keep: settings.Retention{Bodies: 9, History: 8},
	}
	if _, err := server.Open(t.Context(), cfg); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open with a retention that cannot be = %v", err)
	}
	cfg.Keep = settings.DefaultRetention()
	s, err := server.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	r := &running{base: "http://" + l.Addr().String(), l: l}
	r.until(t, http.StatusOK, "")
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	// On a machine that is too busy to make them in time, they are made soon after.
	waitUntil(t, func() bool {
		var n int
		err := db.QueryRowContext(t.Context(), `select count(*) from pg_inherits where inhparent = 'notice'::regclass`).Scan(&n)
		return err == nil && n == 4
	}, "there are not three partitions of notices and the default one")
	_ = db.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
