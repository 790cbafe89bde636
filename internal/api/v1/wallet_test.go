package v1

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestWallets tells of wallets in V1's words: of one in the window of a PG as the embedded
// one, of one on its own channel without that.
func TestWallets(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	for _, w := range payment.Wallets() {
		s.change("order-1", func(p *payment.Payment) {
			p.Transactions[0].Account, p.Transactions[0].Charge = nil, &payment.Charge{Wallet: w}
		})
		got := s.call("GET", "/payments/"+p.ImpUID, "main", "").text
		for _, want := range []string{`"pay_method":"` + w.V1() + `"`, `"emb_pg_provider":"` + w.V1() + `"`, `"pg_provider":"tosspayments"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s: %s", w, want, got)
			}
		}
	}
	for module, w := range map[string]payment.Wallet{"naverpay": payment.NaverPay, "tosspay": payment.TossPay, "paypal_v2": payment.PayPal} {
		var out paymentAnswer
		if out.wallet(w, module); out.EmbPGProvider != nil || *out.PayMethod != w.V1() {
			t.Errorf("%s on its own channel: %+v", w, out)
		}
	}
}
