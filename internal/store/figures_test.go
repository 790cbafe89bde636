package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestFigures checks the numbers of the front page: ids are of this moment, and
// so are the figures.
func TestFigures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		midnight := time.Now().Add(-time.Hour)
		for i := range 5 {
			registerAt(t, s, storetest.Store, fmt.Sprint("o", i), 1000, 0)
		}
		registerAt(t, s, otherStore, "theirs", 1000, 0)
		settle(t, s, byOrder("o0"), byOrder("o1"), byOrder("nobody's"))
		settle(t, s, storetest.Told(otherChannel, "theirs", storetest.Deposit("theirs", "D")))
		for i, j := range claim(t, s, time.Hour, 100, all).Jobs {
			switch {
			case j.PaymentID == "o4":
				finish(t, s, outcome(j, time.Hour, 0, webhook.NoAnswer))
			case j.PaymentID == "o3":
				finish(t, s, outcome(j, time.Hour, 2*time.Hour, webhook.NoAnswer))
			case j.PaymentID != "o2":
				o := outcome(j, time.Hour, 0, webhook.Good)
				o.Attempt.Took, o.Attempt.Status = time.Duration(i+1)*time.Millisecond, 200
				finish(t, s, o)
			}
		}
		now := time.Now().Add(time.Second)
		f, err := s.Figures(t.Context(), allOfUs, midnight, now, 1000*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if d := f.Today; d.Deposits.N != 2 || d.Sum != 2000 || d.Currency != "KRW" || d.Completed != 4 || d.Failed != 1 || d.Webhooks.N != 5 {
			t.Errorf("today: %+v", d)
		}
		if f.Awaiting.N != 3 || f.Yesterday.Deposits.N != 0 || f.Yesterday.Webhooks.N != 0 {
			t.Errorf("%+v", f)
		}
		soon, err := s.Figures(t.Context(), allOfUs, storetest.Noon, storetest.Noon.Add(22*time.Hour), 3*time.Hour)
		if err != nil || soon.DueSoon.N != 3 {
			t.Errorf("due soon: %+v, %v", soon.DueSoon, err)
		}
		for _, none := range []store.Scope{ourOther, {Merchant: storetest.Merchant, Mode: merchant.Live}} {
			if f, err := s.Figures(t.Context(), none, midnight, now, time.Hour); err != nil || f.Today != (store.DayFigures{}) || f.Awaiting.N != 0 {
				t.Errorf("%+v: %+v, %v", none, f, err)
			}
		}
		flows, err := s.Flows(t.Context(), allOfUs, midnight)
		if err != nil || len(flows) != 2 {
			t.Fatalf("%+v, %v", flows, err)
		}
		if w := flows[0]; w.Channel != storetest.Channel || w.Notices.N != 3 || w.Applied.N != 2 || w.Webhooks.N != 7 || w.Answered.N != 4 ||
			w.Notices.Last.IsZero() || w.Notices.Median != time.Second || w.Answered.Last.IsZero() {
			t.Errorf("%+v", w)
		}
		if flows, err = s.Flows(t.Context(), allOfUs, storetest.Noon); err != nil || flows[0].Hours[0] != 3 || flows[0].Hours[1] != 0 {
			t.Errorf("by the hour: %+v, %v", flows, err)
		}
		checkHealth(t, s, midnight, now)
	})
}

// TestFlowsAreCut: of hours before the oldest notice that was looked at nothing is said.
func TestFlowsAreCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, byOrder("o-1"))
		i := slices.IndexFunc(crowds, func(c crowd) bool { return c.table == "notice" })
		crowds[i].multiply(t, db, 1200)
		db.Exec(t, `update notice set received_at = $1`, storetest.Noon.Add(5*time.Hour).UnixMicro())
		flows, err := s.Flows(t.Context(), allOfUs, storetest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		if h := flows[0].Hours; !flows[0].Cut || h[0] != -1 || h[4] != -1 || h[5] != flows[0].Notices.N || h[6] != 0 {
			t.Errorf("by the hour: %+v", flows[0])
		}
	})
}

func checkHealth(t *testing.T, s *store.Store, from, until time.Time) {
	t.Helper()
	for _, e := range []webhook.EndpointID{"", storetest.Endpoint} {
		h, err := s.DeliveryHealth(t.Context(), allOfUs, e, from, until, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var sum store.Bucket
		for _, b := range h.Buckets {
			sum.Completed, sum.Failed, sum.Retrying = sum.Completed+b.Completed, sum.Failed+b.Failed, sum.Retrying+b.Retrying
			sum.P50, sum.P95 = max(sum.P50, b.P50), max(sum.P95, b.P95)
		}
		if sum.Completed != 4 || sum.Failed != 1 || sum.Retrying != 1 || sum.P50 == 0 || sum.P95 < sum.P50 || len(h.Buckets) < 60 || !h.Since.IsZero() {
			t.Errorf("%q: %+v in %d buckets, since %v", e, sum, len(h.Buckets), h.Since)
		}
	}
	h, err := s.DeliveryHealth(t.Context(), allOfUs, "00000000-0000-7000-8000-000000000009", from, until, time.Hour)
	if err != nil || h.Buckets[0].Completed+h.Buckets[len(h.Buckets)-1].Completed != 0 {
		t.Errorf("of no endpoint: %+v, %v", h, err)
	}
}

// TestCached checks that figures are made once in ten seconds, for each key.
func TestCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c store.Cached[string, int]
		made, away := 0, errors.New("away")
		get := func(k string, fail error) (int, error) {
			return c.Get(t.Context(), k, func(context.Context) (int, error) {
				made++
				return made, fail
			})
		}
		for i, want := range []int{1, 1} {
			if n, err := get("a", nil); n != want || err != nil {
				t.Errorf("time %d: %d, %v", i, n, err)
			}
		}
		if n, _ := get("b", nil); n != 2 {
			t.Errorf("another key: %d", n)
		}
		time.Sleep(11 * time.Second)
		if _, err := get("a", away); !errors.Is(err, away) {
			t.Error(err)
		}
		if n, err := get("a", nil); n != 4 || err != nil {
			t.Errorf("after an error: %d, %v", n, err)
		}
		for i := range 3000 {
			if n, err := get(fmt.Sprint(i), nil); err != nil || n != i+5 {
				t.Fatalf("key %d: %d, %v", i, n, err)
			}
		}
	})
}
