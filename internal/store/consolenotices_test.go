package store_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// from is a notice as another address sent it.
func from(peer string, in notice.Inbound) notice.Inbound {
	in.Peer = netip.MustParseAddr(peer)
	return in
}

// TestNoticeRows checks what the console lists of notices, and where.
func TestNoticeRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		first := registerAt(t, s, storetest.Store, "o1", 1000, 0)
		sub := registerAt(t, s, secondStore, "sub", 1000, 0)
		registerAt(t, s, otherStore, "theirs", 1000, 0)
		names := make(map[notice.ID]string)
		come := func(name string, in notice.Inbound) {
			t.Helper()
			names[in.ID] = name
			settle(t, s, in)
		}
		theirs := storetest.Told(otherChannel, "theirs", storetest.Deposit("theirs", "D"))
		come("theirs", theirs)
		come("paid", byOrder("o1"))
		come("again", byOrder("o1"))
		come("again 2", from("203.0.113.8", byOrder("o1")))
		come("sub paid", byOrder("sub"))
		come("unknown", byOrder("nobody's"))
		refused, r := refusedFrom("203.0.113.9")
		r.Channel = storetest.Channel
		refused.Ruled = &r
		come("refused", refused)
		nowhere, r := refusedFrom("203.0.113.9")
		nowhere.Ruled = &r
		come("nowhere", nowhere)
		for _, c := range []struct {
			name  string
			scope store.Scope
			f     store.NoticeFilter
			want  []string
		}{
			{"all stores", allOfUs, store.NoticeFilter{}, []string{"refused", "unknown", "sub paid", "again 2", "again", "paid"}},
			{"with what is nobody's", allOfUs, store.NoticeFilter{Unowned: true}, []string{"nowhere", "refused", "unknown", "sub paid", "again 2", "again", "paid"}},
			{"one store", ourFirst, store.NoticeFilter{}, []string{"refused", "unknown", "again 2", "again", "paid"}},
			{"the other store", ourOther, store.NoticeFilter{}, []string{"sub paid"}},
			{"live", store.Scope{Merchant: storetest.Merchant, Mode: merchant.Live}, store.NoticeFilter{}, nil},
			{"refused", allOfUs, store.NoticeFilter{Verdicts: []payment.Verdict{payment.Refused}}, []string{"refused"}},
			{"two verdicts", allOfUs, store.NoticeFilter{Verdicts: []payment.Verdict{payment.Unmatched, payment.Duplicate}}, []string{"unknown", "again 2", "again"}},
			{"applied", ourFirst, store.NoticeFilter{Verdicts: []payment.Verdict{payment.Applied}}, []string{"paid"}},
			{"a verdict in a channel", allOfUs, store.NoticeFilter{Verdicts: []payment.Verdict{payment.Unmatched}, Channel: storetest.OtherOne}, nil},
			{"another merchant's channel", allOfUs, store.NoticeFilter{Channel: otherChannel}, nil},
			{"an address", allOfUs, store.NoticeFilter{Peer: "203.0.113.8"}, []string{"again 2"}},
			{"an event", allOfUs, store.NoticeFilter{Event: payment.EventDeposited, Provider: "kcp"}, []string{"refused", "unknown", "sub paid", "again 2", "again", "paid"}},
			{"a provider", allOfUs, store.NoticeFilter{Provider: "nice"}, nil},
			{"strange", allOfUs, store.NoticeFilter{Strange: true}, []string{"refused", "again 2", "paid"}},
			{"folded", allOfUs, store.NoticeFilter{Folded: true}, []string{"refused", "unknown", "sub paid", "paid"}},
			{"an order", allOfUs, store.NoticeFilter{Order: "o1"}, []string{"again 2", "again", "paid"}},
			{"an order that waits", allOfUs, store.NoticeFilter{Order: "nobody's"}, []string{"unknown"}},
			{"another merchant's order", allOfUs, store.NoticeFilter{Order: "theirs"}, nil},
			{"a payment", allOfUs, store.NoticeFilter{Payment: first.Key}, []string{"again 2", "again", "paid"}},
			{"a payment, folded", allOfUs, store.NoticeFilter{Payment: first.Key, Folded: true}, []string{"paid"}},
			{"another store's payment", ourOther, store.NoticeFilter{Payment: first.Key}, nil},
		} {
			got := leafed(t, 2, func(n store.NoticeRow) string { return names[n.ID] }, func(p store.Page) (store.Listed[store.NoticeRow], error) {
				return s.NoticeRows(t.Context(), c.scope, c.f, p)
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		oneNotice(t, s, names, first, sub)
	})
}

// oneNotice checks what TestNoticeRows leaves of single notices and payments.
func oneNotice(t *testing.T, s *store.Store, names map[notice.ID]string, first, sub payment.Payment) {
	t.Helper()
	l, err := s.NoticeRows(t.Context(), ourFirst, store.NoticeFilter{Folded: true, Payment: first.Key}, store.Page{})
	if err != nil || len(l.Rows) != 1 || l.Rows[0].Again != 2 || l.Rows[0].PaymentID != "o1" || l.Rows[0].AgainAt.IsZero() {
		t.Errorf("the notice that came thrice: %+v, %v", l.Rows, err)
	}
	for id, name := range names {
		_, err := s.NoticeOf(t.Context(), ourFirst, id, false)
		if seen := name != "theirs" && name != "nowhere" && name != "sub paid"; (err == nil) != seen {
			t.Errorf("notice %q: %v", name, err)
		}
	}
	for id, name := range names {
		if _, err := s.NoticeOf(t.Context(), ourFirst, id, true); name == "nowhere" && err != nil {
			t.Error(err)
		}
	}
	if _, err := s.NoticeOf(t.Context(), ourFirst, "x", false); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	events, err := s.PaymentEvents(t.Context(), sub.Key)
	if err != nil || len(events) != 2 || events[0].Type != webhook.VirtualAccountIssued || events[1].Type != webhook.Paid || events[1].Notice == "" {
		t.Errorf("the events are %+v, %v", events, err)
	}
}

// TestNoticeOf checks that a notice tells what it was taken for before.
func TestNoticeOf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		in := byOrder("late")
		settle(t, s, in)
		p := register(t, s, storetest.Registration("late"))
		n, err := s.NoticeOf(t.Context(), ourFirst, in.ID, false)
		if err != nil {
			t.Fatal(err)
		}
		if n.Verdict != payment.Applied || n.Payment != p.Key || n.PaymentID != "late" || n.Method != "POST" ||
			len(n.Past) != 1 || n.Past[0].Verdict != payment.Unmatched || n.Past[0].Reason != notice.ReasonUnknownOrder {
			t.Errorf("%+v", n)
		}
	})
}
