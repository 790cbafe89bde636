package wallet_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wallet"
)

func modules() []provider.Provider {
	return []provider.Provider{wallet.NaverPay, wallet.TossPay, wallet.PayPal}
}

// TestWallets: a wallet's module is whole without notices, and its channel is always played.
func TestWallets(t *testing.T) {
	t.Parallel()
	codes := make(map[string]bool)
	for _, p := range modules() {
		i := p.Info()
		if i.Code == "" || codes[i.Code] || i.Name.KO == "" || i.Name.EN == "" || i.Admin == "" || i.Modules == "" || i.Proves.KO == "" || i.ResendNote.EN == "" {
			t.Errorf("Info of %q lacks something: %+v", i.Code, i)
		}
		codes[i.Code] = true
		if i.SendsNotices() || len(i.Events) > 0 || len(i.TestMIDs) > 0 || len(provider.Calls(p)) > 0 || i.LiveSenders != nil {
			t.Errorf("%s: a PG without notices and calls tells of some: %+v", i.Code, i)
		}
		if w := i.Wallet; w == nil || !w.Name.Known() || len(w.Currencies) == 0 || w.Method != payment.ByWallet && w.Method != payment.ByPayPal {
			t.Errorf("%s: wallet %+v", i.Code, w)
		}
		full := merchant.Credentials{}
		for _, f := range i.Fields {
			full[f.Name] = "x"
		}
		if !provider.OnTrial(p, merchant.Channel{Mode: merchant.Test, Credentials: full}) {
			t.Errorf("%s: a test channel with the merchant's credentials is not played", i.Code)
		}
		if provider.OnTrial(p, merchant.Channel{Mode: merchant.Live, Credentials: full}) {
			t.Errorf("%s: a live channel is played", i.Code)
		}
		i.Wallet.Currencies[0], i.Wallet.Name = "XXX", "" // what Info tells is the caller's own
		if again := p.Info().Wallet; again.Currencies[0] == "XXX" || again.Name == "" {
			t.Errorf("%s: who changes an Info changes the next", i.Code)
		}
	}
}

// TestGuides: each guide says in its language what a channel needs, and leaves no mark open.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, p := range modules() {
		i := p.Info()
		for lang, says := range map[string][]string{"ko": {"# " + i.Name.KO, "해요", "라이브 채널은 만들 수 없어요"}, "en": {"# Test channels of " + i.Name.EN, "There are no live channels"}} {
			g := p.Guide(lang)
			says = append(says, "| `mid` |", `payMethod: "`+string(i.Wallet.Method)+`"`, string(i.Wallet.Currencies[0]))
			for _, f := range i.Fields {
				says = append(says, "| `"+f.Name+"` |")
			}
			for _, want := range says {
				if !strings.Contains(g, want) {
					t.Errorf("guide of %s in %s lacks %q", i.Code, lang, want)
				}
			}
			if strings.Contains(g, "{{") || lang == "en" && strings.Contains(g, "해요") {
				t.Errorf("guide of %s in %s is not whole:\n%s", i.Code, lang, g)
			}
		}
	}
}

// FuzzSilent: whatever is sent is never taken for a notice, and is not acknowledged.
func FuzzSilent(f *testing.F) {
	f.Add("POST", "/naverpay", "a=1", []byte(`{"paymentId":"x"}`))
	f.Add("", "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		r := notice.Request{Method: method, Path: path, Query: query, Body: body}
		for _, p := range modules() {
			if _, err := p.Decode(r); !fault.Is(err, fault.Unsupported) {
				t.Errorf("%s: Decode = %v, want Unsupported", p.Info().Code, err)
			}
			if err := p.Verify(r, notice.Notice{}, merchant.Channel{}, payment.Payment{}); err == nil {
				t.Errorf("%s: Verify proves a notice that there cannot be", p.Info().Code)
			}
			a := p.Ack(r, provider.Received)
			if a.Status != 404 || p.Acked(a) {
				t.Errorf("%s: answers %+v", p.Info().Code, a)
			}
			if _, err := p.Decode(p.Encode(notice.Notice{}, nil)); err == nil {
				t.Errorf("%s: reads what it writes", p.Info().Code)
			}
		}
	})
}
