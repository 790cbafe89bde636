package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/tongbo/tongbo/internal/cli"
)

// openSampleShop runs `tongbo demo --shop` and returns the shop's address, and what the demo
// has printed.
func openSampleShop(t *testing.T) (url string, out *output) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan int, 1)
	out = &output{}
	go func() {
		done <- cli.Main([]string{"demo", "--shop", "--rate", "0", "--lang", "ko", "--listen", "127.0.0.1:0"}, cli.Env{
			Stdin: strings.NewReader(""), Stdout: out, Stderr: out,
			Signals: func() (context.Context, context.CancelFunc) { return ctx, func() {} },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("the demo ended with %d:\n%s", code, out)
		}
	})
	s := &site{T: t, out: out}
	s.until("the shop", func() bool {
		if m := regexp.MustCompile(`견본 상점  (http://\S+)/\n`).FindStringSubmatch(out.String()); m != nil {
			url = m[1]
		}
		return url != ""
	})
	return url, out
}

// inWindow evaluates an expression in the payment window, which is a frame of the page.
func (x *tab) inWindow(expression string) bool {
	yes := false
	err := chromedp.Do(x.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tree, err := cdp.Call(ctx, t, cdppage.GetFrameTree, cdp.Empty{})
		if err != nil || len(tree.FrameTree.ChildFrames) != 1 {
			return err
		}
		world, err := cdp.Call(ctx, t, cdppage.CreateIsolatedWorld, cdppage.CreateIsolatedWorldParams{FrameID: tree.FrameTree.ChildFrames[0].Frame.ID})
		if err != nil {
			return err
		}
		got, err := cdp.Call(ctx, t, cdpruntime.Evaluate, cdpruntime.EvaluateParams{Expression: "!!(" + expression + ")", ContextID: world.ExecutionContextID})
		if err != nil {
			return err
		}
		yes = string(got.Result.Value) == "true"
		return nil
	}))
	return err == nil && yes // a window that is just going to another page is asked again
}

// untilWindow waits for an expression to be true in the payment window.
func (x *tab) untilWindow(what, expression string) {
	x.Helper()
	s := &site{T: x.T, out: &output{}}
	s.until(what, func() bool { return x.inWindow(expression) })
}

// buy orders a thing and presses the button that opens the payment window.
func (x *tab) buy(lang, product, method, window string) {
	x.Helper()
	x.open("/?lang=" + lang)
	x.click(fmt.Sprintf("form:has([value=%s]) button", product))
	x.choose("payMethod", method)
	x.choose("windowType", window)
	x.do("pay", chromedp.ScrollIntoView(chromedp.CSS("#pay button")), chromedp.Click(chromedp.CSS("#pay button")))
}

// popup is the payment window, if it is a window of its own.
func (x *tab) popup() *tab {
	x.Helper()
	var id target.ID
	(&site{T: x.T, out: &output{}}).until("the popup", func() bool {
		list, err := chromedp.Targets(x.ctx)
		for _, i := range list {
			if i.Type == "page" && strings.Contains(i.URL, "/checkout/") {
				id = i.TargetID
			}
		}
		return err == nil && id != ""
	})
	ctx, cancel := chromedp.NewContext(x.ctx, chromedp.WithTargetID(id))
	x.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.WaitReady(chromedp.CSS("body"))); err != nil { // the first call's context is the tab's
		x.Fatalf("look into the popup: %v", err)
	}
	return &tab{T: x.T, ctx: ctx, expected: map[int64]bool{}}
}

// fillAccount fills in the form of a virtual account, and sends it.
const fillAccount = `(() => { document.querySelector("#bank").value = "SHINHAN"; document.querySelector("#depositor").value = "김철수"; document.querySelector("form[action$='/pay'] button").click(); return true })()`

// shopWallets buys by each wallet, on a telephone.
func shopWallets(t *testing.T, b *browser, url string) {
	t.Helper()
	for _, w := range []struct{ product, value, name, sum string }{
		{"book", "NAVERPAY", "네이버페이로 결제", "₩11,000"}, {"mug", "TOSSPAY", "토스페이로 결제", "₩18,000"}, {"postcards", "PAYPAL", "페이팔로 결제", "12.50 USD"},
	} {
		t.Run(w.value, func(t *testing.T) {
			x := b.tab(t, url, look{width: 360, height: 740})
			x.buy("ko", w.product, w.value, "IFRAME")
			x.untilWindow("the wallet", fmt.Sprintf(`document.querySelector("h1")?.textContent === %q`, w.name))
			x.untilWindow("a choice", `(() => { document.querySelector("[name=ending][value=approve]").click(); document.querySelector("form[action$='/pay'] button").click(); return true })()`)
			x.sees("결제 완료", "웹훅 Transaction.Paid · 서명 확인", "PAID, "+w.sum)
		})
	}
}

