package action_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// played has PGs played, and webhooks sent to a shop that answers as it is told.
func (s *stage) played(answer http.HandlerFunc, edit func(*webhook.Endpoint)) *stage {
	s.Helper()
	shop := httptest.NewServer(answer)
	s.Cleanup(shop.Close)
	s.actions.Trial = func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: s.store} }
	s.actions.Diagnose = func(a webhook.Attempt) (string, []any, bool) {
		f, ok := delivery.Diagnose(a)
		key, args := f.Words("")
		return key, args, ok
	}
	now, err := s.store.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	now.Endpoints[0].URL = shop.URL
	if edit != nil {
		edit(&now.Endpoints[0])
		if now.Endpoints[0].ID == "" {
			now.Endpoints = nil
		}
	}
	if err := s.store.SaveSettings(s.Context(), now, time.Now()); err != nil {
		s.Fatal(err)
	}
	d := &delivery.Dispatcher{Queue: s.store, Client: safehttp.New(safehttp.Config{AllowPrivate: true}), Log: slog.New(slog.DiscardHandler)}
	s.store.OnDue(d.Wake)
	s.store.Give(d)
	ctx, stop := context.WithCancel(context.WithoutCancel(s.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Run(ctx) })
	s.Cleanup(func() { stop(); wg.Wait() })
	return s
}

// path goes a channel's path, and checks what is told on the way.
func (s *stage) path(c merchant.ChannelKey) notice.PathTest {
	s.Helper()
	var mu sync.Mutex
	last := -1
	got, err := s.actions.TryPath(s.Context(), stageCaller, c, func(x notice.PathTest) {
		mu.Lock()
		defer mu.Unlock()
		if len(x.Rungs) < last {
			s.Errorf("it went back from %d rungs to %d", last, len(x.Rungs))
		}
		last = len(x.Rungs)
	})
	if err != nil {
		s.Fatalf("TryPath: %v", err)
	}
	if last != len(got.Rungs) || got.EndedAt.IsZero() {
		s.Errorf("%d rungs were told of %d; ended at %s", last, len(got.Rungs), got.EndedAt)
	}
	kept, err := s.store.PathTest(s.Context(), got.ID)
	if err != nil || len(kept.Rungs) != len(got.Rungs) || kept.Good != got.Good {
		s.Errorf("kept are %d rungs, good %t, %v", len(kept.Rungs), kept.Good, err)
	}
	for _, r := range got.Rungs {
		for _, lang := range words.Langs() {
			for _, text := range []string{page.PathText(lang, r.Key, r.Args), words.Text(lang, "path.part."+r.Part)} {
				if strings.HasPrefix(text, "path.") || strings.HasPrefix(text, "ladder.") || strings.ContainsAny(text, "{}") {
					s.Errorf("%s says %q", r.Key, text)
				}
			}
		}
	}
	return got
}

// way is a path in short: each part once, with what was found; a notice's steps are told as one.
func way(x notice.PathTest) string {
	var out []string
	for i, r := range x.Rungs {
		if r.Part == action.PartNotice {
			if i+1 < len(x.Rungs) && x.Rungs[i+1].Part == action.PartNotice {
				continue
			}
		}
		out = append(out, r.Part+" "+r.Outcome+" "+strings.TrimPrefix(r.Key, "path."))
	}
	return strings.Join(out, ", ")
}

const wholePath = "issue ok issued_here, deposit ok deposit_here, notice ok ladder.acked, webhook ok answered, receipt ok received, read ok read_deposit"

// trialOf is a test channel of a module whose PG is played.
func trialOf(p provider.Provider, n int) merchant.Channel {
	c := channelOf(p, merchant.Test, n)
	c.Credentials = nil
	return c
}

// TestPathOfEveryPG goes the whole path of a channel of each module, all at once, on both
// engines.
func TestPathOfEveryPG(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		var list []merchant.Channel
		for i, p := range all.Providers() {
			list = append(list, trialOf(p, i))
		}
		s := newStage(t, db.Open(t), list...).played(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }, nil)
		var together sync.WaitGroup
		for _, c := range list {
			together.Go(func() {
				x := s.path(c.Key)
				if got := way(x); got != wholePath || !x.Good {
					t.Errorf("%s: %s\nwant %s", c.Provider, got, wholePath)
				}
				p, err := s.store.Payment(t.Context(), storetest.Store, x.Payment, merchant.Test)
				if err != nil || p.State != payment.Paid || p.Mode != merchant.Test || !action.IsPathTest(p.ID) {
					t.Errorf("%s: the payment is %+v, %v", c.Provider, p, err)
				}
			})
		}
		together.Wait()
	})
}

