package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// partitionsOf lists the partitions of a table but the default one.
func partitionsOf(t *testing.T, db *storetest.Database, table string) []string {
	t.Helper()
	rows, err := db.Raw.QueryContext(t.Context(), `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = $1::regclass and c.relname not like '%_rest'`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(name, table+"_"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// TestMakeAhead makes partitions around the ends of months and years, and puts
// ids on both sides of each bound.
func TestMakeAhead(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		ahead := func(at string, want int) {
			t.Helper()
			now, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := s.MakeAhead(t.Context(), now); err != nil || n != want {
				t.Errorf("MakeAhead(%s) = %d, %v; want %d", at, n, err, want)
			}
		}
		ahead("2026-12-31T23:59:59.999Z", 27)
		ahead("2027-01-01T00:00:00Z", 7) // a month further; the week is the same
		ahead("2027-01-01T00:00:00Z", 0)
		ahead("2027-01-03T23:59:59.999Z", 0)
		ahead("2027-01-04T08:59:59+09:00", 0) // still Sunday in UTC
		ahead("2027-01-04T00:00:00Z", 2)
		ahead("2028-01-31T12:00:00Z", 27) // after a year without a server
		months := []string{"2026_12", "2027_01", "2027_02", "2027_03", "2028_01", "2028_02", "2028_03"}
		if got := partitionsOf(t, db, "verdict"); !slices.Equal(got, months) {
			t.Errorf("months %v, want %v", got, months)
		}
		weeks := []string{"2026_12_28", "2027_01_04", "2027_01_11", "2027_01_18", "2028_01_31", "2028_02_07", "2028_02_14"}
		if got := partitionsOf(t, db, "notice_body"); !slices.Equal(got, weeks) {
			t.Errorf("weeks %v, want %v", got, weeks)
		}
		for _, c := range []struct{ at, table, want string }{
			{"2026-11-30T23:59:59.999Z", "attempt_body", "rest"}, {"2026-12-28T00:00:00Z", "attempt_body", "2026_12_28"},
			{"2027-01-03T23:59:59.999Z", "attempt_body", "2026_12_28"}, {"2027-01-04T00:00:00Z", "attempt_body", "2027_01_04"},
			{"2027-01-25T00:00:00Z", "attempt_body", "rest"}, {"2028-02-20T23:59:59.999Z", "attempt_body", "2028_02_14"},
			{"2026-12-31T23:59:59.999Z", "verdict", "2026_12"}, {"2027-01-01T00:00:00Z", "verdict", "2027_01"},
			{"2027-03-31T23:59:59.999Z", "verdict", "2027_03"}, {"2027-04-01T00:00:00Z", "verdict", "rest"},
			{"2028-02-29T23:59:59.999Z", "verdict", "2028_02"},
		} {
			at, err := time.Parse(time.RFC3339Nano, c.at)
			if err != nil {
				t.Fatal(err)
			}
			hex := fmt.Sprintf("%012x", at.UnixMilli())
			id := hex[:8] + "-" + hex[8:] + "-7fff-bfff-ffffffffffff"
			insert := map[string]string{
				"attempt_body": `insert into attempt_body values ($1, '')`,
				"verdict":      `insert into verdict values ($1, $1, 1, 0, 'recorded', '', '')`,
			}[c.table]
			db.Exec(t, insert, id)
			var in string
			if err := db.Raw.QueryRowContext(t.Context(), `select tableoid::regclass::text from `+c.table+` where id = $1`, id).Scan(&in); err != nil || in != c.table+"_"+c.want {
				t.Errorf("what %s makes at %s goes to %s, %v; want %s", c.table, c.at, in, err, c.want)
			}
		}
		// Its month has rows elsewhere: it stays without a partition.
		ahead("2027-04-15T00:00:00Z", 3*9-1)
		if got := partitionsOf(t, db, "verdict"); slices.Contains(got, "2027_04") || !slices.Contains(got, "2027_05") {
			t.Errorf("months with rows in the default partition: %v", got)
		}
	})
}

// TestNothingGoesToTheDefaultPartition lets a server work that made its
// partitions at the start.
func TestNothingGoesToTheDefaultPartition(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		busy(t, s)
		for _, table := range []string{"notice", "notice_body", "verdict", "event", "delivery_end", "attempt", "attempt_body"} {
			if n := db.Count(t, `select count(*) from `+table+`_rest`); n != 0 || db.Count(t, `select count(*) from `+table) == 0 {
				t.Errorf("%d rows of %s went to the default partition", n, table)
			}
		}
		verified(t, s)
	})
}

