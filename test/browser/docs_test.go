package browser

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/checkout"
)

var jsBlocks = regexp.MustCompile("(?s)```js\n(.*?)```")

// TestCheckoutExamples runs the calls of docs/checkout.md as they stand there.
func TestCheckoutExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/checkout.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, m := range jsBlocks.FindAllStringSubmatch(string(text), -1) {
		for _, name := range []string{"PortOne.requestPayment(", "IMP.request_pay(", "PortOne.loadPaymentUI("} {
			if strings.Contains(m[1], name) {
				blocks[name] = m[1]
			}
		}
	}
	b := openBrowser(t)
	for name, act := range map[string]string{
		"PortOne.requestPayment(": "window.fetch = hubFetch(async (url, o) => { out.push({ value: [url, o.body] }) }); " + blocks["PortOne.requestPayment("] + "; pay()",
		"IMP.request_pay(":        blocks["IMP.request_pay("],
		"PortOne.loadPaymentUI(":  "(async () => { const { storeId, channelKey, paymentId, orderName, totalAmount, currency } = fair(); " + blocks["PortOne.loadPaymentUI("] + "})()",
	} {
		t.Run(name, func(t *testing.T) {
			if blocks[name] == "" {
				t.Fatal("docs/checkout.md has no such example")
			}
			h := openHub(t)
			script := h.url + checkout.ScriptV2
			if strings.HasPrefix(name, "IMP") {
				script = h.url + checkout.ScriptV1
			}
			c := b.counter(t, h, openStorefront(t, h, nil), "/?script="+script, look{})
			ask[bool](c.tab, "keep the shop's own calls apart", `(() => {
				const real = window.fetch
				window.hubFetch = shop => (url, o) => String(url).startsWith("http") ? real(url, o) : shop(url, o)
				window.alert = text => { out.push({ value: text }) }
				return true
			})()`)
			c.press(act)
			h.asked(0).orders <- "pay"
			c.until("the payment", `!document.querySelector("dialog") && !document.querySelector("iframe")`)
			if name == "PortOne.requestPayment(" {
				if got := c.outcomes(1)[0].Value.([]any); got[0] != "/api/paid" || got[1] != "order-20261122-0001" {
					t.Errorf("the shop's server is told %v", got)
				}
			} else if strings.Contains(name, "UI") {
				c.until("the shop's page", `location.search === "?paymentId=p-1"`)
			} else if n := ask[int](c.tab, "alerts", "out.length"); n != 0 {
				t.Errorf("%d alerts", n)
			}
		})
	}
}
