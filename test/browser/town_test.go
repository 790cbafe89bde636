package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
)

// What the town has: a merchant with a store and a sub-merchant.
const (
	townStore  = "store-00000000-0000-4000-8000-000000000001"
	townSecret = "town-secret-0123456789"
	// What is never to be seen again.
	townSigning  = "whsec_dG93bi1zaWduaW5nLXNlY3JldC0wMTIzNDU2Nzg5"
	townPGKey    = "town-pg-key-0123456789"
	townHeader   = "Bearer town-header-0123456789"
	townPassword = "correct horse battery staple"
)

// townChannel is the key of the nth channel.
func townChannel(n int) string { return fmt.Sprintf("channel-key-00000000-0000-4000-8000-%012d", n) }

// town declares a merchant with channels of several PGs and an endpoint at a shop, and lets
// things happen: payments that wait, that are paid, cancelled and failed, notices that were
// refused, unreadable, unmatched and in conflict, and webhooks that the shop did not take.
func (s *site) town(merchant, shop string) {
	s.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `[[merchant]]
name = %q
[[merchant.store]]
id = %q
name = "대표 상점"
representative = true
`, merchant, townStore)
	for i, p := range []string{"inicis_v2", "kcp_v2", "nice_v2", "tosspayments"} {
		fmt.Fprintf(&b, "[[merchant.store.channel]]\nkey = %q\nname = %q\nprovider = %q\nmode = \"test\"\nmid = \"T%d\"\npayment_type = \"window_general\"\nmethods = [\"VIRTUAL_ACCOUNT\", \"CARD\"]\n", townChannel(i+1), p+" 시험", p, i)
	}
	fmt.Fprintf(&b, `[[merchant.store.channel]]
key = %q
name = "KCP 운영"
provider = "kcp"
mode = "live"
mid = "L0000"
payment_type = "window_general"
methods = ["VIRTUAL_ACCOUNT"]
senders = ["203.0.113.0/24"]
credentials = { site_key = %q }
[[merchant.store.endpoint]]
name = "주문 서버"
url = %q
mode = "test"
events = ["*"]
schedule = ["1s", "1h"]
secrets = [%q]
timeout = "20s"
headers = { Authorization = %q }
[[merchant.store.endpoint]]
name = "정산 서버"
url = %q
mode = "test"
events = ["Transaction.Paid"]
paused = true
[[merchant.store.api_secret]]
name = "server"
mode = "any"
secret = %q
[[merchant.store.api_key]]
key = "town-key"
mode = "test"
secret = "town-key-secret-0123456789"
[[merchant.store]]
name = "하위 상점"
tier_code = "ABC"
`, townChannel(9), townPGKey, shop, townSigning, townHeader, shop+"/settlement", townSecret)
	s.apply(b.String())
	s.until("the settings in force", func() bool {
		status, _ := s.call("GET", "/payments/none", "")
		return status == http.StatusNotFound
	})
	for i := range 6 {
		s.must("POST", fmt.Sprintf("/payments/order-%d/instant", i+1), fmt.Sprintf(`{"channelKey":%q,"orderName":"사과 %d상자","currency":"KRW","amount":{"total":%d},
			"customer":{"name":{"full":"홍길동"}},"method":{"virtualAccount":{"bank":"SHINHAN","expiry":{"validHours":%d},"option":{"type":"NORMAL"},"remitteeName":"가나상점"}}}`,
			townChannel(1+i%4), i+1, 10000*(i+1), 1+i*30))
	}
	s.must("POST", "/tongbo/v1/payments/order-1/deposit", `{}`)
	s.must("POST", "/tongbo/v1/payments/order-2/deposit", `{"depositor":"<b>이름</b>"}`)
	s.must("POST", "/tongbo/v1/payments/order-3/deposit", `{}`)
	s.must("POST", "/payments/order-3/cancel", `{"reason":"변심","amount":10000,"refundAccount":{"bank":"SHINHAN","number":"110123456789","holderName":"홍길동"}}`)
	// The newest webhook is that of the card that fails: no paused endpoint hears of it.
	for i, card := range []string{"4242424242424242", "4000000000009979"} {
		s.call("POST", fmt.Sprintf("/payments/card-%d/instant", i+1), fmt.Sprintf(`{"channelKey":%q,"orderName":"책","currency":"KRW","amount":{"total":11000},
			"method":{"card":{"credential":{"number":%q,"expiryYear":"30","expiryMonth":"12"}}}}`, townChannel(1), card))
	}
	s.notice("/kcp-v2", "application/x-www-form-urlencoded", "site_cd=T1&tno=1&order_no=nobody&tx_cd=TX00&tx_tm=20261122120000&ipgm_mnyx=5000&account=1234567890&bank_code=88&remitter=%C8%AB%B1%E6%B5%BF")
	s.notice("/kcp_payments/notice_vbank", "application/x-www-form-urlencoded", "site_cd=L0000&tno=2&order_no=o-2&tx_cd=TX00&tx_tm=20261122120000&ipgm_mnyx=7000&account=1234567890")
	s.notice("/nicepay-v2", "application/json", `{"nonsense`+"\x00\x1b[31m")
}

// call calls the API as the merchant's server.
func (s *site) call(method, path, body string) (int, string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "PortOne "+townSecret)
	r.Header.Set("Content-Type", "application/json")
	return s.answer(r)
}

// answer sends a request, and returns status and body of what comes back.
func (s *site) answer(r *http.Request) (int, string) {
	s.Helper()
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// must is call for what has to succeed.
func (s *site) must(method, path, body string) map[string]any {
	s.Helper()
	status, text := s.call(method, path, body)
	if status != http.StatusOK {
		s.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		s.Fatal(err)
	}
	return out
}

// notice sends bytes to a notice path as a PG would.
func (s *site) notice(path, contentType, body string) {
	s.Helper()
	s.noticeFrom("", path, contentType, body)
}

// noticeFrom is notice by way of a proxy, which tells the sender's address.
func (s *site) noticeFrom(sender, path, contentType, body string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if sender != "" {
		r.Header.Set("X-Forwarded-For", sender)
	}
	s.answer(r)
}

// owner makes the first owner behind the pages' back, with the token that serve printed, and
// has the tab signed in.
func (s *site) owner(x *tab, merchant string) secret.Text {
	s.Helper()
	_, token, _ := strings.Cut(s.link(), "token=")
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
	p := &people.People{Store: st, Loopback: true, Log: log}
	session, err := p.SetUp(s.Context(), people.Setup{
		Token: secret.Text(token), Email: "owner@example.kr", Name: "홍길동", Password: townPassword, Merchant: merchant,
	}, people.From{})
	if err != nil {
		s.Fatal(err)
	}
	x.speak("ko")
	x.cookie("tongbo", session.Reveal())
	return session
}

// speak chooses the language of pages for who has not chosen one.
func (x *tab) speak(lang string) {
	x.Helper()
	x.cookie("tongbo_lang", lang)
}
