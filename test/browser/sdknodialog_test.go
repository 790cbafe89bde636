package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestSDKWithoutDialog runs the script in a browser that has no <dialog>, as those of before
// 2022: the overlay takes the whole page all the same.
func TestSDKWithoutDialog(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	h := openHub(t)
	x := b.tab(t, openStorefront(t, h, nil), look{})
	x.do("be an old browser",
		call(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: "delete window.HTMLDialogElement"}),
		call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	x.open("/")
	c := &counter{x, h}
	c.press(`note(PortOne.requestPayment(fair()))`)
	w := h.asked(0)
	c.until("the focus in the frame", `document.querySelector("div[role=dialog] iframe") && document.activeElement === document.querySelector("iframe")`)
	c.until("the size", `document.querySelector("iframe").offsetWidth === 480 && document.querySelector("iframe").offsetHeight === 500`)
	for what, is := range map[string]string{
		"it is no dialog":        `!document.querySelector("dialog")`,
		"it has a name":          `document.querySelector("[role=dialog]").getAttribute("aria-label") === "결제창" && document.querySelector("[role=dialog]").getAttribute("aria-modal") === "true"`,
		"the page cannot scroll": `document.documentElement.style.overflow === "hidden"`,
		"it lies above all":      `(e => e.closest("[role=dialog]"))(document.elementFromPoint(5, 5))`,
	} {
		if !ask[bool](c.tab, what, "!!("+is+")") {
			t.Errorf("not so: %s", what)
		}
	}
	ask[bool](c.tab, "reach below it", `(document.getElementById("pay").focus(), true)`)
	c.until("the focus back in the frame", `document.activeElement === document.querySelector("iframe")`)
	for range 4 { // through the frame, and around
		c.do("Tab", chromedp.KeyEvent("\t"))
		if !ask[bool](c.tab, "the focus", `document.activeElement === document.body || !!document.activeElement.closest("[role=dialog]")`) {
			t.Fatal("Tab leads to the page below")
		}
	}
	// What the last Tab does may come after all this: a frame of another site hears of it by
	// another process.
	ask[bool](c.tab, "notice Escape", `(addEventListener("keydown", e => { window.escaped ||= e.key === "Escape" }, true), true)`)
	for tries := 0; !ask[bool](c.tab, "Escape was heard", "!!window.escaped"); tries++ {
		if tries == 20 {
			t.Fatal("the overlay does not keep the focus")
		}
		ask[bool](c.tab, "focus the overlay", `(document.querySelector("[role=dialog]").focus(), true)`)
		c.do("press Escape", chromedp.KeyEvent("\x1b"))
	}
	c.resolves(cancelled)
	c.cleared()
	if n := h.lefts(w); n != 1 {
		t.Errorf("left %d times, want once, by the page", n)
	}
	if !ask[bool](c.tab, "what is left", `!document.querySelector("[role=dialog]") && document.activeElement.id === "pay"`) {
		t.Error("the page is not free, or the focus did not come back to the button")
	}
}
