package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// goneThrough leafs through a list of which no index tells the rows, looking at
// four rows for a part: to its end, and back. Each row must be seen once each way.
func goneThrough[Row any](t *testing.T, name string, want []string, call func(Row) string, list func(store.Page) (store.Listed[Row], error)) {
	t.Helper()
	for _, size := range []int{1, 2, 50} {
		var down, up []string
		cut, parts := false, 0
		read := func(p store.Page) store.Listed[Row] {
			p.Size = size
			l, err := list(p)
			if parts++; err != nil || parts > 200 {
				t.Fatalf("%s: %d parts, %v", name, parts, err)
			}
			cut = cut || l.Cut
			return l
		}
		l := read(store.Page{})
		if first := l.Count; !first.More {
			t.Errorf("%s: counted %+v, as if all had been looked at", name, first)
		}
		oldest := ""
		for ; ; l = read(store.Page{Older: l.Older}) {
			for _, r := range l.Rows {
				down = append(down, call(r))
			}
			if oldest = cmp.Or(l.Newer, oldest); l.Older == "" {
				break
			}
			oldest = l.Older
		}
		if !slices.Equal(down, want) || !cut {
			t.Errorf("%s, by %d: %v, want %v (cut %v)", name, size, down, want, cut)
		}
		// From behind the last place on, everything is newer.
		for l = read(store.Page{Newer: oldest}); ; l = read(store.Page{Newer: l.Newer}) {
			for _, r := range slices.Backward(l.Rows) {
				if n := call(r); l.Newer != "" || !slices.Contains(up, n) { // behind the newest comes the newest again
					up = append(up, n)
				}
			}
			if l.Newer == "" {
				break
			}
		}
		slices.Reverse(up)
		if len(up) > len(want) || !slices.Equal(up, want[:len(up)]) {
			t.Errorf("%s, by %d, back: %v, want the beginning of %v", name, size, up, want)
		}
	}
}

// TestListsGoOn checks that lists of which no index tells the rows go on where
// they stopped to look, both ways, over several legs.
func TestListsGoOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		var amounts, told, sent []string
		for i := range 30 {
			st := storetest.Store
			if i%3 == 0 {
				st = secondStore
			}
			order, amount := fmt.Sprint("o", i), int64(1000)
			if i%7 == 0 {
				amount = 2000
				amounts = append([]string{order}, amounts...)
			}
			registerAt(t, s, st, order, amount, time.Duration(i)*time.Second)
			in := byOrder(order)
			if i%5 == 0 {
				in = from("203.0.113.99", in)
				told = append([]string{order}, told...)
			}
			settle(t, s, in)
		}
		for _, j := range claim(t, s, time.Hour, 1000, all).Jobs {
			finish(t, s, outcome(j, time.Hour, 0, webhook.Good))
		}
		s.LookAt(4)
		won := int64(2000)
		goneThrough(t, "payments", amounts, paymentID, func(p store.Page) (store.Listed[store.PaymentRow], error) {
			return s.PaymentRows(t.Context(), allOfUs, store.PaymentFilter{Amount: &won}, p)
		})
		goneThrough(t, "notices", told, func(n store.NoticeRow) string { return n.Order }, func(p store.Page) (store.Listed[store.NoticeRow], error) {
			return s.NoticeRows(t.Context(), allOfUs, store.NoticeFilter{Peer: "203.0.113.99"}, p)
		})
		l, err := s.DeliveryRows(t.Context(), allOfUs, store.DeliveryFilter{}, store.Page{Size: 500})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range l.Rows {
			if d.Type == webhook.Paid {
				sent = append(sent, string(d.PaymentID))
			}
		}
		goneThrough(t, "deliveries", sent, func(d store.DeliveryRow) string { return string(d.PaymentID) }, func(p store.Page) (store.Listed[store.DeliveryRow], error) {
			return s.DeliveryRows(t.Context(), allOfUs, store.DeliveryFilter{Type: webhook.Paid}, p)
		})
	})
}
