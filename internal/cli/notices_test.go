package cli

import (
	"context"
	"fmt"
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A shelf is a history of notices: the newest has the highest number. The
// store's own tests see to its queries.
type shelf struct {
	rows int
	at   func(i int) store.ListedNotice
	read int
}

func (s *shelf) Notices(_ context.Context, q store.NoticeQuery) (out []store.ListedNotice, err error) {
	from := s.rows
	if q.Before != "" {
		if _, err := fmt.Sscan(string(q.Before), &from); err != nil {
			return nil, err
		}
	}
	for i := from - 1; i >= 0 && len(out) < q.Limit; i-- {
		n := s.at(i)
		n.ID = notice.ID(fmt.Sprint(i))
		s.read++
		if (q.Channel == "" || n.Channel == q.Channel) && (q.Verdict == "" || n.Verdict == q.Verdict) {
			out = append(out, n)
		}
	}
	return out, nil
}

func TestNoticesAreFiltered(t *testing.T) {
	at := func(i int) store.ListedNotice {
		n := store.ListedNotice{Order: fmt.Sprint("o-", i), Provider: "kcp", Channel: "c1", Verdict: payment.Applied}
		if i%10 == 0 {
			n.Provider, n.Channel, n.Verdict, n.PaymentID = "nice", "c2", payment.Conflict, "p-1"
		}
		return n
	}
	for _, tt := range []struct {
		name    string
		rows    int
		cmd     noticesCmd
		verdict payment.Verdict
		want    int
		whole   bool
	}{
		{"all", 50, noticesCmd{}, "", 50, true},
		{"a module", 50, noticesCmd{Provider: "nice"}, "", 5, true},
		{"an order", 5000, noticesCmd{Order: "o-17"}, "", 1, true},
		{"a payment", 5000, noticesCmd{Order: "p-1"}, "", 100, true},
		{"a payment, a few", 5000, noticesCmd{Order: "p-1", Limit: 3}, "", 3, true},
		{"a channel", 50, noticesCmd{Channel: "c2"}, "", 5, true},
		{"a channel and a verdict", 50, noticesCmd{Channel: "c1"}, payment.Conflict, 0, true},
		{"a verdict and a module", 50, noticesCmd{Provider: "nice"}, payment.Conflict, 5, true},
		{"a module and another's verdict", 50, noticesCmd{Provider: "kcp"}, payment.Conflict, 0, true},
		{"too far back", 50_000, noticesCmd{Order: "o-17"}, "", 0, false},
		{"just within", mostLooked, noticesCmd{Order: "o-0"}, "", 1, false},
	} {
		s := &shelf{rows: tt.rows, at: at}
		if tt.cmd.Limit == 0 {
			tt.cmd.Limit = 100
		}
		list, whole, err := tt.cmd.list(t.Context(), s, tt.verdict)
		if err != nil || len(list) != tt.want || whole != tt.whole {
			t.Errorf("%s: %d notices, whole %v, %v; want %d, %v", tt.name, len(list), whole, err, tt.want, tt.whole)
		}
		if s.read > mostLooked {
			t.Errorf("%s: %d rows were read", tt.name, s.read)
		}
	}
}
