package ingress_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// TestDamagedName: a name that came unreadable is no reason to keep money
// waiting, and is not taken for the name.
func TestDamagedName(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		wantAck(t, "kcp", s.send(loopback, deposit("o-1", func(n *notice.Notice) { n.Depositor = "홍\uFFFD동" })))
		s.wantVerdicts("applied@test")
		p, err := s.Payment(s.Context(), testChannel().Store, payment.ID("o-1"), testChannel().Mode)
		if err != nil || p.State != payment.Paid || p.Transactions[0].Depositor != "" {
			t.Errorf("payment = %+v, %v", p, err)
		}
		list, err := s.Notices(s.Context(), store.NoticeQuery{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Detail != "came unreadable and was left out: depositor" {
			t.Errorf("notices = %+v, %v", list, err)
		}
	})
}
