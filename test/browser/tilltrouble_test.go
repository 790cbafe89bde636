package browser

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tongbo/tongbo/internal/checkout"
)

// tillBack goes back: from the account to the form, which is the account by then, and
// from another order's form to the shop, which leaves the window.
func tillBack(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	redirected := `{ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done" }`
	c.buys(1, "back", redirected)
	c.until("the payment page", onPage)
	number := c.account()
	c.goBack()
	c.until("the account once more", `document.readyState === "complete" && document.getElementById("number")?.dataset.copy === "`+number+`"`)
	c.open("/")
	c.buys(1, "back-2", redirected)
	c.until("the payment page", onPage)
	c.goBack()
	c.resolves(map[string]any{"paymentId": "back-2", "code": "PAYMENT_CANCELLED"})
	if s := x.status("back-2"); s != "FAILED" {
		t.Errorf("the payment is %s", s)
	}
}

// onPage is so on the payment page.
const onPage = `location.pathname.startsWith("/checkout/") && document.readyState === "complete" && document.querySelector("main h1")`

// goBack is the browser's button.
func (x *tab) goBack() {
	x.Helper()
	ask[bool](x, "go back", `(document.documentElement.dataset.before = "1", setTimeout(() => history.back()), true)`)
	x.until("the page before", `!document.documentElement.dataset.before || window.out`)
}

// tillDoubleClick presses twice: one account is issued.
func tillDoubleClick(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "twice", `{ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done" }`)
	c.until("the payment page", onPage)
	c.choose("bank", "SHINHAN")
	c.fill("depositor", "홍길동")
	c.do("click twice", chromedp.ScrollIntoView(chromedp.CSS("form[action$='/pay'] button")), chromedp.DoubleClick(chromedp.CSS("form[action$='/pay'] button")))
	c.sees("입금할 금액")
	x.hears(x.main, "Transaction.VirtualAccountIssued", "twice")
	x.must("POST", "/tongbo/v1/payments/twice/deposit", `{}`)
	x.hears(x.main, "Transaction.Paid", "twice")
	if n := x.main.told(`"Transaction.VirtualAccountIssued"`, `"twice"`); n != 1 {
		t.Errorf("%d accounts were issued", n)
	}
}

// tillPopupClosed closes the popup, before and after the account is issued.
func tillPopupClosed(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "closed", `{ windowType: { pc: "POPUP" } }`)
	ask[bool](c.window(), "close", "(setTimeout(close), true)")
	c.resolves(map[string]any{"paymentId": "closed", "code": "PAYMENT_CANCELLED"})
	if s := x.status("closed"); s != "FAILED" {
		t.Errorf("the payment is %s", s)
	}
	ask[bool](c.tab, "forget", "(out.length = 0, true)")
	c.buys(1, "closed-2", `{ windowType: { pc: "POPUP" } }`)
	w := c.window()
	w.account()
	ask[bool](w, "close", "(setTimeout(close), true)")
	c.resolves(map[string]any{"paymentId": "closed-2", "code": nil})
}

// tillTwoTabs pays one order in two tabs: one goes on, the other is told and sees nothing
// of it.
func tillTwoTabs(t *testing.T, x *till) {
	b := openBrowser(t)
	one, two := x.another(t, b, "/", look{}), x.another(t, b, "/", look{})
	one.buys(1, "tabs", "{}")
	two.buys(1, "tabs", `{ windowType: { pc: "POPUP" } }`)
	w, v := one.window(), two.window()
	tx := v.tx()
	number := w.account()
	v.choose("bank", "KOOKMIN")
	v.fill("depositor", "홍길동")
	v.hit("계좌번호 받기")
	v.sees("다른 창에서 결제가 진행됐어요")
	v.sound()
	if strings.Contains(ask[string](v, "the page", "document.documentElement.outerHTML"), number) {
		t.Error("the second tab shows the account of the first")
	}
	v.hit("상점으로 돌아가기")
	two.resolves(map[string]any{"paymentId": "tabs", "txId": tx, "code": "InvalidEntityState"})
	w.hit("입금하기 (테스트)")
	w.sees("입금을 확인했어요")
	w.hit("상점으로 돌아가기")
	one.resolves(map[string]any{"paymentId": "tabs", "code": nil})
	two.expects(http.StatusConflict)
	ask[bool](two.tab, "forget", "(out.length = 0, true)")
	two.buys(1, "tabs", "{}")
	two.rejects(map[string]any{"code": "PaymentAlreadyPaid"})
}

// tillWebhookFirst is when the page hears of stores that hear the webhook first: by the
// promise, by the way back to the shop, and by V1's callback.
func tillWebhookFirst(t *testing.T, x *till) {
	for name, k := range map[string]struct {
		store int
		shop  *shop
		least time.Duration
		order string
		buys  func(t *testing.T, x *till, store int, id string) (hears func())
	}{
		"fast":        {3, x.fast, 0, "after_webhook", firstInFrame},
		"slow":        {4, x.slow, 2 * time.Second, "after_webhook", firstInFrame},
		"dead":        {5, x.dead, time.Second, "limit", firstInFrame},
		"redirection": {4, x.slow, 2 * time.Second, "after_webhook", firstRedirected},
		"V1":          {4, x.slow, 2 * time.Second, "after_webhook", firstV1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := "first-" + name
			hears := k.buys(t, x, k.store, id)
			began := time.Now()
			hears()
			if took := time.Since(began); took < k.least || took > k.least+10*time.Second {
				t.Errorf("the page heard after %v", took)
			}
			if k.shop.told(`"Transaction.Paid"`, `"`+id+`"`) != 1 {
				t.Error("the page heard before the shop's server was called")
			}
			x.until("the count of answers", func() bool { _, text := x.call("GET", "/metrics", ""); return counted(text, k.order) })
		})
	}
}

