package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// searched are the payments that a search finds, each behind its kind.
func searched(t testing.TB, s *store.Store, q store.Search) (out []string) {
	t.Helper()
	if q.Merchant == "" {
		q.Merchant = storetest.Merchant
	}
	res, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range res.Hits {
		out = append(out, string(h.Kind)+" "+string(h.ID))
	}
	return out
}

// searchable notes for search all that became of payments so far.
func searchable(t testing.TB, s *store.Store) {
	t.Helper()
	for {
		n, err := s.PutSearchable(t.Context(), time.Now().Add(time.Hour), 100)
		if err != nil {
			t.Fatal(err)
		}
		if n < 100 {
			return
		}
	}
}

// bought registers an order with what is searched of it.
func bought(t testing.TB, s *store.Store, st merchant.StoreID, order, name, payer string, account secret.Account, amount int64) payment.Payment {
	t.Helper()
	g := storetest.Registration(order)
	g.Store, g.Amount, g.OrderName, g.Customer.Name, g.Account.Number = st, payment.Won(amount), name, payer, account
	if st == otherStore {
		g.Merchant, g.Channel = otherCompany, otherChannel
	}
	p, _, err := s.Register(t.Context(), g, storetest.Registering(storetest.Noon))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSearch searches before and after payments are on pages: both must find
// the same.
func TestSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		bought(t, s, storetest.Store, "Order-1", "텀블러 500ml", "홍길동", "110-2233-445566", 59000)
		bought(t, s, secondStore, "order-2", "머그컵", "성춘향", "5620-1234-5678-90", 1000)
		bought(t, s, otherStore, "order-3", "텀블러", "홍길동", "110-2233-445577", 59000)
		in := storetest.Told(storetest.Channel, "order-2", storetest.Deposit("order-2", "D"))
		in.Notice.Account = "5620-1234-5678-90"
		in.Notice.Depositor = "이몽룡"
		settle(t, s, in)
		won, none := int64(59000), int64(1)
		for _, when := range []string{"at once", "from pages"} {
			for _, c := range []struct {
				name string
				q    store.Search
				want []string
			}{
				{"an account number", store.Search{Digits: "110-2233-445566"}, []string{"account Order-1"}},
				{"a part of it", store.Search{Digits: "3344 5566"}, []string{"account Order-1"}},
				{"its middle", store.Search{Digits: "2012"}, []string{"account order-2"}},
				{"a part, where it must be whole", store.Search{Digits: "2233445566", Whole: true}, nil},
				{"as a whole", store.Search{Digits: "1102233445566", Whole: true}, []string{"account Order-1"}},
				{"an amount", store.Search{Amount: &won}, []string{"amount Order-1"}},
				{"another amount", store.Search{Amount: &none}, nil},
				{"a name of an order", store.Search{Text: "블러5"}, []string{"order_name Order-1"}},
				{"a payer", store.Search{Text: "길동"}, []string{"payer Order-1"}},
				{"a depositor", store.Search{Text: "이 몽룡"}, []string{"depositor order-2"}},
				{"an id", store.Search{Text: "ORDER-"}, []string{"payment_id order-2", "payment_id Order-1"}},
				{"in one store", store.Search{Text: "order", Store: storetest.Store}, []string{"payment_id Order-1"}},
				{"in the other", store.Search{Text: "order", Store: secondStore}, []string{"payment_id order-2"}},
				{"in another merchant's store", store.Search{Text: "order", Store: otherStore}, nil},
				{"of the other merchant", store.Search{Text: "텀블러", Merchant: otherCompany}, []string{"order_name order-3"}},
				{"nothing", store.Search{Text: " \x01"}, nil},
				{"what is nowhere", store.Search{Text: "no such thing"}, nil},
			} {
				got := searched(t, s, c.q)
				slices.Sort(got)
				slices.Sort(c.want)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s, %s: %s", when, c.name, diff)
				}
			}
			searchable(t, s)
		}
		if n := db.Count(t, `select count(*) from search_page`); n != 4 {
			t.Errorf("there are %d parts of pages, want two of two merchants", n)
		}
	})
}

// TestSearchGoesOn checks that a search that runs out of time says where, and
// goes on from there until all was searched.
func TestSearchGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		first := bought(t, s, storetest.Store, "first", "하나뿐인 것", "", "110-1", 1000)
		searchable(t, s)
		for i := range 3 {
			s.MultiplySearch(t.Context(), first.Merchant, 1000, func(n int) payment.Payment {
				p := first
				p.Key, p.ID, p.OrderName = payment.Key(storetest.NewID()), payment.ID(fmt.Sprint(i, " ", n)), "많은 것"
				return p
			})
		}
		q := store.Search{Merchant: storetest.Merchant, Text: "하나뿐인", Within: time.Nanosecond}
		var hits []store.SearchHit
		rounds := 0
		for ; ; rounds++ {
			res, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			hits = append(hits, res.Hits...)
			if res.Older == "" {
				break
			}
			if res.Since.IsZero() {
				t.Error("it is not said how far back was searched")
			}
			q.Older = res.Older
		}
		if len(hits) != 1 || hits[0].ID != "first" || rounds < 2 {
			t.Errorf("found %d payments in %d rounds", len(hits), rounds)
		}
		if _, err := s.Search(t.Context(), store.Search{Merchant: storetest.Merchant, Text: "x", Older: "'"}); err == nil {
			t.Error("a cursor that is none is taken")
		}
	})
}