// TestSampleShop buys in the shop of `demo --shop`, as a newcomer would, and looks at the
// order's page, which is not loaded anew.
func TestSampleShop(t *testing.T) {
	url, out := openSampleShop(t)
	b := openBrowser(t)

	t.Run("account", func(t *testing.T) {
		x := b.tab(t, url, look{width: 360, height: 740})
		x.buy("ko", "mug", "VIRTUAL_ACCOUNT", "IFRAME")
		x.untilWindow("the form", `document.querySelector("#depositor")`)
		x.untilWindow("a choice", fillAccount)
		x.untilWindow("the account", `document.querySelector("#number")`)
		x.sees("입금 대기", "웹훅 Transaction.VirtualAccountIssued · 서명 확인", "VIRTUAL_ACCOUNT_ISSUED, ₩18,000")
		if wide := ask[int](x, "width", "document.documentElement.scrollWidth"); wide > 360 {
			t.Errorf("the page is %d wide on a telephone of 360", wide)
		}
		x.untilWindow("a deposit", `(() => { document.querySelector("form[action$='/deposit'] button").click(); return true })()`)
		x.sees("결제 완료", "웹훅 Transaction.Paid · 서명 확인", "PAID, ₩18,000", "이제 상품을 보내면 돼요")
		x.until("nothing more to pay", `document.getElementById("pay").hidden`)
	})
	t.Run("card", func(t *testing.T) {
		x := b.tab(t, url, look{})
		x.buy("ko", "book", "CARD", "IFRAME")
		x.untilWindow("a choice", `(() => { document.querySelector("[name=ending][value=decline]").click(); document.querySelector("form[action$='/pay'] button").click(); return true })()`)
		x.sees("결제 실패", "다시 결제할 수 있어요")
		x.until("what the window said", `!document.getElementById("says").hidden && !document.querySelector("iframe")`)
		x.do("pay again", chromedp.Click(chromedp.CSS("#pay button")))
		x.untilWindow("a choice", `(() => { document.querySelector("[name=ending][value=approve]").click(); document.querySelector("form[action$='/pay'] button").click(); return true })()`)
		x.sees("결제 완료", "웹훅 Transaction.Paid · 서명 확인", "PAID, ₩11,000")
		x.until("the window to be gone", `!document.querySelector("iframe") && document.getElementById("says").hidden`)
	})
	shopWallets(t, b, url)
	t.Run("there and back", func(t *testing.T) {
		x := b.tab(t, url, look{})
		x.buy("ko", "tulips", "CARD", "REDIRECTION")
		x.until("the window", `document.querySelector("[name=ending]")`)
		x.choose("ending", "approve")
		x.click(`form[action$="/pay"] button`)
		x.sees("결제 완료", "PAID, ₩32,000", "결제창이 끝났다는 페이지의 말")
		if at := ask[string](x, "address", "location.href"); !strings.HasPrefix(at, url+"/orders/shop-") || !strings.Contains(at, "lang=ko") || !strings.Contains(at, "paymentId=shop-") {
			t.Errorf("came back to %s", at)
		}
	})
	t.Run("popup", func(t *testing.T) {
		x := b.tab(t, url, look{dark: true})
		x.buy("ko", "book", "CARD", "POPUP")
		window := x.popup()
		window.until("the form", `document.querySelector("[name=ending]")`)
		window.choose("ending", "approve")
		window.do("pay", chromedp.Click(chromedp.CSS(`form[action$="/pay"] button`)))
		x.sees("결제 완료", "PAID, ₩11,000")
		x.shot("shop/paid")
	})
	for _, lang := range []string{"ko", "en"} {
		x := b.tab(t, url, look{width: 1000, height: 760})
		x.buy(lang, "tulips", "VIRTUAL_ACCOUNT", "")
		x.untilWindow("a choice", fillAccount)
		x.untilWindow("the account", `document.querySelector("#number")`)
		x.until("the order to wait behind it", `document.getElementById("live").dataset.state === "awaiting" && document.querySelectorAll(".steps li").length === 2`)
		x.shot("shop/window." + lang)
	}
	refresh(t, map[string]string{"shop.ko.png": "shop/window.ko.png", "shop.en.png": "shop/window.en.png"})
	for _, line := range []string{"머그컵 ₩18,000: 입금 대기\n", "머그컵 ₩18,000: 결제 완료\n", "책 한 권 ₩11,000: 결제 실패\n", "책 한 권 ₩11,000: 결제 완료\n", "튤립 한 다발 ₩32,000: 결제 완료\n"} {
		(&site{T: t, out: out}).until(line, func() bool { return strings.Contains(out.String(), line) })
	}
	// What the server alone knows is on no page.
	x := b.tab(t, url, look{})
	x.open("/?lang=en")
	x.click("form:has([value=book]) button")
	text, _ := json.Marshal(ask[string](x, "the page", "document.documentElement.outerHTML"))
	if strings.Contains(string(text), "demo-api-secret") || strings.Contains(string(text), "whsec_") {
		t.Error("a secret is on the page")
	}
}
