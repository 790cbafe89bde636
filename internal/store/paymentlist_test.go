package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// The stores of lists: the scene's, and two more of which nothing else knows.
var listStores = []merchant.StoreID{storetest.Store, "store-2", "store-3"}

// fill makes payments of several stores, modes, states, currencies and
// channels, one each minute, and returns them as they are in the end.
func fill(t *testing.T, s *store.Store, n int) []payment.Payment {
	t.Helper()
	var out []payment.Payment
	for i := range n {
		order := fmt.Sprint("o-", i)
		g := storetest.Registration(order)
		g.Store, g.PGTx = listStores[i%len(listStores)], "tx-"+order
		switch i % 4 {
		case 1:
			g.Channel = storetest.OtherOne
		case 2:
			g.Mode, g.Channel = merchant.Live, storetest.LiveChannel
		case 3:
			g.Amount.Currency = "USD"
		}
		at := storetest.Noon.Add(time.Duration(i/2) * time.Minute) // two of each time
		if _, _, err := s.Register(t.Context(), g, storetest.Registering(at)); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			r := storetest.Deposit(order, "D"+order)
			r.At, r.Amount = storetest.Noon.Add(time.Duration(n-i)*time.Hour/10), g.Amount
			in := storetest.Told(g.Channel, order, r)
			in.Notice.Amount = g.Amount
			settle(t, s, in)
		}
		p, err := s.Payment(t.Context(), g.Store, g.ID, merchant.Any)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// wanted is what a list must answer, by looking at every payment.
func wanted(l store.PaymentList, all []payment.Payment) (keys []payment.Key, total int) {
	at := func(p payment.Payment, changed bool) time.Time {
		if changed {
			return p.StatusChangedAt
		}
		return p.RequestedAt
	}
	bears := func(p payment.Payment, n store.PaymentName) bool {
		t := p.Transactions[0]
		is := map[store.NameKind]string{
			store.PaymentIDName: string(p.ID), store.PGTxName: t.PGTx, store.AccountName: t.Account.Number.Reveal(),
		}
		if n.Kind == store.AnyName {
			return n.Value == is[store.PaymentIDName] || n.Value == is[store.PGTxName] || n.Value == is[store.AccountName]
		}
		return n.Value == is[n.Kind]
	}
	var list []payment.Payment
	for _, p := range all {
		when := at(p, l.Changed)
		switch {
		case !slices.Contains(l.Stores, p.Store), !slices.Contains(l.Modes, p.Mode), when.Before(l.From), when.After(l.Until),
			len(l.States) > 0 && !slices.Contains(l.States, p.State), l.Currency != "" && l.Currency != p.Amount.Currency,
			len(l.Methods) > 0 && !slices.Contains(l.Methods, p.Method()), len(l.Channels) > 0 && !slices.Contains(l.Channels, p.Transactions[0].Channel),
			slices.ContainsFunc(l.Names, func(n store.PaymentName) bool { return !bears(p, n) }):
			continue
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b payment.Payment) int {
		order := cmp.Or(at(a, l.ByChange).Compare(at(b, l.ByChange)), cmp.Compare(a.Key, b.Key))
		if l.Ascending {
			return order
		}
		return -order
	})
	for _, p := range list[min(l.Offset, len(list)):min(l.Offset+l.Size, len(list))] {
		keys = append(keys, p.Key)
	}
	return keys, len(list)
}

// anyList is a list of whatever kind.
func anyList(r *rand.Rand, all []payment.Payment) store.PaymentList {
	some := func(n int) int { return r.IntN(n) }
	p := all[some(len(all))]
	l := store.PaymentList{
		Stores: listStores[some(2) : 2+some(2)], Modes: store.AllModes[some(2):],
		From: storetest.Noon.Add(time.Duration(some(5)-2) * time.Minute), Until: storetest.Noon.Add(time.Duration(some(400)) * time.Minute),
		Changed: some(2) == 0, Ascending: some(2) == 0, Offset: some(6), Size: some(12),
		Within: []merchant.ChannelKey{storetest.Channel, storetest.OtherOne, storetest.LiveChannel},
	}
	l.ByChange = l.Changed != (some(4) == 0)
	switch some(3) {
	case 0:
		l.States = []payment.State{payment.Paid}
	case 1:
		l.States = []payment.State{payment.Issued, payment.Failed}
	}
	switch some(12) {
	case 0:
		l.Currency = "USD"
	case 1:
		l.Methods = []payment.Method{payment.VirtualAccount}
	case 2:
		l.Channels = []merchant.ChannelKey{storetest.OtherOne, storetest.LiveChannel}
	case 3:
		l.Names = []store.PaymentName{{Kind: store.AnyName, Value: []string{string(p.ID), p.Transactions[0].PGTx, "none"}[some(3)]}}
	case 4:
		l.Names = []store.PaymentName{{Kind: store.PaymentIDName, Value: string(p.ID)}, {Kind: store.PGTxName, Value: p.Transactions[0].PGTx}}
	case 5:
		l.Names = []store.PaymentName{{Kind: store.AccountName, Value: p.Transactions[0].Account.Number.Reveal()}}
	case 6:
		l.Names = []store.PaymentName{{Kind: store.PGTxName, Value: string(p.ID)}}
	}
	return l
}

// TestPayments asks for lists of every kind and compares them with what looking
// at each payment finds.
func TestPayments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		all := fill(t, s, 40)
		r := rand.New(rand.NewPCG(1, 2))
		listed := 0
		for range 300 {
			l := anyList(r, all)
			keys, total, err := s.Payments(t.Context(), l)
			if err != nil {
				t.Fatalf("%+v: %v", l, err)
			}
			wantKeys, wantTotal := wanted(l, all)
			if diff := gocmp.Diff(wantKeys, keys); diff != "" || total != wantTotal {
				t.Fatalf("%+v: total %d, want %d (-want +got):\n%s", l, total, wantTotal, diff)
			}
			listed += len(keys)
			if opened, err := s.OpenPayments(t.Context(), keys); err != nil || !slices.EqualFunc(opened, keys,
				func(p payment.Payment, k payment.Key) bool { return p.Key == k }) {
				t.Fatalf("opened %d of %d, %v", len(opened), len(keys), err)
			}
		}
		if listed < 300 {
			t.Errorf("only %d payments were listed at all", listed)
		}
	})
}

