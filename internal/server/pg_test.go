package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// tossKey is the secret key that Toss publishes for trials.
const tossKey = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"

// A shopAndPG is a running server with a store, and the PG of its one channel.
type shopAndPG struct {
	*testing.T
	*running
	server  *server.Server
	channel merchant.Channel
	ledger  *books.Ledger
	client  http.Client
	refunds atomic.Int64 // that the PG was asked for
	// mute makes the PG do what it is asked, and lose its answer.
	mute atomic.Bool
}

// openShop starts a server and a Toss whose API is played.
func openShop(t *testing.T) *shopAndPG {
	t.Helper()
	s := &shopAndPG{T: t}
	connections := &http.Transport{}
	t.Cleanup(connections.CloseIdleConnections)
	s.client.Transport = openapitest.Transport(t, connections, "v2.yaml", "tongbo.yaml")
	s.ledger = &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{s.channel} }}
	api := tosspayments.Module.API(s.ledger)
	pg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/cancel") {
			s.refunds.Add(1)
		}
		if s.mute.Load() {
			api.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(pg.Close)
	confirm := true
	s.channel = merchant.Channel{
		Key: "channel-key-00000000-0000-4000-8000-000000000001", Merchant: "merchant-1", Store: "store-1", Name: "토스", Provider: "tosspayments",
		Mode: merchant.Test, MID: "tvivarepublica", PaymentType: merchant.APIKeyin, BaseURL: pg.URL, Unknown: merchant.Hold, Confirm: &confirm,
		Credentials: merchant.Credentials{"secret_key": tossKey},
	}
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s.server, err = server.Open(t.Context(), server.Config{
		Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()}, AllowPrivate: true,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC()
	all := settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}},
		Stores: []settings.Store{{Store: merchant.Store{ID: "store-1", Merchant: "merchant-1", Name: "대표", Representative: true},
			NoticeSecret: "whsec_QUJD", CreatedAt: at}},
		Channels: []merchant.Channel{s.channel},
		APISecrets: []settings.APISecret{{APISecret: merchant.APISecret{ID: "00000000-0000-7000-8000-00000000000a", Merchant: "merchant-1",
			Store: "store-1", Name: "server", Mode: merchant.Any}, Hash: key.Hash(settings.PurposeAPISecret, "s3cret")}},
	}
	if err := s.server.Store.SaveSettings(t.Context(), all, at); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s.running = &running{base: "http://" + l.Addr().String(), l: l, stop: stop, ended: make(chan error, 1)}
	go func() { s.ended <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// call makes a call of API V2 and reads the answer into into.
func (s *shopAndPG) call(method, path, body string, into any) (status int, text string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "PortOne s3cret")
	return s.do(r, into)
}

func (s *shopAndPG) do(r *http.Request, into any) (status int, text string) {
	s.Helper()
	resp, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	if into != nil && json.Unmarshal(b, into) != nil {
		s.Fatalf("%s %s: %d %s", r.Method, r.URL.Path, resp.StatusCode, b)
	}
	return resp.StatusCode, string(b)
}

// want makes a call that must be answered with a status and a text in the body.
func (s *shopAndPG) want(status int, part, method, path, body string) string {
	s.Helper()
	got, text := s.call(method, path, body, nil)
	if got != status || !strings.Contains(text, part) {
		s.Fatalf("%s %s: %d %s, want %d with %s", method, path, got, text, status, part)
	}
	return text
}

// becomes waits until a payment's answer holds a text.
func (s *shopAndPG) becomes(path, part string) {
	s.Helper()
	var text string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, text = s.call("GET", path, "", nil); strings.Contains(text, part) {
			return
		}
	}
	s.Fatalf("%s never held %s: %s", path, part, text)
}

const issueBody = `{"channelKey":"channel-key-00000000-0000-4000-8000-000000000001","orderName":"책","currency":"KRW",
	"amount":{"total":11000,"taxFree":1000},"customer":{"name":{"full":"홍길동"}},
	"method":{"virtualAccount":{"bank":"SHINHAN","expiry":{"validHours":24},"option":{"type":"NORMAL"}}}}`

// entry is what the PG has of an order.
func (s *shopAndPG) entry(order string) provider.Entry {
	s.Helper()
	e, ok := s.ledger.Find(s.channel, func(e provider.Entry) bool { return e.Order == order })
	if !ok {
		s.Fatalf("the PG has no order %s", order)
	}
	return e
}

