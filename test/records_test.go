package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/webhook"
)

// notices compares what the program kept with what the PG sent.
func (s *siege) notices() {
	s.t.Helper()
	c := exec.Command(s.binary, "notices", "--json", "--limit", "100000000")
	c.Env = s.env
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("notices: %v", err)
	}
	kept, verdicts := map[string]int{}, map[string]map[payment.Verdict]int{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var n struct {
			Order   string          `json:"order"`
			Verdict payment.Verdict `json:"verdict"`
		}
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			s.t.Fatal(err)
		}
		kept[n.Order]++
		if verdicts[n.Order] == nil {
			verdicts[n.Order] = map[payment.Verdict]int{}
		}
		verdicts[n.Order][n.Verdict]++
	}
	for id, o := range s.ledger.orders {
		if kept[id] < o.acked || kept[id] > o.sent {
			s.t.Errorf("order %s: %d notices are kept, %d were acknowledged of %d sent", id, kept[id], o.acked, o.sent)
		}
		want := payment.Applied
		if o.kind == short {
			want = payment.Conflict
		}
		// A held notice that came again joins the case of the first, and the
		// registration decides the case.
		held := 0
		if o.kind == early {
			held = verdicts[id][payment.Unmatched]
		}
		if v := verdicts[id]; v[want] == 0 || v[payment.Applied] > 1 || v[payment.Applied]+v[payment.Conflict]+v[payment.Duplicate]+held != kept[id] {
			s.t.Errorf("order %s (%s): verdicts %v", id, o.kind, v)
		}
		delete(kept, id)
	}
	for id := range kept {
		s.t.Errorf("notices of order %q are kept, which nobody sent", id)
	}
}

// webhooks checks what the shop wrote down: one id for each thing that it was
// told of an order, and no call repeated but over a blow.
func (s *siege) webhooks() {
	s.t.Helper()
	calls := s.shop.Calls()
	heard := s.heard(calls)
	for told, ids := range heard {
		o := s.ledger.orders[told.order]
		if len(ids) != 1 || o == nil || (told.what == webhook.Paid && o.kind == short) {
			s.t.Errorf("order %q: the shop heard %s by %d webhooks", told.order, told.what, len(ids))
		}
	}
	for id, o := range s.ledger.orders {
		if o.kind != early && len(heard[telling{id, webhook.VirtualAccountIssued}]) == 0 {
			s.t.Errorf("order %s was registered and the shop never heard", id)
		}
	}
	last := map[string]simulator.Call{}
	over := make([]int, len(s.blows))
	for _, c := range calls {
		if !c.Verified {
			s.t.Errorf("webhook %s: the signature is not valid", c.ID)
		}
		before, again := last[c.ID]
		last[c.ID] = c
		if !again {
			continue
		}
		if !bytes.Equal(before.Body, c.Body) {
			s.t.Errorf("webhook %s has another body on another try", c.ID)
		}
		if at := s.blowBetween(before.At, c.At); at >= 0 {
			over[at]++
		} else {
			s.t.Errorf("webhook %s was sent at %v and again at %v, without a crash that lost the first", c.ID, before.At, c.At)
		}
	}
	most, sum := 0, 0
	for _, n := range over {
		most, sum = max(most, n), sum+n
	}
	if limit := webhook.DefaultInFlight * len(s.nodes); most > limit {
		s.t.Errorf("%d webhooks were sent again after one crash, want at most %d", most, limit)
	}
	s.t.Logf("%d webhooks were sent again, at most %d after one crash", sum, most)
	s.recorded(len(last))
}

// recordedSoon is how long the outcome of a call may take to be written, on a
// machine that has no time for anything.
const recordedSoon = 5 * time.Second

// blowBetween is the first blow by which a call's outcome may have been lost.
// A call reaches the shop's records a little after it was made.
func (s *siege) blowBetween(first, second time.Time) int {
	for i, b := range s.blows {
		if first.After(b.from.Add(-recordedSoon)) && first.Before(b.to.Add(time.Second)) && second.After(b.from) {
			return i
		}
	}
	return -1
}

// recorded compares what the program wrote down of its webhooks with what the
// shop heard: nothing waits, and each webhook ended once, completed, with a
// record of each try that it counts.
func (s *siege) recorded(heard int) {
	s.t.Helper()
	db, err := openDatabase(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []struct {
		what, query string
		want        int
	}{
		{"webhooks wait", `select count(*) from delivery`, 0},
		{"webhooks are completed", `select count(*) from delivery_end where state = 'completed'`, heard},
		{"webhooks ended", `select count(*) from delivery_end`, heard},
		{"webhooks have other tries than they count", `select count(*) from delivery_end e left join
			(select delivery_id, count(*) as n, count(distinct number) as distinctly, max(number) as last from attempt group by delivery_id) a
			on a.delivery_id = e.id
			where a.n is null or a.n <> e.tries or a.distinctly <> e.tries or a.last <> e.tries`, 0},
	} {
		var got int
		if err := db.QueryRow(q.query).Scan(&got); err != nil {
			s.t.Errorf("%s: %v", q.what, err)
		} else if got != q.want {
			s.t.Errorf("%d %s, want %d", got, q.what, q.want)
		}
	}
}
