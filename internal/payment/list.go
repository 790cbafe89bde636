package payment

import "github.com/tongbo/tongbo/internal/merchant"

// A Method is what a payment is paid by, in the word by which PortOne's lists
// filter.
type Method string

// The methods of this release.
const (
	VirtualAccount Method = "VIRTUAL_ACCOUNT" // 가상계좌
	ByCard         Method = "CARD"            // by its number, or by a billing key
	ByWallet       Method = "EASY_PAY"        // 간편결제: which one, the Charge's Wallet says
)

// ByPayPal is what shops' pages ask PayPal's windows for. What is paid in one is listed as
// ByWallet, as PortOne's lists have no other word for it.
const ByPayPal Method = "PAYPAL"

// Method returns what p is paid by; empty before the attempt that faces show
// has an account.
func (p Payment) Method() Method {
	t, ok := p.Transaction()
	switch {
	case !ok:
	case t.Charge != nil && t.Charge.Wallet != "":
		return ByWallet
	case t.Charge != nil:
		return ByCard
	case t.Account != nil:
		return VirtualAccount
	}
	return ""
}

// States returns every state of a payment.
func States() []State {
	return []State{Ready, PayPending, Issued, Paid, PartiallyCancelled, Cancelled, Failed}
}

// MatchKeyFor is the key of a name that a person wrote, as [Payment.MatchKeys]
// makes it of the same name.
func MatchKeyFor(c merchant.ChannelKey, kind MatchKind, value string) MatchKey {
	if kind == ByAccount {
		value = digits(value)
	}
	return MatchKey{c, kind, Shorten(value)}
}
