package browser

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/checkout"
)

func doubleClick(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair())); note(PortOne.requestPayment(fair({ paymentId: "p-2" })))`)
	if got := c.outcomes(1)[0].Error; got["code"] != "FailedPrecondition" || got["paymentId"] != "p-2" {
		t.Errorf("the second call came to %v", got)
	}
	h.asked(0).orders <- "pay"
	if got := c.outcomes(2)[1].Value; got.(map[string]any)["paymentId"] != "p-1" {
		t.Errorf("the first call came to %v", got)
	}
	c.cleared()
	if n := h.count(); n != 1 {
		t.Errorf("%d windows were asked for", n)
	}
}

func refusedByServer(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.expects(http.StatusConflict)
	h.set(func() {
		h.answer = func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			put(w, http.StatusConflict, map[string]any{"code": "PaymentAlreadyPaid", "message": "이미 결제됐어요"})
			return true
		}
	})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } })))`)
	c.rejects(map[string]any{"code": "PaymentAlreadyPaid", "message": "이미 결제됐어요", "isError": true, "paymentId": "p-1", "transactionType": "PAYMENT", "__portOneErrorType": "PaymentError"})
	h.set(func() {
		h.answer = func(http.ResponseWriter, *http.Request, map[string]any) bool { panic(http.ErrAbortHandler) }
	})
	c.press(`out.length = 0; note(PortOne.requestPayment(fair()))`)
	c.rejects(map[string]any{"code": "Unavailable", "message": "결제 서버에 연결하지 못했어요. 잠시 뒤 다시 해 주세요."})
	c.cleared()
	c.forget() // the connection that broke
}

func mistakes(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	for call, want := range map[string]string{
		`PortOne.requestPayment()`:                                                                            "the request must be an object",
		`PortOne.requestPayment(fair({ storeId: undefined }))`:                                                "storeId is missing",
		`PortOne.requestPayment(fair({ paymentId: "" }))`:                                                     "paymentId is missing",
		`PortOne.requestPayment(fair({ orderName: 3 }))`:                                                      "orderName is missing",
		`PortOne.requestPayment(fair({ payMethod: null }))`:                                                   "payMethod is missing",
		`PortOne.requestPayment(fair({ totalAmount: "11000" }))`:                                              "totalAmount must be a whole number, in the currency's smallest unit",
		`PortOne.requestPayment(fair({ totalAmount: 10.5 }))`:                                                 "totalAmount must be a whole number, in the currency's smallest unit",
		`PortOne.requestPayment(fair({ channelKey: undefined }))`:                                             "channelKey is missing",
		`PortOne.requestPayment(fair({ windowType: { pc: "WINDOW" } }))`:                                      "there is no windowType WINDOW: it is IFRAME, POPUP, REDIRECTION or UI",
		`PortOne.requestPayment(fair({ windowType: { pc: "REDIRECTION" } }))`:                                 "redirectUrl is missing: the buyer is to be sent there",
		`PortOne.requestPayment(fair({ forceRedirect: true }))`:                                               "redirectUrl is missing: the buyer is to be sent there",
		`PortOne.loadPaymentUI(fair({ currency: "" }), {})`:                                                   "currency is missing",
		`(document.querySelector(".portone-ui-container").className = "", PortOne.loadPaymentUI(fair(), {}))`: "the page has no element of class portone-ui-container",
	} {
		ask[bool](c.tab, call, "(out.length = 0, note("+call+"), true)")
		c.rejects(map[string]any{"code": "BadRequest", "message": want})
	}
	ask[bool](c.tab, "a circle", `(out.length = 0, note(PortOne.requestPayment(fair({ customData: window }))), true)`)
	c.rejects(map[string]any{"code": "BadRequest"})
	c.cleared()
	if n := h.count(); n != 0 {
		t.Errorf("%d windows were asked for", n)
	}
}

// expires is a window of which the server does not say, when its time is over, that it has
// ended: then its buyer has acted, and may have paid.
func expires(t *testing.T, b *browser, h *hub, shop string) {
	h.expires = 1
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.resolves(map[string]any{"code": "Unavailable", "txId": "tx-0", "paymentId": "p-1", "message": "결제 결과를 확인하지 못했어요. 주문 내역에서 결제됐는지 확인해 주세요."})
	c.cleared()
}

