//go:build unix

package storetest

import (
	"cmp"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // opens PostgreSQL beside the store

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Database is one database for one test, with the settings of [Scene] in it.
type Database struct {
	Postgres bool
	File     string  // of SQLite; empty on PostgreSQL
	Raw      *sql.DB // a way in beside the store, to look and to damage

	url string
	key *seal.Key
}

// Each runs a test on both engines, in parallel.
func Each(t *testing.T, fn func(t *testing.T, db *Database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		fn(t, OnSQLite(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		fn(t, OnPostgres(t))
	})
}

// OnSQLite returns a new database in a file that goes with the test.
func OnSQLite(tb testing.TB) *Database {
	tb.Helper()
	content, err := sceneFile()
	if err != nil {
		tb.Fatalf("make the scene on SQLite: %v", err)
	}
	file := filepath.Join(tb.TempDir(), "t.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return newDatabase(tb, &Database{File: file, url: "sqlite:" + file}, "sqlite", file+"?_pragma=busy_timeout(10000)")
}

// OnPostgres returns a new database in the cluster of [Postgres].
func OnPostgres(tb testing.TB) *Database {
	tb.Helper()
	c := theShared(tb)
	var url string
	if c.bin == "" { // others use it too: nothing stays there that could be copied
		url = c.URL(c.CreateDatabase(tb))
		if err := putScene(tb.Context(), url); err != nil {
			tb.Fatal(err)
		}
	} else {
		from, err := c.scene(tb.Context())
		if err != nil {
			tb.Fatalf("make the scene on PostgreSQL: %v", err)
		}
		url = c.URL(c.copyDatabase(tb, from))
	}
	return newDatabase(tb, &Database{Postgres: true, url: url}, "pgx", url)
}

// newDatabase is the way in beside the store to a database with the scene in it.
func newDatabase(tb testing.TB, db *Database, driver, source string) *Database {
	tb.Helper()
	var err error
	if db.key, err = newKey(); err != nil {
		tb.Fatal(err)
	}
	if db.Raw, err = sql.Open(driver, source); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Raw.Close() })
	return db
}

// Open opens the database once more, as another node does. Every call gives a
// store of its own, closed when the test ends.
func (db *Database) Open(tb testing.TB) *store.Store {
	tb.Helper()
	return db.OpenWith(tb, store.Options{})
}

// OpenWith is Open with options, to which the key is added.
func (db *Database) OpenWith(tb testing.TB, o store.Options) *store.Store {
	tb.Helper()
	o.Key = db.key
	s, err := store.Open(tb.Context(), db.url, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Try opens the database and closes it, and returns what went wrong.
func (db *Database) Try(tb testing.TB) error {
	tb.Helper()
	s, err := store.Open(tb.Context(), db.url, store.Options{Key: db.key})
	if err != nil {
		return err
	}
	return s.Close()
}

// OpenReadOnly opens the database to look at it, with another key than its own
// if one is given.
func (db *Database) OpenReadOnly(tb testing.TB, other *seal.Key) (r *store.Reader, end func() error, err error) {
	tb.Helper()
	return store.OpenReadOnly(tb.Context(), db.url, store.Options{Key: cmp.Or(other, db.key)})
}

// Exec runs SQL beside the store and fails the test if it does nothing.
func (db *Database) Exec(tb testing.TB, query string, args ...any) {
	tb.Helper()
	res, err := db.Raw.ExecContext(tb.Context(), query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		tb.Fatalf("%s: %d rows, %v", query, n, err)
	}
}

// Count returns the number that a query finds.
func (db *Database) Count(tb testing.TB, query string, args ...any) int {
	tb.Helper()
	var n int
	if err := db.Raw.QueryRowContext(tb.Context(), query, args...).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}

// Noon is when stories begin.
var Noon = time.Date(2026, 8, 1, 3, 0, 0, 0, time.UTC)

// The names in the scene.
const (
	Merchant    merchant.ID         = "merchant-1"
	Store       merchant.StoreID    = "store-1"
	Channel     merchant.ChannelKey = "channel-key-1"
	OtherOne    merchant.ChannelKey = "channel-key-2" // of the same store and mode
	LiveChannel merchant.ChannelKey = "channel-key-live"
	Endpoint    webhook.EndpointID  = "00000000-0000-7000-8000-000000000001"
)

// Scene is one store with two test channels, a live one, and an endpoint that
// hears of everything in test mode.
func Scene() settings.All {
	channel := func(k merchant.ChannelKey, m merchant.Mode, mid string) merchant.Channel {
		return merchant.Channel{
			Key: k, Merchant: Merchant, Store: Store, Name: string(k), Provider: "kcp", Mode: m, MID: mid,
			PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold,
		}
	}
	return settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: Merchant, Name: "가나상점"}},
		Stores: []settings.Store{{
			Store:        merchant.Store{ID: Store, Merchant: Merchant, Name: "대표 상점", Representative: true},
			NoticeSecret: "whsec_c3RvcmU=", CreatedAt: Noon,
		}},
		Channels: []merchant.Channel{
			channel(Channel, merchant.Test, "T0000"), channel(OtherOne, merchant.Test, "T0001"), channel(LiveChannel, merchant.Live, "L0000"),
		},
		Endpoints: []webhook.Endpoint{{
			ID: Endpoint, Merchant: Merchant, Store: Store, Name: "주문 서버", URL: "http://127.0.0.1:9/webhook", Mode: merchant.Test,
			Events: []string{"*", "tongbo.attention", "Transaction.VirtualAccountExpired"}, Version: webhook.V20240425, ContentType: webhook.JSON,
			Schedule: webhook.PortOne, Secrets: []secret.Text{"whsec_QUJD"}, CreatedAt: Noon,
		}},
	}
}

// NewID returns a fresh UUIDv7.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // there is no randomness: nothing can be tested
	}
	return id.String()
}

// Planner makes deliveries by the scene.
func Planner() webhook.Planner { return Scene().Planner(NewID) }
