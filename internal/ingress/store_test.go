package ingress_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// A gate is a store whose commits can be held up, failed and counted.
type gate struct {
	*store.Store
	settled atomic.Int64
	before  func(ctx context.Context, in []notice.Inbound) error
}

// Settle counts, waits or fails, and settles.
func (g *gate) Settle(ctx context.Context, in []notice.Inbound, j notice.Judge) ([]notice.Result, error) {
	g.settled.Add(1)
	if g.before != nil {
		if err := g.before(ctx, in); err != nil {
			return nil, err
		}
	}
	return g.Store.Settle(ctx, in, j)
}

// gated runs a test in virtual time on a site whose store is a gate.
func gated(t *testing.T, before func(ctx context.Context, in []notice.Inbound) error, f func(t *testing.T, s *site, g *gate)) {
	t.Helper()
	t.Parallel()
	blank()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, testChannel(), liveChannel())
		g := &gate{Store: s.Store, before: before}
		s.ingress.Store = g
		f(t, s.run(), g)
	})
}

// wantUnavailable checks that a notice is neither acknowledged nor refused,
// and that its sender does not wait longer than we promise.
func (s *site) wantUnavailable(n notice.Notice) {
	s.Helper()
	began := time.Now()
	w := s.send(loopback, n)
	if w.Code != http.StatusServiceUnavailable || kcp.V1.Acked(provider.Reply{Status: w.Code, Body: w.Body.Bytes()}) {
		s.Errorf("answer = %d %q, want 503", w.Code, w.Body)
	}
	if took := time.Since(began); took > ingress.Patience {
		s.Errorf("it took %v, want at most %v", took, ingress.Patience)
	}
}

func TestStoreThatHangs(t *testing.T) {
	var hangs atomic.Bool
	gated(t, func(context.Context, []notice.Inbound) error {
		if !hangs.Load() {
			return nil
		}
		// A disk that does not answer knows no context; it lasts a while.
		time.Sleep(30 * time.Second)
		return errors.New("i/o error")
	}, func(t *testing.T, s *site, _ *gate) {
		s.mustRegister(testChannel(), "o-1")
		hangs.Store(true)
		s.wantUnavailable(deposit("o-1"))
		s.wantUnavailable(deposit("o-1"))
		hangs.Store(false)
		time.Sleep(time.Minute)
		wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		s.wantVerdicts("applied@test")
	})
}

func TestStoreThatFails(t *testing.T) {
	var fails atomic.Bool
	gated(t, func(context.Context, []notice.Inbound) error {
		if fails.Load() {
			return errors.New("disk full")
		}
		return nil
	}, func(t *testing.T, s *site, _ *gate) {
		s.mustRegister(testChannel(), "o-1")
		fails.Store(true)
		s.wantUnavailable(deposit("o-1"))
		fails.Store(false)
		wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		s.wantVerdicts("applied@test")
		if !strings.Contains(s.log.String(), "disk full") {
			t.Errorf("the log does not say why:\n%s", s.log)
		}
	})
}

func TestStoreThatIsClosed(t *testing.T) {
	gated(t, nil, func(t *testing.T, s *site, _ *gate) {
		s.mustRegister(testChannel(), "o-1")
		s.send(loopback, deposit("o-1")) // the settings are known now
		if err := s.shut(); err != nil {
			t.Fatal(err)
		}
		s.wantUnavailable(deposit("o-1"))
		s.ingress.Refresh() // and now they are not
		s.wantUnavailable(deposit("o-1"))
	})
}

