package store_test

import (
	"slices"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

func TestNoticesOfAChannel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, byOrder("o-1"), byOrder("o-2"), byOrder("o-3"))
		db.Exec(t, `update notice set channel_key = 'another' where order_id = 'o-2'`)
		orders := func(q store.NoticeQuery) (out []string) {
			t.Helper()
			list, err := s.Notices(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range list {
				out = append(out, n.Order)
			}
			return out
		}
		all, err := s.Notices(t.Context(), store.NoticeQuery{})
		if err != nil || len(all) != 3 {
			t.Fatalf("Notices = %+v, %v", all, err)
		}
		for _, tt := range []struct {
			name string
			q    store.NoticeQuery
			want []string
		}{
			{"one of them", store.NoticeQuery{Channel: "another"}, []string{"o-2"}},
			{"the newest first", store.NoticeQuery{Channel: all[0].Channel}, []string{"o-3", "o-1"}},
			{"the newest alone", store.NoticeQuery{Channel: all[0].Channel, Limit: 1}, []string{"o-3"}},
			{"older ones", store.NoticeQuery{Channel: all[0].Channel, Before: all[0].ID}, []string{"o-1"}},
			{"no such channel", store.NoticeQuery{Channel: "none"}, nil},
		} {
			if got := orders(tt.q); !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
		if _, err := s.Notices(t.Context(), store.NoticeQuery{Channel: "another", Verdict: payment.Applied}); !fault.Is(err, fault.Invalid) {
			t.Errorf("by channel and verdict: %v, want fault.Invalid", err)
		}
	})
}
