package v1

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
)

const refund = `,"refund_bank":"04","refund_account":"123-456","refund_holder":"홍길동"}`

// TestMerchantsDay takes a payment from its account to its refunds.
func TestMerchantsDay(t *testing.T) {
	onEach(t, func(s *site) {
		began := time.Now().Unix()
		p := s.issue("main", "order-1")
		if p.Status != "ready" || p.MerchantUID != "order-1" || p.VbankNum == "" || p.Amount != 11000 {
			s.Errorf("issued is %+v", p)
		}
		for _, path := range []string{
			"/payments/" + p.ImpUID, "/payments/find/order-1", "/payments/find/order-1/", "/payments/find/order-1/ready",
			"/payments/find/order-1/undefined", "/payments/find/order-1?sorting=paid", "/payments/" + p.ImpUID + "?include_sandbox=false",
		} {
			var got shownPayment
			s.ok(s.call("GET", path, "main", ""), &got)
			if diff := cmp.Diff(p, got); diff != "" {
				s.Errorf("%s (-issued +got):\n%s", path, diff)
			}
		}
		s.want(s.call("GET", "/payments/find/order-1/paid", "main", ""), 404, -1, "존재하지 않는 결제정보입니다.")
		s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`"}`), 200, 1, "결제되지 않은")

		s.deposit(tossKey, "order-1")
		got := s.call("GET", "/payments/"+p.ImpUID, "main", "")
		s.hasFields(got, began)
		s.want(s.call("POST", "/vbanks", "main", `{"channel_key":"`+string(tossKey)+`","merchant_uid":"order-1","amount":11000,"vbank_code":"88","vbank_due":`+due()+`}`),
			200, 1, "이미 결제된 merchant_uid입니다.")

		made := s.webhooks("order-1")
		s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","checksum":1`+refund), 200, 1, "checksum")
		s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","amount":11001`+refund), 200, 1, "금액보다 큽니다")
		var part shownPayment
		s.ok(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","amount":3000,"checksum":11000`+refund), &part)
		if part.Status != "paid" || part.CancelAmount != 3000 {
			s.Errorf("cancelled in part: %+v", part)
		}
		if n := s.webhooks("order-1"); n != made {
			s.Errorf("a cancel that asked for no webhook made %d", n-made)
		}
		// All that is left: 0 says so, too, and merchant_uid names it.
		s.ok(s.call("POST", "/payments/cancel", "main", `{"merchant_uid":"order-1","amount":0,"reason":"변심","enable_webhook":true`+refund), &part)
		if part.Status != "cancelled" || part.CancelAmount != 11000 {
			s.Errorf("cancelled as a whole: %+v", part)
		}
		if n := s.webhooks("order-1"); n != made+1 {
			s.Errorf("a cancel with a webhook made %d", n-made)
		}
		s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`"`+refund), 200, 1, "이미 전액취소된 주문입니다.")
		var shown struct {
			CancelHistory []struct {
				Amount         int64
				Reason         string
				CancellationID string `json:"cancellation_id"`
			} `json:"cancel_history"`
		}
		s.ok(s.call("GET", "/payments/"+p.ImpUID, "main", ""), &shown)
		if h := shown.CancelHistory; len(h) != 2 || h[0].Reason != "고객사 요청" || h[1].Reason != "변심" || h[1].Amount != 8000 || h[0].CancellationID == "" {
			s.Errorf("cancel_history is %+v", h)
		}
	})
}

