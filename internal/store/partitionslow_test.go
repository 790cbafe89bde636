package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// januaryOf27 is when largeRest's tests make partitions.
var januaryOf27 = time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC)

// largeRest opens a store with so many verdicts of old in the default partition
// that it is not looked through while notices wait.
func largeRest(t *testing.T, db *storetest.Database) *store.Store {
	t.Helper()
	s := db.Open(t)
	mustExec(t, db, `insert into verdict select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid,
		'00000000-0000-7000-8000-000000000000', i, 0, 'recorded', repeat('x', 1500), '' from generate_series(1, 1000) i`)
	if n, err := s.MakeAhead(t.Context(), januaryOf27); err != nil || n != 24 {
		t.Fatalf("MakeAhead = %d, %v; want all but those of one table", n, err)
	}
	return s
}

// leftBounds counts the constraints that making partitions left.
func leftBounds(t *testing.T, db *storetest.Database) int {
	t.Helper()
	return db.Count(t, `select count(*) from pg_constraint where starts_with(conname, 'making_')`)
}

// TestMakeSlowly makes partitions beside a large default one.
func TestMakeSlowly(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := largeRest(t, db)
		var mu sync.Mutex
		var did []string
		s.Record(func(query string, _ []any) {
			mu.Lock()
			defer mu.Unlock()
			did = append(did, query)
		})
		made := func(at time.Time, want ...string) {
			t.Helper()
			before := len(partitionsOf(t, db, "verdict"))
			n, err := s.MakeSlowly(t.Context(), at)
			if got := partitionsOf(t, db, "verdict"); err != nil || n != len(want)-before || !slices.Equal(got, want) {
				t.Errorf("MakeSlowly(%v) = %d, %v; there are %v, want %v", at, n, err, got, want)
			}
			if n := leftBounds(t, db); n != 0 {
				t.Errorf("%d constraints are left", n)
			}
		}
		made(time.Date(2027, 1, 31, 0, 0, 1, 0, time.UTC), "2027_03") // February begins too soon
		made(januaryOf27, "2027_02", "2027_03")
		made(januaryOf27, "2027_02", "2027_03")

		var add, attach string
		for _, query := range did {
			switch {
			case strings.Contains(query, "add constraint making_verdict_2027_02"):
				add = query
			case strings.Contains(query, "attach partition verdict_2027_02"):
				attach = query
			}
		}
		if said := attached(t, db, add, attach); !strings.Contains(said, `for default partition "verdict_rest" is implied by existing constraints`) || strings.Contains(said, `verifying table "verdict_rest"`) {
			t.Errorf("with the constraint, PostgreSQL said %q, and looked the default partition through", said)
		}
		if said := attached(t, db, `select 1`, attach); !strings.Contains(said, `verifying table "verdict_rest"`) {
			t.Errorf("without it, it said %q: this test sees no scan", said)
		}
	})
}

// attached attaches February again after a statement, and returns what
// PostgreSQL says of it.
func attached(t *testing.T, db *storetest.Database, first, attach string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { said = append(said, n.Message) }
	c, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	validate := `select 1`
	if strings.Contains(first, "add constraint") {
		validate = `alter table verdict_rest validate constraint making_verdict_2027_02`
	}
	for _, query := range []string{
		`begin`, `alter table verdict detach partition verdict_2027_02`, first, validate, `set local client_min_messages = debug1`, attach, `rollback`,
	} {
		if _, err := c.Exec(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	return strings.Join(said, "\n")
}

// TestMakeSlowlyIsInterrupted ends tries in the middle. What is left of them
// is cleaned up, by them or by the next MakeAhead.
func TestMakeSlowlyIsInterrupted(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := largeRest(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		other := db.Open(t)
		other.Record(func(query string, _ []any) {
			if strings.HasPrefix(query, "create table") {
				cancel()
			}
		})
		if n, err := other.MakeSlowly(ctx, januaryOf27); n != 0 || err == nil {
			t.Errorf("MakeSlowly that was stopped = %d, %v", n, err)
		}
		if n := leftBounds(t, db); n != 0 {
			t.Errorf("%d constraints are left of a try that was stopped", n)
		}

		release := hold(t, db, `select count(*) from verdict`)
		if n, err := s.MakeSlowly(t.Context(), januaryOf27); n != 0 || !fault.Is(err, fault.Unavailable) {
			t.Errorf("MakeSlowly while the table is read = %d, %v", n, err)
		}
		release()

		// A node that died left these.
		for _, month := range []string{"2027_02", "2027_03"} {
			mustExec(t, db, fmt.Sprintf(`alter table verdict_rest add constraint making_verdict_%s
				check (id < '01900000-0000-0000-0000-000000000000') not valid`, month))
		}
		release = hold(t, db, `select pg_advisory_xact_lock(hashtextextended('make slowly', 0))`)
		if n, err := s.MakeSlowly(t.Context(), januaryOf27); n != 0 || err != nil {
			t.Errorf("MakeSlowly while another node does = %d, %v", n, err)
		}
		if _, err := s.MakeAhead(t.Context(), januaryOf27); err != nil || leftBounds(t, db) != 2 {
			t.Errorf("MakeAhead while another node makes = %v; %d constraints, want its 2", err, leftBounds(t, db))
		}
		release()
		if _, err := s.MakeAhead(t.Context(), januaryOf27); err != nil || leftBounds(t, db) != 0 {
			t.Errorf("MakeAhead = %v; %d constraints of a dead node are left", err, leftBounds(t, db))
		}
		if n, err := s.MakeSlowly(t.Context(), januaryOf27); n != 2 || err != nil {
			t.Errorf("MakeSlowly after all that = %d, %v; want 2", n, err)
		}
	})
}

// TestMoveMakesPartitions moves rows of now, of some months ago and of an age
// that nobody believes.
func TestMoveMakesPartitions(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := db.Open(t)
	busy(t, s)
	now := time.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{month.AddDate(0, -1, 0).Add(-time.Millisecond), month.AddDate(-30, 0, 0)} {
		in, r := refusedFrom("203.0.113.9")
		hex := fmt.Sprintf("%012x", at.UnixMilli())
		in.ID = notice.ID(hex[:8] + "-" + hex[8:] + "-7000-8000-000000000001")
		in.Ruled = &r
		settle(t, s, in)
	}
	to := db.On(t, storetest.Postgres(t))
	if _, err := move(t, db, to.URL()); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, n := range []int{-2, 0, 1, 2} {
		want = append(want, month.AddDate(0, n, 0).Format("2006_01"))
	}
	if got := partitionsOf(t, to, "notice"); !slices.Equal(got, want) {
		t.Errorf("partitions %v, want %v", got, want)
	}
	if n := to.Count(t, `select count(*) from notice_rest`); n != 1 {
		t.Errorf("%d notices went to the default partition, want the one of thirty years ago", n)
	}
	if n := to.Count(t, `select count(*) from notice_`+want[0]); n != 1 {
		t.Errorf("%d notices are in the month in which one was made", n)
	}
	for _, table := range []string{"verdict", "event", "delivery_end", "attempt", "attempt_body"} {
		if n := to.Count(t, `select count(*) from `+table+`_rest`); n != 0 || to.Count(t, `select count(*) from `+table) == 0 {
			t.Errorf("%d rows of %s went to the default partition", n, table)
		}
	}
	if n, err := to.Open(t).MakeAhead(t.Context(), now); n != 0 || err != nil {
		t.Errorf("MakeAhead after the move = %d, %v; want nothing to do", n, err)
	}
}
