package v1

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// TestTokens has a key ask for tokens over the hours.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := build(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
		opens := func(token string) bool {
			r := httptest.NewRequestWithContext(s.Context(), "GET", "/banks", http.NoBody)
			r.Header.Set("Authorization", token)
			return s.do(r).status == http.StatusOK
		}
		began := time.Now()
		first := s.login("main")
		if len(first.AccessToken) != 40 || first.Now != began.Unix() || first.ExpiredAt != began.Add(30*time.Minute).Unix() {
			t.Errorf("the first token is %+v", first)
		}
		for _, as := range []string{"", "Bearer ", "bearer  ", " "} {
			if !opens(as + first.AccessToken) {
				t.Errorf("%q and the token open nothing", as)
			}
		}
		for _, wrong := range []string{"", "Bearer", "x", strings.Repeat("0", 40), "Basic " + first.AccessToken, first.AccessToken + "0"} {
			if opens(wrong) {
				t.Errorf("%q opens something", wrong)
			}
		}
		time.Sleep(29 * time.Minute) // a minute is left
		if again := s.login("main"); again.AccessToken != first.AccessToken || again.ExpiredAt != first.ExpiredAt || again.Now != first.Now+29*60 {
			t.Errorf("asked again, the token is %+v", again)
		}
		time.Sleep(time.Second) // less than a minute is left
		longer := s.login("main")
		if longer.AccessToken != first.AccessToken || longer.ExpiredAt != first.ExpiredAt+5*60 {
			t.Errorf("asked at its end, the token is %+v", longer)
		}
		time.Sleep(5 * time.Minute)
		if !opens(first.AccessToken) {
			t.Error("the longer life ended early")
		}
		time.Sleep(59 * time.Second)
		if opens(first.AccessToken) {
			t.Error("the token outlived its end")
		}
		second := s.login("main")
		if second.AccessToken == first.AccessToken || second.ExpiredAt != second.Now+30*60 {
			t.Errorf("after its end the token is %+v", second)
		}
		if other := s.login("any"); other.AccessToken == second.AccessToken {
			t.Error("two keys have one token")
		}

		// Another secret ends the token at once, and so does the key's end.
		s.all.APIKeys[0].Hash = s.api.Key.Hash(settings.PurposeAPIKey, "new")
		s.save()
		if opens(second.AccessToken) {
			t.Error("the token outlived its secret")
		}
		s.want(s.post("/users/getToken", "imp_key=main&imp_secret=main"), 401, -1, "Unauthorized")
		var third tokenAnswer
		s.ok(s.post("/users/getToken", "imp_key=main&imp_secret=new"), &third)
		if third.AccessToken == second.AccessToken || !opens(third.AccessToken) {
			t.Errorf("with another secret the token is %+v", third)
		}
		s.all.APIKeys = s.all.APIKeys[1:]
		s.save()
		if opens(third.AccessToken) {
			t.Error("the token outlived its key")
		}
	})
}

// TestKeyExpires asks with a key before and after its end.
func TestKeyExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := build(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
		s.all.APIKeys[0].ExpiresAt = time.Now().Add(10 * time.Minute)
		s.save()
		token := s.login("main").AccessToken
		opens := func() bool {
			r := httptest.NewRequestWithContext(s.Context(), "GET", "/banks", http.NoBody)
			r.Header.Set("Authorization", token)
			return s.do(r).status == http.StatusOK
		}
		time.Sleep(10*time.Minute - time.Second)
		if !opens() {
			t.Error("the key opens nothing before its end")
		}
		time.Sleep(time.Second)
		if opens() {
			t.Error("a token outlived its key's end")
		}
		s.want(s.post("/users/getToken", "imp_key=main&imp_secret=main"), 401, -1, "Unauthorized")
		s.all.APIKeys[0].ExpiresAt = time.Time{}
		s.save()
		if !opens() || s.login("main").AccessToken != token {
			t.Error("a key that expires no more does not open what it did")
		}
	})
}

