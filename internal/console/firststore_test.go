package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
)

// TestFirstStore makes the first store of a merchant that has none: it is the
// representative one, and nothing on the way calls it a sub-merchant.
func TestFirstStore(t *testing.T) {
	const fresh = merchant.ID("merchant-00000000-0000-4000-8000-00000000f1f1")
	h := newHouse(t)
	x := h.settings()
	x.Merchants = append(x.Merchants, merchant.Merchant{ID: fresh, Name: "새 회사"})
	if err := h.Store.SaveSettings(t.Context(), x, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.signIn("fresh", member.Member{Merchant: fresh, Role: member.Owner})

	home := h.shows(h.get("fresh", Prefix+"/all/test/"), http.StatusOK, "상점 만들기", `href="`+storesOfAll+`/new"`)
	list := h.shows(h.get("fresh", storesOfAll), http.StatusOK, "상점 만들기")
	form := h.shows(h.get("fresh", storesOfAll+"/new"), http.StatusOK, "첫 상점", "대표 상점이 돼요")
	for name, page := range map[string]string{"home": home, "list": list, "form": form} {
		if strings.Contains(page, "하위상점 추가") || strings.Contains(page, "own_webhooks") {
			t.Errorf("%s speaks of a sub-merchant", name)
		}
	}
	h.shows(h.post("fresh", storesOfAll+"/new", url.Values{"name": {"본점"}}), http.StatusOK, "본점",
		"웹훅 주소(endpoint)의 서명 키가 아니에요", "noticeUrls 전용 서명 키 (웹훅 주소용 아님)") // people take it for the endpoint's
	for _, s := range h.settings().Stores {
		if s.Merchant == fresh && (s.Name != "본점" || !s.Representative) {
			t.Errorf("the first store is %+v", s.Store)
		}
	}
	h.shows(h.get("fresh", storesOfAll+"/new"), http.StatusOK, "새 하위상점", "own_webhooks")
}
