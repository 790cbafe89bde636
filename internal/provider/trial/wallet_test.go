package trial_test

import (
	"errors"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestWallets ends a charge of each wallet in each way, asks what came of it, and pays back
// in parts.
func TestWallets(t *testing.T) {
	t.Parallel()
	for _, p := range all.Wallets() {
		w := *p.Info().Wallet
		for _, e := range provider.Endings() {
			b := open(t, p.Info().Code)
			c := provider.Charge{
				ID: "o-1", Key: "1", Amount: payment.Money{Amount: 1000, Currency: w.Currencies[0]}, Wallet: &provider.WalletPay{Name: w.Name, Ending: e},
			}
			if err := b.CheckCharge(b.access().Channel, c); err != nil {
				t.Fatalf("%s: %v", w.Name, err)
			}
			var ids [2]string
			for n := range ids { // the same again is the same
				got, err := b.Charge(t.Context(), b.access(), c)
				no, declined := errors.AsType[*provider.DeclinedError](err)
				ids[n] = got.PGTx
				switch {
				case e == provider.Declines:
					if !declined || no.Code != "TRIAL_WALLET_DECLINED" {
						t.Errorf("%s declines by %v", w.Name, err)
					}
				case e == provider.TimesOut:
					if !fault.Is(err, fault.Unclear) {
						t.Errorf("%s without an answer: %v", w.Name, err)
					}
				case err != nil || got.PGTx == "" || got.At.IsZero() || got.Card != (payment.Card{}):
					t.Errorf("%s approves: %+v, %v", w.Name, got, err)
				}
			}
			if ids[0] != ids[1] {
				t.Errorf("%s, %s: charged twice: %v", w.Name, e, ids)
			}
			b.paidBack(c, e)
		}
	}
}

// paidBack sees where a charge stands, and gives it back in two parts.
func (b *bench) paidBack(c provider.Charge, e provider.Ending) {
	b.Helper()
	want := payment.Paid
	if e == provider.Declines {
		want = ""
	}
	q := provider.Query{Order: c.ID, Amount: c.Amount}
	if s, err := b.Inquire(b.Context(), b.access(), q); err != nil || s.State != want || s.Card != (payment.Card{}) {
		b.Errorf("%s, %s: it stands at %+v, %v", c.Wallet.Name, e, s, err)
	}
	if want == "" {
		return
	}
	for _, part := range []struct {
		give, rest int64
		stands     payment.State
	}{{400, 1000, payment.PartiallyCancelled}, {600, 600, payment.Cancelled}} {
		r := provider.Refund{
			Query: q, Give: payment.Money{Amount: part.give, Currency: c.Amount.Currency}, Rest: payment.Money{Amount: part.rest, Currency: c.Amount.Currency},
			Card: true, Key: "r" + string(part.stands),
		}
		if err := b.CheckRefund(b.access().Channel, r); err != nil {
			b.Error(err)
		}
		if done, err := b.Refund(b.Context(), b.access(), r); err != nil || done.PGID == "" || done.Transfer != "" {
			b.Errorf("%s gives back %d: %+v, %v", c.Wallet.Name, part.give, done, err)
		}
		if s, err := b.Inquire(b.Context(), b.access(), q); err != nil || s.State != part.stands {
			b.Errorf("%s gave back %d and stands at %s, %v", c.Wallet.Name, part.give, s.State, err)
		}
	}
	if _, err := b.Deposit(b.Context(), b.access(), provider.Deposit{Order: c.ID, Amount: c.Amount}); !fault.Is(err, fault.Conflict) {
		b.Errorf("%s: a deposit to what a wallet paid: %v", c.Wallet.Name, err)
	}
}

// TestWalletsRefused: a wallet's channel takes nothing but its wallet in its currencies, and
// a PG's any wallet that its window could have.
func TestWalletsRefused(t *testing.T) {
	t.Parallel()
	won, dollars := payment.Won(1000), payment.Money{Amount: 1000, Currency: "USD"}
	pay := func(w payment.Wallet) provider.Charge {
		return provider.Charge{Amount: won, Wallet: &provider.WalletPay{Name: w, Ending: provider.Approves}}
	}
	in := func(c provider.Charge, m payment.Money) provider.Charge { c.Amount = m; return c }
	card := provider.Charge{Amount: won, Card: &provider.Card{Number: "4242424242424242"}}
	for _, tt := range []struct {
		name, code string
		charge     provider.Charge
		want       fault.Kind
		good       bool
	}{
		{"another's", "naverpay", pay(payment.TossPay), fault.Unsupported, false},
		{"an unknown one", "naverpay", pay("NAVERPAY\x00"), fault.Invalid, false},
		{"dollars", "naverpay", in(pay(payment.NaverPay), dollars), fault.Unsupported, false},
		{"dollars", "tosspay", in(pay(payment.TossPay), dollars), fault.Unsupported, false},
		{"won", "paypal_v2", pay(payment.PayPal), fault.Unsupported, false},
		{"dollars", "paypal_v2", in(pay(payment.PayPal), dollars), 0, true},
		{"yen", "paypal_v2", in(pay(payment.PayPal), payment.Money{Amount: 1, Currency: "JPY"}), 0, true},
		{"a card", "paypal_v2", in(card, dollars), fault.Unsupported, false},
		{"a card", "naverpay", card, fault.Unsupported, false},
		{"a billing key", "tosspay", provider.Charge{Amount: won, BillingKey: &provider.BillingKey{Key: "k"}}, fault.Unsupported, false},
		{"a wallet in its window", "kcp_v2", pay("KAKAOPAY"), 0, true},
		{"PayPal", "kcp_v2", in(pay(payment.PayPal), dollars), fault.Unsupported, false},
		{"a wallet in dollars", "kcp_v2", in(pay("KAKAOPAY"), dollars), fault.Unsupported, false},
	} {
		b := open(t, tt.code)
		if err := b.CheckCharge(b.access().Channel, tt.charge); (err == nil) != tt.good || err != nil && !fault.Is(err, tt.want) {
			t.Errorf("%s on %s: %v", tt.name, tt.code, err)
		}
	}
	b := open(t, "naverpay")
	if err := b.CheckIssue(b.access().Channel, order("o")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("an account of a wallet: %v", err)
	}
	if err := b.CheckIssueKey(b.access().Channel, provider.KeyOrder{Card: provider.Card{Number: secret.Text("4242424242424242")}}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a billing key of a wallet: %v", err)
	}
	c := pay(payment.NaverPay)
	c.Wallet.Ending = "explode"
	if _, err := b.Charge(t.Context(), b.access(), c); !fault.Is(err, fault.Invalid) {
		t.Errorf("an ending that is none: %v", err)
	}
}