// TestPathOfACard approves and cancels where there are no accounts.
func TestPathOfACard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		p, _ := all.ByCode("nice_v2")
		c := trialOf(p, 1)
		c.Methods = []string{"CARD"}
		s := newStage(t, db.Open(t), c).played(func(http.ResponseWriter, *http.Request) {}, nil)
		x := s.path(c.Key)
		const once = "webhook ok answered, receipt ok received, "
		want := "approve ok approved_here, " + once + "read ok read_paid, cancel ok cancelled_here, " + once + "read ok read_cancelled"
		if got := way(x); got != want || !x.Good {
			t.Errorf("it went %s\nwant %s", got, want)
		}
	})
}

// TestPathOfWallets approves and cancels at each wallet, in the currency that it takes.
func TestPathOfWallets(t *testing.T) {
	t.Parallel()
	var list []merchant.Channel
	for i, p := range all.Wallets() {
		c := channelOf(p, merchant.Test, i)
		c.Methods = []string{string(p.Info().Wallet.Method)}
		list = append(list, c)
	}
	s := newStage(t, storetest.SQLite(t).Open(t), list...).played(func(http.ResponseWriter, *http.Request) {}, nil)
	for _, c := range list {
		x := s.path(c.Key)
		if !x.Good || !strings.HasPrefix(way(x), "approve ok approved_here") || !strings.HasSuffix(way(x), "read ok read_cancelled") {
			t.Errorf("%s: it went %s", c.Provider, way(x))
		}
		sum := "₩1,000"
		if c.Provider == "paypal_v2" {
			sum = "10.00 USD"
		}
		last := x.Rungs[len(x.Rungs)-1]
		if text := page.PathText(words.En, last.Key, last.Args); !strings.Contains(text, sum) {
			t.Errorf("%s: read back as %q, want %s", c.Provider, text, sum)
		}
	}
}

// TestPathFails: each way in which a path is broken is told where it breaks.
func TestPathFails(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(wholePath, "webhook ok answered, receipt ok received", "webhook failed %s, receipt %s", 1)
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		edit   func(*webhook.Endpoint)
		stage  func(*stage, *merchant.Channel)
		want   string
	}{
		"a shop that fails":    {status(500), nil, nil, fmt.Sprintf(broken, "calltest.status", "failed not_received")},
		"a shop without path":  {status(404), nil, nil, fmt.Sprintf(broken, "calltest.not_found", "failed not_received")},
		"a shop that is shut":  {nil, func(e *webhook.Endpoint) { e.URL = "http://127.0.0.1:1/" }, nil, fmt.Sprintf(broken, "calltest.refused", "failed not_received")},
		"a paused endpoint":    {nil, func(e *webhook.Endpoint) { e.Paused = true }, nil, fmt.Sprintf(broken, "held", "failed not_received")},
		"no endpoint":          {nil, func(e *webhook.Endpoint) { e.ID = "" }, nil, fmt.Sprintf(broken, "no_endpoint", "skipped not_reached")},
		"an endpoint for live": {nil, func(e *webhook.Endpoint) { e.Mode = merchant.Live }, nil, fmt.Sprintf(broken, "no_endpoint", "skipped not_reached")},
		"an endpoint that wants something else": {nil, func(e *webhook.Endpoint) { e.Events = []string{string(webhook.Cancelled)} }, nil,
			strings.Replace(fmt.Sprintf(broken, "none_wants", "skipped not_reached"), "webhook failed", "webhook skipped unwanted, webhook failed", 1)},
		"nobody at the public URL": {nil, nil, func(s *stage, _ *merchant.Channel) { s.actions.PublicURL = "http://127.0.0.1:1" },
			"issue ok issued_here, deposit ok deposit_here, notice skipped ladder.not_reached, webhook skipped not_reached, receipt skipped not_reached, read failed read_other"},
		"no public URL": {nil, nil, func(s *stage, _ *merchant.Channel) { s.actions.PublicURL = "" },
			"issue ok issued_here, deposit failed no_public_url, webhook skipped not_reached, receipt skipped not_reached, read failed read_other"},
		"a PG that is not reached": {nil, nil, func(_ *stage, c *merchant.Channel) {
			p, _ := all.ByCode("nice_v2")
			*c = channelOf(p, merchant.Test, 1)
			delete(c.Credentials, "secret_key") // the other of its contracts issues nothing
			c.MID, c.BaseURL = "nicepay00m", "http://127.0.0.1:1"
		}, "issue failed unreachable, webhook skipped not_reached, receipt skipped not_reached"},
		"keys that call nothing": {nil, nil, func(_ *stage, c *merchant.Channel) {
			p, _ := all.ByCode("kcp")
			*c = channelOf(p, merchant.Test, 1)
			delete(c.Credentials, "site_cert")
		}, "issue failed refused_empty, webhook skipped not_reached, receipt skipped not_reached"},
		"a PG without an API": {nil, nil, func(_ *stage, c *merchant.Channel) {
			p, _ := all.ByCode("kicc")
			*c = channelOf(p, merchant.Test, 1)
		}, "issue ok registered, deposit ok deposit_real, notice ok ladder.acked, webhook ok answered, receipt ok received, read ok read_deposit"},
		"a card of a real PG": {nil, nil, func(_ *stage, c *merchant.Channel) {
			p, _ := all.ByCode("tosspayments")
			*c = channelOf(p, merchant.Test, 1)
			c.Methods = []string{"CARD"}
		}, "approve skipped approve_cannot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := all.ByCode("kcp_v2")
			ch, answer := trialOf(p, 1), c.answer
			if answer == nil {
				answer = status(200)
			}
			s := newStage(t, storetest.SQLite(t).Open(t))
			if c.stage != nil {
				c.stage(s, &ch)
			}
			now, err := s.store.Settings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			now.Channels = []merchant.Channel{ch}
			if err := s.store.SaveSettings(t.Context(), now, time.Now()); err != nil {
				t.Fatal(err)
			}
			x := s.played(answer, c.edit).path(ch.Key)
			if got := way(x); got != c.want || x.Good != !strings.Contains(got, "failed") && !strings.Contains(got, "cannot") {
				t.Errorf("it went %s, good %t\nwant %s", got, x.Good, c.want)
			}
			if first := x.Rungs[0]; first.Key == "path.refused_empty" && !slices.Equal(first.Args, []string{"fields", "site_cert"}) {
				t.Errorf("it was refused for %q", first.Args)
			}
		})
	}
}

