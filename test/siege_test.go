package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A siege is the program under load, with what the PG and the shop wrote down
// by themselves.
type siege struct {
	t       *testing.T
	binary  string
	env     []string
	nodes   []*node
	load    *load
	ledger  *ledger
	shop    *simulator.Shop
	shopLog string
	blows   []blow
}

// A blow is a time in which outcomes may have been lost.
type blow struct{ from, to time.Time }

// lateEvent is how long the slowest event may take: a lease that nobody ends,
// and some.
const lateEvent = 75 * time.Second

const signing = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

// besiege starts so many nodes on an empty database, a shop and a PG.
func besiege(t *testing.T, database string, nodes int) *siege {
	t.Helper()
	dir := t.TempDir()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &siege{
		t: t, binary: binary(t), shopLog: filepath.Join(dir, "shop.log"),
		env: []string{"TONGBO_DATABASE=" + database, "TONGBO_KEY=" + key.Text().Reveal(), "TONGBO_LOG_LEVEL=warn"},
	}
	s.shop = &simulator.Shop{Secrets: []secret.Text{signing}}
	if err := s.shop.OpenLog(s.shopLog); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.shop)
	t.Cleanup(server.Close)
	if s.ledger, err = openLedger(filepath.Join(dir, "pg.log")); err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile("base.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("http://shop.invalid/webhook", server.URL+"/webhook",
		`["10ms", "10ms", "10ms", "10ms", "10ms"]`, `["1s", "1s", "1s", "1s", "1s"]`).Replace(string(base))
	file := filepath.Join(dir, "base.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run("apply", file); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	for range nodes {
		n := &node{binary: s.binary, env: s.env, args: []string{"--allow-private-webhooks"}}
		t.Cleanup(n.kill)
		s.nodes = append(s.nodes, n)
		s.start(n)
	}
	s.load = newLoad(s.nodes, s.ledger)
	return s
}

// run runs the program and returns all that it writes.
func (s *siege) run(args ...string) (string, error) {
	c := exec.Command(s.binary, args...)
	c.Env = s.env
	out, err := c.CombinedOutput()
	return string(out), err
}

// start starts a node and returns how long it took to be ready.
func (s *siege) start(n *node) time.Duration {
	s.t.Helper()
	took, err := n.start()
	if err != nil {
		s.t.Fatal(err)
	}
	return took
}

// end lets the load finish, waits until every deposit that was paid has been
// told, stops the nodes and compares all records.
func (s *siege) end() {
	s.t.Helper()
	if err := s.load.stop(); err != nil {
		s.t.Fatal(err)
	}
	s.payments()
	s.awaitEvents()
	for _, n := range s.nodes {
		if err := n.stop(); err != nil {
			s.t.Error(err)
		}
	}
	s.notices()
	s.webhooks()
	if out, err := s.run("verify"); err != nil {
		s.t.Errorf("verify: %v\n%s", err, tail(out))
	}
	sent, acked := s.ledger.counts()
	s.t.Logf("%d orders, %d notices sent, %d acknowledged, %d webhooks", len(s.ledger.orders), sent, acked, len(s.shop.Calls()))
}

// payments asks the API for every order that the ledger knows.
func (s *siege) payments() {
	s.t.Helper()
	ids := make(chan string)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for id := range ids {
				s.payment(id)
			}
		})
	}
	for id := range s.ledger.orders {
		ids <- id
	}
	close(ids)
	work.Wait()
}

func (s *siege) payment(id string) {
	status, body := s.load.call(http.MethodGet, s.load.address("/payments/"+id), "")
	var got struct {
		Status payment.State `json:"status"`
		Amount struct {
			Paid int64 `json:"paid"`
		} `json:"amount"`
	}
	if status != http.StatusOK || json.Unmarshal([]byte(body), &got) != nil {
		s.t.Errorf("payment %s: status %d %s", id, status, body)
		return
	}
	state, paid := payment.Paid, int64(price)
	if s.ledger.orders[id].kind == short {
		state, paid = payment.Issued, 0
	}
	if got.Status != state || got.Amount.Paid != paid {
		s.t.Errorf("payment %s (%s) is %s with %d paid, want %s with %d", id, s.ledger.orders[id].kind, got.Status, got.Amount.Paid, state, paid)
	}
}

// A toldEvent is a webhook as the shop reads it.
type toldEvent struct {
	Type webhook.Type `json:"type"`
	Data struct {
		PaymentID string `json:"paymentId"`
	} `json:"data"`
}

// paidIDs are the webhook ids by which the shop has heard that each order was
// paid.
func (s *siege) paidIDs(calls []simulator.Call) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, c := range simulator.Accepted(calls) {
		var e toldEvent
		if err := json.Unmarshal(c.Body, &e); err != nil {
			s.t.Errorf("webhook %s: %v", c.ID, err)
		}
		if e.Type != webhook.Paid {
			continue
		}
		if out[e.Data.PaymentID] == nil {
			out[e.Data.PaymentID] = map[string]bool{}
		}
		out[e.Data.PaymentID][c.ID] = true
	}
	return out
}

// awaitEvents waits until the shop has heard of every paid order.
func (s *siege) awaitEvents() {
	s.t.Helper()
	want := 0
	for _, o := range s.ledger.orders {
		if o.kind != short {
			want++
		}
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), lateEvent)
	defer cancel()
	calls := -1
	heard := 0
	err := poll(ctx, nil, func() bool {
		if now := s.shop.Calls(); len(now) != calls {
			calls, heard = len(now), len(s.paidIDs(now))
		}
		return heard >= want
	})
	if err != nil {
		s.t.Errorf("the shop heard of %d of %d paid orders within %v", heard, want, lateEvent)
	}
	s.t.Logf("the last event was told %v after the load had ended", time.Since(began).Round(time.Millisecond))
}

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

// webhooks checks what the shop wrote down: one id for each paid order, and no
// call repeated but over a blow.
func (s *siege) webhooks() {
	s.t.Helper()
	calls, err := simulator.ReadLog(s.shopLog)
	if err != nil {
		s.t.Fatal(err)
	}
	for id, ids := range s.paidIDs(calls) {
		if len(ids) != 1 || s.ledger.orders[id] == nil || s.ledger.orders[id].kind == short {
			s.t.Errorf("order %q was told to be paid by %d webhooks", id, len(ids))
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
			s.t.Errorf("webhook %s was sent at %v and again at %v, without a crash between", c.ID, before.At, c.At)
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
}

// blowBetween is the first blow by which a call's outcome may have been lost.
// A call reaches the shop's records a little after it was made.
func (s *siege) blowBetween(first, second time.Time) int {
	for i, b := range s.blows {
		if first.Before(b.to.Add(time.Second)) && second.After(b.from) {
			return i
		}
	}
	return -1
}

// progress is one line of how things stand.
func (s *siege) progress() string {
	sent, acked := s.ledger.counts()
	return fmt.Sprintf("%d notices sent, %d acknowledged, %d webhooks", sent, acked, len(s.shop.Calls()))
}
