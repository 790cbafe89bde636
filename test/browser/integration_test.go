package browser

import (
	"fmt"
	"testing"
)

// TestIntegration makes a ready-made test channel from the page.
func TestIntegration(t *testing.T) {
	s := openSite(t)
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
	x.sound()
	x.click("#pg-kicc .offer:first-of-type form button")
	x.sees("테스트 채널을 만들었어요", "kicc.T5102001")
	x.click("#pg-html5_inicis .offer:first-of-type form button")
	x.sees("html5_inicis.INIpayTest", "PG의 API를 불러요")
	for name, l := range map[string]struct {
		look
		lang string
	}{"ko-light": {look{}, "ko"}, "en-dark": {look{dark: true}, "en"}, "en-phone": {look{width: 360, height: 740}, "en"}, "ko-phone-dark": {look{width: 360, height: 740, dark: true}, "ko"}} {
		y := b.tab(t, s.url, l.look)
		y.speak(l.lang)
		y.open("/console/all/test/integration")
		y.sound()
		y.shot("integration/" + name)
	}
}
