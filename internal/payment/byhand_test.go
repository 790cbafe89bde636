package payment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestAWordOfItsTime takes no word of a cancellation that was made before anybody
// asked for it.
func TestAWordOfItsTime(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	p, asked, err := paid(t, e).RequestCancel(payment.CancelRequest{}, e)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]error{
		{}: nil, e.Now: nil, e.Now.Add(-time.Minute): nil, e.Now.AddDate(0, 0, -1): payment.ErrBeforeAsked,
	} {
		d, err := p.EndCancel(asked.ID, payment.CancelWord{Succeeded: true, At: at, Reason: "the PG's pages"}, e)
		if !errors.Is(err, want) || err == nil && d.Payment.State != payment.Cancelled {
			t.Errorf("made at %v: %v, %s", at, err, d.Payment.State)
		}
	}
}
