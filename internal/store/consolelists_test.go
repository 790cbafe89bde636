package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// What stands beside the scene: a second store of its merchant, to which the
// first channel is assigned, and another merchant.
const (
	secondStore  merchant.StoreID    = "store-2"
	otherCompany merchant.ID         = "merchant-2"
	otherStore   merchant.StoreID    = "store-other"
	otherChannel merchant.ChannelKey = "channel-key-other"
)

var (
	allOfUs  = store.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}
	ourFirst = store.Scope{Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test}
	ourOther = store.Scope{Merchant: storetest.Merchant, Store: secondStore, Mode: merchant.Test}
)

// neighbours declares what stands beside the scene.
func neighbours(t testing.TB, s *store.Store) {
	t.Helper()
	next := storetest.Scene()
	old, err := s.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next.Version = old.Version
	next.Merchants = append(next.Merchants, merchant.Merchant{ID: otherCompany, Name: "다라상점"})
	for _, st := range []merchant.Store{
		{ID: secondStore, Merchant: storetest.Merchant, Name: "하위 상점", TierCode: "2"},
		{ID: otherStore, Merchant: otherCompany, Name: "남의 상점", Representative: true},
	} {
		next.Stores = append(next.Stores, settings.Store{Store: st, NoticeSecret: "whsec_c3RvcmU=", CreatedAt: storetest.Noon})
	}
	next.Channels[0].Stores = []merchant.StoreID{secondStore}
	other := next.Channels[0]
	other.Key, other.Merchant, other.Store, other.Stores, other.MID, other.Name = otherChannel, otherCompany, otherStore, nil, "T0009", "other"
	next.Channels = append(next.Channels, other)
	if err := s.SaveSettings(t.Context(), next, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// registerAt registers an order of a store at a time after Noon.
func registerAt(t testing.TB, s *store.Store, st merchant.StoreID, order string, amount int64, at time.Duration) payment.Payment {
	t.Helper()
	g := storetest.Registration(order)
	g.Store, g.Amount = st, payment.Won(amount)
	if st == otherStore {
		g.Merchant, g.Channel = otherCompany, otherChannel
	}
	p, _, err := s.Register(t.Context(), g, storetest.Registering(storetest.Noon.Add(at)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// leafed goes through a list from the newest to the oldest row and back, and
// fails the test unless both ways show the same. It returns what the rows are.
func leafed[Row any](t *testing.T, size int, name func(Row) string, list func(store.Page) (store.Listed[Row], error)) (out []string) {
	t.Helper()
	read := func(p store.Page) store.Listed[Row] {
		p.Size = size
		l, err := list(p)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	var pages [][]string
	names := func(l store.Listed[Row]) (page []string) {
		for _, r := range l.Rows {
			page = append(page, name(r))
		}
		return page
	}
	l := read(store.Page{})
	count := l.Count
	if l.Newer != "" {
		t.Errorf("there is something newer than the newest: %s", l.Newer)
	}
	for {
		pages = append(pages, names(l))
		out = append(out, names(l)...)
		if l.Older == "" {
			break
		}
		if l = read(store.Page{Older: l.Older}); len(pages) > 100 {
			t.Fatal("the list has no end")
		}
	}
	if count != (store.Count{N: len(out)}) {
		t.Errorf("counted %v of %d", count, len(out))
	}
	for i := len(pages) - 2; i >= 0; i-- {
		if l = read(store.Page{Newer: l.Newer}); !slices.Equal(names(l), pages[i]) {
			t.Errorf("back on page %d: %v, want %v", i, names(l), pages[i])
		}
	}
	return out
}

func paymentID(p store.PaymentRow) string { return string(p.ID) }

// TestPaymentRows checks what the console lists of payments, and where.
func TestPaymentRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		for i := range 7 {
			registerAt(t, s, storetest.Store, fmt.Sprint("o", i), int64(1000*(1+i%2)), time.Duration(i)*time.Minute)
		}
		registerAt(t, s, secondStore, "sub", 1000, 90*time.Second)
		registerAt(t, s, otherStore, "theirs", 1000, time.Second)
		settle(t, s, byOrder("o2")) // paid a minute after Noon, and one second
		settle(t, s, byOrder("o3")) // of another amount: a conflict
		jobs := claim(t, s, time.Hour, 100, all).Jobs
		for _, j := range jobs {
			o := outcome(j, time.Hour, 0, webhook.Good)
			if j.PaymentID == "o4" {
				o = outcome(j, time.Hour, 0, webhook.BadAnswer)
			}
			if j.PaymentID != "o5" {
				finish(t, s, o)
			}
		}
		won := int64(2000)
		for _, c := range []struct {
			name  string
			scope store.Scope
			f     store.PaymentFilter
			want  []string
		}{
			{"all stores", allOfUs, store.PaymentFilter{}, []string{"o6", "o5", "o4", "o3", "o2", "sub", "o1", "o0"}},
			{"one store", ourFirst, store.PaymentFilter{}, []string{"o6", "o5", "o4", "o3", "o2", "o1", "o0"}},
			{"the other store", ourOther, store.PaymentFilter{}, []string{"sub"}},
			{"another merchant's store", store.Scope{Merchant: storetest.Merchant, Store: otherStore, Mode: merchant.Test}, store.PaymentFilter{}, nil},
			{"live", store.Scope{Merchant: storetest.Merchant, Mode: merchant.Live}, store.PaymentFilter{}, nil},
			{"paid", allOfUs, store.PaymentFilter{States: []payment.State{payment.Paid}}, []string{"o2"}},
			{"an amount", allOfUs, store.PaymentFilter{Amount: &won}, []string{"o5", "o3", "o1"}},
			{"a channel", allOfUs, store.PaymentFilter{Channel: storetest.OtherOne}, nil},
			{"a time", allOfUs, store.PaymentFilter{From: storetest.Noon.Add(time.Minute), Until: storetest.Noon.Add(2 * time.Minute)}, []string{"o2", "sub", "o1"}},
			{"by change", ourFirst, store.PaymentFilter{Changed: true, Until: storetest.Noon.Add(61 * time.Second)}, []string{"o2", "o1", "o0"}},
			{"no notice of a deposit", ourFirst, store.PaymentFilter{Untold: true}, []string{"o6", "o5", "o4", "o1", "o0"}},
			{"a webhook failed", allOfUs, store.PaymentFilter{WebhookFailed: true}, []string{"o4"}},
			{"a webhook failed, of another amount", allOfUs, store.PaymentFilter{WebhookFailed: true, Amount: &won}, nil},
		} {
			got := leafed(t, 2, paymentID, func(p store.Page) (store.Listed[store.PaymentRow], error) {
				return s.PaymentRows(t.Context(), c.scope, c.f, p)
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		l, err := s.PaymentRows(t.Context(), ourFirst, store.PaymentFilter{}, store.Page{Size: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []webhook.DeliveryState{webhook.Completed, webhook.Waiting, webhook.Undone} {
			if w := l.Rows[i].Webhook; w == nil || w.State != want || w.Type != webhook.VirtualAccountIssued {
				t.Errorf("the webhook of %s is %+v, want %s", l.Rows[i].ID, w, want)
			}
		}
		for _, p := range []store.Page{{Older: "x"}, {Older: l.Older, Newer: l.Older}, {Newer: "12-34"}} {
			if _, err := s.PaymentRows(t.Context(), ourFirst, store.PaymentFilter{}, p); fault.KindOf(err) != fault.Invalid {
				t.Errorf("the page %+v: %v", p, err)
			}
		}
		if _, err := s.PaymentRows(t.Context(), store.Scope{Merchant: storetest.Merchant}, store.PaymentFilter{}, store.Page{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without a mode: %v", err)
		}
	})
}

// TestDeliveryRows checks what the console lists of deliveries, and where.
func TestDeliveryRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		var p payment.Payment
		for i := range 5 {
			p = registerAt(t, s, storetest.Store, fmt.Sprint("o", i), 1000, time.Duration(i)*time.Minute)
		}
		for _, j := range claim(t, s, time.Hour, 100, all).Jobs {
			switch j.PaymentID {
			case "o0", "o1":
				finish(t, s, outcome(j, time.Hour, 0, webhook.Good))
			case "o2":
				finish(t, s, outcome(j, time.Hour, 0, webhook.NoConnect))
			case "o3":
				finish(t, s, outcome(j, time.Hour, 2*time.Hour, webhook.BadAnswer))
			}
		}
		for _, again := range claim(t, s, 2*time.Hour, 100, all).Jobs {
			if again.PaymentID == "o3" {
				finish(t, s, outcome(again, 2*time.Hour, 3*time.Hour, webhook.NoAnswer))
			}
		}
		states := func(list ...webhook.DeliveryState) store.DeliveryFilter { return store.DeliveryFilter{States: list} }
		held := store.DeliveryFilter{States: []webhook.DeliveryState{webhook.Held}}
		check := func(name string, scope store.Scope, f store.DeliveryFilter, want ...string) {
			t.Helper()
			got := leafed(t, 2, func(d store.DeliveryRow) string { return string(d.PaymentID) }, func(p store.Page) (store.Listed[store.DeliveryRow], error) {
				return s.DeliveryRows(t.Context(), scope, f, p)
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		check("all", allOfUs, store.DeliveryFilter{}, "o4", "o3", "o2", "o1", "o0")
		check("one store", ourFirst, store.DeliveryFilter{}, "o4", "o3", "o2", "o1", "o0")
		check("the other store", ourOther, store.DeliveryFilter{})
		check("another merchant", store.Scope{Merchant: otherCompany, Mode: merchant.Test}, store.DeliveryFilter{})
		check("live", store.Scope{Merchant: storetest.Merchant, Mode: merchant.Live}, store.DeliveryFilter{})
		check("completed", allOfUs, states(webhook.Completed), "o1", "o0")
		check("failed", allOfUs, states(webhook.Undone), "o2")
		check("being sent", allOfUs, states(webhook.Waiting), "o4", "o3")
		check("held", allOfUs, held)
		check("failed and being sent", allOfUs, states(webhook.Waiting, webhook.Undone), "o4", "o3", "o2")
		check("an endpoint", allOfUs, store.DeliveryFilter{Endpoint: storetest.Endpoint}, "o4", "o3", "o2", "o1", "o0")
		check("no endpoint's id", allOfUs, store.DeliveryFilter{Endpoint: "x"})
		check("a type", allOfUs, store.DeliveryFilter{Type: webhook.Paid})
		check("a payment", allOfUs, store.DeliveryFilter{Payment: p.Key}, "o4")
		check("a payment, failed", allOfUs, store.DeliveryFilter{Payment: p.Key, States: []webhook.DeliveryState{webhook.Undone}})

		failed := sentRows(t, s)
		pause(t, s)
		check("held while paused", allOfUs, held, "o4", "o3")
		check("sent while paused", allOfUs, states(webhook.Waiting))
		resent, err := s.Resend(t.Context(), failed.Payment, "", storetest.Noon.Add(4*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Delivery(t.Context(), ourFirst, failed.ID.WebhookID())
		if err != nil || len(d.Attempts) != 1 || len(d.Body) == 0 || len(d.Others) != 1 || !d.Others[0].Manual || d.Others[0].Webhook != d.ID {
			t.Errorf("Delivery = %+v, %v, after %v", d, err, resent)
		}
		for _, scope := range []store.Scope{ourOther, {Merchant: otherCompany, Mode: merchant.Test}, {Merchant: storetest.Merchant, Mode: merchant.Live}} {
			if _, err := s.Delivery(t.Context(), scope, string(failed.ID)); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%+v sees the delivery: %v", scope, err)
			}
		}
	})
}

// sentRows checks what the rows of TestDeliveryRows say, and returns the one of
// the delivery that failed.
func sentRows(t *testing.T, s *store.Store) store.DeliveryRow {
	t.Helper()
	l, err := s.DeliveryRows(t.Context(), ourFirst, store.DeliveryFilter{}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	failing, failed := l.Rows[1], l.Rows[2]
	if !slices.Equal(failing.Outcomes, []webhook.Outcome{webhook.BadAnswer, webhook.NoAnswer}) || failing.Tries != 2 || failing.MaxTries != 6 ||
		failing.Last == nil || failing.Last.Outcome != webhook.NoAnswer || !failing.DueAt.Equal(storetest.Noon.Add(3*time.Hour)) || failing.URL == "" {
		t.Errorf("what is being sent: %+v", failing)
	}
	if failed.State != webhook.Undone || failed.EndedAt.IsZero() || !failed.DueAt.IsZero() {
		t.Errorf("what failed: %+v", failed)
	}
	return failed
}

// pause pauses the scene's endpoint.
func pause(t *testing.T, s *store.Store) {
	t.Helper()
	next, err := s.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next.Endpoints[0].Paused = true
	if err := s.SaveSettings(t.Context(), next, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// TestPaymentsCalled checks whose payments a name finds.
func TestPaymentsCalled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		mine := registerAt(t, s, storetest.Store, "o", 1000, 0)
		sub := registerAt(t, s, secondStore, "o-2", 1000, 0)
		theirs := registerAt(t, s, otherStore, "o-3", 1000, 0)
		for _, c := range []struct {
			scope store.Scope
			name  string
			want  int
		}{
			{allOfUs, "o", 1}, {allOfUs, "o-2", 1}, {ourFirst, "o-2", 0}, {allOfUs, "o-3", 0}, {ourFirst, string(mine.Key), 1},
			{ourFirst, string(sub.Key), 0}, {allOfUs, string(theirs.Key), 0}, {allOfUs, "o\x00", 0},
			{store.Scope{Merchant: storetest.Merchant, Mode: merchant.Live}, "o", 0},
		} {
			if list, err := s.PaymentsCalled(t.Context(), c.scope, c.name); err != nil || len(list) != c.want {
				t.Errorf("%q in %+v: %d payments, %v", c.name, c.scope, len(list), err)
			}
		}
	})
}
