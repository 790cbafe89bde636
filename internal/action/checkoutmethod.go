package action

import (
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// hasWindow reports why this server has no window for what is asked for on a channel:
// fault.Invalid if the page names a method that the channel cannot have, else ErrNoWindow or
// fault.Unsupported.
func (a *Actions) hasWindow(p provider.Provider, ch merchant.Channel, x payment.Asked) error {
	i := p.Info()
	if i.Wallet != nil && x.Method != i.Wallet.Method {
		return invalid("payMethod %.40q: the channel is one of %s, which takes %s alone", string(x.Method), i.Name.EN, i.Wallet.Method)
	}
	switch x.Method {
	case payment.VirtualAccount:
		if _, ok := p.(provider.Issuer); ok {
			if x.Amount.Currency != payment.KRW {
				return fault.Errorf(fault.Unsupported, "virtual accounts take KRW only")
			}
			return nil
		}
	case payment.ByCard:
		if _, ok := p.(provider.Charger); ok && a.played(p, ch) {
			return nil
		}
	case payment.ByWallet, payment.ByPayPal:
		if a.played(p, ch) {
			return takesWallet(i, x)
		}
	case "":
		return invalid("payMethod is missing")
	}
	return fault.Errorf(fault.Unsupported, "payMethod %.40q: %w", string(x.Method), ErrNoWindow)
}

// takesWallet reports why a window cannot be paid in by a wallet.
func takesWallet(i provider.Info, x payment.Asked) error {
	switch w := walletAsked(i, x); {
	case i.Wallet == nil && x.Method == payment.ByPayPal:
		return invalid("payMethod PAYPAL: the channel is one of %s; PayPal has channels of its own (paypal_v2)", i.Name.EN)
	case w == "":
		return invalid("easyPay.easyPayProvider is missing: the PG of the channel has several wallets, and its own window, in which a buyer would choose, is not here")
	default:
		return i.TakesWallet(w, x.Amount.Currency)
	}
}

// walletAsked is the wallet that pays in a window: the one that the page named, else the
// channel's own; empty if there is none.
func walletAsked(i provider.Info, x payment.Asked) payment.Wallet {
	if x.Wallet == "" && i.Wallet != nil {
		return i.Wallet.Name
	}
	return x.Wallet
}
