package tosspayments_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestCalls(t *testing.T) {
	t.Parallel()
	bench := providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "tvivarepublica", Credentials: merchant.Credentials{
			"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		}},
		Order:  providertest.Won1000("SHINHAN"),
		Refund: &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"},
	}
	providertest.Calls(t, tosspayments.Module, bench)
	t.Run("charges", func(t *testing.T) {
		card := func(number secret.Text) provider.Card {
			return provider.Card{Number: number, ExpiryYear: "30", ExpiryMonth: "12", Identity: "881212", Password: "12"}
		}
		providertest.Charges(t, tosspayments.Module, bench, card("4330123412341234"), card("4330123412340002"))
	})
}

func TestCheckCharge(t *testing.T) {
	t.Parallel()
	c := merchant.Channel{Credentials: merchant.Credentials{"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"}}
	good := provider.Charge{Name: "책", Amount: payment.Won(1), BillingKey: &provider.BillingKey{}}
	if err := tosspayments.Module.CheckCharge(c, good); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*provider.Charge){
		"a card's number": func(q *provider.Charge) { q.BillingKey, q.Card = nil, &provider.Card{} },
		"dollars":         func(q *provider.Charge) { q.Amount.Currency = "USD" },
		"points":          func(q *provider.Charge) { q.Terms.CardPoint = true },
		"a long name":     func(q *provider.Charge) { q.Name = strings.Repeat("책", 101) },
	} {
		q := good
		edit(&q)
		if err := tosspayments.Module.CheckCharge(c, q); !fault.Is(err, fault.Unsupported) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Credentials = nil
	if err := tosspayments.Module.CheckCharge(c, good); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a secret key: %v", err)
	}
	if err := tosspayments.Module.CheckIssueKey(c, provider.KeyOrder{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key without a secret key: %v", err)
	}
}