// Another process holds the database's lock for longer than a PG may wait.
func TestStoreThatIsLocked(t *testing.T) {
	t.Parallel()
	s := newSite(t, testChannel()).run()
	s.mustRegister(testChannel(), "o-1")
	tx, err := s.raw.BeginTx(t.Context(), nil) // immediate, by its address
	if err != nil {
		t.Fatal(err)
	}
	const slack = 500 * time.Millisecond // of a busy machine
	began := time.Now()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := s.send(loopback, deposit("o-1")); w.Code != http.StatusServiceUnavailable {
				t.Errorf("answer = %d, want 503", w.Code)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > ingress.Patience+slack {
		t.Errorf("the answers took %v", took)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range 10 { // what was in hand may take the first second
		if w := s.send(loopback, deposit("o-1")); w.Code == http.StatusOK {
			break
		}
	}
	if got := s.state("s1", "o-1"); got != payment.Paid {
		t.Errorf("after the lock is gone the payment is %s", got)
	}
	if got := s.events(); got != "Transaction.Paid" {
		t.Errorf("events = %s", got)
	}
}

func TestNoticesThatComeTogetherAreCommittedTogether(t *testing.T) {
	const n = 200
	order := func(i int) string { return "o-" + string(rune('A'+i/20)) + string(rune('a'+i%20)) }
	gated(t, func(context.Context, []notice.Inbound) error {
		time.Sleep(10 * time.Millisecond) // a commit takes its time
		return nil
	}, func(t *testing.T, s *site, g *gate) {
		for i := range n {
			if i%2 == 0 {
				s.mustRegister(testChannel(), order(i))
			}
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { wantAck(t, "kcp", s.send(loopback, deposit(order(i)))) })
		}
		wg.Wait()
		// The batches double: 1, 8, 16, 32, 64 and the rest.
		if got := g.settled.Load(); got > 8 {
			t.Errorf("%d notices took %d commits", n, got)
		}
		got := s.verdicts()
		if a, u := strings.Count(got, "applied@test"), strings.Count(got, "unmatched/unknown_order@test"); a != n/2 || u != n/2 {
			t.Errorf("%d applied, %d unmatched, want %d of each", a, u, n/2)
		}
	})
}

// A brittle module panics on some notices, in its proof and in its decoder.
type brittle struct{ provider.Provider }

// Verify panics on the order "bad".
func (b brittle) Verify(r notice.Request, n notice.Notice, c merchant.Channel, p payment.Payment) error {
	if n.Order == "bad" {
		panic("of no use")
	}
	return b.Provider.Verify(r, n, c, p)
}

// Decode panics on an empty body.
func (b brittle) Decode(r notice.Request) (notice.Notice, error) {
	if len(r.Body) == 0 {
		panic("of no use")
	}
	return b.Provider.Decode(r)
}

func TestBrokenModuleHarmsOnlyItsNotice(t *testing.T) {
	gated(t, func(context.Context, []notice.Inbound) error {
		time.Sleep(10 * time.Millisecond)
		return nil
	}, func(t *testing.T, s *site, _ *gate) {
		s.ingress = &ingress.Ingress{Store: s.ingress.Store, Providers: []provider.Provider{brittle{kcp.V1}}, Log: s.ingress.Log}
		s.run()
		for _, o := range []string{"good", "bad", "fine"} {
			s.mustRegister(testChannel(), o)
		}
		codes := map[string]int{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, o := range []string{"good", "bad", "fine"} {
			wg.Go(func() {
				w := s.send(loopback, deposit(o))
				mu.Lock()
				defer mu.Unlock()
				codes[o] = w.Code
			})
		}
		wg.Wait()
		if codes["good"] != 200 || codes["fine"] != 200 || codes["bad"] != 503 {
			t.Errorf("answers = %v", codes)
		}
		if w := s.serve(call{path: "/kcp_payments/notice_vbank", from: loopback}); w.Code != http.StatusBadRequest {
			t.Errorf("what the decoder trips over gets %d", w.Code)
		}
		s.wantVerdicts("applied@test applied@test unreadable/unreadable")
	})
}

// Whatever the ingress remembers, the very next notice goes by the settings
// that are stored.
func TestSettingsAreHonouredAtOnce(t *testing.T) {
	gated(t, nil, func(t *testing.T, s *site, g *gate) {
		s.mustRegister(testChannel(), "o-1")
		s.mustRegister(testChannel(), "o-2")
		s.send(loopback, deposit("o-1"))
		s.change(func(a *settings.All) { senders(kcpTest)(&a.Channels[index(a, keyTest)]) })
		s.send(loopback, deposit("o-2"))
		s.send(kcpTest, deposit("o-2"))
		s.change(func(a *settings.All) { a.Channels[index(a, keyTest)].Disabled = true })
		s.send(loopback, deposit("o-2", depositID("d2")))
		s.change(func(a *settings.All) {
			a.Channels[index(a, keyTest)].Disabled = false
			a.Channels[index(a, keyTest)].Senders = nil
		})
		s.send(loopback, deposit("o-2"))
		s.wantVerdicts("applied@test refused/sender_not_listed@test applied@test refused/channel_disabled duplicate@test")
		if got := g.settled.Load(); got != 5+3 {
			t.Errorf("%d commits were tried, want one more for each change", got)
		}
	})
}

func index(a *settings.All, k merchant.ChannelKey) int {
	for i, c := range a.Channels {
		if c.Key == k {
			return i
		}
	}
	return -1
}

// A Refresh may come at any moment, also while a notice waits for its commit.
func TestRefreshAtAnyMoment(t *testing.T) {
	gated(t, func(context.Context, []notice.Inbound) error {
		time.Sleep(100 * time.Millisecond)
		return nil
	}, func(t *testing.T, s *site, g *gate) {
		s.mustRegister(testChannel(), "o-1")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { wantAck(t, "kcp", s.send(loopback, deposit("o-1"))) })
			time.Sleep(30 * time.Millisecond)
		}
		s.ingress.Refresh()
		wg.Wait()
		if got := s.events(); got != "Transaction.Paid" {
			t.Errorf("events = %s", got)
		}
		if got := g.settled.Load(); got != 2 {
			t.Errorf("%d commits, want 2", got)
		}
	})
}

// Memory is bounded: what is over the stated number in hand hears 503 at once.
func TestTooManyAtOnce(t *testing.T) {
	const slots = 2048
	gated(t, func(context.Context, []notice.Inbound) error {
		time.Sleep(time.Minute)
		return errors.New("i/o error")
	}, func(t *testing.T, s *site, _ *gate) {
		var wg sync.WaitGroup
		n := deposit("o-1")
		for i := range slots {
			// Of one peer only so many bodies are read at once.
			from := netip.AddrFrom4([4]byte{127, 0, 1, byte(i % 16)}).String()
			wg.Go(func() { s.send(from, n) })
		}
		synctest.Wait()
		began := time.Now()
		if w := s.send(loopback, n); w.Code != http.StatusServiceUnavailable {
			t.Errorf("answer = %d, want 503", w.Code)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v, want no time", took)
		}
		wg.Wait()
		if took := time.Since(began); took > ingress.Patience {
			t.Errorf("those in hand took %v", took)
		}
	})
}
