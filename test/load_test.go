package test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
)

const (
	kcpKey    = "channel-key-00000000-0000-4000-8000-000000000001"
	apiSecret = "the-scripts-api-secret"
	price     = 10000
	// resendAfter is how soon the impatient PG of these tests sends again.
	resendAfter = 20 * time.Millisecond
)

// A load is merchants that register accounts and a PG that tells of deposits,
// as fast as they are answered. It never gives up on an order that it began.
type load struct {
	nodes  []*node
	ledger *ledger
	pg     *simulator.PG
	api    *http.Client
	shop   *http.Client // registers; it does not wait long for a node that hangs

	next   atomic.Int64 // number of the last order, and the node of the next try
	turn   atomic.Int64
	cancel context.CancelFunc // begins no new order
	work   sync.WaitGroup
	failed atomic.Pointer[string] // an answer that must never be
}

func newLoad(nodes []*node, l *ledger) *load {
	return &load{
		nodes: nodes, ledger: l, api: &http.Client{Timeout: 10 * time.Second}, shop: &http.Client{Timeout: 2 * time.Second},
		pg: &simulator.PG{Provider: kcp.V1, Client: simulator.NewClient()},
	}
}

// start begins orders with so many workers until stop. Beside them the PG tells
// of deposits whose orders are registered later, so that notices come even
// while nobody can register.
func (l *load) start(workers int) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	for range workers {
		l.work.Go(func() {
			for ctx.Err() == nil && l.failed.Load() == nil {
				l.play(l.next.Add(1))
			}
		})
	}
	paid := make(chan string, 1<<20)
	l.work.Go(func() {
		defer close(paid)
		for n := 1; ctx.Err() == nil && l.failed.Load() == nil; n++ {
			id := fmt.Sprintf("early-%06d", n)
			l.tell(id, early, price)
			paid <- id
		}
	})
	l.work.Go(func() {
		for id := range paid {
			l.register(id, early)
		}
	})
}

// stop begins no more orders and returns when those begun are over. It may be
// called again.
func (l *load) stop() error {
	l.cancel()
	l.work.Wait()
	l.pg.Client.CloseIdleConnections()
	l.api.CloseIdleConnections()
	l.shop.CloseIdleConnections()
	if f := l.failed.Load(); f != nil {
		return fmt.Errorf("%s", *f)
	}
	return nil
}

// play plays one order's story to its end.
func (l *load) play(number int64) {
	id := fmt.Sprintf("o-%06d", number)
	switch number % 10 {
	case 0:
		l.tell(id, early, price)
		l.register(id, early)
	case 1:
		l.register(id, repeated)
		l.tell(id, repeated, price)
		l.tell(id, repeated, price)
	case 2:
		l.register(id, twice)
		var both sync.WaitGroup
		both.Go(func() { l.tell(id, twice, price) })
		both.Go(func() { l.tell(id, twice, price) })
		both.Wait()
	case 3:
		l.register(id, short)
		l.tell(id, short, price-1)
	default:
		l.register(id, plain)
		l.tell(id, plain, price)
	}
}

// address is one node's, in turn: a load balancer that does not look.
func (l *load) address(path string) string {
	return l.nodes[int(l.turn.Add(1))%len(l.nodes)].url(path)
}

// told is when all deposits happened: the same order makes the same bytes.
var told = time.Date(2026, 8, 1, 12, 0, 0, 0, wire.Seoul)

// accountOf is an order's own account: orders that shared one would wait for
// each other.
func accountOf(id string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // it never fails
	return fmt.Sprintf("T%013d", h.Sum64()%1e13)
}

// depositOf is what the PG sends of an order's deposit.
func depositOf(id string, amount int64) notice.Request {
	var n notice.Notice
	n.Event, n.Merchant, n.Order, n.At = payment.EventDeposited, "T0000", id, told
	n.Amount, n.HasAmount, n.Account = payment.Won(amount), true, secret.Account(accountOf(id))
	n.Deposit, n.PGTx = "D"+id, "T"+id
	return kcp.V1.Encode(n, nil)
}

// tell sends a deposit notice until it is acknowledged, as long as it takes.
func (l *load) tell(id string, k kind, amount int64) {
	r := depositOf(id, amount)
	for l.failed.Load() == nil {
		x, _ := l.pg.SendRaw(context.Background(), l.address(""), r) // no answer is an answer here
		l.ledger.write(try{x.At, id, k, "notice", x.Took, x.Reply.Status, x.Acked})
		if x.Acked {
			return
		}
		if s := x.Reply.Status; s != 0 && s != http.StatusServiceUnavailable {
			l.fail("notice of %s: status %d %q", id, s, x.Reply.Body)
		}
		<-time.After(resendAfter)
	}
}

func (l *load) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.failed.CompareAndSwap(nil, &text)
}

// register makes an account known until the API says so.
func (l *load) register(id string, k kind) {
	body := fmt.Sprintf(`{"channelKey": %q, "orderName": "사과", "amount": {"total": %d}, "currency": "KRW",
		"virtualAccount": {"bank": "SHINHAN", "accountNumber": %q}}`, kcpKey, price, accountOf(id))
	for l.failed.Load() == nil {
		at := time.Now()
		status, answer := call(l.shop, http.MethodPost, l.address("/payments/"+id+"/virtual-account"), body)
		l.ledger.write(try{at, id, k, "registration", time.Since(at), status, status == http.StatusOK})
		switch {
		case status == http.StatusOK:
			return
		case status >= 400 && status < 500, status == undocumented:
			l.fail("registration of %s: status %d %s", id, status, answer)
		}
		<-time.After(resendAfter)
	}
}

// call calls the API with all patience.
func (l *load) call(method, url, body string) (int, string) { return call(l.api, method, url, body) }

// undocumented is the status of a call that is not what the API's documents say.
const undocumented = -1

// call calls the API and returns status 0 if no whole answer came, and undocumented
// with the reason.
func call(client *http.Client, method, url, body string) (int, string) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Authorization", "PortOne "+apiSecret)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	if err := documented(openapitest.Exchange{
		Method: method, URL: req.URL, Header: req.Header, Body: []byte(body), Status: resp.StatusCode, AnswerHeader: resp.Header, Answer: b,
	}); err != nil {
		return undocumented, err.Error()
	}
	return resp.StatusCode, string(bytes.TrimSpace(b))
}