// firstInFrame opens the payment page in a frame. What it returns pays, and waits for the
// shop's page to hear.
func firstInFrame(t *testing.T, x *till, store int, id string) func() {
	c := x.customer(t, "/", look{})
	c.buys(store, id, `{ payMethod: "CARD" }`)
	w := c.window()
	return func() {
		w.card("approve")
		c.resolves(map[string]any{"paymentId": id, "code": nil})
	}
}

// firstRedirected goes to the payment page, and is sent back by it.
func firstRedirected(t *testing.T, x *till, store int, id string) func() {
	c := x.customer(t, "/", look{})
	c.buys(store, id, `{ payMethod: "CARD", windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done" }`)
	c.until("the payment page", onPage)
	return func() {
		c.card("approve")
		c.until("the shop", `location.pathname === "/done" && location.search.startsWith("?paymentId=`+id+`&") && window.out`)
	}
}

// firstV1 pays by API V1's script, whose callback hears.
func firstV1(t *testing.T, x *till, store int, id string) func() {
	c := x.customer(t, "/?script="+x.url+checkout.ScriptV1, look{})
	ask[bool](c.tab, "init", fmt.Sprintf(`(IMP.init(%q), true)`, tillStore(store)))
	c.press(imp(fmt.Sprintf(`{ pg: "kcp_v2.T%04d", pay_method: "card", merchant_uid: %q, language: "ko", notice_url: undefined, vbank_due: undefined }`, store, id)))
	w := c.window()
	return func() {
		w.card("approve")
		c.resolves(map[string]any{"success": true, "imp_success": true, "merchant_uid": id, "status": "paid"})
	}
}

// counted is whether an answer of an order was counted.
func counted(metrics, order string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, fmt.Sprintf("tongbo_checkout_answers_total{order=%q} ", order)) {
			return !strings.HasSuffix(line, "} 0\n")
		}
	}
	return false
}

// tillLoader has the shop's page import @portone/browser-sdk as npm serves it.
func tillLoader(t *testing.T, x *till) {
	c := x.customer(t, "/?free&script=/loader.js", look{}, "/portone.js", officialLoader(t),
		"/loader.js", `import("/portone.js").then(p => { p.__INTERNAL__setPortOneSdkUrl("`+x.url+checkout.ScriptV2+`"); window.sdk = p })`)
	c.until("the package", "window.sdk && !window.PortOne")
	c.press(fmt.Sprintf(`note(sdk.requestPayment(fair({ storeId: %q, channelKey: %q, paymentId: "loader", locale: "KO_KR", currency: sdk.Currency.KRW, payMethod: sdk.PaymentPayMethod.CARD })))`, tillStore(1), townChannel(1)))
	c.window().card("approve")
	c.resolves(map[string]any{"paymentId": "loader", "code": nil})
}

// tillV1 pays by API V1's script: the channel of a tier, by its PG and MID.
func tillV1(t *testing.T, x *till) {
	c := x.customer(t, "/?script="+x.url+checkout.ScriptV1, look{})
	ask[bool](c.tab, "agency", fmt.Sprintf(`(IMP.agency(%q, "ABC"), true)`, tillStore(1)))
	c.press(imp(`{ pg: "kcp_v2.T0000", merchant_uid: "v1", language: "ko", notice_url: undefined, vbank_due: undefined, buyer_name: "홍길동" }`))
	w := c.window()
	w.sees("가나상점 2호", "책")
	tx, number := w.tx(), w.account()
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"success": true, "imp_success": true, "imp_uid": tx, "merchant_uid": "v1", "vbank_num": number, "vbank_name": "신한은행", "status": "ready", "paid_amount": 11000.0})
	ask[bool](c.tab, "forget", "(out.length = 0, true)")
	c.press(imp(`{ pg: "kcp_v2.T0000", pay_method: "card", merchant_uid: "v1-card", language: "ko", notice_url: undefined, vbank_due: undefined }`))
	c.window().card("decline")
	c.resolves(map[string]any{"success": false, "imp_success": false, "merchant_uid": "v1-card", "error_code": "PGProviderError"})
}

// tillNoticeURLs has a payment's webhooks go where its page says, in place of the store's
// endpoints.
func tillNoticeURLs(t *testing.T, x *till) {
	own := openShop(t)
	c := x.customer(t, "/", look{})
	c.buys(1, "noticed", `{ payMethod: "CARD", noticeUrls: ["`+own.url+`"] }`)
	c.window().card("approve")
	c.resolves(map[string]any{"paymentId": "noticed", "code": nil})
	x.hears(own, "Transaction.Paid", "noticed")
	if x.main.told(`"noticed"`) != 0 {
		t.Error("the store's endpoint heard, too")
	}
}

// tillConfirmation has the shop's server say whether the payment may be made.
func tillConfirmation(t *testing.T, x *till) {
	asked := openShop(t)
	c := x.customer(t, "/", look{})
	for id, k := range map[string]struct {
		status int
		code   any
	}{"confirmed": {http.StatusOK, nil}, "refused": {http.StatusInternalServerError, "ConfirmProcessFailed"}} {
		asked.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(k.status)
			_, _ = io.WriteString(w, `{"reason":"sold out"}`)
		})
		ask[bool](c.tab, "forget", "(out.length = 0, true)")
		c.buys(1, id, `{ payMethod: "CARD", confirmUrl: "`+asked.url+`" }`)
		c.window().card("approve")
		c.resolves(map[string]any{"paymentId": id, "code": k.code})
		if n := asked.told(`"` + id + `"`); n != 1 {
			t.Errorf("the shop was asked %d times", n)
		}
	}
	if s := x.status("refused"); s != "FAILED" {
		t.Errorf("the payment is %s", s)
	}
}