// post posts a form without a token, beside any listener.
func (s *site) post(path, body string) answer {
	s.Helper()
	return s.do(httptest.NewRequestWithContext(s.Context(), "POST", path, strings.NewReader(body)))
}

// TestLogins asks for tokens in wrong ways.
func TestLogins(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	for _, test := range []struct {
		body         string
		status, code int
	}{
		{`{"imp_key":"main","imp_secret":"rival"}`, 401, -1}, {`{"imp_key":"no","imp_secret":"main"}`, 401, -1},
		{`{"imp_key":"main"}`, 400, 1}, {``, 400, 1}, {`imp_secret=main`, 400, 1}, {`{"imp_key":"main","imp_secret":{}}`, 400, 1},
		{`{"imp_key":`, 400, 1}, {"imp_key=main&imp_secret=\xff", 400, 1}, {`imp_key=%00&imp_secret=main`, 401, -1},
		{`imp_key=` + strings.Repeat("x", maxBody), 413, 1},
	} {
		got := s.call("POST", "/users/getToken", "", test.body)
		if got.status != test.status || got.code != test.code {
			t.Errorf("%.60q: %d %s", test.body, got.status, got.text)
		}
		if strings.Contains(got.text, "main") {
			t.Errorf("%.60q is told back: %s", test.body, got.text)
		}
	}
	for _, body := range []string{`{"imp_key":"main","imp_secret":"main"}`, "imp_key=main&imp_secret=main", "imp_key=main& imp_secret=main"} {
		for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", ""} {
			var got tokenAnswer
			s.ok(s.call("POST", "/users/getToken/", "", body, "Content-Type", kind, "Authorization", ""), &got)
		}
	}
	if text := s.log.String(); text != "" {
		t.Errorf("a client's mistakes are logged: %s", text)
	}
}

// TestTier has a representative store's key act for a sub-store.
func TestTier(t *testing.T) {
	onEach(t, func(s *site) {
		p := s.issue("main", "order-1", "Tier", "ABC")
		var got shownPayment
		s.ok(s.call("GET", "/payments/"+p.ImpUID, "sub", ""), &got)
		s.ok(s.call("GET", "/payments/"+p.ImpUID, "sub", "", "Tier", "ABC"), &got)
		s.ok(s.call("GET", "/payments/find/order-1", "main", "", "Tier", "ABC"), &got)
		s.want(s.call("GET", "/payments/"+p.ImpUID, "main", ""), 404, -1, "존재하지")
		own := s.issue("main", "order-2")
		s.want(s.call("GET", "/payments/"+own.ImpUID, "main", "", "Tier", "ABC"), 404, -1, "존재하지")
		for key, tier := range map[string]string{"main": "XYZ", "rival": "ABC", "sub": "XYZ", "any": "ab"} {
			s.want(s.call("GET", "/payments/"+p.ImpUID, key, "", "Tier", tier), 403, -1, "Tier")
		}
		var name struct {
			Code string `json:"tier_code"`
			Name string `json:"tier_name"`
		}
		s.ok(s.call("GET", "/tiers/ABC", "main", ""), &name)
		if name.Code != "ABC" || name.Name != "하위" {
			s.Errorf("the tier is %+v", name)
		}
		s.want(s.call("GET", "/tiers/XYZ", "main", ""), 404, -1, "Tier")
		s.want(s.call("GET", "/tiers/ABC", "rival", ""), 404, -1, "Tier")
	})
}

// TestAddresses has a store admit some addresses alone.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.token("main")
	s.all.Allows = []merchant.Allow{{Store: subStore, Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("203.0.113.0/24")}}
	s.save()
	s.want(s.call("POST", "/users/getToken", "", "imp_key=sub&imp_secret=sub"), 403, -1, "127.0.0.1")
	s.want(s.call("GET", "/banks", "main", "", "Tier", "ABC"), 403, -1, "127.0.0.1")
	var banks []codeAnswer
	s.ok(s.call("GET", "/banks", "main", ""), &banks)
	s.all.Allows[0].Store = mainStore
	s.save()
	s.want(s.call("GET", "/banks", "main", ""), 403, -1, "127.0.0.1")
}

