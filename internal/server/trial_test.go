package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A trialShop is a server whose channels are on trial, one for each module, and a
// shop that takes webhooks.
type trialShop struct {
	shopAndPG
	database, shop string
	key            *seal.Key
	stopped        chan struct{}
	hidden         bool // from the next serve on: nobody says how PGs reach it

	mu    sync.Mutex
	heard map[string]bool // type and payment of each webhook
}

// openTrial starts a server on a database. edit changes each channel.
func openTrial(t *testing.T, database string, edit func(*merchant.Channel)) *trialShop {
	t.Helper()
	s := &trialShop{shopAndPG: shopAndPG{T: t}, database: database, key: newKey(t), heard: make(map[string]bool)}
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Type string `json:"type"`
			Data struct {
				PaymentID string `json:"paymentId"`
			} `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard[body.Type+" "+body.Data.PaymentID] = true
	}))
	t.Cleanup(shop.Close)
	s.shop = shop.URL
	s.serve()
	now := time.Now().UTC()
	list := settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}},
		Stores: []settings.Store{{Store: merchant.Store{ID: "store-1", Merchant: "merchant-1", Name: "대표", Representative: true},
			NoticeSecret: "whsec_QUJD", CreatedAt: now}},
		APISecrets: []settings.APISecret{{APISecret: merchant.APISecret{ID: "00000000-0000-7000-8000-00000000000a", Merchant: "merchant-1",
			Store: "store-1", Name: "server", Mode: merchant.Any}, Hash: s.key.Hash(settings.PurposeAPISecret, "s3cret")}},
		Endpoints: []webhook.Endpoint{{
			ID: webhook.EndpointID(uuid.NewString()), Merchant: "merchant-1", Store: "store-1", Name: "shop", URL: s.shop, Mode: merchant.Test,
			Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
			Secrets: []secret.Text{webhook.NewSecret()}, CreatedAt: now,
		}},
	}
	for i, p := range all.Providers() {
		c := merchant.Channel{
			Key: trialChannel(i), Merchant: "merchant-1", Store: "store-1", Name: p.Info().Code, Provider: p.Info().Code,
			Mode: merchant.Test, MID: fmt.Sprintf("T%04d", i), PaymentType: merchant.APIKeyin, Unknown: merchant.Hold,
		}
		if i%2 == 0 {
			c.Token = "a-token-of-the-path"
		}
		edit(&c)
		list.Channels = append(list.Channels, c)
	}
	if err := s.server.Store.SaveSettings(t.Context(), list, now); err != nil {
		t.Fatal(err)
	}
	return s
}

func trialChannel(i int) merchant.ChannelKey {
	return merchant.ChannelKey(fmt.Sprintf("channel-key-00000000-0000-4000-8000-%012d", i))
}

// serve opens the server and serves, until the test ends or stopServing is called.
func (s *trialShop) serve() {
	s.Helper()
	var err error
	public := "https://pay.example.kr"
	if s.hidden {
		public = ""
	}
	s.server, err = server.Open(s.Context(), server.Config{
		Database: s.database, Key: server.KeySource{Text: s.key.Text()}, AllowPrivate: true, Log: slog.New(slog.DiscardHandler),
		PublicURL: public,
	})
	if err != nil {
		s.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(s.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(s.Context()))
	ended := make(chan struct{})
	s.running = &running{base: "http://" + l.Addr().String(), l: l, stop: stop}
	s.stopped = ended
	go func() {
		defer close(ended)
		if err := s.server.Serve(ctx, l); err != nil {
			s.Error(err)
		}
	}()
	s.Cleanup(func() { stop(); <-ended })
}

// restart stops the server and starts another on the same database.
func (s *trialShop) restart() {
	s.Helper()
	s.stop()
	<-s.stopped
	s.client.CloseIdleConnections()
	s.serve()
}

// tells waits until the shop has heard of an event of a payment.
func (s *trialShop) tells(event, payment string) {
	s.Helper()
	waitUntil(s.T, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.heard[event+" "+payment]
	}, "the shop never heard of "+event+" of "+payment)
}

func waitUntil(t *testing.T, done func() bool, otherwise string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatal(otherwise)
}

func (s *trialShop) issue(i int, id string) {
	s.Helper()
	body := strings.Replace(issueBody, "channel-key-00000000-0000-4000-8000-000000000001", string(trialChannel(i)), 1)
	s.want(200, `"pgTxId"`, "POST", "/payments/"+id+"/instant", body)
	text := s.want(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, "GET", "/payments/"+id, "")
	var p struct {
		Method struct {
			AccountNumber string `json:"accountNumber"`
			Bank          string `json:"bank"`
		} `json:"method"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Method.AccountNumber) != 14 || p.Method.Bank != "SHINHAN" {
		s.Errorf("the account is %+v, %v", p, err)
	}
}

