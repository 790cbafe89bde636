package browser

import (
	"testing"

	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestWizard sets up a test channel of every module as a person does: PG, credentials (a
// test MID with one click, where the PG publishes one), address and guide, test notice.
func TestWizard(t *testing.T) {
	s := openSite(t, "--allow-private-webhooks")
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	x.open("/console/all/test/channels/new")
	x.sees("먼저 상점을 만들어 주세요")
	s.apply("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nname = \"대표\"\n")
	s.until("the store, which another process made", func() bool {
		x.open("/console/all/test/channels/new")
		return ask[bool](x, "is there a form", `!!document.querySelector("[name=provider]")`)
	})
	for _, p := range all.Providers() {
		i := p.Info()
		x.open("/console/all/test/channels/new")
		x.choose("provider", i.Code)
		x.fill("name", i.Code+" 시험")
		x.press("다음")
		x.sees("PG에서 받은 값을 넣으면 쓸 수 있어요", i.Code+" 시험")
		if len(i.TestMIDs) > 0 {
			x.press(i.TestMIDs[0].MID + " 쓰기")
		} else {
			x.fill("mid", "T1")
			x.press("다음")
		}
		x.sees("PG에서 받은 값을 저장했어요", s.url+i.Paths[0]+"/channel-key-", "가이드 확인일 2026-11-22")
		if i.Letter != nil {
			x.sees("PG에 보낼 메일")
			x.fill("asked", "2026-11-22")
			x.press("요청한 날 적기")
			x.sees("PG에 요청한 날을 적었어요")
		}
		x.sound()
		x.press("다음")
		x.press("시험 통보 보내기")
		x.sees("한 바이트도 다르지 않아요", "PG 주소에서 온 요청은 아직 없어요")
		x.sound()
	}
	x.open("/console/all/test/channels")
	x.sees("KG이니시스", "ksnet 시험", "통보 대기", "PG 등록 요청함")
}
