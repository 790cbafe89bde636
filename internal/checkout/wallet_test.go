package checkout_test

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// walletKey is the key of a wallet's channel.
func walletKey(code string) merchant.ChannelKey { return merchant.ChannelKey("channel-key-of-" + code) }

// withWallets gives the shop a channel of each wallet.
func (d *desk) withWallets() {
	d.Helper()
	now, err := d.server.Store.Settings(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	for _, p := range all.Wallets() {
		i := p.Info()
		c := merchant.Channel{
			Key: walletKey(i.Code), Merchant: "merchant-1", Store: "store-1", Name: i.Name.KO, Provider: i.Code, Mode: merchant.Test, MID: "P1",
			PaymentType: merchant.WindowSimple, Methods: []string{string(i.Wallet.Method)}, Unknown: merchant.Hold, Credentials: merchant.Credentials{},
		}
		for _, f := range i.Fields {
			c.Credentials[f.Name] = secret.Text(kept[1])
		}
		now.Channels = append(now.Channels, c)
	}
	if err := d.server.Store.SaveSettings(d.Context(), now, time.Now().UTC()); err != nil {
		d.Fatal(err)
	}
}

// byWallet is what a page asks for on a wallet's channel, changed by more.
func byWallet(code string, more map[string]any) map[string]any {
	out := map[string]any{"channelKey": walletKey(code), "payMethod": "EASY_PAY"}
	if code == "paypal_v2" {
		out["payMethod"], out["currency"], out["totalAmount"] = "PAYPAL", "CURRENCY_USD", 1250
	}
	maps.Copy(out, more)
	return out
}

// TestWalletWindows pays, declines and loses the answer of each wallet, without a script, and
// reads what came of it as the shop does.
func TestWalletWindows(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	d.withWallets()
	for _, p := range all.Wallets() {
		i := p.Info()
		sum := map[bool]string{true: "12.50 USD", false: "11,000"}[i.Code == "paypal_v2"]
		for _, lang := range words.Langs() {
			x := d.opens("IFRAME", byWallet(i.Code, nil))
			page := html.UnescapeString(d.send("GET", x.Page+"?lang="+string(lang), "").text)
			name := words.Text(lang, "wallet."+string(i.Wallet.Name))
			for _, want := range []string{
				words.Text(lang, "checkout.wallet", "name", name), words.Text(lang, "checkout.wallet_says", "name", name), words.Text(lang, "checkout.test_mode"),
				words.Text(lang, "checkout.wallet_approve"), words.Text(lang, "checkout.wallet_decline"), words.Text(lang, "checkout.wallet_timeout"), sum,
				words.Text(lang, "checkout.leave"),
			} {
				if !strings.Contains(page, want) {
					t.Errorf("%s in %s lacks %q:\n%s", i.Code, lang, want, page)
				}
			}
		}
		t.Run(i.Code, func(t *testing.T) { d.on(t).walletEnds(i.Code, i.Wallet.Name) })
	}
	// In the window of another PG, the wallet that the page names.
	x := d.opens("IFRAME", map[string]any{"payMethod": "EASY_PAY", "easyPay": map[string]any{"easyPayProvider": "EASY_PAY_PROVIDER_KAKAOPAY"}})
	if page := d.send("GET", x.Page+"?lang=ko", "").text; !strings.Contains(page, "카카오페이로 결제") {
		t.Errorf("a wallet of another PG's is shown as\n%s", page)
	}
	d.does(x, "", "/pay", "ending", "approve")
	d.paidBy(x, payment.Paid, "KAKAOPAY")
}

// walletEnds ends windows of one wallet in every way.
func (d *desk) walletEnds(code string, w payment.Wallet) {
	d.Helper()
	x := d.opens("IFRAME", byWallet(code, nil))
	for _, wrong := range []string{"", "explode", strings.Repeat("x", 9000)} {
		if got := d.post(x, "/pay", "ending", wrong); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="ending"`) {
			d.Errorf("the ending %.10q: %d", wrong, got.Code)
		}
	}
	d.does(x, "", "/pay", "ending", "approve")
	if state, result, _ := d.result(x); state != "ended" || result["code"] != nil || result["paymentId"] != x.PaymentID {
		d.Errorf("approved, the page hears %s %v", state, result)
	}
	d.paidBy(x, payment.Paid, w)
	d.api("POST", "/payments/"+x.PaymentID+"/cancel", `{"reason":"변심","amount":250}`)
	d.paidBy(x, payment.PartiallyCancelled, w)
	d.api("POST", "/payments/"+x.PaymentID+"/cancel", `{"reason":"변심"}`)
	d.paidBy(x, payment.Cancelled, w)

	x = d.opens("IFRAME", byWallet(code, nil))
	d.does(x, "", "/pay", "ending", "decline")
	if _, result, _ := d.result(x); result["code"] != "PGProviderError" || result["pgCode"] != "TRIAL_WALLET_DECLINED" {
		d.Errorf("declined, the page hears %v", result)
	}
	d.paidBy(x, payment.Failed, w)

	x = d.opens("IFRAME", byWallet(code, nil))
	d.does(x, "", "/pay", "ending", "timeout")
	if state, result, _ := d.result(x); state != "ended" || result["code"] != nil {
		d.Errorf("without an answer, the page hears %s %v", state, result)
	}
	d.paidBy(x, payment.PayPending, w)
}

// paidBy sees that the API tells of a payment by its wallet.
func (d *desk) paidBy(x ticket, want payment.State, w payment.Wallet) {
	d.Helper()
	var got struct {
		Status payment.State
		Method struct {
			Type     string
			Provider payment.Wallet
			Card     any
		}
	}
	text := d.api("GET", "/payments/"+x.PaymentID, "").text
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Status != want || got.Method.Type != "PaymentMethodEasyPay" || got.Method.Provider != w || got.Method.Card != nil {
		d.Errorf("the API tells %s, want %s by %s", text, want, w)
	}
	for _, m := range []struct {
		filter string
		listed bool
	}{{`"EASY_PAY"`, true}, {`"CARD","VIRTUAL_ACCOUNT"`, false}} {
		list := d.send("GET", "/payments?requestBody="+url.QueryEscape(`{"filter":{"methods":[`+m.filter+`],"textSearch":[{"field":"PAYMENT_ID","value":"`+x.PaymentID+`"}]}}`), "", "Authorization", "PortOne api-secret-0123456789")
		if strings.Contains(list.text, `"`+x.PaymentID+`"`) != m.listed || list.Code != http.StatusOK {
			d.Errorf("the list of %s: %d %s", m.filter, list.Code, list.text)
		}
	}
}

// TestWalletRequestsRefused: what the page of a shop asks for that no wallet there pays.
func TestWalletRequestsRefused(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	d.withWallets()
	provider := func(name any) map[string]any {
		return map[string]any{"easyPay": map[string]any{"easyPayProvider": name}}
	}
	for name, x := range map[string]struct {
		request map[string]any
		status  int
		code    string
	}{
		"a card on a wallet's channel":          {byWallet("naverpay", map[string]any{"payMethod": "CARD"}), 400, "BadRequest"},
		"an account on a wallet's channel":      {byWallet("paypal_v2", map[string]any{"payMethod": "VIRTUAL_ACCOUNT"}), 400, "BadRequest"},
		"another wallet":                        {byWallet("tosspay", provider("NAVERPAY")), 501, "Unimplemented"},
		"a wallet that there is not":            {byWallet("tosspay", provider("BITPAY")), 400, "BadRequest"},
		"a wallet that is markup":               {byWallet("tosspay", provider("<script>alert(1)</script>")), 400, "BadRequest"},
		"a huge wallet":                         {byWallet("tosspay", provider(strings.Repeat("N", 50_000))), 400, "BadRequest"},
		"a wallet that is a number":             {byWallet("tosspay", provider(7)), 400, "BadRequest"},
		"dollars by Naver Pay":                  {byWallet("naverpay", map[string]any{"currency": "USD"}), 501, "Unimplemented"},
		"won by PayPal":                         {byWallet("paypal_v2", map[string]any{"currency": "KRW"}), 501, "Unimplemented"},
		"no currency":                           {byWallet("paypal_v2", map[string]any{"currency": ""}), 400, "BadRequest"},
		"a wallet of a PG's that nobody named":  {map[string]any{"payMethod": "EASY_PAY"}, 400, "BadRequest"},
		"PayPal on another PG's channel":        {map[string]any{"payMethod": "PAYPAL", "currency": "USD"}, 400, "BadRequest"},
		"a wallet on a live channel":            {map[string]any{"channelKey": lively, "payMethod": "EASY_PAY"}, 501, "Unimplemented"},
		"a method that there is not":            {byWallet("naverpay", map[string]any{"payMethod": strings.Repeat("EASY", 5000)}), 400, "BadRequest"},
		"a wallet beside another PG's channel ": {map[string]any{"payMethod": "EASY_PAY", "easyPay": map[string]any{"availableEasyPayProviders": []string{"NAVERPAY", "PAYCO"}}}, 400, "BadRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			d := d.on(t)
			got := d.asks("IFRAME", d.wish(x.request))
			d.refuses(x.status, x.code, got)
			if len(got.text) > 700 {
				t.Errorf("the answer repeats what was sent: %d bytes", len(got.text))
			}
		})
	}
}

// TestWalletsOfV1: pg and pay_method choose the wallet as they do at PortOne.
func TestWalletsOfV1(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	d.withWallets()
	ask := func(request map[string]any) answer {
		for k, v := range map[string]any{"merchant_uid": "v1-" + time.Now().Format("150405.000000000"), "name": "책", "amount": 1000} {
			if _, said := request[k]; !said {
				request[k] = v
			}
		}
		body, err := json.Marshal(map[string]any{"sdk": "v1", "userCode": "store-1", "window": "IFRAME", "request": request})
		if err != nil {
			t.Fatal(err)
		}
		return d.send("POST", "/checkout/requests", string(body), "Origin", shopOrigin, "Content-Type", "application/json")
	}
	for _, x := range []struct {
		request map[string]any
		method  string
	}{
		{map[string]any{"pg": "naverpay.P1", "pay_method": "naverpay"}, "naverpay"},
		{map[string]any{"pg": "naverpay"}, "naverpay"},
		{map[string]any{"pg": "tosspay.P1", "pay_method": "tosspay"}, "tosspay"},
		{map[string]any{"pg": "paypal_v2.P1", "pay_method": "paypal", "currency": "JPY"}, "paypal"},
		{map[string]any{"pg": "tosspayments.T0000", "pay_method": "kakaopay"}, "kakaopay"},
		{map[string]any{"pg": "tosspayments.T0000", "pay_method": "samsung"}, "samsung"},
	} {
		w := d.ticket(ask(x.request))
		d.does(w, "", "/pay", "ending", "approve")
		_, result, _ := d.result(w)
		if result["success"] != true || result["pay_method"] != x.method || result["status"] != "paid" || result["paid_amount"] != 1000.0 {
			t.Errorf("%v: the page hears %v", x.request, result)
		}
		module, _, _ := strings.Cut(x.request["pg"].(string), ".")
		if _, embedded := result["emb_pg_provider"]; result["pg_provider"] != module || embedded != (module == "tosspayments") {
			t.Errorf("%v: the page hears of %v, and within it %v", x.request, result["pg_provider"], result["emb_pg_provider"])
		}
	}
	for name, x := range map[string]struct {
		request map[string]any
		status  int
	}{
		"a card on a wallet's channel":          {map[string]any{"pg": "naverpay.P1", "pay_method": "card"}, 400},
		"another's wallet":                      {map[string]any{"pg": "naverpay.P1", "pay_method": "kakaopay"}, 501},
		"a wallet that there is not":            {map[string]any{"pg": "tosspayments.T0000", "pay_method": "bitpay"}, 400},
		"no method":                             {map[string]any{"pg": "tosspayments.T0000"}, 400},
		"points of nobody":                      {map[string]any{"pg": "tosspayments.T0000", "pay_method": "point"}, 400},
		"dollars, whose cents V1 has otherwise": {map[string]any{"pg": "paypal_v2", "pay_method": "paypal", "currency": "USD"}, 501},
		"a mid that there is not":               {map[string]any{"pg": "naverpay.P2", "pay_method": "naverpay"}, 404},
	} {
		if got := ask(x.request); got.Code != x.status {
			t.Errorf("%s: %d %s", name, got.Code, got.text)
		}
	}
}
