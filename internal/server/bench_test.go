package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
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

func TestMain(m *testing.M) { storetest.Main(m) }

// benchConnections is how many senders post at once.
const benchConnections = 32

const (
	benchStore   = merchant.StoreID("store-00000000-0000-4000-8000-000000000001")
	benchChannel = merchant.ChannelKey("channel-key-00000000-0000-4000-8000-000000000001")
)

// onEngines runs a benchmark on a fresh database of each engine.
func onEngines(b *testing.B, run func(b *testing.B, database string)) {
	b.Run("sqlite", func(b *testing.B) { run(b, "sqlite:"+b.TempDir()+"/bench.db") })
	b.Run("postgres", func(b *testing.B) { run(b, storetest.Postgres(b)) })
}

// BenchmarkNotice posts deposit notices over loopback HTTP from 32
// connections, each for a payment of its own: decoded, settled, acknowledged.
// No endpoint hears of them.
func BenchmarkNotice(b *testing.B) {
	onEngines(b, func(b *testing.B, database string) { benchNotices(b, database, "") })
}

// BenchmarkEndToEnd is BenchmarkNotice with a shop that takes the webhooks: it
// ends when the last one has been answered.
func BenchmarkEndToEnd(b *testing.B) {
	onEngines(b, func(b *testing.B, database string) {
		var heard atomic.Int64
		shop := httpServer(b, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			heard.Add(1)
		}))
		benchNotices(b, database, shop)
		waitFor(b, func() bool { return heard.Load() >= int64(b.N) })
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
	})
}

func benchNotices(b *testing.B, database, shop string) {
	b.Helper()
	s, base := benchServer(b, database, shop)
	bodies := benchPayments(b, s, b.N)
	var next atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchConnections}, Timeout: 10 * time.Second}
	b.SetParallelism(benchConnections / 2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1) - 1
			resp, err := client.Post(base+"/kcp-v2", "application/x-www-form-urlencoded", bytes.NewReader(bodies[i]))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "notices/s")
}

// benchServer starts a server on a free port.
func benchServer(b *testing.B, database, shop string) (*server.Server, string) {
	b.Helper()
	key, err := seal.New()
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.Open(b.Context(), server.Config{
		Database: database, Key: server.KeySource{Text: key.Text()}, AllowPrivate: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	m, now := merchant.ID("merchant-1"), time.Now()
	current, err := s.Store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	current.Merchants = []merchant.Merchant{{ID: m, Name: "가나상점"}}
	current.Stores = []settings.Store{{Store: merchant.Store{ID: benchStore, Merchant: m, Name: "상점", Representative: true}, NoticeSecret: webhook.NewSecret(), CreatedAt: now}}
	current.Channels = []merchant.Channel{{Key: benchChannel, Merchant: m, Store: benchStore, Name: "KCP", Provider: "kcp_v2", Mode: merchant.Test, MID: "T0000", PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold}}
	if shop != "" {
		current.Endpoints = []webhook.Endpoint{{
			ID: webhook.EndpointID(uuid.NewString()), Merchant: m, Store: benchStore, Name: "shop", URL: shop, Mode: merchant.Test,
			Events: []string{string(webhook.Paid)}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
			Secrets: []secret.Text{webhook.NewSecret()}, CreatedAt: now,
		}}
	}
	if err := s.Store.SaveSettings(b.Context(), current, now); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return s, "http://" + l.Addr().String()
}

// benchPayments registers n payments and returns the notice of each one's
// deposit, in KCP's bytes.
func benchPayments(b *testing.B, s *server.Server, n int) [][]byte {
	b.Helper()
	p, _ := all.ByCode("kcp_v2")
	env := payment.Env{Now: time.Now(), NewID: func() string { return uuid.Must(uuid.NewV7()).String() }}
	out := make([][]byte, n)
	work := make(chan int)
	errs := make(chan error, benchConnections)
	for range benchConnections {
		go func() {
			var err error
			for i := range work {
				if e := benchRegister(b.Context(), s, p, env, out, i); e != nil {
					err = e
				}
			}
			errs <- err
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	for range benchConnections {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	return out
}

func benchRegister(ctx context.Context, s *server.Server, p provider.Provider, env payment.Env, out [][]byte, i int) error {
	order := fmt.Sprintf("order-%s-%d", strings.ReplaceAll(env.NewID(), "-", ""), i)
	account := secret.Account(fmt.Sprintf("T%013d", i))
	_, _, err := s.Store.Register(ctx, payment.Registration{
		Merchant: "merchant-1", Store: benchStore, Channel: benchChannel, Mode: merchant.Test, ID: payment.ID(order),
		OrderName: "사과", Amount: payment.Won(10000), Account: payment.Account{Bank: "SHINHAN", Number: account},
	}, notice.Registering{
		Env: env, Judge: func(notice.Inbound, []notice.Found) notice.Ruling { return notice.Ruling{Verdict: payment.Unmatched} },
		Announce: func(payment.Payment) ([]webhook.Emission, error) { return nil, nil },
	})
	n := notice.Notice{Order: order, Merchant: "T0000"}
	n.Report = payment.Report{Event: payment.EventDeposited, Amount: payment.Won(10000), HasAmount: true, Account: account, Depositor: "홍길동", At: env.Now}
	out[i] = p.Encode(n, nil).Body
	return err
}

func httpServer(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	hs := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = hs.Serve(l) }()
	b.Cleanup(func() { _ = hs.Close() })
	return "http://" + l.Addr().String()
}

func waitFor(b *testing.B, ok func() bool) {
	b.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			b.Fatal("waited a minute")
		}
	}
}
