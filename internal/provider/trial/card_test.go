package trial_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestCards charges each test card by its number and by a billing key, and asks what
// came of it.
func TestCards(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		code   string // of the PG's no
		lost   bool
		stands payment.State
		noKey  bool
	}{
		"4242424242424242": {stands: payment.Paid}, "5555555555554444": {stands: payment.Paid}, "9490123400000004": {stands: payment.Paid},
		"4000000000000002": {code: "TRIAL_CARD_DECLINED", noKey: true}, "4000000000009995": {code: "TRIAL_INSUFFICIENT_FUNDS"},
		"4000000000009979": {code: "TRIAL_STOLEN_CARD"}, "4000000000000069": {code: "TRIAL_EXPIRED_CARD"},
		"4000000000001117": {lost: true, stands: payment.Paid}, "4000000000002222": {lost: true, stands: payment.Failed}, "4000000000003337": {lost: true},
	}
	manual, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range trial.Cards() {
		if code := ends[number].code; !strings.Contains(string(manual), "`"+number+"`") || !strings.Contains(string(manual), code) {
			t.Errorf("docs/api.md does not tell of the card %s %s", number, code)
		}
	}
	if len(ends) != len(trial.Cards()) {
		t.Errorf("%d cards are tried, and there are %v", len(ends), trial.Cards())
	}
	for number, want := range ends {
		b := open(t, "kcp_v2")
		g, a := b.PG, b.access()
		key, err := g.IssueKey(t.Context(), a, provider.KeyOrder{Card: provider.Card{Number: secret.Text(number)}, Key: "k"})
		if (err != nil) != want.noKey {
			t.Errorf("%s: a key is issued: %v", number, err)
		}
		for by, c := range map[string]provider.Charge{
			"card": {ID: "o-card", Key: "1", Card: &provider.Card{Number: secret.Text(number)}},
			"key":  {ID: "o-key", Key: "2", BillingKey: &provider.BillingKey{Key: key.Key}},
		} {
			if by == "key" && want.noKey {
				continue
			}
			c.Amount = payment.Won(1000)
			for range 2 { // the same again is the same
				got, err := g.Charge(t.Context(), a, c)
				no, declined := errors.AsType[*provider.DeclinedError](err)
				switch {
				case want.code != "":
					if !declined || no.Code != want.code {
						t.Errorf("%s by %s: %v, want %s", number, by, err, want.code)
					}
				case want.lost:
					if !fault.Is(err, fault.Unclear) {
						t.Errorf("%s by %s: %v, want its answer lost", number, by, err)
					}
				case err != nil || got.PGTx == "" || got.Card.Approval == "" || got.Card.Number != number[:4]+"-"+number[4:6]+"**-****-"+number[12:] || got.At.IsZero():
					t.Errorf("%s by %s: %+v, %v", number, by, got, err)
				}
				if err != nil && strings.Contains(err.Error(), number) {
					t.Errorf("the error quotes the card: %v", err)
				}
			}
			s, err := g.Inquire(t.Context(), a, provider.Query{Order: c.ID, Amount: c.Amount})
			if err != nil || s.State != want.stands || s.State == payment.Paid && s.Card.Approval == "" || (s.State == payment.Failed) != (s.Failure != nil) {
				t.Errorf("%s by %s stands at %q, %+v, %v", number, by, s.State, s, err)
			}
		}
	}
}

func TestCardsRefused(t *testing.T) {
	t.Parallel()
	b := open(t, "kcp_v2")
	g, a := b.PG, b.access()
	code := func(err error) string {
		no, _ := errors.AsType[*provider.DeclinedError](err)
		if no == nil {
			return ""
		}
		return no.Code
	}
	by := func(number secret.Text) provider.Charge {
		return provider.Charge{ID: "o-1", Key: "1", Amount: payment.Won(1000), Card: &provider.Card{Number: number}}
	}
	if _, err := g.Charge(t.Context(), a, by("4111111111111111")); code(err) != "TRIAL_UNKNOWN_CARD" {
		t.Errorf("another card: %v", err)
	}
	if _, err := g.IssueKey(t.Context(), a, provider.KeyOrder{Card: provider.Card{Number: "4111111111111111"}}); code(err) != "TRIAL_UNKNOWN_CARD" {
		t.Errorf("a key for another card: %v", err)
	}
	if err := g.CheckCharge(a.Channel, provider.Charge{Amount: payment.Money{Amount: 1, Currency: "USD"}}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("dollars: %v", err)
	}
	if _, err := g.Charge(t.Context(), a, by("4242424242424242")); err != nil {
		t.Fatal(err)
	}
	other := by("4242424242424242")
	other.Key = "2"
	if _, err := g.Charge(t.Context(), a, other); code(err) != "TRIAL_OTHER_CHARGE" {
		t.Errorf("the order again: %v", err)
	}
	refund := provider.Refund{Query: provider.Query{Order: "o-1", Amount: payment.Won(1000)}, Give: payment.Won(300), Rest: payment.Won(1000), Card: true, Key: "r"}
	if err := g.CheckRefund(a.Channel, refund); err != nil {
		t.Error(err)
	}
	if done, err := g.Refund(t.Context(), a, refund); err != nil || done.PGID == "" || done.Transfer != "" {
		t.Errorf("a refund: %+v, %v", done, err)
	}
	if s, err := g.Inquire(t.Context(), a, refund.Query); err != nil || s.State != payment.PartiallyCancelled || len(s.Cancellations) != 1 {
		t.Errorf("after a refund it stands at %+v, %v", s, err)
	}
	key, err := g.IssueKey(t.Context(), a, provider.KeyOrder{Card: provider.Card{Number: "4242424242424242"}, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if at, err := g.DeleteKey(t.Context(), a, provider.BillingKey{Key: key.Key}); err != nil || at.IsZero() {
		t.Errorf("deleted: %v, %v", at, err)
	}
	if _, err := g.DeleteKey(t.Context(), a, provider.BillingKey{Key: key.Key}); code(err) != "TRIAL_UNKNOWN_BILLING_KEY" {
		t.Errorf("deleted again: %v", err)
	}
	if _, err := g.Charge(t.Context(), a, provider.Charge{ID: "o-2", Amount: payment.Won(1), BillingKey: &provider.BillingKey{Key: key.Key}}); code(err) != "TRIAL_UNKNOWN_BILLING_KEY" {
		t.Errorf("charged after that: %v", err)
	}
}
