package browser

import (
	"log/slog"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
)

// comesFrom has the tab come from an address, through the proxy that the site trusts.
func (x *tab) comesFrom(address string) {
	x.Helper()
	x.do("come from "+address, call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": address}}))
}

// trialsEnd lets the two minutes pass in which changes of address lists are on trial.
func (s *site) trialsEnd() {
	s.Helper()
	log := slog.New(slog.DiscardHandler)
	key, err := server.KeySource{Database: s.database}.Load(log)
	if err != nil {
		s.Fatal(err)
	}
	st, err := store.Open(s.Context(), s.database, store.Options{Key: key, Log: log})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	all, err := st.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	n := 0
	for i, w := range all.Allows {
		if w.Trial != "" {
			all.Allows[i].Until = time.Now().UTC().Truncate(time.Microsecond)
			n++
		}
	}
	if n == 0 {
		s.Fatal("nothing is on trial")
	}
	if err := st.SaveSettings(s.Context(), all, time.Now()); err != nil {
		s.Fatal(err)
	}
}

// TestLockOut shuts whoever changes the console's list out of it: the change undoes itself,
// or is kept from an address that the list holds.
func TestLockOut(t *testing.T) {
	s := openSite(t, "--trusted-proxies", "127.0.0.1")
	b := openBrowser(t)
	first := b.tab(t, s.url, look{})
	s.owner(first, "가나상점")
	s.town("가나상점", openShop(t).url)
	x := b.tab(t, s.url, look{})
	const home, cafe, page = "203.0.113.7", "198.51.100.7", "/console/all/test/settings/access"
	x.expects(403)
	x.expects(409)
	x.comesFrom(home)
	x.open(page)
	x.sees(home+"에서 접속했어요", "로그인한 누구나 어디서나")
	add := func(block string) {
		t.Helper()
		ask[string](x, "fill in "+block, `document.getElementById("f-cidr_console").value = "`+block+`"`)
		x.click(`form:has(#f-cidr_console) button`)
	}
	add("203.0.113.0/24")
	x.sees("203.0.113.0/24를 추가했어요", "203.0.113.0 – 203.0.113.255", "256개", "지금 내 주소")
	add(cafe)
	x.sees("198.51.100.7 – 198.51.100.7")

	shutOut := func() {
		t.Helper()
		x.click(`form:has([value="203.0.113.0/24"]) button`)
		x.sees("지금 접속한 주소가 막혀요", home)
		x.press("2분 동안 적용해 보기")
		x.sees("이 주소에서는 열 수 없어요", home, "저절로 되돌아가요")
		x.shot("access-shut-out")
	}
	shutOut()
	s.trialsEnd()
	again := func() bool {
		x.open(page)
		return ask[bool](x, "is it open", `document.body.innerText.includes("접속했어요")`)
	}
	s.until("the list to be as it was", again)
	x.sees("203.0.113.0/24")

	shutOut()
	x.comesFrom(cafe)
	x.open(page)
	x.sees("바뀐 목록을 시험하고 있어요", "확인을 기다리는 삭제")
	x.sound()
	x.shot("access-on-trial")
	x.press("이대로 두기")
	x.sees("바뀐 목록을 그대로 두었어요")
	x.comesFrom(home)
	x.open(page)
	x.sees("이 주소에서는 열 수 없어요")
	s.apply("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = \"" + townStore + "\"\n[[merchant.store.allow]]\nscope = \"console\"\ncidr = \"203.0.113.7\"\n")
	s.until("apply to let in again", again)
}
