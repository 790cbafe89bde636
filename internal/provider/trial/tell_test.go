package trial_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestToldAgain: a notice that nobody took is had again, the same, until something else
// happens.
func TestToldAgain(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		t.Run(p.Info().Code, func(t *testing.T) {
			t.Parallel()
			b, o := open(t, p.Info().Code), order("order1")
			b.issue(o)
			tell := func(e payment.Event) (notice.Request, error) {
				b.now = b.now.Add(time.Minute)
				return b.Tell(t.Context(), b.access(), o.ID, e)
			}
			twice := func(e payment.Event) {
				first, err := tell(e)
				if err != nil {
					t.Fatalf("%s: %v", e, err)
				}
				again, err := tell(e)
				if d := cmp.Diff(first, again); err != nil || d != "" {
					t.Errorf("%s again: %v\n%s", e, err, d)
				}
			}
			pay := func() {
				b.now = b.now.Add(time.Minute)
				if _, err := b.deposit(o, 0); err != nil {
					t.Fatal(err)
				}
			}
			pay()
			if slices.Contains(p.Info().Events, payment.EventReversed) {
				twice(payment.EventReversed)
				pay()
				twice(payment.EventReversed) // of the other deposit
				pay()
			}
			if !slices.Contains(p.Info().Events, payment.EventRefunded) {
				return
			}
			if _, err := tell(payment.EventRefunded); !fault.Is(err, fault.Conflict) {
				t.Errorf("a refund that was never made: %v", err)
			}
			for i, key := range []string{"r1", "r2"} {
				if _, err := b.refund(o, 3000+int64(i), 10_000-3000*int64(i), key); err != nil {
					t.Fatal(err)
				}
			}
			var told []notice.Request
			for range 4 {
				r, err := tell(payment.EventRefunded)
				if err != nil {
					t.Fatal(err)
				}
				told = append(told, r)
			}
			if !cmp.Equal(told[0], told[2]) || !cmp.Equal(told[1], told[3]) || cmp.Equal(told[0], told[1]) {
				t.Errorf("two refunds are told as %+v", told)
			}
		})
	}
}