// hasFields checks a paid payment of issue, field by field.
func (s *site) hasFields(got answer, began int64) {
	s.Helper()
	var all map[string]any
	s.ok(got, &all)
	for name, want := range map[string]any{
		"merchant_uid": "order-1", "pay_method": "vbank", "channel": "api", "pg_provider": "tosspayments", "pg_id": "acme-mid", "sandbox": true,
		"escrow": false, "status": "paid", "amount": 11000.0, "cancel_amount": 0.0, "currency": "KRW", "name": "책 & 공책", "buyer_name": "홍길동",
		"buyer_email": nil, "buyer_addr": "서울시 길 1", "custom_data": `{"cart":[7,"<a>"]}`, "vbank_code": "088", "vbank_name": "신한은행",
		"failed_at": 0.0, "cancelled_at": 0.0, "fail_reason": nil, "cancel_reason": nil, "cash_receipt_issued": false, "customer_uid": nil,
		"cancel_history": []any{}, "deposit_history": []any{}, "cancel_receipt_urls": []any{}, "card_quota": 0.0, "bank_code": nil,
	} {
		v, there := all[name]
		if diff := cmp.Diff(want, v); !there || diff != "" {
			s.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, name := range []string{"started_at", "paid_at", "vbank_issued_at", "vbank_date"} {
		if at, _ := all[name].(float64); at < float64(began) {
			s.Errorf("%s is %v", name, all[name])
		}
	}
	if len(all) != 54 {
		s.Errorf("a payment has %d fields", len(all))
	}
}

// TestAttempts has a merchant_uid paid at the second attempt: each is a payment of
// its own.
func TestAttempts(t *testing.T) {
	onEach(t, func(s *site) {
		first := s.issue("main", "order-1")
		second := s.issue("main", "order-1")
		if first.ImpUID == second.ImpUID {
			s.Fatal("two attempts have one imp_uid")
		}
		uids := func(path string) (page pageAnswer, out []string) {
			var got struct {
				pageAnswer
				List []shownPayment `json:"list"`
			}
			s.ok(s.call("GET", path, "main", ""), &got)
			for _, p := range got.List {
				out = append(out, p.ImpUID)
			}
			return got.pageAnswer, out
		}
		for path, want := range map[string][]string{
			"/payments/findAll/order-1/": {second.ImpUID, first.ImpUID}, "/payments/findAll/order-1/ready?sorting=started": {first.ImpUID, second.ImpUID},
			"/payments/findAll/order-1?limit=1&page=2": {first.ImpUID},
		} {
			page, got := uids(path)
			if diff := cmp.Diff(want, got); diff != "" || page.Total != 2 {
				s.Errorf("%s has %+v (-want +got):\n%s", path, page, diff)
			}
		}
		if page, _ := uids("/payments/findAll/order-1?limit=1"); page.Next != 2 || page.Previous != 0 {
			s.Errorf("the first page is %+v", page)
		}
		s.deposit(tossKey, "order-1R2")
		var got shownPayment
		s.ok(s.call("GET", "/payments/find/order-1/paid", "main", ""), &got)
		if got.ImpUID != second.ImpUID {
			s.Errorf("the paid one is %+v", got)
		}
		s.ok(s.call("GET", "/payments/"+first.ImpUID, "main", ""), &got)
		if got.Status != "ready" || got.CancelAmount != 0 {
			s.Errorf("the other one is %+v", got)
		}
		s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+first.ImpUID+`"`+refund), 200, 1, "결제되지 않은")
		s.want(s.call("DELETE", "/vbanks/"+second.ImpUID, "main", ""), 400, 1, "입금을 기다리는 가상계좌가 아닙니다.")

		// The account of the other one waits still, and is closed by its imp_uid.
		s.ok(s.call("DELETE", "/vbanks/"+first.ImpUID, "main", ""), &got)
		if got.ImpUID != first.ImpUID || got.Status != "failed" {
			s.Errorf("the other one, closed, is %+v", got)
		}
		s.want(s.call("DELETE", "/vbanks/"+first.ImpUID, "main", ""), 400, 1, "입금을 기다리는 가상계좌가 아닙니다.")
		s.ok(s.call("GET", "/payments/"+second.ImpUID, "main", ""), &got)
		if got.Status != "paid" {
			s.Errorf("the paid one is %+v", got)
		}

		third := s.issue("main", "order-2")
		s.ok(s.call("DELETE", "/vbanks/"+third.ImpUID, "main", ""), &got)
		if got.Status != "failed" {
			s.Errorf("closed is %+v", got)
		}
		s.want(s.call("PUT", "/vbanks/"+third.ImpUID, "main", "amount=1"), 400, 1, "바꿀 수 있는 PG사가 없습니다")

		both := "/payments?imp_uid[]=" + first.ImpUID + "&imp_uid%5B%5D=" + third.ImpUID
		several := s.call("GET", both, "main", "")
		var list []shownPayment
		s.ok(several, &list)
		if len(list) != 2 || list[0].ImpUID != first.ImpUID {
			s.Errorf("several are %+v", list)
		}
		if got := s.call("GET", both+"&merchant_uid[]=no", "main", ""); got.status != http.StatusMultiStatus || string(got.response) != string(several.response) {
			s.Errorf("with one missing: %d %s", got.status, got.text)
		}
		if got := s.call("GET", both+"&merchant_uid[]=no", "main", "", "User-Agent", "Go-http-client/1.1"); got.status != http.StatusOK {
			s.Errorf("go-iamport takes 200 alone, and gets %d", got.status)
		}
		s.want(s.call("GET", "/payments?imp_uid[]=no", "main", ""), 404, -1, "존재하지 않는")
	})
}

