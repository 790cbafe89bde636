package payment

import (
	"slices"
	"strings"
)

// A Wallet is an easy-pay service (간편결제) by which a buyer pays, in the words of PortOne's
// EasyPayProvider. That PayPal is among them is so since PortOne's server SDK 0.15 (2025);
// before, the API had no word for it.
type Wallet string

// The wallets that have a channel of their own.
const (
	NaverPay Wallet = "NAVERPAY" // 네이버페이
	TossPay  Wallet = "TOSSPAY"  // 토스페이
	PayPal   Wallet = "PAYPAL"   // 페이팔
)

// wallets are those that PortOne's browser SDK names (0.1.11), and PayPal, which has a
// payMethod of its own there.
var wallets = []Wallet{
	NaverPay, "KAKAOPAY", TossPay, "PAYCO", "SAMSUNGPAY", "APPLEPAY", "SSGPAY", "LPAY", "KPAY", "LGPAY", "SKPAY", "PINPAY", "CHAI",
	"TOSS_BRANDPAY", "HYPHEN", "LINEPAY", "TMONEY", PayPal,
}

// Wallets lists the wallets that are known, those that most buyers have first.
func Wallets() []Wallet { return slices.Clone(wallets) }

// Known reports whether w is one of Wallets.
func (w Wallet) Known() bool { return slices.Contains(wallets, w) }

// V1 is what API V1 calls the wallet, in pay_method and emb_pg_provider, such as kakaopay;
// empty for none.
func (w Wallet) V1() string {
	if w == "SAMSUNGPAY" {
		return "samsung"
	}
	return strings.ToLower(string(w))
}

// Within reports whether a wallet that paid on a channel of a module is embedded there, as V1
// calls it: the wallet's own module is named after it.
func (w Wallet) Within(module string) bool { return strings.TrimSuffix(module, "_v2") != w.V1() }

// WalletOfV1 is the wallet that V1's pay_method names; false if it names none.
func WalletOfV1(name string) (Wallet, bool) {
	i := slices.IndexFunc(wallets, func(w Wallet) bool { return w.V1() == name })
	if name == "" || i < 0 {
		return "", false
	}
	return wallets[i], true
}
