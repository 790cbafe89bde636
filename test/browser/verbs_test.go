package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// aTown is a site with a town in it, a shop, and an owner in a tab.
func aTown(t *testing.T, flags ...string) (*site, *shop, *tab) {
	t.Helper()
	s, shop := openSite(t, flags...), openShop(t)
	x := openBrowser(t).tab(t, s.url, look{})
	s.owner(x, "가나상점")
	s.town("가나상점", shop.url)
	return s, shop, x
}

// TestCallTest calls receivers that do it wrong in the usual ways, and one that does it
// right: each is told in a sentence of its own.
func TestCallTest(t *testing.T) {
	_, shop, x := aTown(t)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		says   string
	}{
		{"good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }, "잘 받았어요."},
		{"redirecting", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusPermanentRedirect)
		}, "끝의 /만 달라요"},
		{"answering HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><html><script>alert(1)</script>"))
		}, "웹 페이지가 왔어요"},
		{"refusing", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "웹 방화벽이 막았어요"},
		{"slow", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(15500 * time.Millisecond):
			case <-r.Context().Done():
			}
			w.WriteHeader(http.StatusOK)
		}, "받았지만 늦어요"},
	} {
		shop.answers(c.answer)
		x.open("/console/" + townStore + "/test/endpoints/new")
		x.fill("url", shop.url)
		x.press("호출 테스트")
		x.sees(c.says)
		x.sound()
		x.shot("call-test/" + c.name)
	}
}

// endpoint opens the page of the town's order server.
func (x *tab) endpoint() {
	x.Helper()
	x.open("/console/all/test/endpoints")
	x.press("주문 서버")
}

// TestPaused pauses an endpoint: what is meant for it is held and says so, and goes out when
// the pause ends.
func TestPaused(t *testing.T) {
	s, shop, x := aTown(t)
	x.endpoint()
	x.press("일시중지")
	x.sees("일시중지")
	before := shop.heard()
	s.issue("order-held")
	x.open("/console/all/test/deliveries")
	x.sees("보류: 주소 일시중지")
	if n := shop.heard(); n != before {
		t.Errorf("the shop heard %d webhooks while its endpoint was paused", n-before)
	}
	x.endpoint()
	x.press("다시 시작")
	s.until("the held webhook", func() bool { return shop.heard() > before })
}

// TestResend sends a webhook again, with the same id.
func TestResend(t *testing.T) {
	s, shop, x := aTown(t)
	s.until("the town's webhooks", func() bool { return shop.heard() >= 8 })
	x.open("/console/all/test/deliveries")
	x.click("table.rows tbody tr a")
	before := shop.heard()
	x.press("지금 다시 보내기")
	x.sees("다시 보냈어요")
	s.until("the webhook once more", func() bool { return shop.heard() > before })
	x.sound()
}

// TestRotate gives an endpoint a new signing secret: for a while webhooks bear both
// signatures, until the old one is ended.
func TestRotate(t *testing.T) {
	s, shop, x := aTown(t)
	s.until("the town's webhooks", func() bool { return shop.heard() >= 8 })
	signatures := make(chan int, 100)
	shop.answers(func(_ http.ResponseWriter, r *http.Request) {
		signatures <- len(strings.Fields(r.Header.Get("webhook-signature")))
	})
	next := func(order string) int {
		s.issue(order)
		select {
		case n := <-signatures:
			return n
		case <-time.After(patience):
			t.Fatal("no webhook came")
			return 0
		}
	}
	if n := next("order-one"); n != 1 {
		t.Errorf("%d signatures before the rotation", n)
	}
	x.endpoint()
	x.press("서명 키 바꾸기")
	x.click("main form.card button")
	x.sees("whsec_")
	x.sound()
	if n := next("order-two"); n != 2 {
		t.Errorf("%d signatures in the overlap, want 2", n)
	}
	x.endpoint()
	x.click(`form[action$="/overlap"] button`)
	if n := next("order-three"); n != 1 {
		t.Errorf("%d signatures after the overlap was ended, want 1", n)
	}
}

// TestTrusted replays a deposit notice that was refused for its address, once the address is
// trusted: the payment is paid by it, once.
func TestTrusted(t *testing.T) {
	s, _, x := aTown(t, "--trusted-proxies", "127.0.0.1/32")
	s.apply(fmt.Sprintf(`[[merchant]]
name = "가나상점"
[[merchant.store]]
id = %q
[[merchant.store.channel]]
key = %q
name = "KCP 새 운영"
provider = "kcp_v2"
mode = "live"
mid = "L0001"
payment_type = "window_general"
methods = ["VIRTUAL_ACCOUNT"]
`, townStore, townChannel(10)))
	s.until("the channel", func() bool {
		status, _ := s.call("POST", "/payments/live-1/virtual-account", fmt.Sprintf(`{"channelKey":%q,"orderName":"배","amount":{"total":25000},"currency":"KRW",
			"virtualAccount":{"bank":"SHINHAN","accountNumber":"56211112222333"}}`, townChannel(10)))
		return status == http.StatusOK
	})
	s.noticeFrom("198.51.100.7", "/kcp-v2", "application/x-www-form-urlencoded",
		"site_cd=L0001&tno=20261122000001&order_no=live-1&tx_cd=TX00&tx_tm=20261122120000&ipgm_name=%ED%99%8D%EA%B8%B8%EB%8F%99&remitter=%ED%99%8D%EA%B8%B8%EB%8F%99&ipgm_mnyx=25000&ipgm_time=20261122120000&bank_code=BK88&account=56211112222333&noti_id=20261122000000000001&op_cd=50")
	x.open("/console/all/live/notices?verdict=refused")
	x.sees("거부", "198.51.100.7")
	x.click("table.rows tbody tr a") // the newest
	x.press("이 주소 믿기")
	x.fill("reason", "새 PG 주소")
	x.click("main form.card button")
	x.sees("198.51.100.7", "결제 완료")
	x.sound()
	x.shot("replay/dry-run")
	x.click("main form:not(.inline) button, main form.inline button")
	x.sound()
	x.shot("replay/done")
	if p := s.must("GET", "/payments/live-1", ""); p["status"] != "PAID" {
		t.Errorf("the payment is %v", p["status"])
	}
	x.open("/console/all/live/notices?verdict=refused")
	if ask[bool](x, "is it still refused", `document.querySelector("main").innerText.includes("198.51.100.7")`) {
		t.Error("the notice that was replayed is still among the refused")
	}
}
