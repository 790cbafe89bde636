package action

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A cappedStore has had as many live accounts issued as it may.
type cappedStore struct{ Store }

func (cappedStore) Act(context.Context, notice.Act) (payment.Payment, error) {
	return payment.Payment{}, payment.ErrTooManyAccounts
}

// TestCapped: pages hear ResourceExhausted, buyers that they may try again, and the log of
// it once a minute.
func TestCapped(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.VirtualAccount))
		var log bytes.Buffer
		b.Log = slog.New(slog.NewTextHandler(&log, nil))
		b.Store = cappedStore{b.Store}
		for range 3 {
			if _, err := b.OpenCheckout(b.Context(), wanted("o2", payment.VirtualAccount)); CheckoutCode(err) != "ResourceExhausted" {
				t.Errorf("OpenCheckout = %v", err)
			}
			if now, _, err := b.PayCheckout(b.Context(), c.ID, byAccount); !errors.Is(err, payment.ErrTooManyAccounts) || !now.EndedAt.IsZero() {
				t.Errorf("PayCheckout = %+v, %v", now, err)
			}
			sleep(25 * time.Second)
		}
		if n := strings.Count(log.String(), "no more live accounts"); n != 1 || !strings.Contains(log.String(), "store_id=store-1") {
			t.Errorf("it was logged %d times: %s", n, log.String())
		}
		sleep(time.Minute)
		_, _ = b.OpenCheckout(b.Context(), wanted("o3", payment.VirtualAccount))
		if n := strings.Count(log.String(), "no more live accounts"); n != 2 {
			t.Errorf("a minute later it was logged %d times", n)
		}
	})
}