// TestRates has one key call too often, and one address guess.
func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := build(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
		s.api.Limit(5)
		from := "203.0.113.1"
		s.api.ClientAddr = func(*http.Request) netip.Addr { return netip.MustParseAddr(from) }
		for range 20 {
			s.login("main")
		}
		got := s.post("/users/getToken", "imp_key=main&imp_secret=main")
		s.want(got, 429, -1, "Retry-After")
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
		}
		for range 2 {
			s.want(s.post("/users/getToken", "imp_key=rival&imp_secret=guess"), 401, -1, "Unauthorized")
		}
		s.want(s.post("/users/getToken", "imp_key=rival&imp_secret=rival"), 429, -1, "")
		from = "203.0.113.2"
		old := s.login("rival").AccessToken
		use := func(token string) answer {
			r := httptest.NewRequestWithContext(s.Context(), "GET", "/banks", http.NoBody)
			r.Header.Set("Authorization", token)
			return s.do(r)
		}
		// A token that was one of ours is no guess, whether it has ended or another one
		// came after it. Who repeats it for ever is slowed down.
		time.Sleep(time.Hour)
		for range 6 {
			s.want(use(old), 401, -1, "Unauthorized")
		}
		renewed := s.login("rival").AccessToken
		for range 14 {
			s.want(use(old), 401, -1, "Unauthorized")
		}
		s.want(use(old), 429, -1, "")
		if got := use(renewed); got.status != http.StatusOK {
			t.Errorf("a client that logs in again gets %d %s", got.status, got.text)
		}
		for range 2 { // these look like one, and are guesses
			s.want(use(old[:39]+"x"), 401, -1, "Unauthorized")
		}
		s.want(use(renewed), 429, -1, "")
	})
}