// TestDropInTime drops a month when its last moment is old enough, and not
// before.
func TestDropInTime(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Date(2027, 2, 10, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		prune := func(now time.Time) map[string]int {
			t.Helper()
			out := make(map[string]int)
			if err := s.Prune(t.Context(), now, settings.DefaultRetention(), func(p settings.Pruned) { out[p.What] = p.Partitions }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		month := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 400)
		if told := prune(month.Add(-time.Millisecond)); len(told) != 2 || told["notice_body"] != 3 || told["attempt_body"] != 3 {
			t.Errorf("before the month is old enough went %v, want the weeks", told)
		}
		if told := prune(month); len(told) != 6 || told["notice"] != 1 || told["delivery_end"] != 1 || told["api_request"] != 1 {
			t.Errorf("when it is, went %v, want one month of each", told)
		}
		if got := partitionsOf(t, db, "notice"); !slices.Equal(got, []string{"2027_03", "2027_04"}) {
			t.Errorf("left are %v", got)
		}
	})
}

// TestPartitionsWaitForNobody has somebody hold the tables: what needs them
// gives up, and notices go on meanwhile.
func TestPartitionsWaitForNobody(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		busy(t, s)
		release := hold(t, db, `select count(*) from notice`)
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 5 {
				if err := s.Prune(ctx, time.Now().Add(500*day), settings.DefaultRetention(), func(p settings.Pruned) {
					if p.What == "notice" {
						t.Errorf("dropped while it was read: %+v", p)
					}
				}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "prune notice:") {
					t.Errorf("Prune while a table is read = %v", err)
				}
			}
			if n, err := s.MakeAhead(ctx, time.Now().AddDate(1, 0, 0)); !fault.Is(err, fault.Unavailable) || n != 24 {
				t.Errorf("MakeAhead while a table is read = %d, %v; want all but those of one table", n, err)
			}
		}()
		for working := true; working; {
			select {
			case <-done:
				working = false
			default:
			}
			if _, err := s.Settle(ctx, []notice.Inbound{byOrder(storetest.NewID())}, storetest.Judge); err != nil {
				t.Fatal(err)
			}
		}
		release()
		if n, err := s.MakeAhead(t.Context(), time.Now().AddDate(1, 0, 0)); err != nil || n != 3 {
			t.Errorf("MakeAhead after that = %d, %v; want 3", n, err)
		}
		if told := pruneAt(t, s, 500*day); told["notice"].Partitions == 0 {
			t.Errorf("Prune after that: %+v", told)
		}
		verified(t, s)

		hold(t, db, `select pg_advisory_xact_lock(hashtextextended('prune', 0))`)
		if told := pruneAt(t, s, 2000*day); len(told) != 0 {
			t.Errorf("while another node prunes: %+v", told)
		}
	})
}

// TestDropWithManyCases keeps a partition that holds more of what is open than
// can be moved while notices wait.
func TestDropWithManyCases(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		const cases = 1010
		for range cases / 202 {
			var in []notice.Inbound
			for range 202 {
				in = append(in, byOrder(storetest.NewID()))
			}
			settle(t, s, append(in, refusedBy("203.0.113.1"))...)
		}
		told := pruneAt(t, s, 500*day)
		if told["notice"].Rows != 5 || told["notice_body"].Rows != 5 {
			t.Errorf("went %+v and %+v, want what was refused", told["notice"], told["notice_body"])
		}
		if n := db.Count(t, `select count(*) from notice`); n != cases {
			t.Errorf("%d notices are left, want those of %d cases", n, cases)
		}
		verified(t, s)
	})
}

// TestPrunedLate ends a delivery that waited for longer than history is kept.
func TestPrunedLate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		wait(t, s, "a")
		j := claim(t, s, 0, 1, all).Jobs[0]
		finish(t, s, outcome(j, 0, time.Minute, webhook.NoAnswer))
		pruneAt(t, s, 500*day)
		none(t, db, `select count(*) from attempt`)
		list, err := s.Webhooks(t.Context(), j.Payment)
		if err != nil || len(list) != 1 || list[0].State != webhook.Waiting || list[0].Tries != 1 || list[0].Last != nil || list[0].PaymentState == "" {
			t.Errorf("a webhook that waits: %+v, %v", list, err)
		}
		verified(t, s)
		j = claim(t, s, time.Hour, 1, all).Jobs[0]
		finish(t, s, outcome(j, time.Hour, 0, webhook.Good))
		verified(t, s)
		pruneAt(t, s, 500*day)
		none(t, db, `select (select count(*) from delivery) + (select count(*) from delivery_end) + (select count(*) from event)`)
		verified(t, s)
	})
}
