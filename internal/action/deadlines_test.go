package action

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A watched store counts its calls, and fails while down.
type watched struct {
	Expirer
	mu    sync.Mutex
	calls int
	down  bool
}

// Expire passes the call on, unless the store is down.
func (w *watched) Expire(ctx context.Context, at time.Time, n int, version int64, expire func(payment.Payment) (notice.Expiry, error)) (time.Time, error) {
	w.mu.Lock()
	w.calls++
	down := w.down
	w.mu.Unlock()
	if down {
		return time.Time{}, fault.Errorf(fault.Unavailable, "the disk is full")
	}
	return w.Expirer.Expire(ctx, at, n, version, expire)
}

func (w *watched) set(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func (w *watched) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// keep runs the deadlines of a bench until the test ends.
func (b *bench) keep(d *Deadlines) {
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

// sleep lets fake time pass, and everything settle.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// expired reports whether a payment is flagged.
func (b *bench) expired(id payment.ID) bool {
	b.Helper()
	p, err := b.store.Payment(b.Context(), "store-1", id, "test")
	if err != nil {
		b.Fatal(err)
	}
	if p.State != payment.Issued {
		b.Errorf("payment %s is %s", id, p.State)
	}
	return p.Expired
}

func TestDeadlines(t *testing.T) {
	inBubble(t, func(b *bench) {
		w := &watched{Expirer: b.store}
		d := &Deadlines{Store: w, Idle: 1000 * time.Hour, NewID: b.id}
		b.Registered = d.Sooner
		late, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Now().Add(24*time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		b.keep(d)
		sleep(time.Hour)
		// One with an earlier deadline comes while it sleeps.
		g := order("o2", time.Now().Add(time.Hour))
		g.NoticeURLs = []string{"https://other.example/"}
		soon, _, err := b.RegisterAccount(b.Context(), shop, g)
		if err != nil {
			t.Fatal(err)
		}
		sleep(time.Hour - time.Microsecond)
		if b.expired("o2") {
			t.Error("o2 is flagged before its deadline")
		}
		sleep(time.Microsecond)
		if !b.expired("o2") || b.expired("o1") {
			t.Errorf("at the first deadline: o2 %v, o1 %v", b.expired("o2"), b.expired("o1"))
		}
		sleep(22 * time.Hour)
		if !b.expired("o1") {
			t.Error("o1 is not flagged at its deadline")
		}
		for _, p := range []payment.Payment{late, soon} {
			if got := b.webhooks(p); got != "VirtualAccountIssued VirtualAccountExpired" {
				t.Errorf("told of %s: %q", p.ID, got)
			}
		}
		calls := w.count()
		sleep(900 * time.Hour)
		if got := w.count(); got != calls || calls > 5 {
			t.Errorf("%d calls for two deadlines, then %d more with nothing to do", calls, got-calls)
		}
		d.Wake()
		synctest.Wait()
		if got := w.count(); got != calls+1 {
			t.Errorf("Wake made %d calls, want 1", got-calls)
		}
	})
}

func TestDeadlinesBeyondOneTransaction(t *testing.T) {
	inBubble(t, func(b *bench) {
		const n = expiresAtOnce + 7
		for range n {
			id := payment.ID(b.id())
			if _, _, err := b.RegisterAccount(b.Context(), shop, order(id, time.Now().Add(time.Minute))); err != nil {
				t.Fatal(err)
			}
		}
		b.keep(&Deadlines{Store: b.store, NewID: b.id})
		sleep(time.Minute)
		next, err := b.store.Expire(b.Context(), time.Now().Add(time.Hour), n, 0, func(p payment.Payment) (notice.Expiry, error) {
			t.Errorf("payment %s was left", p.ID)
			return notice.Expiry{Payment: p}, nil
		})
		if err != nil || !next.IsZero() {
			t.Errorf("left over: next %v, %v", next, err)
		}
	})
}

func TestDeadlinesOutliveTheStore(t *testing.T) {
	inBubble(t, func(b *bench) {
		var log bytes.Buffer
		w := &watched{Expirer: b.store}
		w.set(true)
		d := &Deadlines{Store: w, Log: slog.New(slog.NewTextHandler(&log, nil)), NewID: b.id}
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Now().Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		b.keep(d)
		sleep(time.Hour)
		if n := w.count(); n < 100 || n > 150 {
			t.Errorf("%d tries in an hour of outage", n)
		}
		// The settings change meanwhile: the next decision goes by the new ones.
		b.save(func(a *settings.All) { a.Endpoints[0].Events = []string{string(webhook.Paid)} })
		w.set(false)
		sleep(lastPause)
		if !b.expired("o1") {
			t.Error("o1 is not flagged after the outage")
		}
		p, err := b.store.Payment(b.Context(), "store-1", "o1", "test")
		if err != nil || b.webhooks(p) != "VirtualAccountIssued" {
			t.Errorf("told %q, %v", b.webhooks(p), err)
		}
		if n := strings.Count(log.String(), "disk is full"); n != 1 || !strings.Contains(log.String(), "kept again") {
			t.Errorf("the outage is logged %d times:\n%s", n, log.String())
		}
	})
}

// TestExpiryIsToldByName: an account that expires is told to endpoints that name
// the event, and to nobody who asked for PortOne's.
func TestExpiryIsToldByName(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.save(func(s *settings.All) {
			star := s.Endpoints[0]
			s.Endpoints = nil
			for i, events := range [][]string{{"*"}, {"Transaction.*"}, {"*", string(webhook.VirtualAccountExpired)}} {
				for j, version := range []webhook.Version{webhook.V20240425, webhook.V20240101, webhook.V1} {
					e := star
					e.ID = webhook.EndpointID(fmt.Sprintf("00000000-0000-7000-8000-0000000000%d%d", i, j))
					e.Name, e.Events, e.Version, e.URL = fmt.Sprint(i, j), events, version, fmt.Sprintf("https://shop.example/%d%d", i, j)
					s.Endpoints = append(s.Endpoints, e)
				}
			}
		})
		d := &Deadlines{Store: b.store, Idle: 1000 * time.Hour, NewID: b.id}
		b.Registered = d.Sooner
		p, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Now().Add(time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		b.keep(d)
		sleep(2 * time.Hour)
		list, err := b.store.Webhooks(b.Context(), p.Key)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, h := range list {
			if h.Type == webhook.VirtualAccountExpired {
				told = append(told, h.URL)
			}
		}
		// The older formats have no word for it.
		if len(told) != 1 || told[0] != "https://shop.example/20" {
			t.Errorf("told of the end: %v, want the endpoint that names it", told)
		}
		if len(list) != 9+1 {
			t.Errorf("%d webhooks, want nine of the issue and one of the end", len(list))
		}
	})
}
