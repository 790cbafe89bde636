package simulator_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestProofFields: a field is called a proof, and an order's secret too, if and
// only if another value of it makes a good notice a bad one.
func TestProofFields(t *testing.T) {
	echoed, other := secret.Text(strings.Repeat("0a", 32)), secret.Text(strings.Repeat("0b", 32)) // KPN's are hashes
	for _, p := range all.Providers() {
		i := p.Info()
		proof, byOrder := map[string]bool{}, false
		for _, form := range append([]string{""}, i.Forms...) {
			n := full()
			n.Form = form
			refuses := func(sent notice.Notice, c merchant.Credentials, known secret.Text) bool {
				r := p.Encode(sent, keys(i))
				told, err := p.Decode(r)
				if err != nil {
					t.Fatalf("%s %s: %v", i.Code, form, err)
				}
				order := payment.Payment{Transactions: []payment.Transaction{{Order: n.Order, Secret: known}}}
				return fault.Is(p.Verify(r, told, merchant.Channel{MID: "shop", Credentials: c}, order), fault.Unauthorized)
			}
			for _, f := range i.Fields {
				wrong := keys(i)
				wrong[f.Name] = "another"
				n.Proof = ""
				proof[f.Name] = proof[f.Name] || refuses(n, wrong, "")
			}
			n.Proof = echoed
			byOrder = byOrder || refuses(n, nil, other) && !refuses(n, nil, echoed)
		}
		for _, f := range i.Fields {
			if f.Proof != proof[f.Name] {
				t.Errorf("%s %s: Proof is %v, but another value is refused: %v", i.Code, f.Name, f.Proof, proof[f.Name])
			}
		}
		if i.OrderSecret != byOrder {
			t.Errorf("%s: OrderSecret is %v, but another is refused: %v", i.Code, i.OrderSecret, byOrder)
		}
	}
}
