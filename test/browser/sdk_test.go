package browser

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// TestSDK runs the script of API V2 in a shop's page whose policy is as strict as can be.
// One Chromium does all of it, with its blocker of popups on.
func TestSDK(t *testing.T) {
	t.Parallel()
	b := openBrowser(t, chromedp.Flag("disable-popup-blocking", false))
	for name, test := range map[string]func(t *testing.T, b *browser, h *hub, shop string){
		"overlay": overlayPays, "overlay on a phone": overlayOnPhone, "escape": escapeAsks, "removed": removedByShop, "reloaded": reloaded, "silent page": silentPage, "dead page": deadPage,
		"popup": popupPays, "popup closed": popupClosed, "popup blocked": popupBlocked, "popup out of sight": popupOutOfSight,
		"redirection": redirects, "phone": goesOnPhone, "back": comesBack, "forced redirect": forcedRedirect, "server decides": serverDecides,
		"double click": doubleClick, "refused": refusedByServer, "mistakes": mistakes, "expired": expires, "server away": serverAway, "forged": forged,
		"policy": policyRefuses, "unimplemented": unimplemented, "twice": loadedTwice,
	} {
		t.Run(name, func(t *testing.T) {
			h := openHub(t)
			test(t, b, h, openStorefront(t, h, nil))
		})
	}
}

