package v1

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]any{
		"":                               {},
		"a=1&b=2":                        {"a": "1", "b": "2"},
		"imp_key=KEY& imp_secret=SECRET": {"imp_key": "KEY", "imp_secret": "SECRET"}, // go-iamport
		"reason=고객 변심& 부분 취소& refund_holder=홍": {"reason": "고객 변심", "refund_holder": "홍"},
		"reason=%EA%B3%A0%EA%B0%9D+a&x":        {"reason": "고객 a"},
		"sale=100%&rate=5%zz&bad=%ff":          {"sale": "100%", "rate": "5%zz", "bad": "%ff"},
		"a[]=1&a[]=2&b%5B%5D=3&c[0]=4":         {"a": []any{"1", "2"}, "b": []any{"3"}, "c": []any{"4"}},
		"a=1&a=2":                              {"a": []any{"1", "2"}},
		"extra[requester]=customer":            {"extra[requester]": "customer"},
		"=1&&&a==":                             {"a": "="},
		"a[=1&[]=2":                            {"a[": "1"},
	} {
		got, _ := readForm(text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("readForm(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzForm reads anything as a form, and its fields as whatever they may be.
func FuzzForm(f *testing.F) {
	f.Add("imp_key=KEY& imp_secret=SECRET")
	f.Add("a[]=1&a[0]=%zz&=&b")
	f.Fuzz(func(t *testing.T, text string) {
		fields, odd := readForm(text)
		in := &input{fields: fields, odd: odd, form: true}
		for name := range in.fields {
			if got := in.amount(name); got != nil && odd[name] {
				t.Errorf("%q of %q is read as %d", name, text, *got)
			}
			if in.text(name) == "" || in.whole(name) != nil || in.flag(name) || len(in.list(name)) > 0 {
				_ = in.kept(name)
			}
		}
	})
}

func TestFields(t *testing.T) {
	t.Parallel()
	in := &input{}
	dec := json.NewDecoder(strings.NewReader(`{"n":1000,"f":1000.0,"s":" 12 ","half":0.5,"huge":1e30,"t":true,"one":1,"no":"N","null":null,
		"list":["a","",1,null],"object":{"b":[1,"<&>"]},"empty":[],"most":9007199254740991,"over":9007199254740992}`))
	dec.UseNumber()
	if err := dec.Decode(&in.fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"n": 1000, "f": 1000, "s": 12, "one": 1, "most": 1<<53 - 1} {
		if got := in.whole(name); got == nil || *got != want {
			t.Errorf("%s is %v, want %d", name, got, want)
		}
	}
	if in.whole("null") != nil || in.whole("absent") != nil || in.text("empty") != "" || !in.flag("t") || !in.flag("one") || in.flag("no") || in.flag("null") {
		t.Error("what is not there, or a flag, is read wrong")
	}
	if diff := cmp.Diff([]string{"a", "1"}, in.list("list")); diff != "" {
		t.Error(diff)
	}
	if got := in.kept("object"); got != `{"b":[1,"<&>"]}` {
		t.Errorf("an object is kept as %s", got)
	}
	if in.err != nil {
		t.Fatal(in.err)
	}
	for _, read := range []func(*input){
		func(in *input) { in.whole("half") }, func(in *input) { in.whole("huge") }, func(in *input) { in.whole("over") }, func(in *input) { in.text("object") },
		func(in *input) { in.flag("s") }, func(in *input) { in.whole("t") }, func(in *input) { in.list("object") },
	} {
		bad := &input{fields: in.fields}
		if read(bad); bad.err == nil {
			t.Error("a wrong field is read")
		}
	}
}

// TestGoIamport sends what go-iamport sends, byte for byte, and reads the answers
// as strictly as it does.
func TestGoIamport(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	raw := func(method, path, authorization, body string) answer {
		t.Helper()
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: %d\r\nAuthorization: %s\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nAccept-Encoding: gzip\r\n\r\n%s", method, path, len(body), authorization, body)
		r, err := http.NewRequestWithContext(t.Context(), method, path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text := make([]byte, resp.ContentLength)
		if _, err := io.ReadFull(resp.Body, text); err != nil {
			t.Fatal(err)
		}
		return s.sound(r, resp, string(text))
	}
	var token tokenAnswer
	s.ok(raw("POST", "/users/getToken", "", "imp_key=main& imp_secret=main"), &token)
	uid := s.issue("main", "order-1").ImpUID
	s.deposit(tossKey, "order-1")
	s.knows(raw("GET", "/payments/find/order-1/", token.AccessToken, ""))
	s.knows(raw("GET", "/payments/"+uid, "Bearer "+token.AccessToken, ""))
	got := raw("POST", "/payments/cancel", token.AccessToken,
		"imp_uid="+uid+"& amount=1000& reason=고객 변심& 부분 취소& refund_holder=홍길동& refund_bank=004& refund_account=123456")
	s.knows(got)
	var p struct {
		Reason string `json:"cancel_reason"`
	}
	s.ok(got, &p)
	// What a buyer wrote becomes a field: of two amounts none is taken.
	const body = "& amount=1000& reason=변심& amount=3000& refund_holder=홍길동& refund_bank=004& refund_account=123456"
	s.want(raw("POST", "/payments/cancel", token.AccessToken, "imp_uid="+uid+body), 200, 1, "amount: 서로 다른 값")
	var left shownPayment
	s.ok(s.call("GET", "/payments/"+uid, "main", ""), &left)
	if left.CancelAmount != 1000 {
		t.Errorf("a call with two amounts gave back: %+v", left)
	}
	if p.Reason != "고객 변심" { // the comma was lost on the way: what stands behind it is no field
		t.Errorf("cancelled for %q", p.Reason)
	}
}

// TestTwice names a field twice.
func TestTwice(t *testing.T) {
	t.Parallel()
	for body, bad := range map[string]bool{
		"amount=1&amount=2": true, "amount=1&amount[]=2": true, "amount=&amount=2": true, "amount=1& amount=1": false, "amount[]=1": false,
		`{"amount":1,"amount":2}`: true, `{"amount":null,"amount":2}`: true, `{"amount":[1,2]}`: true, `{"amount":1,"amount":1}`: false,
		"custom_data=a&custom_data=b": true, `{"custom_data":["a","b"]}`: false, "notice_url=a&notice_url=b": false,
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		in, err := (&call{r: r}).body()
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		in.whole("amount")
		in.kept("custom_data")
		in.list("notice_url")
		if (in.err != nil) != bad {
			t.Errorf("%s: %v", body, in.err)
		}
	}
}

// knows checks that a payment has the fields alone that go-iamport knows, in types
// that it takes.
func (s *site) knows(got answer) {
	s.Helper()
	var all map[string]any
	s.ok(got, &all)
	known := strings.FieldsSeq(`amount apply_num bank_code bank_name buyer_addr buyer_email buyer_name buyer_postcode buyer_tel cancel_amount
		cancel_history cancel_reason cancel_receipt_urls cancelled_at card_code card_name card_number card_quota card_type cash_receipt_issued
		channel currency custom_data customer_uid customer_uid_usage escrow fail_reason failed_at imp_uid merchant_uid name paid_at pay_method
		pg_id pg_provider pg_tid promotion receipt_url started_at status user_agent vbank_code vbank_date vbank_holder vbank_issued_at vbank_name
		vbank_num`)
	for name := range known {
		delete(all, name)
	}
	if len(all) > 0 {
		s.Errorf("go-iamport does not know %v", all)
	}
	if strings.Contains(got.text, "cancellation_id") || !strings.Contains(got.text, `"bank_code":null`) {
		s.Errorf("go-iamport refuses %s", got.text)
	}
}