// pay asks for a deposit that must be answered with a status and a text in the body.
func (s *trialShop) pay(status int, part, id, body string) string {
	s.Helper()
	return s.want(status, part, "POST", "/tongbo/v1/payments/"+id+"/deposit", body)
}

// named is an id of a payment that every PG takes for an order.
func named(word string, p provider.Provider) string {
	return word + strings.ReplaceAll(p.Info().Code, "_", "")
}

// TestTrial lives a payment's life on a test channel of every module, without any PG.
// The server restarts between the issue and the deposit.
func TestTrial(t *testing.T) {
	t.Parallel()
	for engine, database := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return "sqlite:" + t.TempDir() + "/t.db" },
		"postgres": func(t *testing.T) string { t.Helper(); return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := openTrial(t, database(t), func(*merchant.Channel) {})
			for i, p := range all.Providers() {
				s.issue(i, named("life", p))
				s.tells("Transaction.VirtualAccountIssued", named("life", p))
			}
			s.restart()
			for i, p := range all.Providers() {
				s.life(named("life", p))
				s.issue(i, named("shut", p))
				s.closed(named("shut", p))
				s.issue(i, named("lost", p))
				s.lost(named("lost", p))
				s.issue(i, named("short", p))
				s.short(named("short", p), p)
				s.issue(i, named("back", p))
				s.takenBack(named("back", p), p)
				s.issue(i, named("moved", p))
				s.transferred(named("moved", p), p)
			}
			s.verified()
		})
	}
}

// life pays a payment and gives it back.
func (s *trialShop) life(id string) {
	s.Helper()
	text := s.pay(200, `"verdict":"applied"`, id, `{"depositor":"김손님"}`)
	for _, part := range []string{`"status":"PAID"`, `"amount":11000`, `"depositor":"김손님"`, `"again":false`, `"acknowledged":true`} {
		if !strings.Contains(text, part) {
			s.Errorf("the deposit of %s: %s, want %s", id, text, part)
		}
	}
	s.tells("Transaction.Paid", id)
	again := s.pay(200, `"verdict":"duplicate"`, id, "")
	if !strings.Contains(again, `"again":true`) || !strings.Contains(again, `"status":"PAID"`) {
		s.Errorf("the same deposit of %s again: %s", id, again)
	}
	path := "/payments/" + id
	const account = `"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}`
	s.want(400, "refundAccount", "POST", path+"/cancel", `{"reason":"변심"}`)
	s.want(200, `"status":"SUCCEEDED"`, "POST", path+"/cancel", `{"reason":"변심","amount":3000,`+account+`}`)
	s.tells("Transaction.PartialCancelled", id)
	s.want(409, "CANCEL_AMOUNT_EXCEEDS", "POST", path+"/cancel", `{"reason":"변심","amount":8001,`+account+`}`)
	s.want(200, `"totalAmount":8000`, "POST", path+"/cancel", `{"reason":"변심",`+account+`}`)
	s.tells("Transaction.Cancelled", id)
	s.want(200, `"status":"CANCELLED"`, "GET", path, "")
	s.pay(409, `"type":"CONFLICT"`, id, "")
}

