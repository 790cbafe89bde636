package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
)

const accessOfAll = Prefix + "/all/test/settings/access"

// from lets everybody come from an address.
func (h *house) from(address string) {
	a, _ := netip.ParseAddr(address)
	h.Console.ClientAddr = func(*http.Request) netip.Addr { return a }
}

// lines are the lines of a store's list, with "+" or "-" before those on trial.
func (h *house) lines(s merchant.StoreID, scope merchant.AllowScope) string {
	h.Helper()
	var out []string
	for _, w := range h.settings().Allows {
		if w.Store == s && w.Scope == scope {
			out = append(out, map[merchant.Trial]string{"": "", merchant.Coming: "+", merchant.Going: "-"}[w.Trial]+w.CIDR.String())
		}
	}
	return strings.Join(out, " ")
}

func cidr(scope, text string, more ...string) url.Values {
	form := url.Values{"cidr_" + scope: {text}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestAccessOfTheAPI(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("admin", accessOfAll), http.StatusOK, "203.0.113.7에서 접속했어요", "어디서나 부를 수 있어요", "지금 내 주소 203.0.113.7 추가")
	for _, text := range []string{"203.0.113.7", "1.1.1.0/24", " 2001:db8::/48 "} {
		h.goesTo(h.post("admin", accessOfAll+"/api/add", cidr("api", text)), accessOfAll)
	}
	if got := h.lines(main1, merchant.AllowAPI); got != "1.1.1.0/24 2001:db8::/48 203.0.113.7/32" {
		t.Errorf("the list is %q", got)
	}
	h.shows(h.get("admin", accessOfAll), http.StatusOK, "1.1.1.0 – 1.1.1.255", "256개", "203.0.113.7 – 203.0.113.7", "1개", "2^80개", "지금 내 주소")
	for text, say := range map[string]string{
		"": "비어 있어요", "shop.example": "주소나 블록이 아니에요", "1.1.1.1/33": "주소나 블록이 아니에요", "::ffff:1.2.3.4": "주소나 블록이 아니에요", "<script>": "주소나 블록이 아니에요",
		"10.1.2.3/24": "10.1.2.0/24 전체(10.1.2.0 – 10.1.2.255, 256개)", "10.0.0.0/8": "16,777,216개를 열어요",
	} {
		page := h.shows(h.post("admin", accessOfAll+"/api/add", cidr("api", text)), http.StatusUnprocessableEntity, say)
		if strings.Contains(page, "<script>") {
			t.Error("markup of outside is in the page")
		}
	}
	h.shows(h.post("admin", accessOfAll+"/api/add", cidr("api", "10.0.0.0/8")), http.StatusUnprocessableEntity, `name="typed_api"`)
	h.shows(h.post("admin", accessOfAll+"/api/add", cidr("api", "10.0.0.0/8", "typed_api", "10.0.0.0/9")), http.StatusUnprocessableEntity, "다르게 입력했어요")
	h.goesTo(h.post("admin", accessOfAll+"/api/add", cidr("api", "10.0.0.0/8", "typed_api", "10.0.0.0/8")), accessOfAll)
	h.goesTo(h.post("admin", accessOfAll+"/api/remove", cidr("api", "1.1.1.0/24", "reason", "이사")), accessOfAll)
	if got := h.lines(main1, merchant.AllowAPI); got != "10.0.0.0/8 2001:db8::/48 203.0.113.7/32" {
		t.Errorf("the list is %q", got)
	}
	for _, list := range []string{"ssh", "API"} {
		h.shows(h.post("admin", accessOfAll+"/"+list+"/add", cidr(list, "1.1.1.1")), http.StatusNotFound)
		h.shows(h.post("admin", accessOfAll+"/"+list+"/keep", nil), http.StatusNotFound)
	}
	if h.lines(rival1, merchant.AllowAPI)+h.lines(branch1, merchant.AllowAPI) != "" {
		t.Error("other stores have lists, too")
	}
	ofBranch := Prefix + "/" + string(branch1) + "/test/settings/access"
	h.goesTo(h.post("admin", ofBranch+"/api/add", cidr("api", "192.0.2.1")), ofBranch)
	h.shows(h.get("admin", ofBranch), http.StatusOK, "192.0.2.1/32", "하위 상점의 목록이에요")
	h.shows(h.post("admin", ofBranch+"/api/remove", cidr("api", "192.0.2.1")), http.StatusConflict, "목록이 비게 돼요", `name="open" value="on"`)
	if got := h.lines(branch1, merchant.AllowAPI); got != "192.0.2.1/32" {
		t.Errorf("asked, the list is %q", got)
	}
	h.goesTo(h.post("admin", ofBranch+"/api/remove", cidr("api", "192.0.2.1", "open", "on")), ofBranch)
	if got := h.lines(branch1, merchant.AllowAPI); got != "" {
		t.Errorf("removed, the list is %q", got)
	}
}

func TestAccessThatShutsOut(t *testing.T) {
	h := newHouse(t)
	const here, there = "203.0.113.7", "198.51.100.7"
	h.shows(h.post("admin", accessOfAll+"/console/add", cidr("console", there)), http.StatusConflict,
		"지금 접속한 주소가 막혀요", "2분 동안 적용해 보기", `name="anyway" value="on"`)
	if got := h.lines(main1, merchant.AllowConsole); got != "" {
		t.Fatalf("asked, the list is %q", got)
	}
	before := time.Now()
	h.goesTo(h.post("admin", accessOfAll+"/console/add", cidr("console", there, "anyway", "on")), accessOfAll)
	if got := h.lines(main1, merchant.AllowConsole); got != "+198.51.100.7/32" {
		t.Fatalf("on trial, the list is %q", got)
	}
	until := h.settings().Allows[0].Until
	if left := until.Sub(before); left < 2*time.Minute || left > 3*time.Minute {
		t.Errorf("it undoes itself after %v", left)
	}
	h.shows(h.get("admin", accessOfAll), http.StatusForbidden, "저절로 되돌아가요", page.Clock(until, page.KST))
	h.shows(h.post("admin", accessOfAll+"/console/keep", nil), http.StatusForbidden)
	h.from(there)
	h.shows(h.get("admin", accessOfAll), http.StatusOK, "이대로 두기", "지금 되돌리기", "확인을 기다리는 추가", `data-until="`+until.UTC().Format("2006-01-02T15:04:05.000Z")+`"`)
	h.shows(h.post("admin", accessOfAll+"/console/add", cidr("console", here)), http.StatusConflict, "확인을 기다리는 변경이 있어요")
	h.goesTo(h.post("admin", accessOfAll+"/console/keep", nil), accessOfAll)
	if got := h.lines(main1, merchant.AllowConsole); got != "198.51.100.7/32" {
		t.Errorf("kept, the list is %q", got)
	}
	h.from(here)
	h.shows(h.get("admin", accessOfAll), http.StatusForbidden, here)
	h.from(there)
	h.goesTo(h.post("admin", accessOfAll+"/console/add", cidr("console", here)), accessOfAll)
	h.shows(h.post("admin", accessOfAll+"/console/remove", cidr("console", there+"/32")), http.StatusConflict, "/console/remove")
	h.goesTo(h.post("admin", accessOfAll+"/console/remove", cidr("console", there+"/32", "anyway", "on")), accessOfAll)
	h.from(here)
	h.shows(h.get("admin", accessOfAll), http.StatusOK, "확인을 기다리는 삭제")
	h.goesTo(h.post("admin", accessOfAll+"/console/undo", nil), accessOfAll)
	if got := h.lines(main1, merchant.AllowConsole); got != "198.51.100.7/32 203.0.113.7/32" {
		t.Errorf("undone, the list is %q", got)
	}
	w := h.post("admin", accessOfAll+"/console/keep", nil)
	h.goesTo(w, accessOfAll)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+accessOfAll, nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	h.shows(h.send("admin", r), http.StatusOK, "기다리는 변경이 없어요")
}
