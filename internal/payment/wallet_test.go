package payment_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestWallets: each wallet has one name in V1, which names no other.
func TestWallets(t *testing.T) {
	t.Parallel()
	for _, w := range payment.Wallets() {
		if !w.Known() || w.V1() == "" {
			t.Errorf("%s is not known, or has no name in V1", w)
		}
		if got, ok := payment.WalletOfV1(w.V1()); !ok || got != w {
			t.Errorf("WalletOfV1(%q) = %s, %t, want %s", w.V1(), got, ok, w)
		}
	}
	for _, name := range []string{"", "card", "NAVERPAY", "naverpay ", strings.Repeat("x", 1<<16)} {
		if w, ok := payment.WalletOfV1(name); ok {
			t.Errorf("WalletOfV1(%.20q) = %s, want none", name, w)
		}
		if payment.Wallet(strings.ToLower(name)).Known() {
			t.Errorf("%.20q is known", name)
		}
	}
}
