package store_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// aCall is the n-th call of the scene's store, n seconds after noon.
func aCall(n int) merchant.Call {
	at := storetest.Noon.Add(time.Duration(n) * time.Second)
	return merchant.Call{
		ID: fmt.Sprintf("%08x-%04x-7000-8000-%012d", at.UnixMilli()>>16, at.UnixMilli()&0xffff, n), At: at,
		Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, By: merchant.ByAPISecret, Credential: "secret-1",
		Method: "GET", Route: "/payments/{paymentId}", Path: fmt.Sprint("/payments/", n), Status: 200, Took: 1500 * time.Microsecond,
		Client: netip.MustParseAddr("203.0.113.7"),
	}
}

func putCalls(t *testing.T, s *store.Store, list ...merchant.Call) {
	t.Helper()
	if err := s.PutCalls(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// TestCalls asks for the log in many ways. It is long since all of them are asked about
// the same calls.
func TestCalls(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var list []merchant.Call
		for n := range 9 {
			c := aCall(n)
			switch n {
			case 1:
				c.Status, c.Error = 404, "PAYMENT_NOT_FOUND"
			case 2:
				c.Mode = merchant.Any
			case 3:
				c.Mode = merchant.Live
			case 4:
				c.Merchant = "merchant-2"
			case 5:
				c.Store, c.Credential, c.By = "store-2", "key-1", merchant.ByAPIKey
			case 6:
				c.Route, c.Client = "/banks", netip.Addr{}
			case 7:
				c.Path = "/payments/\x00\xff이름"
			}
			list = append(list, c)
		}
		putCalls(t, s, list...)
		putCalls(t, s, list[0]) // the answer to the first commit was lost
		base := store.CallQuery{Merchant: storetest.Merchant, Mode: merchant.Test}
		for _, tc := range []struct {
			name string
			edit func(*store.CallQuery)
			want string
		}{
			{"all of a mode, and of both", func(*store.CallQuery) {}, "8 7 6 5 2 1 0"},
			{"live", func(q *store.CallQuery) { q.Mode = merchant.Live }, "3 2"},
			{"another merchant", func(q *store.CallQuery) { q.Merchant = "merchant-2" }, "4"},
			{"nobody", func(q *store.CallQuery) { q.Merchant = "" }, ""},
			{"a class of answers", func(q *store.CallQuery) { q.Class = 4 }, "1"},
			{"a route", func(q *store.CallQuery) { q.Route = "/banks" }, "6"},
			{"a key", func(q *store.CallQuery) { q.Credential = "key-1" }, "5"},
			{"a store", func(q *store.CallQuery) { q.Store = "store-2" }, "5"},
			{"a period", func(q *store.CallQuery) {
				q.From, q.Until = storetest.Noon.Add(time.Second), storetest.Noon.Add(6*time.Second)
			}, "5 2 1"},
			{"the first", func(q *store.CallQuery) { q.Limit = 2 }, "8 7 …"},
			{"those behind them", func(q *store.CallQuery) { q.Limit, q.Before = 2, aCall(7).ID }, "6 5 …"},
			{"the last", func(q *store.CallQuery) { q.Limit, q.Before = 3, aCall(5).ID }, "2 1 0"},
		} {
			q := base
			tc.edit(&q)
			l, err := s.Calls(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range l.Calls {
				got = append(got, fmt.Sprint(int(c.At.Sub(storetest.Noon).Seconds())))
			}
			if l.Before != "" {
				got = append(got, "…")
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("%s: %q, want %q", tc.name, s, tc.want)
			}
		}
		for n, want := range list {
			if n == 7 {
				want.Path = "/payments/\uFFFD\uFFFD이름"
			}
			got, err := s.Call(t.Context(), want.ID)
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); err != nil || diff != "" {
				t.Errorf("call %d: %v\n%s", n, err, diff)
			}
		}
		for _, id := range []string{"", "x", "00000000-0000-7000-8000-000000000000"} {
			if _, err := s.Call(t.Context(), id); !fault.Is(err, fault.NotFound) {
				t.Errorf("Call(%q) = %v", id, err)
			}
		}
		for _, q := range []store.CallQuery{{Mode: "x"}, {Mode: merchant.Test, Before: "x"}} {
			if _, err := s.Calls(t.Context(), q); !fault.Is(err, fault.Invalid) {
				t.Errorf("Calls(%+v) = %v", q, err)
			}
		}
	})
}

// TestCallsAreCut: a list that would go through too many calls says how far it came,
// and goes on from there.
func TestCallsAreCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		rare := aCall(0)
		rare.Status = 500
		putCalls(t, s, rare)
		for from := 1; from <= 10_000; from += 1000 {
			var list []merchant.Call
			for n := range 1000 {
				list = append(list, aCall(from+n))
			}
			putCalls(t, s, list...)
		}
		q := store.CallQuery{Merchant: storetest.Merchant, Mode: merchant.Test, Class: 5}
		l, err := s.Calls(t.Context(), q)
		if err != nil || len(l.Calls) != 0 || !l.Cut.Equal(aCall(1).At) || l.Before == "" {
			t.Fatalf("Calls = %+v, %v", l, err)
		}
		q.Before = l.Before
		l, err = s.Calls(t.Context(), q)
		if err != nil || len(l.Calls) != 1 || l.Before != "" || !l.Cut.IsZero() {
			t.Errorf("and behind them: %+v, %v", l, err)
		}
	})
}
