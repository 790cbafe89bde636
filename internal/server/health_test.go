package server_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/server"
)

// TestReadyAsksTheDatabaseOnceASecond asks many times at once, and later. A
// trigger counts the writes.
func TestReadyAsksTheDatabaseOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "t.db")
		s, err := server.Open(t.Context(), server.Config{
			Database: "sqlite:" + file, Key: server.KeySource{Database: "sqlite:" + file}, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = raw.Close()
			if err := s.Store.Close(); err != nil {
				t.Error(err)
			}
		})
		for _, q := range []string{
			`create table probes (n integer)`,
			`create trigger made after insert on probe begin insert into probes values (1); end`,
			`create trigger kept after update on probe begin insert into probes values (1); end`,
		} {
			if _, err := raw.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		probes := func() (n int) {
			if err := raw.QueryRowContext(t.Context(), `select count(*) from probes`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		ask := func(ctx context.Context) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil))
			return w
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		for second := range 3 {
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if w := ask(gone); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"acknowledged_is_on":"disk"`) {
						t.Errorf("readyz = %d %s", w.Code, w.Body)
					}
				})
			}
			wg.Wait()
			if n := probes(); n != second+1 {
				t.Errorf("the database took %d writes, want %d", n, second+1)
			}
			time.Sleep(time.Second)
		}
		if _, err := raw.ExecContext(t.Context(), `drop table probe`); err != nil {
			t.Fatal(err)
		}
		if w := ask(t.Context()); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "probe") {
			t.Errorf("readyz of a database that takes no writes = %d %s", w.Code, w.Body)
		}
	})
}
