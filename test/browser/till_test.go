package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// A till is the program with a shop whose page sells by the program's own payment page, so
// that nothing is played but the PG.
type till struct {
	*site
	main, fast, slow, dead *shop // that hear the webhooks of stores 1, 3, 4 and 5
	stop                   chan struct{}
}

func tillStore(n int) string { return fmt.Sprintf("store-00000000-0000-4000-8000-%012d", n) }

// openTill opens one. Each of its stores has a test channel; store 2 is a tier, and
// the last three answer the browser after the webhook.
func openTill(t *testing.T) *till {
	t.Helper()
	x := &till{site: openSite(t), main: openShop(t), fast: openShop(t), slow: openShop(t), dead: openShop(t), stop: make(chan struct{})}
	t.Cleanup(func() { close(x.stop) })
	x.slow.answers(func(_ http.ResponseWriter, r *http.Request) { x.waits(r, 2*time.Second) })
	x.dead.answers(func(_ http.ResponseWriter, r *http.Request) { x.waits(r, time.Hour) })
	var b strings.Builder
	b.WriteString("[[merchant]]\nname = \"가나상점\"\n")
	for i, more := range []string{"representative = true", `tier_code = "ABC"`, "webhook_first = true", "webhook_first = true", "webhook_first = true\nwebhook_first_limit = \"1s\""} {
		n := i + 1
		mid := fmt.Sprintf("T%04d", n)
		if n == 2 {
			mid = "T0000"
		}
		fmt.Fprintf(&b, "[[merchant.store]]\nid = %q\nname = \"가나상점 %d호\"\n%s\n", tillStore(n), n, more)
		fmt.Fprintf(&b, "[[merchant.store.channel]]\nkey = %q\nname = \"시험 %d\"\nprovider = \"kcp_v2\"\nmode = \"test\"\nmid = %q\npayment_type = \"window_general\"\nmethods = [\"VIRTUAL_ACCOUNT\", \"CARD\"]\n", townChannel(n), n, mid)
		if to := []*shop{x.main, nil, x.fast, x.slow, x.dead}[i]; to != nil {
			fmt.Fprintf(&b, "[[merchant.store.endpoint]]\nname = \"주문 서버\"\nurl = %q\nmode = \"test\"\nevents = [\"*\"]\n", to.url)
		}
		if n == 1 {
			b.WriteString(purses())
			fmt.Fprintf(&b, "[[merchant.store.api_secret]]\nname = \"server\"\nmode = \"any\"\nsecret = %q\n", townSecret)
		}
	}
	x.apply(b.String())
	x.until("the settings in force", func() bool {
		status, _ := x.call("GET", "/payments/none", "")
		return status == http.StatusNotFound
	})
	return x
}

// waits is a shop that takes its time.
func (x *till) waits(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-x.stop:
	case <-r.Context().Done():
	}
}

// customer is a counter at the till, in a browser of its own.
func (x *till) customer(t *testing.T, path string, l look, more ...string) *counter {
	t.Helper()
	return x.another(t, openBrowser(t), path, l, more...)
}

// another is a counter in a browser that is open. more are files of the shop: path, text.
func (x *till) another(t *testing.T, b *browser, path string, l look, more ...string) *counter {
	t.Helper()
	h := &hub{T: t, url: x.url, visits: map[string]int{}}
	files := map[string]string{}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return b.counter(t, h, strings.Replace(openStorefront(t, h, files), "127.0.0.1", "localhost", 1), path, l)
}

// buys presses the shop's button, which asks for a payment at a store.
func (c *counter) buys(store int, id, more string) {
	c.Helper()
	c.press(fmt.Sprintf(`note(PortOne.requestPayment(fair(Object.assign({ storeId: %q, channelKey: %q, paymentId: %q, locale: "KO_KR" }, %s))))`, tillStore(store), townChannel(store), id, more))
}

// window is the payment page, wherever the script opened it.
func (c *counter) window() *tab {
	c.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if x := c.looksIn(c.finds()); x != nil {
			x.until("the page", `document.readyState === "complete" && document.querySelector("main h1")`)
			return x
		}
		select {
		case <-tick.C:
		case <-late:
			c.Fatalf("waited for the payment window in vain\n%s", c.main())
		}
	}
}

// finds returns the frame or popup of the shop's page; empty if there is none yet.
func (c *counter) finds() target.ID {
	c.Helper()
	me := chromedp.FromContext(c.ctx).Target.TargetID
	src := ask[string](c.tab, "where the frame leads", `document.querySelector("iframe")?.src ?? ""`)
	list, err := chromedp.Targets(c.ctx)
	if err != nil {
		c.Fatal(err)
	}
	for _, i := range list {
		if i.Type == "iframe" && i.URL == src || i.Type == "page" && i.OpenerID == me && strings.HasPrefix(i.URL, c.hub.url+"/checkout/") {
			return i.TargetID
		}
	}
	return ""
}

// looksIn is the page of a frame or popup; nil if it is not to be seen, as one is that goes
// from the shop's process to the payment page's just now.
func (c *counter) looksIn(id target.ID) *tab {
	c.Helper()
	if id == "" {
		return nil
	}
	at, leave := chromedp.NewContext(c.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
	x := &tab{T: c.T, ctx: at, base: c.hub.url, expected: map[int64]bool{}}
	err := chromedp.Do(at, call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(cdpruntime.Enable, cdp.Empty{}))
	if err == nil {
		err = chromedp.Listen(at, x.hear)
	}
	if err != nil {
		leave()
		return nil
	}
	c.Cleanup(func() { leave(); x.quiet() })
	return x
}

// hit presses the button that bears a text, in a frame too, where no mouse reaches.
func (x *tab) hit(text string) {
	x.Helper()
	quoted, _ := json.Marshal(text)
	x.until("a button "+text, `(() => {
		const e = [...document.querySelectorAll("main button, main a")].find(e => e.textContent.trim() === `+string(quoted)+`)
		if (document.readyState === "complete" && e) { e.click(); return true }
	})()`)
}

// account fills in the form of an account and gets one. It returns its number.
func (x *tab) account() string {
	x.Helper()
	x.choose("bank", "SHINHAN")
	x.fill("depositor", "홍길동")
	x.hit("계좌번호 받기")
	x.sees("입금할 금액")
	return ask[string](x, "the account", `document.getElementById("number").dataset.copy`)
}

// card pays by a card that ends as its text says.
func (x *tab) card(ending string) {
	x.Helper()
	x.choose("ending", ending)
	x.hit("₩11,000 결제하기")
}

// tx is the window's transaction.
func (x *tab) tx() string {
	x.Helper()
	return ask[string](x, "the transaction", "document.body.dataset.tx")
}

// told counts the webhooks that hold all of some texts.
func (s *shop) told(parts ...string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(c, p) }) {
			n++
		}
	}
	return n
}

// hears waits for a webhook of an event of a payment.
func (x *till) hears(s *shop, event, id string) {
	x.Helper()
	x.until(event+" of "+id, func() bool { return s.told(`"`+event+`"`, `"`+id+`"`) > 0 })
}

// status is what the API says of a payment.
func (x *till) status(id string) string {
	x.Helper()
	status, text := x.call("GET", "/payments/"+id, "")
	var p struct{ Status string }
	if err := json.Unmarshal([]byte(text), &p); err != nil || status != http.StatusOK {
		x.Fatalf("%s: %d %s", id, status, text)
	}
	return p.Status
}
