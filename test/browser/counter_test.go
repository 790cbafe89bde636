package browser

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// An outcome is what a call came to: its value, or its error.
type outcome struct {
	Value any
	Error map[string]any
}

// A counter is a tab with a shop's page in it, where somebody pays.
type counter struct {
	*tab
	hub *hub
}

// counter opens the shop's page.
func (b *browser) counter(t *testing.T, h *hub, shop, path string, l look) *counter {
	t.Helper()
	x := b.tab(t, shop, l)
	x.open(path)
	return &counter{x, h}
}

// press clicks the shop's button, which then does as said.
func (c *counter) press(act string) {
	c.Helper()
	ask[bool](c.tab, "say what the button does", "(() => { window.act = () => { "+act+" }; return true })()")
	c.do("press the button", chromedp.Click(chromedp.CSS("#pay")))
}

// outcomes waits for n outcomes and returns all.
func (c *counter) outcomes(n int) []outcome {
	c.Helper()
	c.until("outcomes", "out.length >= "+string(rune('0'+n)))
	return ask[[]outcome](c.tab, "the outcomes", "out")
}

// resolves waits for the only outcome, which must be a value with these fields.
func (c *counter) resolves(want map[string]any) {
	c.Helper()
	got := c.outcomes(1)
	value, _ := got[0].Value.(map[string]any)
	for name, v := range want {
		if len(got) != 1 || !cmp.Equal(value[name], v) {
			text, _ := json.Marshal(got)
			c.Errorf("%s = %v, want %v of %s", name, value[name], v, text)
		}
	}
}

// rejects waits for the only outcome, which must be an error with these fields.
func (c *counter) rejects(want map[string]any) {
	c.Helper()
	got := c.outcomes(1)
	for name, v := range want {
		if len(got) != 1 || !cmp.Equal(got[0].Error[name], v) {
			text, _ := json.Marshal(got)
			c.Errorf("%s = %v, want %v of %s", name, got[0].Error[name], v, text)
		}
	}
}

// cleared checks that nothing of a window is left on the shop's page.
func (c *counter) cleared() {
	c.Helper()
	c.until("the page to be free", `!document.querySelector("dialog, iframe") && document.documentElement.style.overflow === ""`)
}

var paid = map[string]any{"transactionType": "PAYMENT", "txId": "tx-0", "paymentId": "p-1", "code": nil}
var cancelled = map[string]any{"transactionType": "PAYMENT", "txId": "tx-0", "paymentId": "p-1", "code": "PAYMENT_CANCELLED", "message": "the hub says PAYMENT_CANCELLED"}

// closed waits until no window of the hub is open.
func (c *counter) closed() {
	c.Helper()
	c.hub.until("the popup to be gone", func() bool {
		list, err := chromedp.Targets(c.ctx)
		return err == nil && !slices.ContainsFunc(list, func(i *target.Info) bool { return strings.HasPrefix(i.URL, c.hub.url+"/checkout/") && i.Type == "page" })
	})
}

// phone makes the tab that of a telephone.
func (c *counter) phone() {
	c.Helper()
	c.do("be a phone", call(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent:         "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36",
		UserAgentMetadata: &emulation.UserAgentMetadata{Platform: "Android", PlatformVersion: "14", Mobile: true},
	}))
}
