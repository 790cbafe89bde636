package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestIntegration makes ready-made test channels from the page, and has one's whole path
// tested against a shop that takes the webhook and one that does not.
func TestIntegration(t *testing.T) {
	s := openSite(t)
	shop := openShop(t)
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	x.open("/console/all/test/integration")
	x.sees("먼저 상점을 만들어 주세요")
	s.apply(fmt.Sprintf("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = %q\nname = \"대표\"\n", townStore))
	s.until("the store, which another process made", func() bool {
		x.open("/console/all/test/integration")
		return ask[bool](x, "is there a card", `!!document.querySelector("#pg-nice_v2")`)
	})
	x.sees("테스트 웹훅 주소가 없어요", "네이버페이에서 직접 받아야 해요")
	x.sound()
	x.click("#pg-html5_inicis .offer form button")
	x.sees("테스트 채널을 만들었어요", "html5_inicis.INIpayTest", "PG의 API를 불러요")
	x.click("#pg-kicc .offer form button")
	x.sees("테스트 채널을 만들었어요", "kicc.T5102001")

	x.click("#pg-kicc .tried form button")
	x.sees("중간에 멈춤", "테스트 웹훅 주소가 없어요")
	s.apply(fmt.Sprintf("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = %q\n[[merchant.store.endpoint]]\nname = \"주문 서버\"\nurl = %q\nmode = \"test\"\nevents = [\"*\"]\n", townStore, shop.url))
	x.press("다시 시험하기")
	x.sees("끝까지 성공", "주문 서버", "모두 2xx로 답했어요", "결제 완료")
	x.sound()
	good := ask[string](x, "where it is", `location.pathname`)
	if shop.heard() == 0 {
		t.Error("the shop heard nothing")
	}
	shop.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	x.press("다시 시험하기")
	x.sees("중간에 멈춤", "1곳 가운데 0곳만", "결제 완료")
	x.sound()
	bad := ask[string](x, "where it is", `location.pathname`)
	if good == bad || !strings.Contains(bad, "/integration/runs/") {
		t.Errorf("both tests are at %s", bad)
	}
	for name, l := range map[string]struct {
		look
		lang string
	}{
		"ko-light": {look{}, "ko"}, "en-dark": {look{dark: true}, "en"},
		"en-phone": {look{width: 360, height: 740, noScript: true}, "en"}, "ko-phone-dark": {look{width: 360, height: 740, dark: true}, "ko"},
	} {
		y := b.tab(t, s.url, l.look)
		y.speak(l.lang)
		for page, path := range map[string]string{"cards": "/console/all/test/integration", "good": good, "bad": bad} {
			y.open(path)
			y.sound()
			y.fits(path, l.look, nil)
			y.shot("integration/" + name + "-" + page)
		}
	}
}
