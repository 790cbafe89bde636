package action

import (
	"net/http"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// TestOutcomeComesWithTheRefusal: whoever looks the moment that an attempt was refused hears
// why as its page does: that the shop said no, and what the PG said.
func TestOutcomeComesWithTheRefusal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method payment.Method
		url    string // of the shop, which says no
		choice CheckoutChoice
		want   payment.Code
	}{
		{"a card, by the shop", payment.ByCard, "https://shop.example/confirm", approves, payment.CodeConfirm},
		{"an account, by the shop", payment.VirtualAccount, "https://shop.example/confirm", byAccount, payment.CodeConfirm},
		{"a card, by the PG", payment.ByCard, "", CheckoutChoice{Ending: provider.Declines}, payment.CodePG},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				b.Shops = &http.Client{Transport: says(409, `{"errorMessage":"sold out"}`, 0)}
				r := wanted("o1", tt.method)
				r.ConfirmURL = tt.url
				opened := b.opens(r)
				c, p, err := b.checkout(b.Context(), opened.ID)
				if err != nil {
					t.Fatal(err)
				}
				// As PayCheckout does, and dies before it says how the window ended.
				refused := b.pay(b.Context(), c, p, tt.choice)
				want, ends := outcomeOf(refused)
				if now, _ := b.stands(c); !ends || want.Code != tt.want || now.EndedAt.IsZero() || now.Outcome != want {
					t.Errorf("the window ended as %+v, want %+v of %v", now.Outcome, want, refused)
				}
				if p := b.payment("o1"); p.State != payment.Failed || b.webhooks(p) != "Ready Failed" {
					t.Errorf("the payment is %s, told %q", p.State, b.webhooks(p))
				}
			})
		})
	}
}
