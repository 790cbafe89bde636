package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestNoticeCharset keeps in which charset a notice was read, and lists by it.
func TestNoticeCharset(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		registerAt(t, s, storetest.Store, "o1", 1000, 0)
		names := make(map[notice.ID]string)
		come := func(name, charset string, in notice.Inbound) {
			t.Helper()
			names[in.ID], in.Notice.Charset = name, charset
			settle(t, s, in)
		}
		come("paid", notice.EUCKR, byOrder("o1"))
		come("again", notice.UTF8, byOrder("o1"))
		come("unknown", notice.EUCKR, byOrder("nobody's"))
		come("unread", "", byOrder("nobody else's"))
		for _, c := range []struct {
			name string
			f    store.NoticeFilter
			want []string
		}{
			{"any", store.NoticeFilter{}, []string{"unread", "unknown", "again", "paid"}},
			{"one", store.NoticeFilter{Charset: notice.EUCKR}, []string{"unknown", "paid"}},
			{"with a verdict", store.NoticeFilter{Charset: notice.EUCKR, Verdicts: []payment.Verdict{payment.Unmatched}}, []string{"unknown"}},
			{"of an order", store.NoticeFilter{Charset: notice.UTF8, Order: "o1"}, []string{"again"}},
			{"none of it", store.NoticeFilter{Charset: notice.ASCII}, nil},
		} {
			got := leafed(t, 2, func(n store.NoticeRow) string { return names[n.ID] }, func(p store.Page) (store.Listed[store.NoticeRow], error) {
				return s.NoticeRows(t.Context(), allOfUs, c.f, p)
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
	})
}

// TestNoticeDecidedIn keeps how long it took until a notice's verdict stood, and nothing
// of one that no PG sent.
func TestNoticeDecidedIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		neighbours(t, s)
		sent, made := byOrder("sent"), byOrder("made here")
		sent.Began = time.Now().Add(-3 * time.Second)
		settle(t, s, sent, made)
		took := make(map[notice.ID]time.Duration)
		list, err := s.NoticeRows(t.Context(), store.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}, store.NoticeFilter{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list.Rows {
			took[n.ID] = n.DecidedIn
		}
		if d := took[sent.ID]; d < 3*time.Second || d > time.Minute {
			t.Errorf("a notice that began 3 s ago took %v", d)
		}
		if d := took[made.ID]; d != 0 {
			t.Errorf("one that no PG sent took %v", d)
		}
	})
}
