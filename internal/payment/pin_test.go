package payment_test

import (
	"errors"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

func TestPin(t *testing.T) {
	t.Parallel()
	n := func(v int64) *int64 { return &v }
	for _, c := range []struct {
		name string
		pin  payment.Pin
		want error
	}{
		{"nothing", payment.Pin{}, nil},
		{"all of it", payment.Pin{Amount: n(1000), TaxFree: n(100), Currency: payment.KRW}, nil},
		{"another amount", payment.Pin{Amount: n(1001)}, payment.ErrPinned},
		{"another part", payment.Pin{Amount: n(1000), TaxFree: n(0)}, payment.ErrPinned},
		{"another currency", payment.Pin{Amount: n(1000), Currency: "USD"}, payment.ErrPinned},
	} {
		if err := c.pin.Check(payment.Won(1000), 100); !errors.Is(err, c.want) {
			t.Errorf("%s: Check = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestPreregister(t *testing.T) {
	t.Parallel()
	amount, other := int64(1000), int64(1)
	same, different := payment.Pin{Amount: &amount}, payment.Pin{Amount: &other}
	if keep, err := payment.Preregister(nil, different); !keep || err != nil {
		t.Errorf("of what has not begun = %v, %v", keep, err)
	}
	for _, state := range []payment.State{payment.Ready, payment.Issued, payment.PayPending, payment.Failed} {
		p := &payment.Payment{State: state, Amount: payment.Won(1000)}
		if keep, err := payment.Preregister(p, same); keep || err != nil {
			t.Errorf("the same of what is %s = %v, %v", state, keep, err)
		}
		if keep, err := payment.Preregister(p, different); keep || !errors.Is(err, payment.ErrBegun) {
			t.Errorf("another of what is %s = %v, %v", state, keep, err)
		}
	}
	for _, state := range []payment.State{payment.Paid, payment.PartiallyCancelled, payment.Cancelled} {
		p := &payment.Payment{State: state, Amount: payment.Won(1000)}
		if keep, err := payment.Preregister(p, same); keep || !errors.Is(err, payment.ErrAlreadyPaid) {
			t.Errorf("of what is %s = %v, %v", state, keep, err)
		}
	}
}
