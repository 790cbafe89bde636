package providertest

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Charges tries a module's billing keys and charges against its own simulated API:
// with a card that is in order, and one that is over its limit.
func Charges(t *testing.T, p provider.Provider, b Bench, good, over provider.Card) {
	t.Helper()
	charger, _ := p.(provider.Charger)
	issuer, ok := p.(provider.KeyIssuer)
	if charger == nil || !ok {
		t.Fatalf("%s charges nothing", p.Info().Code)
	}
	g := b.open(t, p)
	key := g.issuedKey(t, issuer, good, "6f3a0f3e-0000-4000-8000-000000000011")
	c := b.charge(key)
	if err := charger.CheckCharge(g.Channel, c); err != nil {
		t.Fatalf("CheckCharge: %v", err)
	}
	q := provider.Query{Order: c.ID, Amount: c.Amount, At: time.Now()}
	g.stands(t, q, "")
	got, err := charger.Charge(t.Context(), g.Access, c)
	if err != nil || got.PGTx == "" || got.Card.Number == "" || got.Card.Number == good.Number.Reveal() || got.Card.Approval == "" || got.At.IsZero() {
		t.Fatalf("Charge = %+v, %v", got, err)
	}
	if again, err := charger.Charge(t.Context(), g.Access, c); err != nil && !declined(err) || err == nil && again.PGTx != got.PGTx {
		t.Errorf("the same charge again: %+v, %v, want the same or the PG's no", again, err)
	}
	q.PGTx = got.PGTx
	if s := g.stands(t, q, payment.Paid); s.Card.Approval != got.Card.Approval || s.PaidAt.Sub(got.At).Abs() > time.Minute {
		t.Errorf("it stands at %+v, charged as %+v", s, got)
	}
	other := c
	other.ID, other.Key, other.BillingKey = "order-2", "6f3a0f3e-0000-4000-8000-000000000022", &provider.BillingKey{Key: key.Key, Customer: "somebody-else"}
	if _, err := charger.Charge(t.Context(), g.Access, other); !declined(err) {
		t.Errorf("another customer's key: %v, want the PG's no", err)
	}
	g.refundToCard(t, q)
	other.BillingKey = new(g.issuedKey(t, issuer, over, "6f3a0f3e-0000-4000-8000-000000000012"))
	if _, err := charger.Charge(t.Context(), g.Access, other); !declined(err) {
		t.Errorf("a card over its limit: %v, want the PG's no", err)
	}
	if _, err := issuer.DeleteKey(t.Context(), g.Access, key); err != nil && !fault.Is(err, fault.Unsupported) {
		t.Errorf("DeleteKey: %v", err)
	}
}

// charge is a charge of the bench's order.
func (b Bench) charge(key provider.BillingKey) provider.Charge {
	return provider.Charge{
		ID: b.Order.ID, Name: b.Order.Name, Amount: b.Order.Amount, TaxFree: b.Order.TaxFree, VAT: b.Order.VAT,
		Customer: b.Order.Customer, BillingKey: &key, Terms: payment.Terms{Months: 3}, Key: b.Order.Key,
	}
}

func (g *pg) issuedKey(t *testing.T, issuer provider.KeyIssuer, card provider.Card, key string) provider.BillingKey {
	t.Helper()
	o := provider.KeyOrder{Card: card, Customer: payment.Customer{Name: "홍길동"}, Key: key}
	if err := issuer.CheckIssueKey(g.Channel, o); err != nil {
		t.Fatalf("CheckIssueKey: %v", err)
	}
	got, err := issuer.IssueKey(t.Context(), g.Access, o)
	if err != nil || got.Key == "" || got.Card.Number == "" || got.Card.Number == card.Number.Reveal() {
		t.Fatalf("IssueKey = %+v, %v", got, err)
	}
	broken := o
	broken.Card.Number = "12"
	if _, err := issuer.IssueKey(t.Context(), g.Access, broken); !declined(err) {
		t.Errorf("a key for a card that is none: %v, want the PG's no", err)
	}
	return provider.BillingKey{Key: got.Key, Customer: key}
}

// refundToCard gives a charge back, in part and then as a whole.
func (g *pg) refundToCard(t *testing.T, q provider.Query) {
	t.Helper()
	refunder, ok := g.p.(provider.Refunder)
	if !ok {
		return
	}
	for i, give := range []int64{3000, q.Amount.Amount - 3000} {
		rest := q.Amount
		rest.Amount -= int64(i) * 3000
		r := provider.Refund{
			Query: q, Give: payment.Won(give), Rest: rest, Number: i + 1, Reason: "변심", Card: true,
			Key: "6f3a0f3e-0000-4000-8000-00000000003" + string(rune('0'+i)),
		}
		if err := refunder.CheckRefund(g.Channel, r); err != nil {
			t.Fatalf("CheckRefund: %v", err)
		}
		if done, err := refunder.Refund(t.Context(), g.Access, r); err != nil || done.Transfer != "" {
			t.Errorf("Refund of %d = %+v, %v", give, done, err)
		}
		g.stands(t, q, []payment.State{payment.PartiallyCancelled, payment.Cancelled}[i])
	}
}

// charges are the calls with cards of a module.
func (b Bench) charges(p provider.Provider) map[string]func(*testing.T, provider.Access) error {
	calls := make(map[string]func(*testing.T, provider.Access) error)
	if x, ok := p.(provider.Charger); ok {
		calls["Charge"] = func(t *testing.T, a provider.Access) error {
			_, err := x.Charge(t.Context(), a, b.charge(provider.BillingKey{Key: secret.Text("12345678901234"), Customer: "c"}))
			return err
		}
	}
	if x, ok := p.(provider.KeyIssuer); ok {
		calls["IssueKey"] = func(t *testing.T, a provider.Access) error {
			_, err := x.IssueKey(t.Context(), a, provider.KeyOrder{Key: "c", Card: provider.Card{Number: "12345678901234", ExpiryYear: "30", ExpiryMonth: "12"}})
			return err
		}
	}
	return calls
}
