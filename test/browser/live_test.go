package browser

import (
	"fmt"
	"testing"
	"time"
)

// issue has an account issued on a test channel.
func (s *site) issue(order string) {
	s.Helper()
	s.must("POST", "/payments/"+order+"/instant", fmt.Sprintf(`{"channelKey":%q,"orderName":"사과","currency":"KRW","amount":{"total":59000},
		"customer":{"name":{"full":"홍길동"}},"method":{"virtualAccount":{"bank":"SHINHAN","expiry":{"validHours":5},"option":{"type":"NORMAL"},"remitteeName":"가나상점"}}}`, townChannel(1)))
}

// TestLive sees a payment come and be paid on a page that stays open: what is new waits
// behind a button, and rows that are there change in place.
func TestLive(t *testing.T) {
	s := openSite(t)
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	s.town("가나상점", openShop(t).url)
	x.open("/console/all/test/payments")
	x.sees("● 실시간", "order-6")
	x.until("the dot to be live", `document.getElementById("live").textContent.includes("실시간")`)
	rows := ask[int](x, "rows", `document.querySelectorAll("table.rows tbody tr").length`)

	s.issue("order-live")
	x.sees("새 항목 1건 보기")
	if now := ask[int](x, "rows", `document.querySelectorAll("table.rows tbody tr").length`); now != rows {
		t.Errorf("%d rows became %d while they were read", rows, now)
	}
	ask[bool](x, "show it", `document.querySelector(".pill").click() || true`)
	x.sees("order-live")

	state := `[...document.querySelectorAll("table.rows tbody tr")].find(r => r.innerText.includes("order-live")).innerText`
	x.until("the payment to wait", state+`.includes("입금 대기")`)
	began := time.Now()
	s.must("POST", "/tongbo/v1/payments/order-live/deposit", `{}`)
	x.until("the payment to be paid", state+`.includes("결제 완료")`)
	t.Logf("seen %v after the PG was told to send", time.Since(began).Round(time.Millisecond))

	ask[bool](x, "pause", `document.getElementById("live").click() || true`)
	x.sees("○ 멈춤")
	s.issue("order-unseen")
	x.open("/console/all/test/payments")
	x.sees("order-unseen", "○ 멈춤")
}

// TestStops leaves no stream behind: a server that is told to stop does not wait for open
// pages.
func TestStops(t *testing.T) {
	s := openSite(t)
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	s.owner(x, "가나상점")
	s.town("가나상점", openShop(t).url)
	x.open("/console/all/test/payments")
	x.sees("● 실시간")
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("stopping took %v beside an open page", took)
	}
	x.sees("◌ 다시 연결 중")
	x.forget()
}
