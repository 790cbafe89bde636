package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// tillWallet is the test channel of a wallet, and how a page asks for it.
type tillWallet struct {
	name, code, credentials string
	ask                     string // beside what a page asks for anyway
	sum                     string // on the button
	provider                string // as the API names it
	part                    int    // of the amount, to be given back
}

var tillPurses = []tillWallet{
	{"네이버페이", "naverpay", `{ client_id = "c", client_secret = "opensesame-n", chain_id = "x" }`, `payMethod: "EASY_PAY"`, "₩11,000", "NAVERPAY", 1000},
	{"토스페이", "tosspay", `{ api_key = "opensesame-t" }`, `payMethod: "EASY_PAY", easyPay: { easyPayProvider: "EASY_PAY_PROVIDER_TOSSPAY" }`, "₩11,000", "TOSSPAY", 1000},
	{"페이팔", "paypal_v2", `{}`, `payMethod: "PAYPAL", currency: "CURRENCY_USD", totalAmount: 1250`, "12.50 USD", "PAYPAL", 250},
}

// purseChannel is the channel of the n-th of them.
func purseChannel(n int) string { return townChannel(20 + n) }

// purses are the settings of their channels.
func purses() string {
	var b strings.Builder
	for n, p := range tillPurses {
		fmt.Fprintf(&b, "[[merchant.store.channel]]\nkey = %q\nname = %q\nprovider = %q\nmode = \"test\"\nmid = \"P%d\"\ncredentials = %s\n", purseChannel(n), p.name, p.code, n, p.credentials)
	}
	return b.String()
}

// ends has the payment of a wallet's window end.
func (x *tab) ends(p tillWallet, ending string) {
	x.Helper()
	x.choose("ending", ending)
	x.hit(p.sum + " 결제하기")
}

// tillWallets pays by each wallet, declines one and leaves one, cancels by the API, and hears
// of all of it by webhook.
func tillWallets(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	again := func() { ask[bool](c.tab, "forget", "(out.length = 0, true)") }
	for n, p := range tillPurses {
		buys := func(id, more string) *tab {
			again()
			c.buys(1, id, fmt.Sprintf(`{ channelKey: %q, %s, %s }`, purseChannel(n), p.ask, more))
			return c.window()
		}
		id := "purse-" + p.code
		w := buys(id, "")
		w.sees(p.name, p.sum, "테스트 결제예요", "승인", "거절")
		w.sound()
		c.shot("wallet-" + p.code)
		w.ends(p, "approve")
		c.resolves(map[string]any{"paymentId": id, "code": nil})
		c.cleared()
		x.hears(x.main, "Transaction.Paid", id)
		x.cancels(id, fmt.Sprintf(`{"reason":"변심","amount":%d}`, p.part), "PARTIAL_CANCELLED")
		x.hears(x.main, "Transaction.PartialCancelled", id)
		x.cancels(id, `{"reason":"변심"}`, "CANCELLED")
		x.hears(x.main, "Transaction.Cancelled", id)
		if _, text := x.call("GET", "/payments/"+id, ""); !strings.Contains(text, `"PaymentMethodEasyPay"`) || !strings.Contains(text, `"provider":"`+p.provider+`"`) || strings.Contains(text, "opensesame") {
			t.Errorf("%s is told as %s", id, text)
		}

		w = buys(id+"-no", "")
		w.ends(p, "decline")
		c.resolves(map[string]any{"paymentId": id + "-no", "code": "PGProviderError", "pgCode": "TRIAL_WALLET_DECLINED"})
		x.hears(x.main, "Transaction.Failed", id+"-no")

		w = buys(id+"-left", "")
		w.hit("결제하지 않고 돌아가기")
		c.resolves(map[string]any{"paymentId": id + "-left", "code": "PAYMENT_CANCELLED"})
	}
	// As a button of PayPal's in the page, where payMethod may be left out.
	again()
	c.press(fmt.Sprintf(`PortOne.loadPaymentUI(fair({ uiType: "PAYPAL_SPB", storeId: %q, channelKey: %q, paymentId: "purse-ui", locale: "KO_KR", payMethod: undefined, currency: "USD", totalAmount: 1250 }),
		{ onPaymentSuccess: value => { out.push({ value }) }, onPaymentFail: e => { out.push({ error: { code: e.code } }) } })`, tillStore(1), purseChannel(2)))
	c.window().ends(tillPurses[2], "approve")
	c.resolves(map[string]any{"paymentId": "purse-ui"})
	x.hears(x.main, "Transaction.Paid", "purse-ui")
	// What no wallet takes rejects, and says why.
	again()
	c.expects(http.StatusBadRequest)
	c.buys(1, "purse-card", fmt.Sprintf(`{ channelKey: %q, payMethod: "CARD" }`, purseChannel(0)))
	c.rejects(map[string]any{"code": "BadRequest", "message": `payMethod "CARD": the channel is one of Naver Pay, which takes EASY_PAY alone`})
}

// cancels cancels a payment by the API, as the shop's server does.
func (x *till) cancels(id, body, want string) {
	x.Helper()
	if status, text := x.call("POST", "/payments/"+id+"/cancel", body); status != http.StatusOK {
		x.Fatalf("cancel %s: %d %s", id, status, text)
	}
	if s := x.status(id); s != want {
		x.Errorf("%s is %s, want %s", id, s, want)
	}
}
