package browser

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/checkout"
)

// imp calls API V1's script with a fair request, changed by more, and notes each time its
// callback is called.
func imp(more string) string {
	return `IMP.request_pay(Object.assign({ pg: "html5_inicis.INIpayTest", pay_method: "vbank", merchant_uid: "p-1", name: "책", amount: 11000,
		vbank_due: "20261231", notice_url: "https://shop.example/notice" }, ` + more + `), value => { out.push({ value }) })`
}

var impPaid = map[string]any{"success": true, "imp_success": true, "imp_uid": "tx-0", "merchant_uid": "p-1", "error_code": nil}
var impLeft = map[string]any{"success": false, "imp_success": false, "imp_uid": "tx-0", "merchant_uid": "p-1", "error_code": "PAYMENT_CANCELLED"}

// TestIamport runs the script of API V1 in a shop's page.
func TestIamport(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	for name, test := range map[string]func(*testing.T, *counter){
		"overlay": impPays, "tier": impTier, "popup": impPopup, "phone": impPhone, "refused": impRefused, "mistakes": impMistakes,
		"close": impClose, "ui": impUI, "unimplemented": impUnimplemented, "no callback": impNoCallback,
	} {
		t.Run(name, func(t *testing.T) {
			h := openHub(t)
			c := b.counter(t, h, openStorefront(t, h, nil), "/?script="+h.url+checkout.ScriptV1, look{})
			ask[bool](c.tab, "init", `(IMP.init("imp00000000"), true)`)
			test(t, c)
			if got := ask[int](c.tab, "how often it was called back", "out.length"); got > 1 && name != "ui" {
				t.Errorf("the callback was called %d times", got)
			}
		})
	}
}

func impPays(t *testing.T, c *counter) {
	c.press(imp(`{ custom_data: { a: 1 }, amount: "11000" }`))
	w := c.hub.asked(0)
	c.until("the frame", `document.querySelector("dialog[open] iframe")`)
	want := map[string]any{"sdk": "v1", "userCode": "imp00000000", "tierCode": "", "window": "IFRAME", "request": map[string]any{
		"pg": "html5_inicis.INIpayTest", "pay_method": "vbank", "merchant_uid": "p-1", "name": "책", "amount": 11000.0,
		"vbank_due": "20261231", "notice_url": "https://shop.example/notice", "custom_data": map[string]any{"a": 1.0},
	}}
	if d := cmp.Diff(want, w.body); d != "" {
		t.Errorf("the server is told otherwise (-want +got):\n%s", d)
	}
	w.orders <- "pay"
	c.resolves(impPaid)
	c.cleared()
}

func impTier(t *testing.T, c *counter) {
	ask[bool](c.tab, "agency", `(IMP.agency("imp00000001", "ABC"), true)`)
	c.press(imp(`{}`))
	w := c.hub.asked(0)
	if w.body["userCode"] != "imp00000001" || w.body["tierCode"] != "ABC" {
		t.Errorf("the server is told of %v, %v", w.body["userCode"], w.body["tierCode"])
	}
	w.orders <- "leave"
	c.resolves(impLeft)
}

func impPopup(t *testing.T, c *counter) {
	c.press(imp(`{ popup: true }`))
	w := c.hub.asked(0)
	if w.body["window"] != "POPUP" {
		t.Errorf("the server is told of a window %v", w.body["window"])
	}
	w.orders <- "pay"
	c.resolves(impPaid)
	c.closed()
}

func impPhone(t *testing.T, c *counter) {
	c.phone()
	c.press(imp(`{ m_redirect_url: location.origin + "/done?own=1" }`))
	c.hub.asked(0).orders <- "pay"
	c.until("the shop's own page", `location.pathname === "/done" && location.search === "?own=1&txId=tx-0" && window.out`)
	if got := c.hub.asked(0).body["window"]; got != "REDIRECTION" {
		t.Errorf("the server is told of a window %v", got)
	}
}

func impRefused(t *testing.T, c *counter) {
	c.expects(http.StatusNotFound)
	c.hub.set(func() {
		c.hub.answer = func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			put(w, http.StatusNotFound, map[string]any{"code": "ChannelNotFound", "message": "no such channel"})
			return true
		}
	})
	c.press(imp(`{}`))
	c.resolves(map[string]any{"success": false, "imp_success": false, "imp_uid": nil, "merchant_uid": "p-1", "pay_method": "vbank", "error_code": "ChannelNotFound", "error_msg": "no such channel"})
	c.cleared()
}

func impMistakes(t *testing.T, c *counter) {
	for call, want := range map[string]string{
		imp(`{ amount: "a lot" }`):                                "amount must be a number",
		imp(`{ amount: undefined }`):                              "amount must be a number",
		`IMP.request_pay(null, value => { out.push({ value }) })`: "the first argument must be an object",
		`IMP.init(""); ` + imp(`{}`):                              "IMP.init(userCode) comes first",
	} {
		ask[bool](c.tab, call, "(() => { out.length = 0; IMP.init('imp00000000'); "+call+"; return true })()")
		c.resolves(map[string]any{"success": false, "imp_success": false, "error_code": "BadRequest", "error_msg": want})
	}
	if n := c.hub.count(); n != 0 {
		t.Errorf("%d windows were asked for", n)
	}
}

// impClose closes the window from the shop's page, before and after it is shown.
func impClose(t *testing.T, c *counter) {
	c.press(imp(`{}`) + `; IMP.close()`)
	c.resolves(impLeft)
	c.cleared()
	c.press(`out.length = 0; ` + imp(`{}`))
	c.until("the frame", `document.querySelector("iframe")`)
	ask[bool](c.tab, "close", `(IMP.close(), IMP.close(), true)`)
	c.resolves(map[string]any{"imp_uid": "tx-1", "error_code": "PAYMENT_CANCELLED"})
	c.cleared()
}

func impUI(t *testing.T, c *counter) {
	c.press(`IMP.loadUI("paypal-spb", { pg: "paypal_v2", merchant_uid: "p-1", amount: 1, currency: "USD" }, value => { out.push({ value }) })`)
	c.until("the UI", drawn)
	c.press(`IMP.updateLoadUIRequest("paypal-spb", { pg: "paypal_v2", merchant_uid: "p-2", amount: 2, currency: "USD" })`)
	c.hub.asked(1).orders <- "pay"
	c.resolves(map[string]any{"success": true, "merchant_uid": "p-2"})
}

func impUnimplemented(_ *testing.T, c *counter) {
	for _, name := range []string{"certification", "naver_zzim"} {
		ask[bool](c.tab, name, "(() => { out.length = 0; IMP."+name+"({ merchant_uid: 'p-1' }, value => { out.push({ value }) }); return true })()")
		c.resolves(map[string]any{"success": false, "imp_success": false, "imp_uid": nil, "merchant_uid": "p-1", "error_code": "Unimplemented"})
	}
}

func impNoCallback(t *testing.T, c *counter) {
	c.press(`IMP.request_pay({ merchant_uid: "p-1", amount: 1 })`)
	c.hub.asked(0).orders <- "pay"
	c.cleared()
}