// closed closes an account, which takes no money then.
func (s *trialShop) closed(id string) {
	s.Helper()
	s.want(200, `"closedAt"`, "POST", "/payments/"+id+"/virtual-account/close", "")
	s.pay(409, `"type":"CONFLICT"`, id, "")
	s.want(200, `"status":"FAILED"`, "GET", "/payments/"+id, "")
}

// lost pays a payment of which the PG tells nothing, until it does.
func (s *trialShop) lost(id string) {
	s.Helper()
	if text := s.pay(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, id, `{"notice":false}`); strings.Contains(text, "verdict") {
		s.Errorf("a notice was sent: %s", text)
	}
	s.want(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, "GET", "/payments/"+id, "")
	s.pay(200, `"verdict":"applied"`, id, `{}`)
	s.want(200, `"status":"PAID"`, "GET", "/payments/"+id, "")
}

// short pays too little: a person's to decide, where the PG's banks take it at all.
func (s *trialShop) short(id string, p provider.Provider) {
	s.Helper()
	if p.Info().Code == "tosspayments" {
		s.pay(400, "no other amount", id, `{"amount":10000}`)
	} else {
		s.pay(200, `"verdict":"conflict"`, id, `{"amount":10000}`)
	}
	s.want(200, `"status":"VIRTUAL_ACCOUNT_ISSUED"`, "GET", "/payments/"+id, "")
}

// takenBack has the bank take a deposit back, where the PG tells of that.
func (s *trialShop) takenBack(id string, p provider.Provider) {
	s.Helper()
	path := "/tongbo/v1/payments/" + id + "/notice"
	if !slices.Contains(p.Info().Events, payment.EventReversed) {
		s.want(400, "sends no notice", "POST", path, `{"event":"reversed"}`)
		return
	}
	s.want(409, `"type":"CONFLICT"`, "POST", path, `{"event":"reversed"}`)
	s.pay(200, `"verdict":"applied"`, id, "")
	s.want(200, `"verdict":"applied"`, "POST", path, `{"event":"reversed"}`)
	s.want(200, `"verdict":"duplicate"`, "POST", path, `{"event":"reversed"}`)
	s.want(200, `"status":"CANCELLED"`, "GET", "/payments/"+id, "")
}

// transferred gives a part back, and has the PG tell of the transfer if it does.
func (s *trialShop) transferred(id string, p provider.Provider) {
	s.Helper()
	path := "/tongbo/v1/payments/" + id + "/notice"
	s.want(400, "want reversed", "POST", path, `{"event":"deposited"}`)
	s.pay(200, `"verdict":"applied"`, id, "")
	s.want(200, `"status":"SUCCEEDED"`, "POST", "/payments/"+id+"/cancel", refundBody)
	s.want(200, `"refundStatus":"PENDING"`, "GET", "/payments/"+id, "")
	if !slices.Contains(p.Info().Events, payment.EventRefunded) {
		s.want(400, "sends no notice", "POST", path, `{"event":"refunded"}`)
		return
	}
	s.want(200, `"verdict":"applied"`, "POST", path, `{"event":"refunded"}`)
	s.want(200, `"refundStatus":"COMPLETED"`, "GET", "/payments/"+id, "")
	s.want(200, `"verdict":"duplicate"`, "POST", path, `{"event":"refunded"}`)
}

// TestTrialConfirms has deposits count only once the PG confirms them: the PG that is
// asked is the one that is played here.
func TestTrialConfirms(t *testing.T) {
	t.Parallel()
	yes := true
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(c *merchant.Channel) { c.Confirm = &yes })
	for i, p := range all.Providers() {
		s.issue(i, named("asked", p))
		s.pay(200, `"verdict":"pending"`, named("asked", p), "")
	}
	for _, p := range all.Providers() {
		s.becomes("/payments/"+named("asked", p), `"status":"PAID"`)
	}
	s.verified()
}
