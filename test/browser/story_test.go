package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// setUp makes the first owner by the link that serve printed, with a second factor, as a
// person would.
func (x *tab) setUp(s *site, merchant string) {
	x.Helper()
	x.speak("ko")
	x.open(s.link())
	x.fill("merchant", merchant)
	x.fill("name", "홍길동")
	x.fill("email", "owner@example.kr")
	x.fill("password", townPassword)
	x.press("시작하기")
	x.open("/console/second")
	x.enrol()
}

// enrol switches the second factor on.
func (x *tab) enrol() {
	x.Helper()
	if ask[bool](x, "has it begun", `!document.getElementById("otp-secret")`) {
		x.click(`form[action="/console/second/begin"] button`)
	}
	key := strings.ReplaceAll(ask[string](x, "the secret", `document.getElementById("otp-secret").textContent`), " ", "")
	x.until("the picture", `document.querySelector("img.qr").naturalWidth > 100`)
	code, err := totp.GenerateCode(key, time.Now())
	if err != nil {
		x.Fatal(err)
	}
	x.sound()
	x.fill("code", code)
	x.click(`form[action="/console/second"] button`)
	x.sound()
	ask[bool](x, "keep the codes", `document.querySelector("main input[name=copied]").checked = true`)
	x.click("main form button")
}

// ticked waits until a step of the checklist is done; n counts from one.
func (x *tab) ticked(n int) {
	x.Helper()
	x.until(fmt.Sprintf("step %d", n), fmt.Sprintf(`document.querySelectorAll("ol.steps li")[%d].innerText.includes("했어요")`, n-1))
}

// TestFirstRun goes from nothing to a verified webhook: the set-up link, the owner with a
// second factor, a channel by the wizard, its test notice, an endpoint and its call test. The
// checklist ticks by what really happened.
func TestFirstRun(t *testing.T) {
	s := openSite(t)
	shop := openShop(t)
	x := openBrowser(t).tab(t, s.url, look{})
	x.setUp(s, "가나상점")
	x.open("/console/all/test/")
	x.sees("상점 만들기")
	x.sound()
	x.shot("first-run/1-home")

	x.open("/console/all/test/settings/stores/new")
	x.fill("name", "대표 상점")
	x.click("main form button:not([data-copies])")
	x.open("/console/all/test/")
	x.ticked(1)

	x.press("채널 만들기")
	x.choose("provider", "nice_v2")
	x.fill("name", "나이스 시험")
	x.press("다음")
	x.shot("first-run/2-credentials")
	x.press("다음")
	x.sees("/nicepay-v2/channel-key-")
	x.shot("first-run/3-address")
	x.press("다음")
	x.press("시험 통보 보내기")
	x.sound()
	x.shot("first-run/4-ladder")
	if bad := ask[[]string](x, "rungs", `[...document.querySelectorAll("[id^=rung-]")].filter(r => r.querySelector(".chip.bad")).map(r => r.innerText)`); len(bad) > 0 {
		t.Errorf("the test notice did not come through: %q", bad)
	}
	x.open("/console/all/test/")
	for _, n := range []int{1, 2, 4} {
		x.ticked(n)
	}

	x.press("시뮬레이터 열기")
	x.press("실행")
	x.sees("1건 중 1건을 실행했어요")
	x.open("/console/all/test/")
	for n := range 4 {
		x.ticked(n + 1)
	}

	x.press("웹훅 주소 만들기")
	x.fill("name", "주문 서버")
	x.fill("url", shop.url)
	x.press("호출 테스트")
	x.sees("200")
	x.sound()
	x.shot("first-run/5-call-test")
	if shop.heard() != 1 {
		t.Errorf("the shop heard %d calls, want the one of the test", shop.heard())
	}
	x.press("등록")
	x.open("/console/all/test/")
	x.sees("처음 할 일을 모두 마쳤어요")
	x.sound()
	x.shot("first-run/6-home")
	x.press("목록 치우기")
	x.until("the checklist to go", `!document.querySelector("ol.steps")`)
}
