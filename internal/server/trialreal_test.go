package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/settle"
)

// TestNotOnTrial tries the same on channels whose PG is real.
func TestNotOnTrial(t *testing.T) {
	t.Parallel()
	for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(c *merchant.Channel) {
				if c.Mode = mode; mode == merchant.Test {
					c.BaseURL = "http://127.0.0.1:1" // nobody listens there
				}
			})
			for i, p := range all.Providers() {
				id, key := named("real", p), string(trialChannel(i))
				body := strings.Replace(issueBody, "channel-key-00000000-0000-4000-8000-000000000001", key, 1)
				if status, text := s.call("POST", "/payments/"+id+"/instant", body, nil); status < 400 {
					t.Errorf("%s issued an account: %s", p.Info().Code, text)
				}
				s.want(200, id, "POST", "/payments/registered"+id+"/virtual-account", `{"channelKey":"`+key+`","orderName":"책",
					"amount":{"total":11000},"currency":"KRW","virtualAccount":{"bank":"SHINHAN","accountNumber":"110123456789`+fmt.Sprint(i)+`"}}`)
				status, want := 403, "FORBIDDEN"
				if mode == merchant.Test {
					status, want = 400, "called for real"
				}
				s.pay(status, want, "registered"+id, "")
			}
			s.pay(404, "PAYMENT_NOT_FOUND", "nobodys", "")
			s.verified()
		})
	}
}

// TestTrialOfRegistered pays an account that the merchant made known, and gives the
// money back.
func TestTrialOfRegistered(t *testing.T) {
	t.Parallel()
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(*merchant.Channel) {})
	for i, p := range all.Providers() {
		id := named("told", p)
		s.want(200, id, "POST", "/payments/"+id+"/virtual-account", `{"channelKey":"`+string(trialChannel(i))+`","orderName":"책",
			"amount":{"total":11000},"currency":"KRW","virtualAccount":{"bank":"SHINHAN","accountNumber":"110123456789"}}`)
		s.life(id)
		s.pay(400, "amount", id, `{"amount":0}`)
		s.pay(400, "whole number", id, `{"amount":"1"}`)
		s.pay(400, "control characters", id, `{"depositor":"\u0000"}`)
	}
	s.verified()
}

// TestDepositsAtOnce pays one account 20 times at once: the money comes in once.
func TestDepositsAtOnce(t *testing.T) {
	t.Parallel()
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(*merchant.Channel) {})
	s.issue(2, "once")
	var first, applied atomic.Int64
	var together sync.WaitGroup
	for range 20 {
		together.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/tongbo/v1/payments/once/deposit", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Authorization", "PortOne s3cret")
			resp, err := s.client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%d %s, %v", resp.StatusCode, text, err)
			}
			first.Add(int64(strings.Count(string(text), `"again":false`)))
			applied.Add(int64(strings.Count(string(text), `"verdict":"applied"`)))
		})
	}
	together.Wait()
	if first.Load() != 1 || applied.Load() != 1 {
		t.Errorf("it came in %d times, and counted %d times", first.Load(), applied.Load())
	}
	s.want(200, `"paid":11000`, "GET", "/payments/once", "")
	s.verified()
}

// TestChannelGone pays by a channel that was disabled since.
func TestChannelGone(t *testing.T) {
	t.Parallel()
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(*merchant.Channel) {})
	s.issue(3, "gone")
	list, err := s.server.Store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list.Channels[3].Disabled = true
	if err := s.server.Store.SaveSettings(t.Context(), list, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.pay(409, "not in use", "gone", "")
}

// TestNoticeURL has a PG that takes the address of notices with each order, and sees
// what it is told.
func TestNoticeURL(t *testing.T) {
	t.Parallel()
	var channel merchant.Channel
	ledger := &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{channel} }}
	pg := httptest.NewServer(settle.Module.API(ledger))
	t.Cleanup(pg.Close)
	at := -1
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(c *merchant.Channel) {
		if c.Provider == "settle" {
			test := settle.Module.Info().TestMIDs[0]
			c.BaseURL, c.MID, c.Credentials = pg.URL, test.MID, test.Credentials
			channel = *c
		}
	})
	for i, p := range all.Providers() {
		if p.Info().Code == "settle" {
			at = i
		}
	}
	s.want(200, `"pgTxId"`, "POST", "/payments/order1/instant", strings.Replace(issueBody, string(trialChannel(1)), string(trialChannel(at)), 1))
	e, ok := ledger.Find(channel, func(e provider.Entry) bool { return e.Order == "order1" })
	want := "https://pay.example.kr/settle_payments/notice_vbank/" + string(channel.Key)
	if channel.Token != "" {
		want += "/" + channel.Token
	}
	if !ok || e.NoticeURL != want {
		t.Errorf("the PG is told %q, want %q", e.NoticeURL, want)
	}
}
