package store_test

import (
	"slices"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
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

// TestTheLastVerdictCounts decides held notices again, one of them twice: lists
// go by what counts now, and what counted before is kept in its order.
func TestTheLastVerdictCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, byOrder("o-1"), byOrder("o-2"), byOrder("o-3"))
		register(t, s, storetest.Registration("o-1"))
		pending := func(in notice.Inbound, _ []notice.Found) notice.Ruling {
			return notice.Ruling{Verdict: payment.Pending, Reason: "unproved", Detail: "the PG is\x00asked", Channel: storetest.Channel}
		}
		asking := storetest.Registering(storetest.Noon)
		asking.Judge = pending
		if _, _, err := s.Register(t.Context(), storetest.Registration("o-2"), asking); err != nil {
			t.Fatal(err)
		}
		g := storetest.Registration("o-2")
		g.PGTx = "another try"
		register(t, s, g)
		for verdict, want := range map[payment.Verdict][]string{
			"": {"o-3", "o-2", "o-1"}, payment.Applied: {"o-2", "o-1"}, payment.Unmatched: {"o-3"}, payment.Pending: nil,
		} {
			list, err := s.Notices(t.Context(), store.NoticeQuery{Verdict: verdict})
			var got []string
			for _, n := range list {
				got = append(got, n.Order)
				if (n.Verdict == payment.Applied) != (n.PaymentID == payment.ID(n.Order)) || verdict != "" && n.Verdict != verdict {
					t.Errorf("Notices(%q): %+v", verdict, n)
				}
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("Notices(%q) = %q, %v, want %q", verdict, got, err, want)
			}
		}
		for number, want := range map[int]string{1: "unmatched", 2: "pending"} {
			if n := db.Count(t, `select count(*) from verdict v join notice n on n.id = v.notice_id
				where n.order_id = 'o-2' and v.number = $1 and v.verdict = $2`, number, want); n != 1 {
				t.Errorf("verdict %d of the notice that was decided twice more is not kept as %s", number, want)
			}
		}
		if n := db.Count(t, `select count(*) from verdict`); n != 3 {
			t.Errorf("%d replaced verdicts are kept, want 3", n)
		}
		verified(t, s)
	})
}