// TestStatusLists lists payments by where they stand.
func TestStatusLists(t *testing.T) {
	onEach(t, func(s *site) {
		for _, id := range []string{"a", "b", "c"} {
			s.issue("main", id)
		}
		s.issue("sub", "hidden")
		s.deposit(tossKey, "b")
		now := time.Now().Unix()
		for _, test := range []struct {
			path string
			want []string
			next int
		}{
			{"all", []string{"c", "b", "a"}, 0}, {"ready", []string{"c", "a"}, 0}, {"paid/", []string{"b"}, 0}, {"canceled", nil, 0}, {"failed", nil, 0},
			{"all?sorting=started", []string{"a", "b", "c"}, 0}, {"all?sorting=-updated", []string{"b", "c", "a"}, 0},
			{"all?limit=2", []string{"c", "b"}, 2}, {"all?limit=2&page=2", []string{"a"}, 0},
			{"ready?from=" + strconv.FormatInt(now+60, 10), nil, 0}, {"ready?to=" + strconv.FormatInt(now, 10), []string{"c", "a"}, 0},
			{"all?from=1&to=100", nil, 0}, {"all?from=undefined&to=undefined&page=undefined", []string{"c", "b", "a"}, 0},
		} {
			var got struct {
				Total, Previous, Next int
				List                  []shownPayment
			}
			s.ok(s.call("GET", "/payments/status/"+test.path, "main", ""), &got)
			var ids []string
			for _, p := range got.List {
				ids = append(ids, p.MerchantUID)
			}
			if diff := cmp.Diff(test.want, ids); diff != "" || got.Next != test.next {
				s.Errorf("%s has %+v (-want +got):\n%s", test.path, got, diff)
			}
		}
		for path, part := range map[string]string{
			"lost": "지원되지 않는 상태값입니다.", "all?page=2": "페이지", "all?page=-1": "page", "all?limit=1001": "limit", "all?page=x": "page",
			"all?sorting=amount": "sorting", "all?from=1": "90일", "all?from=9&to=8": "from", "all?to=-1": "to", "all?page=60001&limit=1000": "페이지",
			"all?to=999999999999": "to",
		} {
			s.want(s.call("GET", "/payments/status/"+path, "main", ""), 400, 1, part)
		}
	})
}

// TestPrepare pins amounts before payments begin.
func TestPrepare(t *testing.T) {
	onEach(t, func(s *site) {
		const path = "/payments/prepare"
		s.want(s.call("GET", path+"/order-1", "main", ""), 404, -1, "사전등록된")
		s.want(s.call("PUT", path, "main", "merchant_uid=order-1&amount=1"), 404, -1, "사전등록된")
		for _, body := range []string{"", "merchant_uid=order-1", "amount=1000", "merchant_uid=order-1&amount=0", "merchant_uid=order-1&amount=1.5",
			"merchant_uid=order-1&amount=1&currency=WON", "merchant_uid=order-1&amount=1&currency=USD", `{"merchant_uid":"a\u0000b","amount":1}`} {
			s.want(s.call("POST", path, "main", body), 200, 1, "")
		}
		var got struct {
			MerchantUID string `json:"merchant_uid"`
			Amount      int64
			Currency    string
		}
		s.ok(s.call("POST", path, "main", "merchant_uid=order-1&amount=1000"), &got)
		s.want(s.call("POST", path, "main", "merchant_uid=order-1&amount=1000"), 200, 1, "이미 등록된 merchant_uid")
		s.ok(s.call("PUT", path, "main", `{"merchant_uid":"order-1","amount":2000.0}`), &got)
		s.ok(s.call("GET", path+"/order-1/", "main", ""), &got)
		if got.MerchantUID != "order-1" || got.Amount != 2000 || got.Currency != "KRW" {
			s.Errorf("prepared is %+v", got)
		}
		if lean := s.call("GET", path+"/order-1", "main", "", "User-Agent", "Go-http-client/2.0"); strings.Contains(lean.text, "currency") {
			s.Errorf("go-iamport refuses %s", lean.text)
		}
		s.want(s.call("GET", path+"/order-1", "live", ""), 404, -1, "사전등록된")
		s.want(s.call("POST", "/vbanks", "main", `{"channel_key":"`+string(tossKey)+`","merchant_uid":"order-1","amount":1000,"vbank_code":"88","vbank_due":`+due()+`}`),
			200, 1, "사전등록된 금액")
	})
}

