package action

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

// wallets turns channel-1 into a test channel of a module, with credentials.
func (b *bench) wallets(code string) {
	b.windows()
	b.save(func(all *settings.All) {
		c := &all.Channels[0]
		c.Provider, c.Mode, c.MID = code, merchant.Test, "P1"
		if p, ok := b.Providers(code); ok && p.Info().Wallet != nil {
			c.Credentials = merchant.Credentials{}
			for _, f := range p.Info().Fields {
				c.Credentials[f.Name] = "opensesame"
			}
		}
	})
}

// byWallet is what a page asks for by a wallet's channel.
func byWallet(id payment.ID, m payment.Method, w payment.Wallet, amount payment.Money) CheckoutRequest {
	r := wanted(id, m)
	r.Wallet, r.Amount = w, amount
	return r
}

func TestCheckoutByWallet(t *testing.T) {
	dollars := payment.Money{Amount: 1250, Currency: "USD"}
	for _, on := range []struct {
		code   string
		ask    CheckoutRequest
		wallet payment.Wallet
	}{
		{"naverpay", byWallet("o1", payment.ByWallet, "", payment.Won(1000)), payment.NaverPay},
		{"naverpay", byWallet("o1", "", "", payment.Won(1000)), payment.NaverPay},
		{"tosspay", byWallet("o1", payment.ByWallet, payment.TossPay, payment.Won(1000)), payment.TossPay},
		{"paypal_v2", byWallet("o1", payment.ByPayPal, "", dollars), payment.PayPal},
		{"paypal_v2", byWallet("o1", "", "", dollars), payment.PayPal},
		{"kcp_v2", byWallet("o1", payment.ByWallet, "KAKAOPAY", payment.Won(1000)), "KAKAOPAY"},
	} {
		for _, tt := range []struct {
			ending      provider.Ending
			code        payment.Code
			first, last payment.State
			told        string
		}{
			{provider.Approves, "", payment.Paid, payment.Paid, "Ready Paid"},
			{provider.Declines, payment.CodePG, payment.Failed, payment.Failed, "Ready Failed"},
			{provider.TimesOut, "", payment.PayPending, payment.Paid, "Ready PayPending Paid"},
		} {
			t.Run(on.code+" "+string(on.ask.Method)+" "+string(tt.ending), func(t *testing.T) {
				inBubble(t, func(b *bench) {
					b.wallets(on.code)
					b.ask()
					c := b.opens(on.ask)
					if o, err := b.CheckoutOffer(b.Context(), c.ID); err != nil || o.Wallet != on.wallet || len(o.Endings) != 3 || !o.Trial {
						b.Fatalf("it offers %+v, %v", o, err)
					}
					c, seen := b.pays(c, CheckoutChoice{Ending: tt.ending})
					if c.EndedAt.IsZero() || c.Outcome.Code != tt.code || seen.State != tt.first {
						b.Errorf("the window stands at %+v, and shows %s", c, seen.State)
					}
					sleep(10 * time.Minute)
					p := b.payment("o1")
					if p.State != tt.last || b.webhooks(p) != tt.told || p.Method() != payment.ByWallet || p.Transactions[p.Current].Charge.Wallet != on.wallet {
						b.Errorf("in the end it is %s by %s, told %q: %+v", p.State, p.Method(), b.webhooks(p), p.Transactions[p.Current].Charge)
					}
					if tt.last == payment.Paid {
						b.takenBack(p)
					}
				})
			})
		}
	}
}

// takenBack cancels a payment in part, and then the rest.
func (b *bench) takenBack(p payment.Payment) {
	b.Helper()
	by, part := Caller{Merchant: p.Merchant, Store: p.Store, Mode: p.Mode}, int64(300)
	for _, x := range []struct {
		amount *int64
		want   payment.State
	}{{&part, payment.PartiallyCancelled}, {nil, payment.Cancelled}} {
		r := CancelRequest{CancelRequest: payment.CancelRequest{Amount: x.amount, Reason: "변심", Trigger: payment.TriggerAPI}}
		if _, _, err := b.Cancel(b.Context(), by, p.ID, r); err != nil {
			b.Fatal(err)
		}
		if now := b.payment(p.ID); now.State != x.want || now.Method() != payment.ByWallet {
			b.Errorf("it is %s by %s, want %s", now.State, now.Method(), x.want)
		}
	}
}

