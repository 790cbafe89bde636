package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// A newcomer is somebody at a tab who comes to a site for the first time.
type newcomer struct {
	*tab
	site *site
	name string // of the pictures
	key  string // the authenticator's secret
}

// TestAccounts goes from the link that serve prints to an owner with a second factor, who
// invites somebody, by forms alone: once as most see it, once narrow, dark and without
// scripts.
func TestAccounts(t *testing.T) {
	b := openBrowser(t)
	for name, l := range map[string]look{"wide": {}, "narrow": {width: 360, height: 740, dark: true, noScript: true}} {
		t.Run(name, func(t *testing.T) {
			// Reached from elsewhere, owners must have a second factor.
			s := openSite(t, "--public-url", "https://pay.example.kr")
			n := &newcomer{tab: b.tab(t, s.url, l), site: s, name: name}
			n.speak("ko")
			n.setsUp()
			link := n.invites()
			n.press("로그아웃")
			n.sees("로그아웃했어요")
			n.joins(link)
			n.press("로그아웃")
			n.signsIn()
		})
	}
}

// seen waits for texts, and looks at the page that has them.
func (n *newcomer) seen(page string, texts ...string) {
	n.Helper()
	n.sees(texts...)
	n.sound()
	n.shot("accounts-" + n.name + "/" + page)
}

// code is what the authenticator shows, so many steps from now.
func (n *newcomer) code(steps int) string {
	n.Helper()
	c, err := totp.GenerateCode(n.key, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		n.Fatal(err)
	}
	return c
}

func (n *newcomer) setsUp() {
	n.Helper()
	n.open("/console/")
	n.seen("login", "로그인", "아직 처음 설정을 하지 않았어요")
	n.open(n.site.link())
	n.fill("merchant", "새벽상회")
	n.fill("name", "김주인")
	n.fill("email", "owner@example.kr")
	n.fill("password", townPassword)
	n.seen("setup", "처음 설정")
	n.press("시작하기")
	n.sees("이 역할은 2단계 인증이 있어야 해요")
	n.until("the picture", `document.querySelector("img.qr").naturalWidth === 240`)
	n.seen("second")
	n.key = ask[string](n.tab, "the secret", `document.getElementById("otp-secret").textContent`)
	n.fill("code", n.code(-1))
	n.press("켜기")
	n.seen("recovery", "복구 코드")
	n.choose("copied", "on")
	n.press("계속")
	n.open("/console/me")
	n.seen("me", "owner@example.kr", "설치 운영자", "지금 이곳")
}

// invites returns the path of the link by which somebody joins.
func (n *newcomer) invites() string {
	n.Helper()
	n.open("/console/all/test/settings/members/new")
	n.fill("email", "dev@example.kr")
	n.fill("name", "박개발")
	n.choose("role", "dev")
	n.seen("invite", "구성원 초대")
	n.press("초대 링크 만들기")
	n.seen("link", "dev@example.kr")
	shown := ask[string](n.tab, "the link", `document.querySelector("main code").textContent`)
	_, link, found := strings.Cut(shown, "https://pay.example.kr")
	if !found {
		n.Fatalf("the link is %q", shown)
	}
	n.open("/console/all/test/settings/members")
	n.seen("members", "dev@example.kr", "초대함")
	n.open("/console/all/test/settings/audit")
	n.seen("audit", "구성원 초대", "2단계 인증 켬", "처음 설정")
	return link
}

func (n *newcomer) joins(link string) {
	n.Helper()
	n.open(link)
	n.fill("password", townPassword)
	n.seen("join", "dev@example.kr", "개발 담당(Dev)")
	n.press("정하고 로그인")
	n.expects(403)
	n.open("/console/all/test/settings/members")
	n.sees("관리자(Admin)부터 할 수 있어요")
	n.open("/console/me")
}

// signsIn gets the password wrong once.
func (n *newcomer) signsIn() {
	n.Helper()
	n.expects(422)
	n.open("/console/login")
	n.fill("email", "owner@example.kr")
	n.fill("password", "not the password")
	n.press("로그인")
	n.seen("wrong", "이메일이나 비밀번호가 맞지 않아요")
	n.fill("password", townPassword)
	n.press("로그인")
	n.seen("code", "인증 앱의 코드")
	n.fill("code", n.code(0))
	n.press("로그인")
	n.open("/console/me")
	n.sees("owner@example.kr")
}