func overlayPays(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ customData: { a: 1 } })))`)
	w := h.asked(0)
	c.until("the frame", `document.querySelector("dialog[open] iframe") && document.activeElement === document.querySelector("iframe")`)
	c.until("the size", `document.querySelector("iframe").offsetWidth === 480 && document.querySelector("iframe").offsetHeight === 500`)
	for what, is := range map[string]string{
		"the dialog has a name":  `document.querySelector("dialog").getAttribute("aria-label") === "결제창"`,
		"the frame has a name":   `document.querySelector("iframe").title === "결제창"`,
		"the page cannot scroll": `document.documentElement.style.overflow === "hidden"`,
		"the page is dimmed":     `getComputedStyle(document.querySelector("dialog")).backgroundColor === "rgba(15, 18, 22, 0.6)"`,
		"it may copy":            `document.querySelector("iframe").allow === "clipboard-write"`,
	} {
		if !ask[bool](c.tab, what, is) {
			t.Errorf("not so: %s", what)
		}
	}
	want := map[string]any{"sdk": "v2", "window": "IFRAME", "request": map[string]any{
		"storeId": "store-1", "paymentId": "p-1", "orderName": "책", "totalAmount": 11000.0, "currency": "CURRENCY_KRW",
		"payMethod": "VIRTUAL_ACCOUNT", "channelKey": "channel-key-1", "customData": map[string]any{"a": 1.0},
	}}
	if d := cmp.Diff(want, w.body); d != "" {
		t.Errorf("the server is told otherwise (-want +got):\n%s", d)
	}
	w.orders <- "pay"
	c.resolves(paid)
	c.cleared()
	if !ask[bool](c.tab, "the focus", `document.activeElement.id === "pay"`) {
		t.Error("the focus did not come back to the button")
	}
	if n := h.lefts(w); n != 0 {
		t.Errorf("the window was left %d times", n)
	}
}

func overlayOnPhone(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{width: 360, height: 640})
	c.press(`note(PortOne.requestPayment(fair({ locale: "EN_US", iframe: { dim: false } })))`)
	c.until("a frame as large as the screen", `document.querySelector("iframe") && document.querySelector("iframe").offsetWidth === innerWidth && document.querySelector("iframe").offsetHeight === innerHeight`)
	if got := ask[string](c.tab, "its look", `document.querySelector("dialog").getAttribute("aria-label") + " " + getComputedStyle(document.querySelector("dialog")).backgroundColor`); got != "Payment window rgba(0, 0, 0, 0)" {
		t.Errorf("the overlay is %q", got)
	}
	h.asked(0).orders <- "leave"
	c.resolves(cancelled)
	c.cleared()
}

// escapeAsks presses Escape beside the frame: the page hears of it and decides.
func escapeAsks(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the page", `document.querySelector("iframe") && document.querySelector("iframe").offsetHeight === 500`)
	c.until("the focus in it", `document.activeElement === document.querySelector("iframe")`) // as soon as all of it is loaded
	ask[bool](c.tab, "focus the dialog", `(document.querySelector("dialog").focus(), true)`)
	c.do("press Escape", chromedp.KeyEvent("\x1b"))
	c.resolves(cancelled)
	c.cleared()
	if n := h.lefts(h.asked(0)); n != 1 {
		t.Errorf("left %d times, want once, by the page", n)
	}
}

// removedByShop is a page of a shop that is drawn anew while somebody pays. The server
// hears of it the second time only.
func removedByShop(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the frame", `document.querySelector("iframe")`)
	h.set(func() { h.deaf = 1 })
	c.expects(http.StatusServiceUnavailable)
	ask[bool](c.tab, "remove it", `(document.querySelector("dialog").remove(), true)`)
	c.resolves(cancelled)
	c.cleared()
}

// reloaded is a shop's page that is loaded anew while somebody pays: the server hears of it.
func reloaded(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the frame", `document.querySelector("iframe")`)
	w := h.asked(0)
	c.do("reload", chromedp.Reload())
	h.until("the window to be left", func() bool { return w.left == 1 })
	c.cleared()
}

// silentPage is one that does not come up: the buyer can close it all the same.
func silentPage(t *testing.T, b *browser, h *hub, shop string) {
	h.shy = true
	c := b.counter(t, h, shop, "/", look{})
	hasten(c)
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("a button to close it", `document.querySelector("dialog button")`)
	if got := ask[string](c.tab, "its text", `document.querySelector("dialog button").textContent`); got != "닫기" {
		t.Errorf("the button says %q", got)
	}
	c.do("close it", chromedp.Click(chromedp.CSS("dialog button")))
	c.resolves(cancelled)
	c.cleared()
}

// deadPage is one that was there, and in whose place the frame shows what nobody can look
// into, such as that the server is away: the buyer can close it all the same.
func deadPage(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair()))`)
	c.until("the page in its frame", `document.querySelector("iframe")?.style.height === "500px"`)
	w := h.asked(0)
	c.until("the page to have said that it is there", "(window.since ??= performance.now(), performance.now() - since > 1500)")
	hasten(c)
	ask[bool](c.tab, "count", `(window.offered = 0, setInterval(() => { if (document.querySelector("dialog button")) offered++ }), true)`)
	c.until("the page to be there for long", "Date.now() - performance.timeOrigin > 60000")
	if n := ask[int](c.tab, "how often a way out was offered", "offered"); n != 0 {
		t.Errorf("a way out beside a page that is there was offered %d times", n)
	}
	w.orders <- "die"
	c.until("a button to close it", `document.querySelector("dialog button")`)
	c.do("close it", chromedp.Click(chromedp.CSS("dialog button")))
	c.resolves(cancelled)
	c.cleared()
}

// hasten lets the page's clock run a hundred times as fast from now on.
func hasten(c *counter) {
	c.Helper()
	ask[bool](c.tab, "hasten", `(() => {
		const now = Date.now, began = now(), later = window.setTimeout
		Date.now = () => began + (now() - began) * 100
		window.setTimeout = (f, ms) => later(f, ms / 100)
		return true
	})()`)
}

func popupPays(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP", mobile: "REDIRECTION" } })))`)
	w := h.asked(0)
	if w.body["window"] != "POPUP" {
		t.Errorf("the server is told of a window %v", w.body["window"])
	}
	w.orders <- "pay"
	c.resolves(paid)
	c.cleared()
	c.closed()
}

