package server_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// startOn serves on a free port and a given database.
func startOn(t *testing.T, database string, key *seal.Key) *running {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Database: database, Key: server.KeySource{Text: key.Text()}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{base: "http://" + l.Addr().String(), l: l, ended: make(chan error, 1)}
	done := make(chan struct{})
	r.stop = func() { stop(); <-done }
	go func() {
		defer close(done)
		r.ended <- s.Serve(ctx, l)
	}()
	t.Cleanup(r.stop)
	return r
}

// until asks /readyz until the answer is one that a test waits for.
func (r *running) until(t *testing.T, status int, text string) {
	t.Helper()
	var got int
	var body string
	for began := time.Now(); time.Since(began) < 20*time.Second; <-time.After(20 * time.Millisecond) {
		if got, body = r.ready(t); got == status && strings.Contains(body, text) {
			return
		}
	}
	t.Fatalf("readyz is %d %s, want %d with %q", got, body, status, text)
}

func newKey(t *testing.T) *seal.Key {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// openRaw is a way in beside the server.
func openRaw(t *testing.T, database string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestReadyTellsOfOtherNodesAndClocks follows two nodes, the database's clock,
// and the row of one that stops.
func TestReadyTellsOfOtherNodesAndClocks(t *testing.T) {
	t.Parallel()
	database, key := storetest.Postgres(t), newKey(t)
	db := openRaw(t, database)
	one := startOn(t, database, key)
	one.until(t, http.StatusOK, `"nodes":1`)
	other := startOn(t, database, key)
	one.until(t, http.StatusOK, `"nodes":2`)
	other.until(t, http.StatusOK, `"nodes":2`)
	other.stop()
	if err := <-other.ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
	one.until(t, http.StatusOK, `"nodes":1`)

	execute(t, db, `create function clock_timestamp() returns timestamptz language sql volatile as 'select pg_catalog.clock_timestamp() - interval ''3s'''`)
	execute(t, db, `do $$ begin execute 'alter database ' || current_database() || ' set search_path = public, pg_catalog'; end $$`)
	execute(t, db, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
	one.until(t, http.StatusServiceUnavailable, "ahead of the database's; at most 2s is safe")
	execute(t, db, `drop function public.clock_timestamp()`)
	one.until(t, http.StatusOK, `"nodes":1`)
}

// TestIdleNodesAskLittle counts the statements of two nodes that have nothing
// to do.
func TestIdleNodesAskLittle(t *testing.T) {
	t.Parallel()
	const window = 12 * time.Second
	cluster := storetest.NewCluster(t)
	admin := openRaw(t, cluster.URL("postgres"))
	execute(t, admin, `alter system set shared_preload_libraries = 'pg_stat_statements'`)
	_ = admin.Close()
	cluster.Stop(t, "fast")
	cluster.Start(t)
	admin = openRaw(t, cluster.URL("postgres"))
	if _, err := admin.ExecContext(t.Context(), `create extension pg_stat_statements`); err != nil {
		t.Skip("this PostgreSQL does not count statements:", err)
	}
	name, key := cluster.CreateDatabase(t), newKey(t)
	for range 2 {
		startOn(t, cluster.URL(name), key).until(t, http.StatusOK, "ready")
	}
	<-time.After(2 * time.Second) // the last answer of the pools' own
	execute(t, admin, `select pg_stat_statements_reset()`)
	<-time.After(window)
	var n float64
	var list []byte
	if err := admin.QueryRowContext(t.Context(), `select coalesce(sum(calls), 0), coalesce(json_agg(calls || ' ' || left(query, 60)), '[]')
		from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = $1`, name).Scan(&n, &list); err != nil {
		t.Fatal(err)
	}
	rate := n / window.Seconds() / 2
	t.Logf("%.2f statements a second and node", rate)
	if rate > 1 || rate == 0 {
		var queries []string
		if err := json.Unmarshal(list, &queries); err != nil {
			t.Error(err)
		}
		t.Errorf("%.2f statements a second and node, want at most 1:\n%s", rate, strings.Join(queries, "\n"))
	}
}