// TestPathRefused: live channels, channels of others and too many are refused before
// anything is made.
func TestPathRefused(t *testing.T) {
	t.Parallel()
	p, _ := all.ByCode("kcp_v2")
	live, test := channelOf(p, merchant.Live, 1), trialOf(p, 2)
	s := newStage(t, storetest.SQLite(t).Open(t), live, test).played(func(http.ResponseWriter, *http.Request) {}, nil)
	none := func(notice.PathTest) { t.Error("it was begun") }
	if _, err := s.actions.TryPath(t.Context(), stageCaller, live.Key, none); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a live channel: %v", err)
	}
	other := stageCaller
	other.Merchant, other.Store = "merchant-x", "store-x"
	if _, err := s.actions.TryPath(t.Context(), other, test.Key, none); !fault.Is(err, fault.NotFound) {
		t.Errorf("another merchant: %v", err)
	}
	r := &action.PathTests{Actions: s.actions} // nobody runs what it begins
	var err error
	for range action.RehearsalsOfStore + 1 {
		_, err = r.Begin(t.Context(), stageCaller, test.Key)
		if err != nil {
			break
		}
	}
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("however many: %v", err)
	}
}

// TestPathStops: a server that stops ends what it runs, and says so.
func TestPathStops(t *testing.T) {
	t.Parallel()
	p, _ := all.ByCode("kcp_v2")
	c := trialOf(p, 1)
	asked, stopping := make(chan struct{}, 1), make(chan struct{})
	defer close(stopping) // before the shop is shut
	s := newStage(t, storetest.SQLite(t).Open(t), c).played(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-stopping:
		case <-r.Context().Done():
		}
	}, func(e *webhook.Endpoint) { e.Timeout = 30 * time.Second })
	r := &action.PathTests{Actions: s.actions}
	x, err := r.Begin(t.Context(), stageCaller, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-asked
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	got, err := s.store.PathTest(t.Context(), x.ID)
	if err != nil || got.EndedAt.IsZero() || got.Good || !strings.HasSuffix(way(got), "failed stopped") {
		t.Errorf("it stands at %s, %v", way(got), err)
	}
}
