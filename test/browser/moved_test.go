package browser

import (
	"fmt"
	"net/http"
	"testing"
)

// TestMoved has two people cancel a part of one payment: the second, on a telephone, is told
// what changed meanwhile, finds the form as it was filled in, and does it then.
func TestMoved(t *testing.T) {
	s, shop := openSite(t), openShop(t)
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	s.town("가나상점", shop.url)
	y := b.tab(t, s.url, look{width: 360, height: 740, dark: true})
	const form = "/console/all/test/payments/order-1/cancel"
	cancel := func(z *tab, amount string) {
		t.Helper()
		z.fill("amount", amount)
		z.fill("reason", "변심")
		z.choose("bank", "SHINHAN")
		z.fill("number", "110123456789")
		z.fill("holder", "홍길동")
		z.click("form.card button.danger")
	}
	y.open(form)
	x.open(form)
	cancel(x, "3,000")
	x.sees("부분 취소")
	y.expects(http.StatusConflict)
	cancel(y, "4,000")
	y.sees("그사이 상태가 바뀌었어요", "결제 완료 → 부분 취소", "취소할 수 있는 금액이 그사이 달라졌어요", "₩7,000")
	if kept := ask[string](y, "what is kept", `["amount", "reason", "bank", "number", "holder"].map(n => document.querySelector("main [name=" + n + "]").value).join(" ")`); kept != "4,000 변심 SHINHAN 110123456789 홍길동" {
		t.Errorf("the form holds %q", kept)
	}
	y.sound()
	y.shot("moved/cancel")
	y.click("form.card button.danger")
	y.sees("부분 취소", "₩4,000")
}

// TestNoNotices is where somebody is who has set up a channel and waits: the addresses are
// there, and a test notice is one press away.
func TestNoNotices(t *testing.T) {
	s, shop := openSite(t), openShop(t)
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	s.town("가나상점", shop.url)
	const fresh = "store-00000000-0000-4000-8000-000000000002"
	s.apply(fmt.Sprintf("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = %q\nname = \"새 상점\"\n[[merchant.store.channel]]\nkey = %q\nname = \"키움 시험\"\nprovider = \"daou\"\nmode = \"test\"\nmid = \"T9\"\npayment_type = \"window_general\"\nmethods = [\"VIRTUAL_ACCOUNT\"]\n",
		fresh, townChannel(20)))
	const at = "/console/" + fresh + "/test/notices"
	s.until("the new store", func() bool {
		x.open(at)
		return ask[bool](x, "is it there", `document.body.innerText.includes("아직 받은 통보가 없어요")`)
	})
	x.forget()
	y := b.tab(t, s.url, look{width: 360, height: 740, dark: true})
	y.speak("en")
	y.open(at)
	y.sees("No notices yet", townChannel(20), "Send a test notice")
	y.sound()
	y.shot("notices/empty")
	y.press("Send a test notice")
	y.sees("Byte for byte")
	y.sound()
	y.open(at)
	y.sees("Until decided", "ms")
	y.sound()
	y.shot("notices/list")
	y.speak("ko")
	x.open(at + "?charset=EUC-KR")
	x.sound()
	x.shot("notices/charset")
	x.open("/console/all/test/notices")
	x.sees("판정까지", "문자셋")
	x.sound()
	x.shot("notices/all")
	x.click("table.rows tbody tr a")
	x.sees("판정까지", "저장하고 응답하는 시간은 들어 있지 않아요")
	x.sound()
	x.shot("notices/one")
}