// serverAway loses the server when the buyer has paid: first for a moment, then for good.
func serverAway(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	hasten(c)
	tries := 0
	h.result = func(w http.ResponseWriter, r *http.Request) {
		h.set(func() {
			if tries++; tries == 4 {
				h.result = nil
			}
		})
		if tries == 2 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	c.expects(http.StatusServiceUnavailable)
	c.press(`note(PortOne.requestPayment(fair()))`)
	h.asked(0).orders <- "pay"
	c.resolves(paid)
	h.set(func() { h.result = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) } })
	c.press(`out.length = 0; note(PortOne.requestPayment(fair({ locale: "EN_US" })))`)
	h.asked(1).orders <- "pay"
	c.resolves(map[string]any{"code": "Unavailable", "txId": "tx-1", "message": "We could not learn how the payment ended. Please see in your orders whether it was paid."})
	h.set(func() {
		h.result = func(w http.ResponseWriter, r *http.Request) {
			allow(w, r)
			put(w, http.StatusGone, map[string]any{"code": "NotFound", "message": "gone"})
		}
	})
	c.expects(http.StatusGone)
	c.press(`out.length = 0; note(PortOne.requestPayment(fair()))`)
	h.asked(2).orders <- "pay"
	c.resolves(map[string]any{"code": "NotFound", "message": "gone", "txId": "tx-2"})
	c.cleared()
	c.forget() // the connections that broke
}

// forged posts what the window's page would post, from the shop's own page and from another
// page of the hub: nobody believes it, and nobody asks the server.
func forged(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	asked := 0
	h.result = func(w http.ResponseWriter, r *http.Request) {
		h.set(func() { asked++; h.result = nil })
		h.tell(w, r)
	}
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the page", `document.querySelector("iframe") && document.querySelector("iframe").offsetHeight === 500`)
	ask[bool](c.tab, "forge", `(() => {
		for (const type of ["ended", "left"]) window.postMessage({ tongbo: "checkout", type, txId: "tx-0" }, "*")
		window.addEventListener("message", () => { window.forgeries = (window.forgeries || 0) + 1 })
		document.body.append(Object.assign(document.createElement("iframe"), { src: "`+h.url+`/forge" }))
		return true
	})()`)
	c.until("the messages", `window.forgeries === 4`)
	h.set(func() {
		if asked != 0 {
			t.Error("the server was asked")
		}
	})
	h.asked(0).orders <- "pay"
	c.resolves(paid)
}

// policyRefuses is a shop whose policy allows the script but not the frame.
func policyRefuses(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/?noframes", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.rejects(map[string]any{"code": "PermissionDenied", "message": "this page's Content-Security-Policy refuses the payment window: add " + h.url + " to frame-src"})
	c.cleared()
	c.forget() // what the policy stopped
}

func unimplemented(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	for name, want := range map[string][2]string{
		"requestIssueBillingKey":             {"IssueBillingKeyError", "ISSUE_BILLING_KEY"},
		"requestIssueBillingKeyAndPay":       {"IssueBillingKeyAndPayError", "ISSUE_BILLING_KEY_AND_PAY"},
		"requestIdentityVerification":        {"IdentityVerificationError", "IDENTITY_VERIFICATION"},
		"loadIssueBillingKeyUI":              {"LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY"},
		"updateLoadIssueBillingKeyUIRequest": {"LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY"},
	} {
		ask[bool](c.tab, name, "(out.length = 0, note(PortOne."+name+"({})), true)")
		c.rejects(map[string]any{"code": "Unimplemented", "__portOneErrorType": want[0], "transactionType": want[1], "isError": true})
	}
	ask[bool](c.tab, "update", "(out.length = 0, note(PortOne.updateLoadPaymentUIRequest(fair())), true)")
	c.rejects(map[string]any{"code": "FailedPrecondition", "__portOneErrorType": "LoadPaymentUIError"})
}

func loadedTwice(t *testing.T, b *browser, h *hub, shop string) {
	script := h.url + "/v2/browser-sdk.js"
	c := b.counter(t, h, shop, "/?script="+script, look{})
	names := ask[[]string](c.tab, "the globals", `Object.keys(window).filter(k => !["out", "fair", "note", "act"].includes(k) && window[k] && window[k].origin === "`+h.url+`")`)
	if d := cmp.Diff([]string{"PortOne"}, names); d != "" {
		t.Errorf("the script's globals (-want +got):\n%s", d)
	}
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the frame", `document.querySelector("iframe")`)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, script, http.NoBody)
	checkout.Scripts("").ServeHTTP(w, r)
	if !ask[bool](c.tab, "run it again", "(() => { const was = window.PortOne; "+w.Body.String()+"; return was === window.PortOne })()") {
		t.Error("run again, it took the first one's place")
	}
	h.asked(0).orders <- "pay"
	c.resolves(paid)
}