// TestLostAnswers has the PG do what it is asked and lose its answer: the client is
// told not to ask again.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	s.deposit(tossKey, "order-1")
	s.mute.Store(true)
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","amount":1000`+refund), 200, 2, "다시 요청하지 말고")
	s.want(s.call("POST", "/vbanks", "main", `{"channel_key":"`+string(tossKey)+`","merchant_uid":"order-2","amount":1000,"vbank_code":"88","vbank_due":`+due()+`}`),
		200, 2, "다시 요청하지 말고")
	var got shownPayment
	s.ok(s.call("GET", "/payments/find/order-2", "main", ""), &got)
	if got.Status != "ready" || got.VbankNum != "" {
		s.Errorf("the payment without an answer is %+v", got)
	}
}

// TestLists reads what does not change.
func TestLists(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	var banks []codeAnswer
	s.ok(s.call("GET", "/banks", "main", ""), &banks)
	if len(banks) < 20 {
		s.Errorf("there are %d banks", len(banks))
	}
	var bank codeAnswer
	s.ok(s.call("GET", "/banks/088/", "main", ""), &bank)
	if bank != (codeAnswer{"088", "신한은행"}) {
		s.Errorf("088 is %+v", bank)
	}
	s.want(s.call("GET", "/banks/999", "main", ""), 404, -1, "은행")
	s.want(s.call("GET", "/cards/361", "main", ""), 404, -1, "카드")
	if got := s.call("GET", "/cards", "main", ""); got.status != 200 || string(got.response) != "[]" {
		s.Errorf("cards are %s", got.text)
	}
	var channels []channelAnswer
	s.ok(s.call("GET", "/users/pg", "sub", ""), &channels)
	if diff := cmp.Diff([]channelAnswer{{"tosspayments", "acme-mid", true, "api_payment", "가상계좌", string(tossKey)}}, channels); diff != "" {
		s.Errorf("channels of a sub-store (-want +got):\n%s", diff)
	}
	if got := s.call("GET", "/users/pg", "live", ""); string(got.response) != "[]" {
		s.Errorf("a live key sees channels: %s", got.text)
	}
	p := s.issue("main", "order-1")
	s.want(s.call("GET", "/receipts/"+p.ImpUID, "main", ""), 404, -1, "현금영수증")
	s.want(s.call("GET", "/payments/"+p.ImpUID+"/balance", "main", ""), 405, -1, "PAYCO")
}

// TestBankCodes names banks as each PG does.
func TestBankCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ module, code, want string }{
		{"tosspayments", "004", "KOOKMIN"}, {"html5_inicis", "04", "KOOKMIN"}, {"html5_inicis", "88", "SHINHAN"}, {"kcp", "BK04", "KOOKMIN"},
		{"kcp", "bk88", "SHINHAN"}, {"daou", "10", "SHINHAN"}, {"daou", "088", "SHINHAN"}, {"daou", "05", "HANA"}, {"daou", "99", ""},
		{"nice", "999", ""}, {"nice", "x", ""},
	} {
		in := &input{fields: map[string]any{"b": test.code}}
		if got := in.bank("b", test.module); string(got) != test.want || (got == "") != (in.err != nil) {
			t.Errorf("%s of %s is %q, %v; want %q", test.code, test.module, got, in.err, test.want)
		}
	}
}

