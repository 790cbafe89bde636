package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tongbo/tongbo/internal/checkout"
	"github.com/tongbo/tongbo/test/clients"
)

// officialLoader is the script of @portone/browser-sdk as npm serves it. A machine without
// npm skips the test, but for CI's.
func officialLoader(t *testing.T) string {
	t.Helper()
	_, err := exec.LookPath("npm")
	var folder string
	if err == nil {
		folder, err = clients.Folder()
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("the npm packages of test/clients cannot be installed here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "node_modules/@portone/browser-sdk/dist/v2.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOfficialLoader has a shop's page import @portone/browser-sdk as npm serves it, with one
// line more that says where the script is. The script comes with the first call, after the
// click: its popup is opened all the same.
func TestOfficialLoader(t *testing.T) {
	t.Parallel()
	loader := officialLoader(t)
	h := openHub(t)
	shop := openStorefront(t, h, map[string]string{
		"/portone.js": loader,
		"/loader.js":  `import("/portone.js").then(p => { p.__INTERNAL__setPortOneSdkUrl("` + h.url + checkout.ScriptV2 + `"); window.sdk = p })`,
	})
	c := openBrowser(t, chromedp.Flag("disable-popup-blocking", false)).counter(t, h, shop, "/?free&script=/loader.js", look{})
	c.until("the package", "window.sdk && !window.PortOne")
	c.press(`note(sdk.requestPayment(fair({ currency: sdk.Currency.KRW, payMethod: sdk.PaymentPayMethod.VIRTUAL_ACCOUNT, windowType: { pc: sdk.WindowType.POPUP } })))`)
	w := h.asked(0)
	if w.body["window"] != "POPUP" {
		t.Errorf("the server is told of a window %v", w.body["window"])
	}
	w.orders <- "pay"
	c.resolves(paid)
	for call, kind := range map[string]string{
		`default.requestPayment({})`:             "PaymentError",
		`loadPaymentUI({}, {})`:                  "LoadPaymentUIError",
		`requestIdentityVerification({})`:        "IdentityVerificationError",
		`updateLoadPaymentUIRequest({})`:         "LoadPaymentUIError",
		`requestIssueBillingKey({})`:             "IssueBillingKeyError",
		`requestIssueBillingKeyAndPay({})`:       "IssueBillingKeyAndPayError",
		`loadIssueBillingKeyUI({}, {})`:          "LoadIssueBillingKeyUIError",
		`updateLoadIssueBillingKeyUIRequest({})`: "LoadIssueBillingKeyUIError",
	} {
		ask[bool](c.tab, call, "(out.length = 0, sdk."+call+".catch(e => out.push({ value: e instanceof sdk."+kind+" && sdk.is"+kind+"(e) })), true)")
		if got := c.outcomes(1)[0].Value; got != true {
			t.Errorf("what %s rejects with is no %s", call, kind)
		}
	}
	c.press(`out.length = 0; note(sdk.loadPaymentUI(fair({ uiType: "PAYPAL_SPB" }), { onPaymentSuccess: value => { out.push({ value }) }, onPaymentFail() {} }))`)
	h.asked(1).orders <- "pay"
	if got, _ := c.outcomes(2)[1].Value.(map[string]any); got["txId"] != "tx-1" {
		t.Errorf("onPaymentSuccess is told %v", got)
	}
}