// TestWalletWindowsRefused: what a channel's wallet cannot pay is refused before a window
// opens, with a sentence that says what it can.
func TestWalletWindowsRefused(t *testing.T) {
	won, dollars := payment.Won(1000), payment.Money{Amount: 1000, Currency: "USD"}
	for _, tt := range []struct {
		code string
		ask  CheckoutRequest
		kind fault.Kind
		says string
	}{
		{"naverpay", byWallet("o", payment.ByCard, "", won), fault.Invalid, "Naver Pay, which takes EASY_PAY alone"},
		{"naverpay", byWallet("o", payment.VirtualAccount, "", won), fault.Invalid, "EASY_PAY alone"},
		{"naverpay", byWallet("o", payment.ByPayPal, "", won), fault.Invalid, "EASY_PAY alone"},
		{"naverpay", byWallet("o", payment.ByWallet, "KAKAOPAY", won), fault.Unsupported, "KAKAOPAY is not paid by there"},
		{"naverpay", byWallet("o", payment.ByWallet, "", dollars), fault.Unsupported, "it takes KRW"},
		{"paypal_v2", byWallet("o", payment.ByPayPal, "", won), fault.Unsupported, "it takes USD"},
		{"paypal_v2", byWallet("o", payment.ByWallet, payment.PayPal, dollars), fault.Invalid, "PAYPAL alone"},
		{"paypal_v2", byWallet("o", payment.ByPayPal, "", payment.Money{Amount: 1, Currency: "XXX"}), fault.Invalid, "ISO 4217"},
		{"kcp_v2", byWallet("o", payment.ByWallet, "", won), fault.Invalid, "easyPayProvider is missing"},
		{"kcp_v2", byWallet("o", payment.ByWallet, "BITPAY", won), fault.Invalid, `"BITPAY" is unknown`},
		{"kcp_v2", byWallet("o", payment.ByWallet, payment.Wallet(strings.Repeat("X", 1<<16)), won), fault.Invalid, "is unknown"},
		{"kcp_v2", byWallet("o", payment.ByWallet, payment.PayPal, dollars), fault.Unsupported, "paypal_v2"},
		{"kcp_v2", byWallet("o", payment.ByPayPal, "", dollars), fault.Invalid, "paypal_v2"},
		{"kcp_v2", byWallet("o", payment.ByWallet, "KAKAOPAY", dollars), fault.Unsupported, "it takes KRW"},
		{"kcp_v2", byWallet("o", "", "", won), fault.Invalid, "payMethod is missing"},
	} {
		t.Run(tt.code+" "+tt.says, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.wallets(tt.code)
				_, err := b.OpenCheckout(b.Context(), tt.ask)
				if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 500 {
					b.Errorf("%s, %s by %.20s in %s: %v", tt.code, tt.ask.Method, tt.ask.Wallet, tt.ask.Amount.Currency, err)
				}
			})
		})
	}
}

// TestWalletsLive: nothing is played where the PG is called for real.
func TestWalletsLive(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.wallets("tosspayments")
		b.save(func(all *settings.All) {
			all.Channels[0].Mode, all.Channels[0].Credentials = merchant.Live, merchant.Credentials{"secret_key": "live_sk_x"}
			all.Stores[0].Origins = []string{"https://shop.example"}
		})
		if _, err := b.OpenCheckout(b.Context(), byWallet("o", payment.ByWallet, payment.TossPay, payment.Won(1000))); CheckoutCode(err) != "Unimplemented" {
			b.Errorf("a wallet's window on a live channel: %v", err)
		}
		g := payment.Registration{ID: "o", Channel: "channel-1", OrderName: "책", Amount: payment.Won(1000)}
		by := Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Any}
		if _, err := b.Charge(b.Context(), by, ChargeRequest{Registration: g, Wallet: &provider.WalletPay{Name: payment.TossPay, Ending: provider.Approves}}); !fault.Is(err, fault.Unsupported) {
			b.Errorf("a wallet that is played on a live channel: %v", err)
		}
		for name, r := range map[string]ChargeRequest{
			"nothing": {Registration: g}, "an unknown wallet": {Registration: g, Wallet: &provider.WalletPay{Name: "BITPAY", Ending: provider.Approves}},
			"an unknown ending": {Registration: g, Wallet: &provider.WalletPay{Name: payment.TossPay, Ending: "explode"}},
			"two":               {Registration: g, BillingKey: "k", Wallet: &provider.WalletPay{Name: payment.TossPay, Ending: provider.Approves}},
		} {
			if _, err := b.Charge(b.Context(), by, r); !fault.Is(err, fault.Invalid) {
				b.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestWalletsWithoutNotices: what is about notices, accounts and cards is refused on a wallet's
// channel.
func TestWalletsWithoutNotices(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.wallets("naverpay")
		b.PublicURL = "https://pay.example.kr"
		by := Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Any}
		g := payment.Registration{ID: "o", Channel: "channel-1", OrderName: "책", Amount: payment.Won(1000)}
		account := g
		account.Account = payment.Account{Bank: "SHINHAN", Number: "110123456789", Type: payment.Normal}
		issued := account
		issued.Account.Number, issued.Account.ExpiresAt = "", time.Now().Add(time.Hour)
		card := provider.Card{Number: "4242424242424242", ExpiryYear: "39", ExpiryMonth: "12"}
		for name, do := range map[string]func() error{
			"a test notice": func() error { _, err := b.Rehearse(b.Context(), by, "channel-1", ""); return err },
			"a played deposit": func() error {
				_, err := b.Enact(b.Context(), by, Enactment{Channel: "channel-1", Act: ActDeposit})
				return err
			},
			"a registration": func() error { _, _, err := b.RegisterAccount(b.Context(), by, account); return err },
			"an account":     func() error { _, err := b.Issue(b.Context(), by, IssueRequest{Registration: issued}); return err },
			"a card": func() error {
				_, err := b.Charge(b.Context(), by, ChargeRequest{Registration: g, Card: &card})
				return err
			},
			"a billing key": func() error {
				_, err := b.IssueKey(b.Context(), by, KeyRequest{Channel: "channel-1", Card: card})
				return err
			},
		} {
			if err := do(); !fault.Is(err, fault.Unsupported) {
				b.Errorf("%s: %v, want Unsupported", name, err)
			}
		}
		if _, err := b.store.Payment(b.Context(), "store-1", "o", merchant.Any); !fault.Is(err, fault.NotFound) {
			b.Errorf("a payment was made all the same: %v", err)
		}
	})
}