// TestPaymentsOfManyStores needs several statements, whose answers are merged.
func TestPaymentsOfManyStores(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		all := fill(t, s, 12)
		stores := slices.Clone(listStores)
		for i := range 100 {
			stores = slices.Insert(stores, i%len(stores), merchant.StoreID(fmt.Sprint("store-empty-", i)))
		}
		for _, l := range []store.PaymentList{
			{Stores: stores, Modes: store.AllModes, Until: storetest.Noon.Add(time.Hour), Size: 7, Offset: 2},
			{Stores: stores, Modes: store.AllModes, Until: storetest.Noon.Add(time.Hour), Size: 7, Ascending: true, Currency: "KRW"},
		} {
			keys, total, err := s.Payments(t.Context(), l)
			wantKeys, wantTotal := wanted(l, all)
			if diff := gocmp.Diff(wantKeys, keys); err != nil || diff != "" || total != wantTotal {
				t.Errorf("%d, want %d, %v:\n%s", total, wantTotal, err, diff)
			}
		}
		places, err := s.ScanPayments(t.Context(), store.PaymentScan{Stores: stores, Modes: store.AllModes, Until: storetest.Noon.Add(time.Hour), Size: 5})
		if err != nil || len(places) != 5 || places[0].Key != all[0].Key && places[0].Key != all[1].Key {
			t.Errorf("%v, %v", places, err)
		}
		if _, err := s.ScanEvents(t.Context(), store.EventScan{Stores: stores, Modes: store.AllModes, Until: time.Now(), Size: 5}); err != nil {
			t.Error(err)
		}
	})
}

// TestPaymentsBeyondTheirBound asks for lists that would have to go through too
// much: none of them is quietly incomplete.
func TestPaymentsBeyondTheirBound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		fill(t, s, 1)
		crowd{"payment", 1, "", map[string]string{
			"key": "{1}", "id": "'o ' || {i}", "requested_at": "requested_at + {i}", "status_changed_at": "status_changed_at + {i}",
			"currency": "case when {i} % 10 = 0 then 'USD' else currency end", "deadline": "null",
		}}.multiply(t, db, store.MostListed+10)
		l := store.PaymentList{
			Stores: listStores, Modes: store.AllModes, From: storetest.Noon, Until: storetest.Noon.Add(24 * time.Hour), Size: 10,
		}
		keys, total, err := s.Payments(t.Context(), l)
		if err != nil || len(keys) != 10 || total != store.MostListed {
			t.Errorf("all: %d of %d, %v", len(keys), total, err)
		}
		dollars := l
		dollars.Currency = "USD"
		if keys, total, err = s.Payments(t.Context(), dollars); err != nil || len(keys) != 10 || total != store.MostListed/10 {
			t.Errorf("some, the first page: %d of %d, %v", len(keys), total, err)
		}
		dollars.Offset = store.MostListed / 10
		if _, _, err = s.Payments(t.Context(), dollars); !fault.Is(err, fault.Invalid) {
			t.Errorf("some, a page that may not be all: %v", err)
		}
		other := l
		other.ByChange = true
		if _, _, err = s.Payments(t.Context(), other); !fault.Is(err, fault.Invalid) {
			t.Errorf("in another order: %v", err)
		}
		other.Until = storetest.Noon.Add(time.Millisecond)
		if _, total, err = s.Payments(t.Context(), other); err != nil || total < 900 || total > 1100 {
			t.Errorf("a short time in another order: %d, %v", total, err)
		}
	})
}

func TestScanPayments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		all := fill(t, s, 20)
		for _, size := range []int{1, 3, 20, 50} {
			scan := store.PaymentScan{
				Stores: listStores[:2], Modes: store.AllModes, Size: size,
				From: storetest.Noon.Add(time.Minute), Until: storetest.Noon.Add(8 * time.Minute),
			}
			l := store.PaymentList{Stores: scan.Stores, Modes: scan.Modes, From: scan.From, Until: scan.Until, Ascending: true, Size: 100}
			want, _ := wanted(l, all)
			var got []payment.Key
			for range 30 {
				places, err := s.ScanPayments(t.Context(), scan)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range places {
					got, scan.After = append(got, p.Key), p
				}
				if len(places) < size {
					break
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%d at a time (-want +got):\n%s", size, diff)
			}
		}
		for _, key := range []payment.Key{"x", "urn:uuid:00000000-0000-7000-8000-000000000001", "{00000000-0000-7000-8000-000000000001}"} {
			_, err := s.ScanPayments(t.Context(), store.PaymentScan{Stores: listStores, Modes: store.AllModes, Size: 1, After: store.Place{At: time.Now(), Key: key}})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("a scan behind %q: %v", key, err)
			}
		}
	})
}
