package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestTillBuyers pays as buyers do who are late, who see or hear the page otherwise than
// most, or who have no mouse.
func TestTillBuyers(t *testing.T) {
	t.Parallel()
	x := openTill(t)
	for name, test := range map[string]func(*testing.T, *till){
		"late": tillLate, "UI again": tillUIAgain, "small": tillSmall, "zoomed": tillZoomed, "keyboard": tillKeyboard, "names": tillNames,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, x) })
	}
}

// tillLate has the account's deadline pass while its page is open.
func tillLate(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "late", `{ virtualAccount: { accountExpiry: { dueDate: new Date(Date.now() + 15000).toISOString() } } }`)
	w := c.window()
	w.account()
	w.until("the last seconds counted down", `/^00:00:\d\d$/.test(document.querySelector("[data-until]").textContent)`)
	w.until("a button that pays", `[...document.querySelectorAll("main button")].some(b => b.textContent.includes("입금하기"))`)
	w.sees("입금 기한이 지났어요.")
	w.until("nothing to wait for", `!document.querySelector("[data-until]") && ![...document.querySelectorAll("main button")].some(b => b.textContent.includes("입금하기"))`)
	w.until("the account all the same", `document.getElementById("number").dataset.copy.length > 5`)
	w.sound()
	w.shot("late")
	ask[bool](w, "read it again", `(location.reload(), true)`)
	w.sees("입금 기한이 지났어요.")
	if status, text := x.call("POST", "/tongbo/v1/payments/late/deposit", `{}`); status != http.StatusConflict {
		t.Errorf("the PG that is played takes money after the deadline: %d %s", status, text)
	}
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"paymentId": "late", "code": nil}) // the account was issued: that is all that a page learns
	if s := x.status("late"); s != "VIRTUAL_ACCOUNT_ISSUED" {
		t.Errorf("the payment is %s", s)
	}
}

// tillUIAgain is a UI in the shop's page whose first card is declined: it is drawn anew, then
// for another order.
func tillUIAgain(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	request := func(id string) string {
		return fmt.Sprintf(`fair({ uiType: "PAYPAL_SPB", storeId: %q, channelKey: %q, paymentId: %q, payMethod: "CARD", locale: "KO_KR" })`, tillStore(1), townChannel(1), id)
	}
	c.press(`PortOne.loadPaymentUI(` + request("ui-again") + `, { onPaymentSuccess: value => { out.push({ value }) }, onPaymentFail: e => { out.push({ error: { code: e.code, pgCode: e.pgCode } }) } })`)
	src := ""
	next := func(what string) *tab {
		t.Helper()
		c.until(what, fmt.Sprintf(`document.querySelectorAll("iframe").length === 1 && document.querySelector(".portone-ui-container iframe").src !== %q`, src))
		src = ask[string](c.tab, "where it leads", `document.querySelector("iframe").src`)
		return c.window()
	}
	w := next("the UI")
	c.until("a frame in its element", `document.querySelector(".portone-ui-container iframe").offsetHeight > 200 && !document.querySelector("dialog")`)
	w.card("decline")
	if got := c.outcomes(1)[0].Error; got["code"] != "PGProviderError" || got["pgCode"] != "TRIAL_CARD_DECLINED" {
		t.Errorf("onPaymentFail is told %v", got)
	}
	w = next("the UI drawn anew")
	w.until("its cards", `document.querySelector("[name=ending]")`)
	ask[bool](c.tab, "another order", `(PortOne.updateLoadPaymentUIRequest(`+request("ui-other")+`), true)`)
	w = next("the UI of the other order")
	w.card("approve")
	if got, _ := c.outcomes(2)[1].Value.(map[string]any); got["paymentId"] != "ui-other" {
		t.Errorf("onPaymentSuccess is told %v", got)
	}
	if a, b := x.status("ui-again"), x.status("ui-other"); a != "FAILED" || b != "PAID" {
		t.Errorf("the payments are %s and %s", a, b)
	}
}

// tillSmall is the narrowest telephone, and the frame over the shop's page on it.
func tillSmall(t *testing.T, x *till) {
	c := x.customer(t, "/", look{width: 320, height: 568})
	goesThrough(t, x, c, "small")
}

// tillZoomed is a computer's window at 200 %.
func tillZoomed(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.do("zoom to 200 %", call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: usualWidth / 2, Height: usualHeight / 2, DeviceScaleFactor: 2}))
	goesThrough(t, x, c, "zoomed")
}

