package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestTill pays at a shop from its button to its webhook, on the program's own page.
func TestTill(t *testing.T) {
	t.Parallel()
	x := openTill(t)
	for name, test := range map[string]func(*testing.T, *till){
		"IFRAME": tillFrame, "POPUP": tillPopup, "REDIRECTION": tillRedirection, "led on": tillLedOn, "UI": tillUI, "forced redirect": tillForced,
		"cards": tillCards, "wallets": tillWallets, "phone": tillPhone, "no script": tillNoScript, "back": tillBack, "double click": tillDoubleClick,
		"popup closed": tillPopupClosed, "two tabs": tillTwoTabs, "webhook first": tillWebhookFirst, "loader": tillLoader, "V1": tillV1,
		"notice URLs": tillNoticeURLs, "confirmation": tillConfirmation,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, x) })
	}
}

// tillFrame is the way of most buyers. The deposit is played by the page's button.
func tillFrame(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "frame", `{ redirectUrl: location.origin + "/done" }`)
	w := c.window()
	w.sees("가나상점 1호", "₩11,000", "테스트 결제예요")
	w.until("a receipt's number to be out of the way", `document.getElementById("receipt-id").hidden`)
	w.sound()
	w.expects(422)
	w.hit("계좌번호 받기")
	w.sees("다시 확인해 주세요", "은행을 골라 주세요.")
	w.sound()
	ask[bool](w, "a receipt", `(document.querySelector("[value=personal]").click(), true)`)
	w.until("the receipt's number", `!document.getElementById("receipt-id").hidden`)
	w.fill("identity", "010-9876-5432")
	number := w.account()
	w.sound()
	if strings.Contains(ask[string](w, "the page", "document.documentElement.outerHTML"), "98765432") {
		t.Error("the receipt's number is on the page")
	}
	c.until("a frame as high as its page", `document.querySelector("iframe").offsetHeight > 300`)
	tx := w.tx()
	w.hit("입금하기 (테스트)")
	w.sees("입금을 확인했어요")
	w.sound()
	x.hears(x.main, "Transaction.Paid", "frame")
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"transactionType": "PAYMENT", "txId": tx, "paymentId": "frame", "code": nil})
	c.cleared()
	if s := x.status("frame"); s != "PAID" {
		t.Errorf("the payment is %s", s)
	}
	if strings.Contains(ask[string](c.tab, "what the shop's page learnt", "JSON.stringify(out) + document.documentElement.outerHTML"), number) {
		t.Error("the shop's page was given the account")
	}
}

// tillPopup has the deposit arrive while the page is open, and reads it without a press.
func tillPopup(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "popup", `{ windowType: { pc: "POPUP" } }`)
	w := c.window()
	w.account()
	w.until("a countdown or days", `document.querySelector("[data-until]").textContent !== ""`)
	tx := w.tx()
	x.must("POST", "/tongbo/v1/payments/popup/deposit", `{}`)
	w.sees("입금을 확인했어요")
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"txId": tx, "paymentId": "popup", "code": nil})
	c.closed()
}

// tillRedirection goes to the page and comes back, to an address with a query and a fragment
// of its own.
func tillRedirection(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "redirected", `{ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done?own=1&x=a%20b#part" }`)
	c.until("the payment page", onPage)
	tx := c.tx()
	c.account()
	c.hit("입금하기 (테스트)")
	c.sees("입금을 확인했어요")
	c.hit("상점으로 돌아가기")
	c.until("the shop", `location.pathname === "/done" && window.out`)
	if got, want := ask[string](c.tab, "where", "location.search + location.hash"), "?own=1&x=a%20b&paymentId=redirected&txId="+tx+"&transactionType=PAYMENT#part"; got != want {
		t.Errorf("came back to %s, want %s", got, want)
	}
}

// tillLedOn comes back to an address of the shop that leads on to another host.
func tillLedOn(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "led-on", `{ payMethod: "CARD", windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/elsewhere" }`)
	c.until("the payment page", onPage)
	c.card("approve")
	c.until("the shop at its other host", `location.hostname === "127.0.0.1" && location.pathname === "/done" && location.search.includes("paymentId=led-on") && window.out`)
}