func popupClosed(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } })))`)
	h.asked(0).orders <- "close"
	c.resolves(cancelled)
}

// popupBlocked calls without a click: the browser allows no popup, and an overlay comes.
func popupBlocked(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	ask[bool](c.tab, "call without a click", `(note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } }))), true)`)
	w := h.asked(0)
	if w.body["window"] != "IFRAME" {
		t.Errorf("the server is told of a window %v", w.body["window"])
	}
	c.until("the overlay", `document.querySelector("dialog iframe")`)
	w.orders <- "pay"
	c.resolves(paid)
	c.cleared()
}

// popupOutOfSight is a shop whose page is cut off from its popups, which look closed to it.
func popupOutOfSight(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/?alone", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } })))`)
	w := h.asked(0)
	w.orders <- "pay"
	c.resolves(paid)
	if n := h.lefts(w); n != 0 {
		t.Errorf("the window was left %d times: the buyer was there", n)
	}
	c.press(`note(PortOne.requestPayment(fair({ paymentId: "p-2", windowType: { pc: "POPUP" } })))`)
	w = h.asked(1)
	h.until("the popup to be out of sight", func() bool { return w.asked > 0 })
	c.press(`note(PortOne.requestPayment(fair({ paymentId: "p-3" })))`)
	h.asked(2).orders <- "pay"
	got := c.outcomes(3)
	if v, _ := got[1].Value.(map[string]any); v["code"] != "PAYMENT_CANCELLED" || v["paymentId"] != "p-2" {
		t.Errorf("the window that another took the place of came to %v", got[1])
	}
}

func redirects(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done?own=1#part" })))`)
	h.asked(0).orders <- "pay"
	c.until("the shop's own page", `location.pathname === "/done" && document.readyState === "complete"`)
	if got := ask[string](c.tab, "its address", `location.search + location.hash`); got != "?own=1&txId=tx-0#part" {
		t.Errorf("the buyer came back to %q", got)
	}
}

// goesOnPhone pays on a telephone: by redirection if there is where to come back to, and
// otherwise in an overlay.
func goesOnPhone(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{width: 360, height: 640})
	c.phone()
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } })))`)
	h.asked(0).orders <- "pay"
	c.resolves(paid)
	c.cleared()
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" }, redirectUrl: location.origin + "/done" })))`)
	h.asked(1).orders <- "pay"
	c.until("the shop's own page", `location.pathname === "/done"`)
	for i, want := range []string{"IFRAME", "REDIRECTION"} {
		if got := h.asked(i).body["window"]; got != want {
			t.Errorf("window %d is %v, want %s", i, got, want)
		}
	}
}

// comesBack goes to the window and back again, as with the browser's button.
func comesBack(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "REDIRECTION" }, redirectUrl: location.origin + "/done" })))`)
	h.asked(0)
	c.until("the page", `location.pathname === "/checkout/0" && document.readyState === "complete"`)
	ask[bool](c.tab, "go back", `(setTimeout(() => history.back()), true)`)
	c.resolves(cancelled)
	if h.read(func() bool { return h.visits["/done"] != 0 }) {
		t.Error("the buyer's page asked for the shop's address for coming back")
	}
	ask[bool](c.tab, "pay again", `(out.length = 0, note(PortOne.requestPayment(fair())), true)`)
	h.asked(1).orders <- "pay"
	c.resolves(map[string]any{"txId": "tx-1", "code": nil})
}

func forcedRedirect(t *testing.T, b *browser, h *hub, shop string) {
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ forceRedirect: true, redirectUrl: location.origin + "/done?own=1" })))`)
	h.asked(0).orders <- "pay"
	c.until("the shop's own page, not in a frame", `location.pathname === "/done" && location.search === "?own=1&txId=tx-0"`)
}

// serverDecides is a channel that has another kind of window.
func serverDecides(t *testing.T, b *browser, h *hub, shop string) {
	h.kind = "IFRAME"
	c := b.counter(t, h, shop, "/", look{})
	c.press(`note(PortOne.requestPayment(fair({ windowType: { pc: "POPUP" } })))`)
	c.until("the overlay", `document.querySelector("dialog iframe")`)
	h.asked(0).orders <- "pay"
	c.resolves(paid)
	c.closed()
}