// TestSearchKeepsNothingInClear looks for account numbers and names in what is
// stored for search.
func TestSearchKeepsNothingInClear(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		bought(t, s, storetest.Store, "clear-text-order", "clear text name", "CLEARPAYER", "9988776655", 1000)
		searchable(t, s)
		rows, err := db.Raw.QueryContext(t.Context(), `select body from search_page`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		n := 0
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				t.Fatal(err)
			}
			n++
			for _, word := range []string{"clear", "9988", "cleartext", "CLEAR"} {
				if strings.Contains(string(b), word) {
					t.Errorf("%q stands in clear", word)
				}
			}
		}
		if err := rows.Err(); err != nil || n != 2 {
			t.Errorf("%d parts, %v", n, err)
		}
	})
}

// TestFind checks what ids and their beginnings lead to.
func TestFind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		mine := registerAt(t, s, storetest.Store, "mine", 1000, 0)
		theirs := registerAt(t, s, otherStore, "theirs", 1000, 0)
		in := byOrder("mine")
		settle(t, s, in)
		job := claim(t, s, time.Hour, 1, all).Jobs[0]
		events, err := s.PaymentEvents(t.Context(), mine.Key)
		if err != nil || len(events) == 0 {
			t.Fatal(events, err)
		}
		for _, c := range []struct {
			name, id string
			what     store.FoundWhat
			full     string
		}{
			{"a merchant's id", "mine", store.APayment, "mine"},
			{"a key", string(mine.Key), store.APayment, "mine"},
			{"an attempt", string(mine.Transactions[0].ID), store.APayment, "mine"},
			{"a notice", string(in.ID)[:30], store.ANotice, string(in.ID)},
			{"a delivery", string(job.ID), store.ADelivery, string(job.ID)},
			{"a webhook", job.ID.WebhookID(), store.ADelivery, string(job.ID)},
			{"an event", string(events[0].ID), store.AnEvent, string(events[0].ID)},
			{"an endpoint", string(storetest.Endpoint), store.AnEndpoint, string(storetest.Endpoint)},
			{"a channel", string(storetest.LiveChannel), store.AChannel, string(storetest.LiveChannel)},
			{"a store", string(secondStore), store.AStore, string(secondStore)},
			{"another merchant's payment", "theirs", "", ""},
			{"another merchant's key", string(theirs.Key), "", ""},
			{"another merchant's channel", string(otherChannel), "", ""},
			{"too little", "0", "", ""},
			{"nothing", " ", "", ""},
			{"hostile", "'; drop table payment; --\x00", "", ""},
		} {
			found, err := s.Find(t.Context(), storetest.Merchant, "", c.id, false)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.what == "" {
				if len(found) != 0 {
					t.Errorf("%s: %+v", c.name, found)
				}
				continue
			}
			if !slices.ContainsFunc(found, func(f store.Found) bool { return f.What == c.what && f.ID == c.full }) {
				t.Errorf("%s: %+v", c.name, found)
			}
			if narrow, err := s.Find(t.Context(), storetest.Merchant, secondStore, c.id, false); err != nil || (len(narrow) > 0 && c.what != store.AStore) {
				t.Errorf("%s, by who sees the other store only: %+v, %v", c.name, narrow, err)
			}
		}
	})
}

// TestSearchIsPruned checks that what search knows goes as payments do.
func TestSearchIsPruned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		bought(t, s, storetest.Store, "o", "텀블러", "", "110-1", 1000)
		searchable(t, s)
		for _, c := range []struct {
			days, left int
		}{{100, 2}, {300, 0}} {
			keep := settings.Retention{Payments: 200}
			if err := s.Prune(t.Context(), time.Now().Add(time.Hour).AddDate(0, 0, c.days), keep, func(settings.Pruned) {}); err != nil {
				t.Fatal(err)
			}
			if n := db.Count(t, `select count(*) from search_page`); n != c.left {
				t.Errorf("after %d days %d parts are left, want %d", c.days, n, c.left)
			}
		}
	})
}

// TestSearchPassesOverDamage checks that a payment that cannot be opened keeps no
// other from being found.
func TestSearchPassesOverDamage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		bad := bought(t, s, storetest.Store, "order-bad", "텀블러", "", "110-1", 1000)
		bought(t, s, storetest.Store, "order-good", "텀블러", "", "110-2", 1000)
		db.Exec(t, `update payment set doc = $2 where key = $1`, string(bad.Key), []byte("damaged"))
		for _, when := range []string{"at once", "from pages"} {
			if got := searched(t, s, store.Search{Text: "텀블러"}); len(got) != 1 || got[0] != "order_name order-good" {
				t.Errorf("%s: %v", when, got)
			}
			searchable(t, s)
		}
	})
}
