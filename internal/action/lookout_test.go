package action

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestCrowd: of all who wait for one payment so many do, and nobody else's buyers are kept.
func TestCrowd(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c, other := b.opens(wanted("o1", payment.ByCard)), b.opens(wanted("o2", payment.ByCard))
		mark, err := b.WatchCheckout(b.Context(), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
		defer cancel()
		var crowd sync.WaitGroup
		for range mostWaiters {
			crowd.Go(func() { _, _, _ = b.AwaitCheckout(ctx, c.ID) }) // until the time is over
		}
		sleep(time.Second)
		began := time.Now()
		if got, _, err := b.AwaitCheckout(b.Context(), c.ID); err != nil || got.ID != c.ID || !got.EndedAt.IsZero() {
			t.Errorf("AwaitCheckout = %+v, %v", got, err)
		}
		if _, err := b.WatchCheckout(b.Context(), c.ID, mark); !errors.Is(err, ErrCrowded) {
			t.Errorf("WatchCheckout: %v", err)
		}
		if time.Since(began) > 0 {
			t.Errorf("they waited %v", time.Since(began))
		}
		short, end := context.WithTimeout(b.Context(), time.Second)
		defer end()
		if _, _, err := b.AwaitCheckout(short, other.ID); err != nil || time.Since(began) < time.Second {
			t.Errorf("of another payment nobody waits: %v after %v", err, time.Since(began))
		}
		crowd.Wait()
		if _, err := b.WatchCheckout(b.Context(), c.ID, "another"); err != nil {
			t.Errorf("when they are gone: %v", err)
		}
	})
}
