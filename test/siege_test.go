package test

import (
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
	t        *testing.T
	binary   string
	database string
	env      []string
	nodes    []*node
	load     *load
	ledger   *ledger
	shop     *simulator.Shop
	blows    []blow
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
		t: t, binary: binary(t), database: database, ledger: &ledger{orders: map[string]*order{}},
		env: []string{"TONGBO_DATABASE=" + database, "TONGBO_KEY=" + key.Text().Reveal(), "TONGBO_LOG_LEVEL=warn"},
	}
	s.shop = &simulator.Shop{Secrets: []secret.Text{signing}}
	server := httptest.NewServer(s.shop)
	t.Cleanup(server.Close)
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
	s.drained()
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

// A telling is one thing that a shop may hear of an order.
type telling struct {
	order string
	what  webhook.Type
}

// heard are the webhook ids by which the shop was told each thing.
func (s *siege) heard(calls []simulator.Call) map[telling]map[string]bool {
	out := map[telling]map[string]bool{}
	for _, c := range simulator.Accepted(calls) {
		var e toldEvent
		if err := json.Unmarshal(c.Body, &e); err != nil {
			s.t.Errorf("webhook %s: %v", c.ID, err)
		}
		at := telling{e.Data.PaymentID, e.Type}
		if out[at] == nil {
			out[at] = map[string]bool{}
		}
		out[at][c.ID] = true
	}
	return out
}

// paid counts the orders of which the shop heard that they are paid.
func (s *siege) paid(calls []simulator.Call) int {
	n := 0
	for told := range s.heard(calls) {
		if told.what == webhook.Paid {
			n++
		}
	}
	return n
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
			calls, heard = len(now), s.paid(now)
		}
		return heard >= want
	})
	if err != nil {
		s.t.Errorf("the shop heard of %d of %d paid orders within %v", heard, want, lateEvent)
	}
	s.t.Logf("the last event was told %v after the load had ended", time.Since(began).Round(time.Millisecond))
}

// drained waits until no webhook waits any more. One whose outcome was lost is
// sent again when its lease ends.
func (s *siege) drained() {
	s.t.Helper()
	db, err := openDatabase(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	began, left := time.Now(), -1
	ctx, cancel := context.WithTimeout(context.Background(), lateEvent)
	defer cancel()
	err = poll(ctx, nil, func() bool {
		err := db.QueryRowContext(ctx, `select count(*) from delivery`).Scan(&left)
		return err == nil && left == 0
	})
	if err != nil {
		s.t.Errorf("%d webhooks still wait after %v", left, lateEvent)
	}
	s.t.Logf("the last webhook ended %v later", time.Since(began).Round(time.Millisecond))
}

// progress is one line of how things stand.
func (s *siege) progress() string {
	sent, acked := s.ledger.counts()
	return fmt.Sprintf("%d notices sent, %d acknowledged, %d webhooks", sent, acked, len(s.shop.Calls()))
}
