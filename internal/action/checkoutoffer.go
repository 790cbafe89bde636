package action

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// An Offer is what a window lets its buyer choose.
type Offer struct {
	StoreName string
	Provider  string            // the PG module's code
	Banks     []payment.Bank    // of a virtual account; nil for other methods
	Due       time.Time         // until when that takes money
	Endings   []provider.Ending // of what is played; nil for accounts
	Wallet    payment.Wallet    // that pays; empty for other methods
	Trial     bool              // the PG is played here: no money moves
}

// issuingBanks are those of which Korean PGs issue virtual accounts, in PortOne's order
// (browser SDK, 2026-08). What a PG lacks it refuses when it is asked.
var issuingBanks = []payment.Bank{
	"IBK", "KOOKMIN", "SUHYUP", "NONGHYUP", "WOORI", "STANDARD_CHARTERED", "DAEGU", "BUSAN", "KWANGJU", "JEONBUK", "KYONGNAM", "POST", "HANA", "SHINHAN", "K_BANK",
}

// CheckoutOffer is what a window offers by the settings of now. It reports
// payment.ErrNoCheckout, ErrNoWindow, and fault.NotFound if its channel is not in use any
// more: then there is nothing to choose, and only the store's name is told.
func (a *Actions) CheckoutOffer(ctx context.Context, id payment.CheckoutID) (out Offer, err error) {
	c, err := a.Store.Checkout(ctx, id)
	if err != nil {
		return out, err
	}
	err = a.viewed(ctx, func(v *view) error {
		s, _ := v.channels.Store(c.Store)
		out = Offer{StoreName: s.Name}
		ch, p, err := a.use(v, Caller{Merchant: c.Merchant, Store: c.Store, Mode: merchant.Any}, c.Channel)
		if err != nil {
			return err
		}
		out = Offer{StoreName: s.Name, Provider: ch.Provider, Trial: a.played(p, ch)}
		switch c.Method {
		case payment.VirtualAccount:
			out.Banks, out.Due = c.Banks, CheckoutDue(c, now())
			if len(out.Banks) == 0 {
				out.Banks = issuingBanks
			}
		case payment.ByCard:
			out.Endings = provider.Endings()
		case payment.ByWallet, payment.ByPayPal:
			out.Endings, out.Wallet = provider.Endings(), walletAsked(p.Info(), c.Asked)
		}
		return a.hasWindow(p, ch, c.Asked)
	})
	return out, err
}