// deposit pays an order at the PG; its notice is sent if tell is true.
func (s *shopAndPG) deposit(order string, tell bool) {
	s.Helper()
	e, err := s.ledger.Deposit(s.channel, s.entry(order).PGTx, "홍길동")
	if err != nil {
		s.Fatal(err)
	}
	if !tell {
		return
	}
	n := notice.Notice{Order: order, Proof: e.Secret}
	n.Report = payment.Report{Event: payment.EventDeposited, Deposit: e.Deposit, Amount: e.Amount, HasAmount: true, Account: e.Account.Number, At: e.PaidAt}
	q := tosspayments.Module.Encode(n, s.channel.Credentials)
	status, text := http.StatusServiceUnavailable, ""
	for status == http.StatusServiceUnavailable { // told to come again, a PG does
		r, err := http.NewRequestWithContext(s.Context(), q.Method, s.base+q.Path, bytes.NewReader(q.Body))
		if err != nil {
			s.Fatal(err)
		}
		r.Header = q.Header
		status, text = s.do(r, nil)
	}
	if status != http.StatusOK {
		s.Fatalf("the deposit's notice: %d %s", status, text)
	}
}

func TestMerchantsDay(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.want(200, `"pgTxId"`, "POST", "/payments/order-1/instant", issueBody)
	s.want(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, "GET", "/payments/order-1", "")
	s.want(409, "PAYMENT_NOT_PAID", "POST", "/payments/order-1/cancel", `{"reason":"변심"}`)
	s.deposit("order-1", true)
	s.becomes("/payments/order-1", `"status":"PAID"`)
	s.want(409, "ALREADY_PAID", "POST", "/payments/order-1/instant", issueBody)
	s.want(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT", "POST", "/payments/order-1/virtual-account/close", "")

	s.want(400, "refundAccount", "POST", "/payments/order-1/cancel", `{"reason":"변심"}`)
	const account = `"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}`
	s.want(409, "CANCEL_AMOUNT_EXCEEDS", "POST", "/payments/order-1/cancel", `{"reason":"변심","amount":11001,`+account+`}`)
	s.want(409, "CONSISTENCY_BROKEN", "POST", "/payments/order-1/cancel", `{"reason":"변심","currentCancellableAmount":1,`+account+`}`)
	s.want(200, `"status":"SUCCEEDED"`, "POST", "/payments/order-1/cancel", `{"reason":"변심","amount":3000,`+account+`}`)
	text := s.want(200, `"status":"PARTIAL_CANCELLED"`, "GET", "/payments/order-1", "")
	if !strings.Contains(text, `"refundStatus":"PENDING"`) {
		t.Errorf("the refund is not pending: %s", text)
	}
	s.want(200, `"totalAmount":8000`, "POST", "/payments/order-1/cancel", `{"reason":"변심",`+account+`}`)
	s.want(409, "PAYMENT_ALREADY_CANCELLED", "POST", "/payments/order-1/cancel", `{"reason":"변심",`+account+`}`)
	if left := s.entry("order-1").Left().Amount; left != 0 {
		t.Errorf("the PG has %d left, want 0", left)
	}

	s.want(200, `"pgTxId"`, "POST", "/payments/order-2/instant", issueBody)
	s.want(200, `"closedAt"`, "POST", "/payments/order-2/virtual-account/close", "")
	s.want(200, `"status":"FAILED"`, "GET", "/payments/order-2", "")
	s.want(200, `"pgTxId"`, "POST", "/payments/order-2/instant", issueBody) // a second attempt, under another order
	s.want(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, "GET", "/payments/order-2", "")
	s.entry("order-2R2")
	s.verified()
}

func (s *shopAndPG) verified() {
	s.Helper()
	if _, err := s.server.Store.Verify(s.Context(), func(p store.Problem) { s.Errorf("verify: %+v", p) }); err != nil {
		s.Error(err)
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.mute.Store(true)
	s.want(502, `"pgCode":"UNCLEAR"`, "POST", "/payments/order-1/instant", issueBody)
	s.want(200, `"status":"READY"`, "GET", "/payments/order-1", "")
	s.mute.Store(false)
	s.becomes("/payments/order-1", `"status":"VIRTUAL_ACCOUNT_ISSUED"`)
	s.deposit("order-1", true)
	s.becomes("/payments/order-1", `"status":"PAID"`)
	s.mute.Store(true)
	s.want(200, `"status":"REQUESTED"`, "POST", "/payments/order-1/cancel",
		`{"reason":"변심","amount":3000,"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}}`)
	s.want(200, `"status":"PAID"`, "GET", "/payments/order-1", "")
	s.mute.Store(false)
	s.becomes("/payments/order-1", `"status":"PARTIAL_CANCELLED"`)
	if left := s.entry("order-1").Left().Amount; left != 8000 {
		t.Errorf("the PG has %d left, want 8000: it was asked more than once", left)
	}
	s.verified()
}