// goesThrough pays in a frame, and looks at each page whether all of it can be read without
// moving it sideways, and reached.
func goesThrough(t *testing.T, x *till, c *counter, id string) {
	c.buys(1, id, `{ windowType: { pc: "IFRAME", mobile: "IFRAME" }, orderName: "아주 긴 이름의 상품 하나와 "+"x".repeat(80) }`)
	w := c.window()
	c.until("a frame within the window", `(r => r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= innerHeight && r.height > 200)(document.querySelector("iframe").getBoundingClientRect())`)
	step := func(name string) {
		t.Helper()
		w.sound()
		w.until(name+" to end within reach", `(e => { e.scrollIntoView({ block: "end" }); const r = e.getBoundingClientRect(); return r.bottom <= innerHeight + 1 && r.right <= innerWidth + 1 })([...document.querySelectorAll("main button:not([hidden]), footer p")].at(-1))`)
	}
	step("the form")
	w.expects(422)
	w.hit("계좌번호 받기")
	w.sees("다시 확인해 주세요")
	step("the form with what is wrong")
	w.account()
	step("the account")
	w.shot(id + "-account")
	w.hit("입금하기 (테스트)")
	w.sees("입금을 확인했어요")
	step("the end")
	if ask[bool](c.tab, "the shop's page", `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the shop's page goes sideways")
	}
	w.hit("상점으로 돌아가기")
	c.resolves(map[string]any{"paymentId": id, "code": nil})
	c.cleared()
}

// tillKeyboard has no mouse: from the shop's button to the account, in the frame over the
// shop's page, and then out of it.
func tillKeyboard(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.do("be looked at", call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	ask[bool](c.tab, "the shop's button", fmt.Sprintf(`(() => {
		window.act = () => { note(PortOne.requestPayment(fair({ storeId: %q, channelKey: %q, paymentId: "keys", locale: "KO_KR", customer: { fullName: "홍길동" } }))) }
		document.getElementById("pay").focus()
		return true
	})()`, tillStore(1), townChannel(1)))
	key := func(what, keys string, opts ...chromedp.KeyOption) {
		t.Helper()
		c.do(what, chromedp.KeyEvent(keys, opts...))
	}
	key("press the button", "\r")
	w := c.window()
	c.until("the focus in the frame", `document.activeElement === document.querySelector("iframe")`)
	// to goes on with Tab until something of the page has the focus.
	to := func(what, is string) {
		t.Helper()
		for range 40 {
			if ask[bool](w, what, `!!(e => e && (`+is+`))(document.activeElement)`) {
				if !ask[bool](w, "a ring around it", `getComputedStyle(document.activeElement).outlineStyle !== "none" || document.activeElement.matches("h1, .mistakes")`) {
					t.Errorf("%s has the focus, and nobody sees it", what)
				}
				return
			}
			key("Tab", "\t")
		}
		t.Fatalf("Tab never comes to %s: it is at %s", what, ask[string](w, "where", `document.activeElement.outerHTML`))
	}
	w.expects(422)
	to("the button", `e.textContent === "계좌번호 받기"`)
	key("press it", "\r")
	w.sees("은행을 골라 주세요.")
	w.until("the focus on what is wrong", `document.activeElement.id === "mistakes"`)
	to("the link to the field", `e.matches("#mistakes a")`)
	key("follow it", "\r")
	w.until("the field in focus", `document.activeElement.id === "bank"`)
	key("choose a bank", "신")
	if ask[string](w, "the bank", `document.getElementById("bank").value`) == "" {
		key("choose a bank", "\u0301") // the next one
	}
	to("the receipt", `e.name === "receipt"`)
	to("the button", `e.textContent === "계좌번호 받기"`)
	key("press it", "\r")
	w.sees("입금할 금액")
	w.until("the focus on what is new", `document.activeElement.matches("h1") && document.hasFocus()`)
	to("the button that copies", `e.dataset.copies === "number"`)
	// The deposit comes while somebody reads: the page says so to whoever hears it.
	x.must("POST", "/tongbo/v1/payments/keys/deposit", `{}`)
	w.sees("입금을 확인했어요")
	w.until("the focus on what is new", `document.activeElement.matches("h1")`)
	to("the way back", `e.textContent === "상점으로 돌아가기"`)
	go func() { // the frame may be gone before the key is let go, which nobody answers then
		_ = chromedp.Do(c.ctx, chromedp.KeyEvent("\r"))
	}()
	c.resolves(map[string]any{"paymentId": "keys", "code": nil})
	c.cleared()
	c.until("the focus where it was", `document.activeElement.id === "pay"`)
}

// spoken lists what a screen reader is told of a page: of each thing its role and its name, and
// of regions that are read when they change that they are.
func (x *tab) spoken() []string {
	x.Helper()
	var tree accessibility.GetFullAXTreeResult
	x.do("the accessibility tree", chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		tree, err = cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return err
	}))
	text := func(v *accessibility.Value) (s string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &s) // what is no text has none
		}
		return s
	}
	var out []string
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		line := text(n.Role) + " " + text(n.Name)
		for _, p := range n.Properties {
			if p.Name == "live" || p.Name == "invalid" && text(p.Value) != "false" || p.Name == "modal" {
				line += " (" + string(p.Name) + ")"
			}
		}
		out = append(out, line)
	}
	return out
}

// tillNames listens to each page as a screen reader does.
func tillNames(t *testing.T, x *till) {
	c := x.customer(t, "/", look{})
	c.buys(1, "names", `{ customer: { fullName: "홍길동" } }`)
	w := c.window()
	hears := func(tab *tab, what string, want ...string) {
		t.Helper()
		got := tab.spoken()
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s: nothing is heard of %q in\n%s", what, line, strings.Join(got, "\n"))
			}
		}
	}
	hears(c.tab, "the shop's page", "dialog 결제창 (modal)", "Iframe 결제창")
	hears(w, "the form", "heading 가상계좌", "combobox 입금할 은행", "textbox 입금하는 사람 이름", "group 현금영수증", "radio 받지 않기", "button 계좌번호 받기", "button 결제하지 않고 돌아가기")
	w.expects(422)
	w.hit("계좌번호 받기")
	w.sees("다시 확인해 주세요")
	hears(w, "the form with a mistake", "alert  (live)", "heading 다시 확인해 주세요", "link 은행을 골라 주세요.", "combobox 입금할 은행 (invalid)")
	w.account()
	hears(w, "the account", "heading 입금 안내", "button 복사", "button 입금하기 (테스트)", "status  (live)", "button 상점으로 돌아가기")
	w.hit("입금하기 (테스트)")
	w.sees("입금을 확인했어요")
	hears(w, "the end", "status  (live)", "button 상점으로 돌아가기")
}
