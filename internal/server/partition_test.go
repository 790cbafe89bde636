package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	shortLease = 2 * time.Second // a try is given two thirds of it
	slowShop   = time.Second
	webhooks   = 30 // a target begins with 32 tries at once
	patience   = 30 * time.Second
)

// TestPartitionedNode cuts one of two nodes off from the database while its
// tries are in flight, for longer than their leases. What it learns meanwhile
// is nobody's business any more: the other node has tried again, under the
// same ids, and only what that one learns is recorded.
func TestPartitionedNode(t *testing.T) {
	t.Parallel()
	for _, mended := range []string{"while the other node tries", "when the other node is done"} {
		t.Run("mended "+mended, func(t *testing.T) {
			t.Parallel()
			p := newPartition(t)
			cut, whole := p.open(t, p.proxy.URL), p.open(t, p.url)
			cut.run(t, p)
			list := p.tell(t, whole.Store)
			p.heard(t, webhooks)
			p.proxy.Cut()
			whole.run(t, p)
			p.heard(t, 2*webhooks)
			if mended == "when the other node is done" {
				p.ended(t)
			}
			p.proxy.Mend()
			p.ended(t)
			if mended == "while the other node tries" {
				cut.logged(t, "lease lost", webhooks)
			}
			// The node is of use again.
			whole.stop(t)
			again := p.tell(t, whole.Store)
			p.heard(t, 3*webhooks)
			p.ended(t)
			cut.stop(t)
			p.check(t, list, 2)
			p.check(t, again, 1)
		})
	}
}

// A partition is a database with two ways to it, one of which can be cut, and
// a shop that takes its time.
type partition struct {
	url   string
	proxy *storetest.Proxy
	key   *seal.Key
	shop  *simulator.Shop
	look  *store.Store // a way to the database that nobody cuts
}

func newPartition(t *testing.T) *partition {
	t.Helper()
	p := &partition{url: storetest.Postgres(t), shop: &simulator.Shop{Delay: slowShop}}
	p.proxy = storetest.NewProxy(t, p.url)
	var err error
	if p.key, err = seal.New(); err != nil {
		t.Fatal(err)
	}
	p.look = p.openStore(t, p.url, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(p.shop)
	t.Cleanup(server.Close)
	if err := p.look.SaveSettings(t.Context(), settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: "m", Name: "M"}},
		Stores: []settings.Store{{
			Store: merchant.Store{ID: "s", Merchant: "m", Name: "S", Representative: true}, NoticeSecret: "whsec_c3RvcmU=", CreatedAt: storetest.Noon,
		}},
		Endpoints: []webhook.Endpoint{{
			ID: storetest.Endpoint, Merchant: "m", Store: "s", Name: "e", URL: server.URL + "/", Mode: merchant.Test, Events: []string{"*"},
			Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, Secrets: []secret.Text{"whsec_QUJD"}, CreatedAt: storetest.Noon,
		}},
	}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *partition) openStore(t *testing.T, url string, log *slog.Logger) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{Key: p.key, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// A sender is the part of a node that sends webhooks.
type sender struct {
	*delivery.Dispatcher
	Store *store.Store
	log   *lines
	end   context.CancelFunc
	ended sync.WaitGroup
}

func (p *partition) open(t *testing.T, url string) *sender {
	t.Helper()
	n := &sender{log: &lines{}}
	log := slog.New(slog.NewTextHandler(n.log, nil))
	n.Store = p.openStore(t, url, log)
	n.Dispatcher = &delivery.Dispatcher{
		Queue: n.Store, Client: safehttp.New(safehttp.Config{AllowPrivate: true}), Lease: shortLease, Log: log,
	}
	return n
}

// run starts sending until stop.
func (n *sender) run(t *testing.T, p *partition) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	n.end = end
	n.Store.OnDue(n.Wake)
	n.ended.Go(func() {
		if err := n.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	n.ended.Go(func() {
		if err := n.Store.Watch(ctx); err != nil {
			t.Errorf("Watch = %v", err)
		}
	})
	t.Cleanup(func() {
		p.proxy.Mend() // a test that failed may have left it cut
		n.stop(t)
	})
}

// stop ends it, however often it is called.
func (n *sender) stop(t *testing.T) {
	t.Helper()
	n.end()
	n.ended.Wait()
}

// logged waits until the node has said so.
func (n *sender) logged(t *testing.T, text string, times int) {
	t.Helper()
	await(t, fmt.Sprintf("%d lines of %q", times, text), func() bool { return n.log.count(text) >= times })
}

// tell commits events with a delivery each.
func (p *partition) tell(t *testing.T, s *store.Store) []webhook.Delivery {
	t.Helper()
	planner, _, err := s.Planner(t.Context(), storetest.NewID)
	if err != nil {
		t.Fatal(err)
	}
	var r notice.Ruling
	r.Verdict = payment.Recorded
	var out []webhook.Delivery
	for range webhooks {
		em, err := planner.Plan(webhook.Event{
			ID: webhook.EventID(storetest.NewID()), Type: webhook.Paid, At: time.Now(), Merchant: "m", Store: "s", Mode: merchant.Test,
			PaymentID: "order-1", Transaction: "tx-1", Channel: "channel-1",
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Emissions = append(r.Emissions, em)
		out = append(out, em.Deliveries...)
	}
	in := notice.Inbound{ID: notice.ID(storetest.NewID()), At: time.Now(), Provider: "kcp_v2"}
	results, err := s.Settle(t.Context(), []notice.Inbound{in}, func(notice.Inbound, []notice.Found) notice.Ruling { return r })
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	return out
}

// heard waits until the shop has got so many calls.
func (p *partition) heard(t *testing.T, calls int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := p.shop.Wait(ctx, calls); err != nil {
		t.Fatal(err)
	}
}

// ended waits until no webhook waits any more.
func (p *partition) ended(t *testing.T) {
	t.Helper()
	await(t, "the end of every webhook", func() bool {
		c, err := p.look.Claim(t.Context(), time.Now(), shortLease, storetest.Room(0))
		if err != nil {
			t.Fatal(err)
		}
		return c.Next.IsZero()
	})
}

// check compares the records of webhooks with what the shop heard of each.
func (p *partition) check(t *testing.T, list []webhook.Delivery, calls int) {
	t.Helper()
	heard := map[string]int{}
	for _, c := range p.shop.Calls() {
		heard[c.ID]++
	}
	for _, d := range list {
		if n := heard[d.WebhookID()]; n != calls {
			t.Errorf("webhook %s was sent %d times, want %d", d.WebhookID(), n, calls)
		}
		tries, err := p.look.Attempts(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(tries) != 1 || tries[0].Number != 1 || tries[0].Outcome != webhook.Good {
			t.Errorf("webhook %s has the records %+v, want one of a first try that was good", d.WebhookID(), tries)
		}
	}
	if _, err := p.look.Verify(t.Context(), func(problem store.Problem) { t.Error(problem) }); err != nil {
		t.Error(err)
	}
}

// await asks until the answer is yes.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-over:
			t.Fatalf("waited in vain for %s", what)
		case <-again.C:
		}
	}
}

// lines are a log's, safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}
