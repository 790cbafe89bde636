package store_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestTransactionEnds checks that a transaction whose last statements go along
// with its commit is there as a whole, or is an error and is not.
func TestTransactionEnds(t *testing.T) {
	t.Parallel()
	type exec = func(query string, args ...any) error
	type soon = func(query string, hear func() error) error
	const write = `insert into attention (kind, at) values ('sent', 1)`
	objection := errors.New("an objection")
	for _, tt := range []struct {
		name string
		fn   func(exec, soon) error
		fails,
		written bool
	}{
		{name: "that asks nothing", fn: func(exec, soon) error { return nil }},
		{name: "that writes", written: true, fn: func(run exec, _ soon) error { return run(write) }},
		{name: "whose last query is not heard before it", written: true, fn: func(run exec, ask soon) error {
			if err := run(write); err != nil {
				return err
			}
			return ask(`select 1`, func() error { return nil })
		}},
		{name: "to which a hearer objects at the end", fails: true, fn: func(run exec, ask soon) error {
			if err := run(write); err != nil {
				return err
			}
			return ask(`select 1`, func() error { return objection })
		}},
		{name: "whose last statement fails", fails: true, fn: func(run exec, ask soon) error {
			if err := run(write); err != nil {
				return err
			}
			return ask(`select 1 / 0`, nil)
		}},
		{name: "in which a failure went unheeded", fails: true, fn: func(run exec, _ soon) error {
			err := run(write)
			_ = run(`select 1 / 0`)
			return err
		}},
		{name: "in which a statement cannot be prepared", fails: true, fn: func(run exec, ask soon) error {
			if err := ask(`select 1`, nil); err != nil {
				return err
			}
			if err := run(write); err != nil {
				return err
			}
			return ask(`select nothing from nowhere`, nil)
		}},
		{name: "that was given up", fails: true, fn: func(run exec, _ soon) error {
			if err := run(write); err != nil {
				return err
			}
			return objection
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := storetest.OnPostgres(t)
			s := db.Open(t)
			if err := s.Together(t.Context(), tt.fn); (err != nil) != tt.fails {
				t.Errorf("the transaction returned %v, want an error: %t", err, tt.fails)
			}
			if got := db.Count(t, `select count(*) from attention`) > 0; got != tt.written {
				t.Errorf("written: %t, want %t", got, tt.written)
			}
			// The connection is as good as before.
			if err := s.Together(t.Context(), func(run exec, _ soon) error { return run(`update setting set version = version`) }); err != nil {
				t.Errorf("the next transaction: %v", err)
			}
		})
	}
}

// TestUnprepared checks that a store does all it does often over connections
// that prepare no statements, if its URL asks for them.
func TestUnprepared(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(storetest.Postgres(t))
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("default_query_exec_mode", mode)
			u.RawQuery = q.Encode()
			key, err := seal.New()
			if err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), u.String(), store.Options{Key: key})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.SaveSettings(t.Context(), storetest.Scene(), storetest.Noon); err != nil {
				t.Fatal(err)
			}
			live(t, s, "a")
		})
	}
}

// TestWhatIsNoID checks that what is no id where one must be fails its own
// notice alone.
func TestWhatIsNoID(t *testing.T) {
	t.Parallel()
	db := storetest.OnPostgres(t)
	good, bad := byOrder("o-1"), byOrder("o-2")
	bad.ID = "no id"
	results, err := db.Open(t).Settle(t.Context(), []notice.Inbound{good, bad}, storetest.Judge)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Err != nil {
		t.Errorf("the notice beside it: %v", results[0].Err)
	}
	if fault.KindOf(results[1].Err) != fault.Unavailable {
		t.Errorf("the notice: %v, want fault.Unavailable", results[1].Err)
	}
	if got := db.Count(t, `select count(*) from notice`); got != 1 {
		t.Errorf("%d notices, want 1", got)
	}
}