// TestChannels finds the channel that a call means.
func TestChannels(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	body := func(more string) string {
		return `{"merchant_uid":"order-1","amount":1000,"vbank_code":"88","vbank_due":` + due() + more + `}`
	}
	var p shownPayment
	s.ok(s.call("POST", "/vbanks", "main", body("")), &p) // there is one that issues
	s.ok(s.call("POST", "/vbanks", "main", body(`,"pg":"tosspayments"`)), &p)
	s.ok(s.call("POST", "/vbanks", "main", body(`,"pg":"tosspayments.acme-mid"`)), &p)
	// A key of both modes may have lost its live channel: no test channel takes its place.
	for _, more := range []string{"", `,"pg":"tosspayments"`, `,"pg":"tosspayments.acme-mid"`} {
		s.want(s.call("POST", "/vbanks", "any", body(more)), 200, 1, "channel_key를 지정")
	}
	s.ok(s.call("POST", "/vbanks", "any", body(`,"channel_key":"`+string(tossKey)+`"`)), &p)
	for _, more := range []string{
		`,"pg":"tosspayments.other"`, `,"pg":"nice"`, `,"channel_key":"channel-key-no"`, `,"channel_key":"` + string(rivalKey) + `"`, `,"pg":"tosspayments.rival-mid"`,
	} {
		s.want(s.call("POST", "/vbanks", "main", body(more)), 200, 1, "채널이 없습니다")
	}
	s.want(s.call("POST", "/vbanks", "main", body(`,"channel_key":"`+string(kcpKey)+`"`)), 200, 1, "no API")
	another := s.all.Channels[0]
	another.Key, another.MID = "channel-key-00000000-0000-4000-8000-000000000004", "second-mid"
	s.all.Channels = append(s.all.Channels, another)
	s.save()
	s.want(s.call("POST", "/vbanks", "main", body("")), 200, 1, "여럿")
	s.ok(s.call("POST", "/vbanks", "main", body(`,"pg":"tosspayments.second-mid"`)), &p)
	if list := s.call("GET", "/users/pg", "main", "").response; !strings.Contains(string(list), "second-mid") {
		s.Errorf("channels are %s", list)
	}
}

// TestModes has keys see the payments of their mode.
func TestModes(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	var got shownPayment
	s.ok(s.call("GET", "/payments/"+p.ImpUID, "any", ""), &got)
	s.ok(s.call("GET", "/payments/"+p.ImpUID+"?include_sandbox=true", "any", ""), &got)
	s.want(s.call("GET", "/payments/"+p.ImpUID+"?include_sandbox=false", "any", ""), 404, -1, "존재하지")
	s.want(s.call("GET", "/payments/"+p.ImpUID+"?include_sandbox=maybe", "any", ""), 400, 1, "include_sandbox")
	s.want(s.call("GET", "/payments/"+p.ImpUID, "live", ""), 404, -1, "존재하지")
	for _, path := range []string{
		"/payments/find/order-1", "/payments/find/order-1/ready", "/payments/findAll/order-1", "/payments/findAll/order-1/ready",
		"/payments?imp_uid[]=" + p.ImpUID, "/payments?merchant_uid[]=order-1", "/payments/status/all", "/payments/status/ready?limit=5",
	} {
		list, sign := strings.HasPrefix(path, "/payments/status/"), "?"
		if strings.Contains(path, "?") {
			sign = "&"
		}
		path += sign + "include_sandbox="
		for _, call := range []struct {
			key, said string
			shown     bool
		}{{"any", "true", true}, {"any", "undefined", true}, {"any", "false", false}, {"main", "false", true}, {"live", "true", false}} {
			switch got := s.call("GET", path+call.said, call.key, ""); {
			case !call.shown && !list:
				s.want(got, 404, -1, "존재하지")
			case got.code != 0 || strings.Contains(string(got.response), p.ImpUID) != call.shown:
				t.Errorf("%s%s to %s answers %s", path, call.said, call.key, got.text)
			}
		}
		s.want(s.call("GET", path+"maybe", "any", ""), 400, 1, "include_sandbox")
		s.want(s.call("GET", path+"maybe", "main", ""), 400, 1, "include_sandbox")
	}
	s.want(s.call("POST", "/payments/cancel", "live", "merchant_uid=order-1"), 200, 1, "취소할 결제건이 존재하지 않습니다.")
	if m := modesOf(merchant.Any); len(m) != 2 {
		t.Errorf("any sees %v", m)
	}
}
