package store_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// upgrade does to a schema what the next release's migration may do: it adds
// columns, a table and an index.
func upgrade(t *testing.T, db *storetest.Database) {
	t.Helper()
	for _, q := range []string{
		`alter table payment add column novel text`,
		`alter table delivery add column novel integer not null default 1`,
		`alter table setting add column novel text`,
		`create table novel (id integer primary key)`,
		`create index delivery_novel on delivery (novel)`,
		`insert into goose_db_version (version_id, is_applied) values (999, (1 = 1))`,
	} {
		if _, err := db.Raw.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// TestNextReleasesSchema lets this release work on the schema of the next: as a
// node that runs while the schema is changed, as one that starts afterwards,
// and as a command that looks at it.
func TestNextReleasesSchema(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		running := db.Open(t)
		work := func(s *store.Store, order string) {
			t.Helper()
			register(t, s, storetest.Registration(order))
			results, err := s.Settle(t.Context(), []notice.Inbound{byOrder(order)}, storetest.Judge)
			if err != nil || results[0].Err != nil || state(t, s, order) != payment.Paid {
				t.Fatalf("%s: Settle = %+v, %v", order, results, err)
			}
			jobs := claim(t, s, 0, 10, all).Jobs
			if len(jobs) == 0 {
				t.Fatalf("%s: nothing to claim", order)
			}
			for _, j := range jobs {
				finish(t, s, outcome(j, 0, 0, webhook.Good))
			}
		}
		work(running, "o-1")
		upgrade(t, db)
		work(running, "o-2")
		work(db.Open(t), "o-3")
		verified(t, running)
		r, end, err := db.OpenReadOnly(t, nil)
		if err != nil {
			t.Fatalf("OpenReadOnly = %v", err)
		}
		if _, err := r.Verify(t.Context(), func(p store.Problem) { t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// TestIncompatibleSchema marks a schema as not for this release.
func TestIncompatibleSchema(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		var log journal
		s := db.OpenWith(t, store.Options{Log: log.logger()})
		if db.Postgres {
			attend(t, s)
			eventually(t, soon, "the node is fit", func() bool { return s.Unfit() == "" && s.Share(10) == 10 })
		}
		upgrade(t, db)
		db.Exec(t, `update setting set compatible_from = 999`)
		for name, err := range map[string]error{"Open": db.Try(t), "OpenReadOnly": func() error { _, _, err := db.OpenReadOnly(t, nil); return err }()} {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "use the newer release") {
				t.Errorf("%s on a schema that is not for this release = %v", name, err)
			}
		}
		if db.Postgres {
			eventually(t, soon, "a node that runs finds out", func() bool { return strings.Contains(s.Unfit(), "newer releases") })
			if s.Share(10) != 0 {
				t.Error("it goes on claiming")
			}
			if n := log.count("schema is for newer releases"); n != 1 {
				t.Errorf("it was logged %d times, want once", n)
			}
		}
	})
}
