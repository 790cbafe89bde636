package action

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// A grown store counts its rounds, and fails while down.
type grown struct {
	Pruner
	mu     sync.Mutex
	rounds []time.Time
	down   error
}

// Prune passes the call on, unless the store is down.
func (g *grown) Prune(ctx context.Context, now time.Time, keep settings.Retention, told func(settings.Pruned)) error {
	g.mu.Lock()
	g.rounds = append(g.rounds, now)
	down := g.down
	g.mu.Unlock()
	if down != nil {
		return down
	}
	return g.Pruner.Prune(ctx, now, keep, told)
}

// took returns the rounds since it was last asked, and what the next ones end
// with.
func (g *grown) took(next error) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.rounds)
	g.rounds, g.down = nil, next
	return n
}

// prune runs a History until the test ends.
func (b *bench) prune(h *History) {
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error)
	h.Prepare(ctx)
	go func() { done <- h.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

// refused settles a notice of now that nobody waits for.
func (b *bench) refused() notice.ID {
	b.Helper()
	id := notice.ID(fmt.Sprintf("%08x-%04x-7000-9000-%012d", time.Now().UnixMilli()>>16, time.Now().UnixMilli()&0xffff, b.ids.Add(1)))
	in := notice.Inbound{ID: id, At: time.Now(), Provider: "kcp_v2", Ruled: &notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress}}
	if _, err := b.store.Settle(b.Context(), []notice.Inbound{in}, wait); err != nil {
		b.Fatal(err)
	}
	return id
}

func TestHistory(t *testing.T) {
	inBubble(t, func(b *bench) {
		const day = 24 * time.Hour
		var log bytes.Buffer
		g := &grown{Pruner: b.store}
		first := b.refused()
		b.prune(&History{Store: g, Keep: settings.Retention{Bodies: 1, History: 2}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		sleep(12 * time.Hour)
		second := b.refused()
		if n := g.took(nil); n != 12 {
			t.Errorf("%d rounds in 12 hours, want one an hour", n)
		}
		look := func(when string, id notice.ID, want string) {
			t.Helper()
			_, err := b.store.Notice(b.Context(), id)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: %v, want %q", when, err, want)
			}
		}
		look("within a day", first, "")
		sleep(12*time.Hour + betweenRounds)
		look("after a day", first, "body of notice")
		look("the second within a day", second, "")
		sleep(day)
		look("after two days", first, "of its age were pruned")
		look("the second after a day", second, "body of notice")
		sleep(day)
		look("the second after two days", second, "of its age were pruned")
		for _, what := range []string{"notice_body", "notice"} {
			if n := strings.Count(log.String(), "msg=pruned what="+what+" partitions=0 rows=1 took="); n != 2 {
				t.Errorf("%d lines tell that %s was pruned, want 2:\n%s", n, what, &log)
			}
		}
	})
}

func TestHistoryOutlivesTheStore(t *testing.T) {
	inBubble(t, func(b *bench) {
		var log bytes.Buffer
		g := &grown{Pruner: b.store, down: fault.Errorf(fault.Unavailable, "somebody holds the table")}
		b.prune(&History{Store: g, Keep: settings.DefaultRetention(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		sleep(time.Hour)
		if n := g.took(nil); n != 12 {
			t.Errorf("%d tries in an hour, want one in five minutes", n)
		}
		sleep(time.Hour)
		if n := g.took(nil); n != 1 {
			t.Errorf("%d rounds in the hour after, want 1", n)
		}
		if strings.Count(log.String(), "somebody holds the table") != 1 || strings.Count(log.String(), "looked after again") != 1 {
			t.Errorf("the log says\n%s", &log)
		}
	})
}

// A stuck store does not answer before the caller gives up.
type stuck struct{ Pruner }

// MakeAhead waits for the end of ctx.
func (stuck) MakeAhead(ctx context.Context, _ time.Time) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestPrepareDelaysNoStart starts with a store that does not answer.
func TestPrepareDelaysNoStart(t *testing.T) {
	inBubble(t, func(b *bench) {
		began := time.Now()
		(&History{Store: stuck{b.store}}).Prepare(b.Context())
		if took := time.Since(began); took > time.Second {
			t.Errorf("a start was delayed by %v", took)
		}
	})
}