// tillUI has the page in an element of the shop's.
func tillUI(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.press(fmt.Sprintf(`PortOne.loadPaymentUI(fair({ uiType: "PAYPAL_SPB", storeId: %q, channelKey: %q, paymentId: "ui", locale: "KO_KR" }),
		{ onPaymentSuccess: value => { out.push({ value }) }, onPaymentFail: e => { out.push({ error: { code: e.code } }) } })`, tillStore(1), townChannel(1)))
	w := c.window()
	w.account()
	tx := w.tx()
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"txId": tx, "paymentId": "ui"})
	if s := x.status("ui"); s != "VIRTUAL_ACCOUNT_ISSUED" {
		t.Errorf("the payment is %s", s)
	}
}

// tillForced is a frame after which the shop's own page goes on.
func tillForced(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "forced", `{ payMethod: "CARD", forceRedirect: true, redirectUrl: location.origin + "/done?own=1#part" }`)
	w := c.window()
	tx := w.tx()
	w.card("approve")
	c.until("the shop's own page", `location.pathname === "/done" && window.out`)
	if got, want := ask[string](c.tab, "where", "location.search + location.hash"), "?own=1&paymentId=forced&txId="+tx+"&transactionType=PAYMENT#part"; got != want {
		t.Errorf("the page went to %s, want %s", got, want)
	}
}

// tillCards pays by each card of the PG that is played.
func tillCards(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	for _, k := range []struct {
		ending string
		want   map[string]any
		status string
	}{
		{"approve", map[string]any{"paymentId": "card-approve", "code": nil}, "PAID"},
		{"decline", map[string]any{"paymentId": "card-decline", "code": "PGProviderError", "pgCode": "TRIAL_CARD_DECLINED", "pgMessage": "거래거절"}, "FAILED"},
		// The PG's answer is lost: nobody may say that it failed. The server asks until it knows.
		{"timeout", map[string]any{"paymentId": "card-timeout", "code": nil}, "PAY_PENDING or PAID"},
	} {
		ask[bool](c.tab, "forget", "(out.length = 0, true)")
		c.buys(1, "card-"+k.ending, `{ payMethod: "CARD" }`)
		w := c.window()
		w.sound()
		w.card(k.ending)
		c.resolves(k.want)
		c.cleared()
		if s := x.status("card-" + k.ending); !strings.Contains(k.status, s) {
			t.Errorf("the payment is %s, want %s", s, k.status)
		}
	}
}

// tillPhone is a telephone at night.
func tillPhone(t *testing.T, x *till) {
	c := x.customer(t, "/", look{width: 360, height: 740, dark: true})
	c.phone()
	c.buys(1, "phone", `{ redirectUrl: location.origin + "/done", orderName: "아주 긴 이름의 상품 하나와 그보다 더 긴 이름의 상품 둘 그리고 "+"x".repeat(60) }`)
	c.until("the payment page", onPage)
	c.sound()
	c.shot("phone-form")
	c.expects(422)
	c.hit("계좌번호 받기")
	c.sees("다시 확인해 주세요")
	c.sound()
	c.account()
	c.sound()
	c.shot("phone-account")
	c.hit("입금하기 (테스트)")
	c.sees("입금을 확인했어요")
	c.sound()
	c.shot("phone-paid")
	ask[bool](c.tab, "choose a language", `(document.querySelector("footer a[lang=en]").click(), true)`)
	c.sees("Your transfer has arrived")
	c.hit("Back to the shop")
	c.until("the shop", `location.pathname === "/done" && window.out`)
}

// tillNoScript turns scripts off once the page is open.
func tillNoScript(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "no-script", `{ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done" }`)
	c.until("the payment page", onPage)
	tx := c.tx()
	c.do("no scripts any more", call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Reload())
	c.until("the receipt's number, always", `!document.getElementById("receipt-id").hidden`)
	c.sound()
	c.account()
	c.sees("새로고침")
	c.sound()
	x.must("POST", "/tongbo/v1/payments/no-script/deposit", `{}`)
	c.hit("새로고침")
	c.sees("입금을 확인했어요")
	c.hit("상점으로 돌아가기")
	c.until("the shop", `location.pathname === "/done"`)
	if got := ask[string](c.tab, "where", "location.search"); got != "?paymentId=no-script&txId="+tx+"&transactionType=PAYMENT" {
		t.Errorf("came back to %s", got)
	}
}
