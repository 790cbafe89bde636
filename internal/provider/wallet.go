package provider

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// A Wallet says of a module that it is an easy-pay service's own (간편결제사 직접 연동). No
// call of its API is made, so it serves test channels alone, and payments there are played.
type Wallet struct {
	Name payment.Wallet
	// Method is what shops' pages ask its window for.
	Method payment.Method
	// Currencies are those that it takes.
	Currencies []payment.Currency
}

// TakesWallet reports why a wallet cannot pay on channels of the module: fault.Unsupported for
// another service's, for PayPal in a PG's window, and for a currency that it does not take.
func (i Info) TakesWallet(w payment.Wallet, c payment.Currency) error {
	takes := []payment.Currency{payment.KRW}
	switch {
	case !w.Known():
		return fault.Errorf(fault.Invalid, "there is no easy-pay provider %.40q", string(w))
	case i.Wallet == nil && w == payment.PayPal:
		return fault.Errorf(fault.Unsupported, "PayPal is paid by on a channel of its own (paypal_v2)")
	case i.Wallet != nil && i.Wallet.Name != w:
		return fault.Errorf(fault.Unsupported, "the channel is one of %s: %s is not paid by there", i.Name.EN, w)
	case i.Wallet != nil:
		takes = i.Wallet.Currencies
	}
	if !slices.Contains(takes, c) {
		return fault.Errorf(fault.Unsupported, "%s does not take %.10q on this channel: it takes %s", w, string(c), list(takes))
	}
	return nil
}

func list(of []payment.Currency) string {
	out := make([]string, len(of))
	for i, c := range of {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}
