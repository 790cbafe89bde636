package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestSkewAllowsForTheRoundTrip reads clocks that are right within it.
func TestSkewAllowsForTheRoundTrip(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for _, test := range []struct {
		name        string
		ahead, trip time.Duration // of the database at the middle of the round trip
		want        time.Duration // of this machine
	}{
		{"the same", 0, 0, 0},
		{"read at the end of a slow trip", 4 * second, 8 * second, 0},
		{"read at its beginning", -4 * second, 8 * second, 0},
		{"the database ahead", 3 * second, 0, -3 * second},
		{"the database behind", -3 * second, 0, 3 * second},
		{"ahead beyond what the trip explains", 3 * second, 2 * second, -2 * second},
		{"behind beyond what the trip explains", -3 * second, 2 * second, 2 * second},
	} {
		asked := storetest.Noon
		if got := store.Skew(asked, asked.Add(test.trip), asked.Add(test.trip/2+test.ahead)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// shiftClock makes the database's clock differ by what it returns is told.
func shiftClock(t *testing.T, db *storetest.Database) (by func(interval string)) {
	t.Helper()
	for _, q := range []string{
		`create table shift (by interval not null)`,
		`insert into shift values ('0')`,
		`create function clock_timestamp() returns timestamptz language sql volatile as 'select pg_catalog.clock_timestamp() + by from shift'`,
		`do $$ begin execute 'alter database ' || current_database() || ' set search_path = public, pg_catalog'; end $$`,
	} {
		if _, err := db.Raw.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return func(interval string) { db.Exec(t, `update shift set by = $1::interval`, interval) }
}

// A journal is a log's text, safe for concurrent use.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), text)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// TestAWrongClockTakesNoPart sets the database's clock wrong and right again.
func TestAWrongClockTakesNoPart(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		shift := shiftClock(t, db)
		var log journal
		s := db.OpenWith(t, store.Options{Log: log.logger()})
		if s.Unfit() == "" {
			t.Error("a node is fit before it knows the database's clock")
		}
		attend(t, s)
		eventually(t, soon, "the node is fit", func() bool { return s.Unfit() == "" && s.Share(10) == 10 })
		for _, test := range []struct{ by, says string }{{"-2.5s", "ahead of"}, {"2.5s", "behind"}} {
			shift(test.by)
			eventually(t, soon, "the clock is found wrong", func() bool { return strings.Contains(s.Unfit(), test.says) })
			if s.Share(10) != 0 {
				t.Error("a node with a wrong clock claims")
			}
			woken := make(chan struct{}, 100)
			s.OnDue(func() { woken <- struct{}{} })
			shift("1.5s")
			eventually(t, soon, "the clock is found right", func() bool { return s.Unfit() == "" && s.Share(10) == 10 })
			within(t, soon, woken)
		}
		for _, text := range []string{"clock differs", "clock agrees"} {
			if n := log.count(text); n != 2 {
				t.Errorf("%q was logged %d times, want once for each time", text, n)
			}
		}
	})
}
