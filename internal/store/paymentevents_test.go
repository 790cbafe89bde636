package store_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestScanEvents goes over a deposit, its reversal, and two deposits of an
// account that takes any number of them.
func TestScanEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		g := storetest.Registration("o-2")
		g.Account.Type = payment.FixedUnlimited
		many := register(t, s, g)
		gone := storetest.Deposit("o-1", "D1")
		gone.Event, gone.Key, gone.At = payment.EventReversed, "message/R1", gone.At.Add(time.Minute)
		small, large := storetest.Deposit("o-2", "D2"), storetest.Deposit("o-2", "D3")
		small.Amount, large.Amount = payment.Won(500), payment.Won(70_000)
		settle(t, s, storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")))
		settle(t, s, storetest.Told(storetest.Channel, "o-1", gone))
		settle(t, s, storetest.Told(storetest.Channel, "o-2", small))
		settle(t, s, storetest.Told(storetest.Channel, "o-2", large))

		type line struct {
			Type    webhook.Type
			Payment payment.Key
			Amount  int64
			Refund  bool
		}
		want := []line{
			{webhook.Paid, p.Key, 1000, false}, {webhook.Cancelled, p.Key, 1000, true},
			{webhook.Paid, many.Key, 500, false}, {webhook.Paid, many.Key, 70_000, false},
		}
		scan := store.EventScan{
			Stores: []merchant.StoreID{storetest.Store, "store-2"}, Modes: []merchant.Mode{merchant.Test},
			From: time.Now().Add(-time.Hour), Until: time.Now(), Size: 3,
		}
		var got []line
		for range 3 {
			list, err := s.ScanEvents(t.Context(), scan)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				scan.After = e.ID
				if e.Amount == nil {
					t.Fatalf("%+v has no amount", e)
				}
				got = append(got, line{e.Type, e.Payment, *e.Amount, e.Cancellation != ""})
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		for name, change := range map[string]func(*store.EventScan){
			"another store":  func(s *store.EventScan) { s.Stores = []merchant.StoreID{"store-2"} },
			"another mode":   func(s *store.EventScan) { s.Modes = []merchant.Mode{merchant.Live} },
			"an earlier end": func(s *store.EventScan) { s.Until = s.From },
			"a later start":  func(s *store.EventScan) { s.From, s.Until = s.Until.Add(time.Minute), s.Until.Add(time.Hour) },
			"no store":       func(s *store.EventScan) { s.Stores = nil },
		} {
			other := scan
			other.After = ""
			change(&other)
			if list, err := s.ScanEvents(t.Context(), other); err != nil || len(list) != 0 {
				t.Errorf("%s: %v, %v", name, list, err)
			}
		}
		scan.After = "x"
		if _, err := s.ScanEvents(t.Context(), scan); !fault.Is(err, fault.Invalid) {
			t.Errorf("a scan behind no event: %v", err)
		}
	})
}

// TestWebhooksOf compares the histories of several payments with those of each.
func TestWebhooksOf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var keys []payment.Key
		for _, order := range []string{"o-1", "o-2", "o-3"} {
			keys = append(keys, register(t, s, storetest.Registration(order)).Key)
		}
		for i, j := range claim(t, s, time.Hour, 10, all).Jobs {
			o := []webhook.Outcome{webhook.Good, webhook.NoAnswer, webhook.BadAnswer}[i]
			finish(t, s, outcome(j, time.Hour, 1000*time.Hour, o))
		}
		settle(t, s, storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")))
		if _, err := s.Resend(t.Context(), keys[1], "", storetest.Noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got, err := s.WebhooksOf(t.Context(), append(keys, "00000000-0000-7000-8000-00000000ffff"))
		if err != nil || len(got) != len(keys) || len(got[keys[0]]) != 2 {
			t.Fatalf("%d payments have histories, %v", len(got), err)
		}
		for _, k := range keys {
			want, err := s.Webhooks(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			if want[0].Last == nil {
				t.Errorf("%s has no try", k)
			}
			if diff := gocmp.Diff(want, got[k], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-each +several):\n%s", k, diff)
			}
		}
	})
}
