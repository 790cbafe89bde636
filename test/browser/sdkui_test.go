package browser

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loadUI draws a payment UI, and notes what the callbacks are told beside what the call
// itself comes to.
const loadUI = `note(PortOne.loadPaymentUI(fair({ uiType: "PAYPAL_SPB" }), {
	onPaymentSuccess: value => { out.push({ value }) }, onPaymentFail: e => { note(Promise.reject(e)) } }))`

// TestSDKUI draws payment windows into a shop's page.
func TestSDKUI(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	for name, test := range map[string]func(*testing.T, *counter){"paid": uiPays, "again": uiAgain, "updated": uiUpdated, "gone": uiGone, "beside": uiBeside} {
		t.Run(name, func(t *testing.T) {
			h := openHub(t)
			test(t, b.counter(t, h, openStorefront(t, h, nil), "/", look{}))
		})
	}
}

const drawn = `document.querySelector(".portone-ui-container iframe") && document.querySelector("iframe").offsetHeight === 500`

func uiPays(t *testing.T, c *counter) {
	c.press(loadUI)
	c.resolves(map[string]any{})
	if got := c.outcomes(1)[0].Value; got != "undefined" {
		t.Errorf("the call came to %v", got)
	}
	c.until("a frame as high as its page", drawn)
	w := c.hub.asked(0)
	if w.body["window"] != "UI" {
		t.Errorf("the server is told of a window %v", w.body["window"])
	}
	w.orders <- "pay"
	if got := c.outcomes(2)[1].Value.(map[string]any); got["txId"] != "tx-0" || got["code"] != nil {
		t.Errorf("onPaymentSuccess is told %v", got)
	}
	c.cleared()
}

// uiAgain leaves the UI, which is drawn anew, until it cannot be.
func uiAgain(t *testing.T, c *counter) {
	c.press(loadUI)
	c.hub.asked(0).orders <- "leave"
	want := map[string]any{"__portOneErrorType": "PaymentError", "transactionType": "PAYMENT", "code": "PAYMENT_CANCELLED", "txId": "tx-0", "paymentId": "p-1", "message": "the hub says PAYMENT_CANCELLED", "name": "PaymentError", "isError": true}
	if d := cmp.Diff(want, c.outcomes(2)[1].Error); d != "" {
		t.Errorf("onPaymentFail is told otherwise (-want +got):\n%s", d)
	}
	w := c.hub.asked(1)
	c.until("the UI drawn anew", drawn)
	c.hub.set(func() {
		c.hub.answer = func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			put(w, http.StatusConflict, map[string]any{"code": "PaymentAlreadyPaid", "message": "paid"})
			return true
		}
	})
	c.expects(http.StatusConflict)
	w.orders <- "leave"
	got := c.outcomes(4)
	if got[2].Error["txId"] != "tx-1" || got[3].Error["code"] != "PaymentAlreadyPaid" {
		t.Errorf("onPaymentFail is told %v, %v", got[2], got[3])
	}
	c.cleared()
}

func uiUpdated(t *testing.T, c *counter) {
	c.press(loadUI)
	c.until("the UI", drawn)
	c.press(`note(PortOne.updateLoadPaymentUIRequest(fair({ paymentId: "p-2", totalAmount: 12000 })))`)
	w := c.hub.asked(1)
	c.until("another UI", drawn+` && document.querySelectorAll("iframe").length === 1`)
	c.hub.until("the first to be left", func() bool { return c.hub.windows[0].left == 1 })
	w.orders <- "pay"
	got := c.outcomes(3)
	if v, _ := got[2].Value.(map[string]any); v["paymentId"] != "p-2" || len(got) != 3 {
		t.Errorf("the callbacks are told %v", got)
	}
}

// uiGone is a shop's page that is drawn anew without the UI: no payment failed by that.
func uiGone(t *testing.T, c *counter) {
	c.press(loadUI)
	c.until("the UI", drawn)
	ask[bool](c.tab, "remove it", `(document.querySelector(".portone-ui-container").remove(), true)`)
	w := c.hub.asked(0)
	c.hub.until("it to be left", func() bool { return w.left == 1 })
	c.press(`note(PortOne.requestPayment(fair({ paymentId: "p-2" })))`)
	c.hub.asked(1).orders <- "leave"
	if got := c.outcomes(2); len(got) != 2 || got[1].Value.(map[string]any)["paymentId"] != "p-2" {
		t.Errorf("the callbacks are told %v", got)
	}
}

// uiBeside pays in another window while a UI is there.
func uiBeside(t *testing.T, c *counter) {
	c.press(loadUI)
	c.until("the UI", drawn)
	c.press(`note(PortOne.requestPayment(fair({ paymentId: "p-2" })))`)
	c.hub.asked(1).orders <- "pay"
	if v, _ := c.outcomes(2)[1].Value.(map[string]any); v["paymentId"] != "p-2" {
		t.Errorf("the other window came to %v", v)
	}
	c.hub.asked(0).orders <- "pay"
	if v, _ := c.outcomes(3)[2].Value.(map[string]any); v["paymentId"] != "p-1" {
		t.Errorf("the UI came to %v", v)
	}
}
