package store_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// together is one URL for the same database on several servers.
func together(t *testing.T, urls ...string) string {
	t.Helper()
	var all *url.URL
	var hosts []string
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		all, hosts = u, append(hosts, u.Host)
	}
	all.Host = strings.Join(hosts, ",")
	return all.String()
}

// TestFailover gives a store a standby and its primary, in this order, and then
// makes the standby the primary.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary := storetest.NewCluster(t)
	name := primary.CreateDatabase(t)
	standby := primary.Standby(t)
	database := together(t, standby.URL(name), primary.URL(name))
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	var log journal
	s, err := store.Open(t.Context(), database, store.Options{Key: key, Log: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.SaveSettings(t.Context(), storetest.Scene(), storetest.Noon); err != nil {
		t.Fatal(err)
	}
	attend(t, s)
	eventually(t, soon, "the node is counted", func() bool { return s.Share(10) == 10 })
	register(t, s, storetest.Registration("o-1"))
	eventually(t, soon, "the log says what acknowledgements are on", func() bool {
		return log.count(`acknowledged_is_on="synchronous standby"`) == 1
	})
	readOnly(t, database, key, "f")

	primary.Stop(t, "immediate")
	if _, err := s.Settle(t.Context(), []notice.Inbound{byOrder("o-1")}, storetest.Judge); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Settle without a primary = %v", err)
	}
	standby.Promote(t)
	promoted := time.Now()
	eventually(t, soon, "a notice is settled", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results, err := s.Settle(ctx, []notice.Inbound{byOrder("o-1")}, storetest.Judge)
		return err == nil && results[0].Err == nil
	})
	t.Logf("settled %v after the promotion", time.Since(promoted))
	if took := time.Since(promoted); took > 5*time.Second {
		t.Errorf("%v until a notice was settled", took)
	}
	if got := state(t, s, "o-1"); got != payment.Paid {
		t.Errorf("the payment is %s", got)
	}
	eventually(t, soon, "the node is in touch again", func() bool { return log.count("in touch with the other nodes again") == 1 })
	eventually(t, soon, "the log says that the standby is no more", func() bool { return log.count(`acknowledged_is_on=disk`) == 1 })
	if n := log.count("lost touch"); n != 1 {
		t.Errorf("the loss was logged %d times, want once", n)
	}
	readOnly(t, database, key, "f")
	verified(t, s)
}

// readOnly opens a database to look at it, and checks where that led and that
// nothing can be written there.
func readOnly(t *testing.T, database string, key *seal.Key, recovering string) {
	t.Helper()
	r, end, err := store.OpenReadOnly(t.Context(), database, store.Options{Key: key})
	if err != nil {
		t.Errorf("OpenReadOnly: %v", err)
		return
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	var in, only string
	if err := r.Readers().QueryRowContext(t.Context(),
		`select pg_is_in_recovery()::text, current_setting('transaction_read_only')`).Scan(&in, &only); err != nil {
		t.Fatal(err)
	}
	if in[:1] != recovering || only != "on" {
		t.Errorf("in recovery: %s, read only: %s", in, only)
	}
}

// TestAskedForAStandby looks at a database on a server that only reads, which
// the URL may ask for; a server that writes must not be opened there.
func TestAskedForAStandby(t *testing.T) {
	t.Parallel()
	primary := storetest.NewCluster(t)
	name := primary.CreateDatabase(t)
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), primary.URL(name), store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	database := together(t, primary.URL(name), standby.URL(name)) + "&target_session_attrs=standby"
	readOnly(t, database, key, "t")
	if s, err := store.Open(t.Context(), database, store.Options{Key: key}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Open on a standby = %v, %v", s, err)
	}
	bad := together(t, primary.URL(name), standby.URL(name)) + "&target_session_attrs=writable"
	if _, err := store.Open(t.Context(), bad, store.Options{Key: key}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open with bad target_session_attrs = %v", err)
	}
}

// TestReadOnlyConnectionsAreGivenUp leaves a store with connections that can
// write nothing, as after a primary became a standby behind the same address.
func TestReadOnlyConnectionsAreGivenUp(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		var log journal
		s := db.OpenWith(t, store.Options{Log: log.logger()})
		attend(t, s)
		eventually(t, soon, "the node is counted", func() bool { return s.Share(10) == 10 })
		readOnly := func(is string) {
			t.Helper()
			if _, err := db.Raw.ExecContext(t.Context(), `do $$ begin execute 'alter database ' || current_database() || ' `+is+`'; end $$`); err != nil {
				t.Fatal(err)
			}
		}
		readOnly("set default_transaction_read_only = on")
		db.Exec(t, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
		eventually(t, soon, "writes find that the database takes none", func() bool {
			return strings.Contains(errorText(s.Ready(t.Context())), "25006")
		})
		if err := s.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Ready where nothing can be written = %v", err)
		}
		if _, err := db.Raw.ExecContext(t.Context(), `set transaction_read_only = off; do $$ begin execute 'alter database ' || current_database() || ' reset default_transaction_read_only'; end $$`); err != nil {
			t.Fatal(err)
		}
		took := eventually(t, soon, "new connections write", func() bool { return s.Ready(t.Context()) == nil })
		if took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := log.count("looking for the primary anew"); n == 0 {
			t.Error("the log does not tell")
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSeveralHosts opens databases that are not there.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	database := "postgres://tongbo:s3cret@127.0.0.1:1,127.0.0.1:2/x?sslmode=disable"
	for name, open := range map[string]func() error{
		"Open": func() error { _, err := store.Open(t.Context(), database, store.Options{Key: key}); return err },
		"OpenReadOnly": func() error {
			_, _, err := store.OpenReadOnly(t.Context(), database, store.Options{Key: key})
			return err
		},
	} {
		if err := open(); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s = %v", name, err)
		}
	}
}
