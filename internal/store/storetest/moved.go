//go:build unix

package storetest

import (
	"database/sql"
	"testing"

	"github.com/tongbo/tongbo/internal/seal"
)

// SQLite is a database in a file, with the settings of [Scene] in it, for a
// test of what only SQLite has.
func SQLite(tb testing.TB) *Database {
	tb.Helper()
	return OnSQLite(tb)
}

// URL is where the database is.
func (db *Database) URL() string { return db.url }

// Key is what the database is sealed with.
func (db *Database) Key() *seal.Key { return db.key }

// On is the PostgreSQL database at a URL, sealed with this one's key.
func (db *Database) On(tb testing.TB, url string) *Database {
	tb.Helper()
	raw, err := sql.Open("pgx", url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = raw.Close() })
	return &Database{Postgres: true, Raw: raw, url: url, key: db.key}
}