// TestMisses calls what is not there.
func TestMisses(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	for _, test := range []struct {
		method, path, key string
		status            int
		part              string
	}{
		{"GET", "/", "", 404, "API"}, {"GET", "/nothing", "main", 404, "API"}, {"GET", "/payments/a/b/c", "main", 404, "API"},
		{"GET", "/users/getToken", "", 405, "메서드"}, {"DELETE", "/payments/cancel", "main", 405, "메서드"}, {"POST", "/banks", "main", 405, "메서드"},
		{"GET", "/payments/x", "", 401, "Unauthorized"}, {"POST", "/payments/cancel", "", 401, "Unauthorized"},
		{"POST", "/subscribe/payments/onetime", "", 401, "Unauthorized"}, {"POST", "/subscribe/payments/onetime", "main", 501, "/subscribe/payments/onetime"},
		{"GET", "/subscribe/customers/c1", "main", 501, "아직 없는"}, {"POST", "/receipts/x", "main", 501, "아직 없는"},
		{"GET", "/receipts/external/m1", "main", 501, "아직 없는"}, {"GET", "/certifications/x", "main", 501, "아직 없는"},
		{"POST", "/payments/x/naver/ship", "main", 501, "아직 없는"}, {"GET", "/vbanks/holder?bank_code=004&bank_num=1", "main", 501, "예금주"},
		{"GET", "/payments/cancel", "main", 404, "존재하지 않는 결제정보"},
		{"GET", "/payments", "main", 400, "imp_uid"}, {"GET", "/payments?" + strings.Repeat("imp_uid[]=x&", 101), "main", 400, "100건"},
		{"GET", "/payments/find/%00", "main", 404, "존재하지"}, {"GET", "/payments/a%00b", "main", 404, "존재하지"},
		{"GET", "/payments/find/x/lost", "main", 400, "상태값"}, {"GET", "/payments/findAll/x/lost", "main", 400, "상태값"},
		{"DELETE", "/vbanks/x", "main", 404, "존재하지"}, {"PUT", "/vbanks/x", "main", 404, "존재하지"}, {"GET", "/receipts/x", "main", 404, "존재하지"},
		{"GET", "/payments/x/balance", "main", 404, "존재하지"},
	} {
		code := -1
		if test.status == 400 {
			code = 1
		}
		s.want(s.call(test.method, test.path, test.key, ""), test.status, code, test.part)
	}
	if got := s.call("PATCH", "/payments/prepare", "main", ""); got.header.Get("Allow") != "POST, PUT, GET, HEAD" {
		t.Errorf("Allow is %q", got.header.Get("Allow"))
	}
	for _, test := range []struct{ body, part string }{
		{"", "imp_uid"}, {"imp_uid=x", "취소할 결제건이 존재하지 않습니다."}, {"merchant_uid=x", "취소할 결제건이 존재하지 않습니다."},
		{`{"imp_uid":`, "JSON"}, {`{"imp_uid":["x"],"amount":"a"}`, "취소할"},
	} {
		s.want(s.call("POST", "/payments/cancel", "main", test.body), 200, 1, test.part)
	}
	id := s.issue("main", "order-1").ImpUID
	for _, body := range []string{"amount=x", "amount=1.5", "amount=1e300", "checksum=x", "enable_webhook=perhaps", "refund_bank=999", "refund_account=1"} {
		name, _, _ := strings.Cut(body, "=")
		if name == "refund_account" {
			name = "refund_bank"
		}
		s.want(s.call("POST", "/payments/cancel", "main", "imp_uid="+id+"&"+body), 200, 1, name)
	}
	for _, test := range []struct{ body, part string }{
		{"", "vbank_code"}, {"vbank_code=88", "merchant_uid"}, {"vbank_code=88&merchant_uid=m", "amount"},
		{"vbank_code=88&merchant_uid=m&amount=1", "vbank_due"}, {"vbank_code=88&merchant_uid=m&amount=1&vbank_due=x", "vbank_due"},
		{"vbank_code=88&merchant_uid=m&amount=1&vbank_due=1", "요청을 처리할 수 없습니다"},
		{"vbank_code=88&merchant_uid=m&amount=1&vbank_due=" + due() + "&fixed_unlimited_vbank=true", "fixed_unlimited_vbank"},
		{"vbank_code=88&merchant_uid=m&amount=1&vbank_due=" + due() + "&notice_url=ftp://x", "요청을 처리할 수 없습니다"},
		{"vbank_code=88&merchant_uid=m&amount=10&tax_free=8&vat_amount=8&vbank_due=" + due(), "합이 결제 금액보다"},
		{"vbank_code=88&merchant_uid=order-1&amount=1&vbank_due=" + due(), "다른 정보로 등록"},
	} {
		s.want(s.call("POST", "/vbanks", "main", test.body), 200, 1, test.part)
	}
}

// TestPanics has an operation go wrong.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	boom := func(*call) (any, error) { panic("s3cret") }
	late := func(c *call) (any, error) {
		s.api.write(c, http.StatusOK, envelope{Response: 1})
		panic("late")
	}
	broken := func(*call) (any, error) { return nil, errors.New("s3cret") }
	unwritable := func(*call) (any, error) { return func() {}, nil }
	rt := router{s.api, []operation{
		{"GET", "/boom", open, boom}, {"GET", "/late", open, late},
		{"GET", "/broken", open, broken}, {"GET", "/unwritable", open, unwritable},
	}}
	srv := httptest.NewServer(rt)
	defer srv.Close()
	s.base = srv.URL
	for _, path := range []string{"/boom", "/broken", "/unwritable"} {
		s.want(s.call("GET", path, "", ""), 500, -1, "오류")
		if !strings.Contains(s.log.String(), "level=ERROR") {
			t.Errorf("%s is not logged", path)
		}
		s.log.Reset()
	}
	defer func() {
		if recover() != "late" {
			t.Error("an answer that was begun ends as if nothing had been")
		}
	}()
	rt.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/late", http.NoBody))
}
