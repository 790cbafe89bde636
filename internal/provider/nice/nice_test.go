package nice

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestProvider(t *testing.T)   { providertest.Run(t, V1, V2) }
func FuzzProvider(f *testing.F)   { providertest.Fuzz(f, V1) }
func FuzzProviderV2(f *testing.F) { providertest.Fuzz(f, V2) }

// key is a test MID's published key. It holds every sign of base64 that means
// something in a form.
const key = "33F49GnCMS1mFYlGXisbUDzVf2ATWCl9k3R++d5hDd3Frmuos/XLx8XhXpe+LDYAbpGKZYSwtlyyLOtS/8aD7A=="

func post(contentType, body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

func postForm(body string) notice.Request {
	return post("application/x-www-form-urlencoded", body)
}

func postJSON(body string) notice.Request { return post("application/json;charset=utf-8", body) }

func TestVerifyForm(t *testing.T) {
	const body = "PayMethod=VBANK&ResultCode=4110&TID=t-1&MOID=o-1&Amt=1000"
	escaped := strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(key)
	has := merchant.Credentials{merchantKey: key}
	for _, c := range []struct {
		name, body string
		creds      merchant.Credentials
		want       string
	}{
		{"no key came", body, has, "ok"},
		{"no key came, and none is known", body, nil, "ok"},
		{"an empty key is none", body + "&MerchantKey=", has, "ok"},
		{"the right key", body + "&MerchantKey=" + escaped, has, "ok"},
		{"the right key without escapes", body + "&MerchantKey=" + key, has, "ok"},
		{"another key", body + "&MerchantKey=" + escaped[1:], has, "refused"},
		{"another key under a name in other case", body + "&merchantkey=x", has, "refused"},
		{"a key, and none is known", body + "&MerchantKey=" + escaped, nil, "unproved"},
		{"a key, and the channel's is empty", body + "&MerchantKey=" + escaped, merchant.Credentials{merchantKey: ""}, "unproved"},
	} {
		for _, m := range []module{V1, V2} {
			t.Run(m.code+"/"+c.name, func(t *testing.T) {
				r := postForm(c.body)
				n, err := m.Decode(r)
				if err != nil {
					t.Fatalf("Decode: %v", err)
				}
				checkVerdict(t, m.Verify(r, n, merchant.Channel{Credentials: c.creds}, payment.Payment{}), c.want)
			})
		}
	}
}

func checkVerdict(t *testing.T, err error, want string) {
	t.Helper()
	got := "ok"
	switch {
	case errors.Is(err, provider.ErrUnproved):
		got = "unproved"
	case fault.Is(err, fault.Unauthorized):
		got = "refused"
	case err != nil:
		got = err.Error()
	}
	if got != want {
		t.Errorf("Verify = %v, want %s", err, want)
	}
}

func TestVerifyWebhook(t *testing.T) {
	const (
		// printf 't-110002024-10-16T19:28:32.364+0900sk' | sha256sum
		signature = "2ab8266e92e5834810adf0dcbbbe0f11516ea3483064108ad712b65ac225ac80"
		format    = `{"tid":%q,"orderId":"o-1","status":"paid","payMethod":"vbank","resultCode":"0000","amount":%s,"ediDate":"2024-10-16T19:28:32.364+0900","signature":%q}`
	)
	has := merchant.Credentials{secretKey: "sk"}
	for _, c := range []struct {
		name, tid, amount, signature string
		creds                        merchant.Credentials
		want                         string
	}{
		{"the right signature", "t-1", "1000", signature, has, "ok"},
		{"an amount in quotes", "t-1", `"1000"`, signature, has, "ok"},
		{"another amount", "t-1", "1001", signature, has, "refused"},
		{"another transaction", "t-2", "1000", signature, has, "refused"},
		{"upper case", "t-1", "1000", strings.ToUpper(signature), has, "refused"},
		{"another key", "t-1", "1000", signature, merchant.Credentials{secretKey: "sl"}, "refused"},
		{"the key of the other form", "t-1", "1000", signature, merchant.Credentials{merchantKey: "sk"}, "unproved"},
		{"no key is known", "t-1", "1000", signature, nil, "unproved"},
		{"no signature came", "t-1", "1000", "", has, "refused"},
		{"the dummy of a registration", "UTWEBHOOKm0301", "1000", "x", has, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := postJSON(fmt.Sprintf(format, c.tid, c.amount, c.signature))
			n, err := V2.Decode(r)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			checkVerdict(t, V2.Verify(r, n, merchant.Channel{Credentials: c.creds}, payment.Payment{}), c.want)
		})
	}
}

// TestSecrets looks for the key in all that is shown of a notice.
func TestSecrets(t *testing.T) {
	const good = "PayMethod=VBANK&ResultCode=4110&TID=t-1&MOID=o-1&BuyerAuthNum=8001011234567&MerchantKey="
	escaped := strings.ReplaceAll(key, "+", "%2B")
	n, err := V1.Decode(postForm(good + escaped))
	if err != nil {
		t.Fatal(err)
	}
	if !n.Proof.Equal(key) {
		t.Error("the key is not kept as proof")
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(b), fmt.Sprintf("%+v", n)}
	for _, body := range []string{
		good + escaped + "&MerchantKey=" + escaped, good + escaped + "&merchantKey=x",
		good + escaped + "&Amt=" + escaped, good + escaped + "&x=%ff", good + escaped + "%00",
		"MerchantKey=" + escaped,
	} {
		_, err := V1.Decode(postForm(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode of a broken form = %v, want invalid", err)
			continue
		}
		shown = append(shown, err.Error())
	}
	r := postForm(good + escaped)
	shown = append(shown, V1.Verify(r, n, merchant.Channel{Credentials: merchant.Credentials{merchantKey: "other"}}, payment.Payment{}).Error())
	for _, s := range shown {
		if strings.Contains(s, key[:20]) || strings.Contains(s, "8001011234567") {
			t.Errorf("a secret is shown: %s", s)
		}
	}
}

func TestFormEvents(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		want         payment.Event
		listed       bool
	}{
		{"a deposit", "PayMethod=VBANK&ResultCode=4110&StateCd=0", payment.EventDeposited, false},
		{"a deposit without a state", "PayMethod=VBANK&ResultCode=4110", payment.EventDeposited, false},
		{"a deposit in an unknown state", "PayMethod=VBANK&ResultCode=4110&StateCd=7", payment.EventOther, true},
		{"a deposit of no method", "VbankNum=1&ResultCode=4110", payment.EventDeposited, false},
		{"cancelled before purchase", "PayMethod=VBANK&ResultCode=4110&StateCd=1", payment.EventCancelled, false},
		{"cancelled after purchase", "PayMethod=VBANK&ResultCode=4110&StateCd=2", payment.EventCancelled, false},
		{"an issue that was cancelled", "PayMethod=VBANK&ResultCode=4100&StateCd=1", payment.EventCancelled, false},
		{"a cancel code", "PayMethod=VBANK&ResultCode=2001&StateCd=0", payment.EventCancelled, false},
		{"a refund code", "PayMethod=VBANK&ResultCode=2211&StateCd=0", payment.EventCancelled, false},
		{"an account issued", "PayMethod=VBANK&ResultCode=4100&StateCd=0", payment.EventIssued, false},
		{"another amount", "PayMethod=VBANK&ResultCode=4122&StateCd=0", payment.EventOther, true},
		{"a deposit sent back", "PayMethod=VBANK&ResultCode=4123&StateCd=2", payment.EventOther, true},
		{"processed before", "PayMethod=VBANK&ResultCode=4124&StateCd=0", payment.EventOther, true},
		{"an unknown code", "PayMethod=VBANK&ResultCode=9999&StateCd=0", payment.EventOther, true},
		{"no code", "PayMethod=VBANK&StateCd=0", payment.EventOther, true},
		{"a card", "PayMethod=CARD&ResultCode=3001&StateCd=0", payment.EventApproved, false},
		{"a transfer", "PayMethod=BANK&ResultCode=4000&StateCd=0", payment.EventApproved, false},
		{"a phone", "PayMethod=CELLPHONE&ResultCode=A000&StateCd=0", payment.EventApproved, false},
		{"a card cancel", "PayMethod=CARD&ResultCode=3001&StateCd=2", payment.EventCancelled, false},
		{"a card cancel by code", "PayMethod=CARD&ResultCode=2001&StateCd=1", payment.EventCancelled, false},
		{"a cash receipt", "PayMethod=CASHRCPT&ResultCode=7001&StateCd=0", payment.EventOther, false},
		{"a card that failed", "PayMethod=CARD&ResultCode=3011&StateCd=0", payment.EventOther, false},
		{"a deposit that calls itself a card", "PayMethod=CARD&ResultCode=4110&StateCd=0", payment.EventOther, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := V1.Decode(postForm("TID=t-1&MOID=o-1&" + c.fields))
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if n.Event != c.want || n.Listed != c.listed {
				t.Errorf("event = %s, listed %t; want %s, %t", n.Event, n.Listed, c.want, c.listed)
			}
			if n.HasAmount {
				t.Error("an absent amount is there")
			}
			if account := strings.Contains(c.fields, "VBANK") || strings.Contains(c.fields, "VbankNum"); n.OtherMethod == account {
				t.Errorf("of another method: %t", n.OtherMethod)
			}
		})
	}
}

// TestKeys has messages of which no two are the same.
func TestKeys(t *testing.T) {
	const form = "PayMethod=VBANK&MID=m&"
	seen := map[string]string{}
	for _, r := range []notice.Request{
		postForm(form + "TID=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=0"),
		postForm(form + "TID=t-1&ResultCode=4110&AuthDate=260802120000&StateCd=0"), // a fixed account, paid again
		postForm(form + "TID=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=1"),
		postForm(form + "TID=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=1&CancelDate=260803120000"),
		postForm(form + "TID=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=0&CancelDate=260803120000"),
		postForm(form + "TID=t-1&ResultCode=4100&AuthDate=260801120000&StateCd=0"),
		postForm(form + "MOID=o-1&ResultCode=4110&AuthDate=260801120000&StateCd=0"),
		postForm(form + "MOID=o-2&ResultCode=4110&AuthDate=260801120000&StateCd=0"),
		postForm(form + "VbankNum=1&ResultCode=4110&AuthDate=260801120000&StateCd=0"),
		postForm(form + "VbankNum=2&ResultCode=4110&AuthDate=260801120000&StateCd=0"),
		postJSON(`{"tid":"t-1","status":"ready"}`),
		postJSON(`{"tid":"t-1","status":"paid"}`),
		postJSON(`{"orderId":"o-1","status":"paid"}`),
		postJSON(`{"orderId":"o-2","status":"paid"}`),
		postJSON(`{"tid":"t-1","status":"partialCancelled","cancelledTid":"c-1"}`),
		postJSON(`{"tid":"t-1","status":"partialCancelled","cancels":[{"tid":"c-1"},{"tid":"c-2"}]}`),
		postJSON(`{"tid":"t-1","status":"partialCancelled","cancelledAt":"2024-10-17T10:00:00.000+0900"}`),
		postJSON(`{"tid":"t-1","status":"partialCancelled","cancelledAt":"2024-10-17T11:00:00.000+0900"}`),
	} {
		n, err := V2.Decode(r)
		if err != nil {
			t.Fatalf("Decode(%s): %v", r.Body, err)
		}
		if n.Order == "" && n.PGTx == "" && n.Deposit != "" {
			t.Errorf("%s: deposit = %q without any id", r.Body, n.Deposit)
		}
		if before, ok := seen[n.Key]; ok {
			t.Errorf("key %s is of both\n%s\n%s", n.Key, before, r.Body)
		}
		seen[n.Key] = string(r.Body)
	}
	// The date of making may be renewed when a webhook is sent again.
	a, err := V2.Decode(postJSON(`{"tid":"t-1","status":"paid","ediDate":"2024-10-17T10:00:00.000+0900"}`))
	if err != nil || seen[a.Key] == "" {
		t.Errorf("a resend has key %q (%v), which is new", a.Key, err)
	}
}

// TestOtherMethodsLeaveKeysAlone: what moves nothing must not make the notice of
// the same transaction that does look like a resend.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	const form = "TID=t-1&AuthDate=260801120000&PayMethod=VBANK&ResultCode="
	for _, c := range []struct{ genuine, old, with string }{
		{form + "4110&StateCd=0", "VBANK", "CARD"},
		{form + "4110&StateCd=0", "VBANK", "CASHRCPT"},
		{form + "4110&StateCd=1", "VBANK", "CARD"},
		{form + "4100&StateCd=0", "VBANK", "CARD"},
		{form + "2211&StateCd=2", "VBANK", "CARD"},
		{`{"tid":"t-1","status":"paid","payMethod":"vbank","resultCode":"0000"}`, "vbank", "card"},
		{`{"tid":"t-1","status":"cancelled","payMethod":"vbank","resultCode":"0000"}`, "vbank", "card"},
		{`{"tid":"t-1","status":"paid","payMethod":"vbank","resultCode":"0000"}`, "0000", "9999"},
	} {
		key := func(body string) string {
			n, err := V2.Decode(post("", body))
			if err != nil {
				t.Fatalf("Decode(%s): %v", body, err)
			}
			return n.Key
		}
		other := strings.Replace(c.genuine, c.old, c.with, 1)
		if k := key(c.genuine); key(other) == k {
			t.Errorf("key %s is of both\n%s\n%s", k, c.genuine, other)
		}
	}
}

// TestCharset: UTF-8 that is valid EUC-KR too never becomes a wrong name.
func TestCharset(t *testing.T) {
	for _, name := range []string{"박박", "홍길동", "박박 뷁"} {
		for _, c := range []wire.Charset{wire.EUCKR, wire.UTF8} {
			body := wire.EncodeForm([]wire.Field{{Name: "TID", Value: "t-1"}, {Name: "PayMethod", Value: "VBANK"}, {Name: "VbankInputName", Value: name}}, c)
			if n, err := V1.Decode(postForm(string(body))); err != nil || n.Depositor != name {
				t.Errorf("%s in %v is read as %q, %v", name, c, n.Depositor, err)
			}
		}
	}
}

func TestAck(t *testing.T) {
	for _, c := range []struct {
		m       module
		outcome provider.Outcome
		want    provider.Reply
	}{
		{V1, provider.Received, provider.Reply{Status: 200, ContentType: "text/plain;charset=utf-8", Body: []byte("OK")}},
		{V2, provider.Received, provider.Reply{Status: 200, ContentType: "text/html;charset=utf-8", Body: []byte("OK")}},
		{V1, provider.Refused, provider.Reply{Status: 400, ContentType: "text/plain;charset=utf-8", Body: []byte("FAIL")}},
		{V2, provider.Refused, provider.Reply{Status: 400, ContentType: "text/html;charset=utf-8", Body: []byte("FAIL")}},
	} {
		if d := cmp.Diff(c.want, c.m.Ack(notice.Request{}, c.outcome)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.m.code, d)
		}
	}
}

func TestDue(t *testing.T) {
	for in, want := range map[string]string{
		"2024-10-23T18:00:00.000+0900": "2024-10-23T18:00:00+09:00",
		"2024-10-23T09:00:00Z":         "2024-10-23T18:00:00+09:00",
		"2024-10-23":                   "2024-10-23T23:59:59+09:00",
		"20241023":                     "2024-10-23T23:59:59+09:00",
		"":                             "0001-01-01T00:00:00Z",
		"0":                            "0001-01-01T00:00:00Z",
		"soon":                         "0001-01-01T00:00:00Z",
	} {
		if got := due(in).Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("due(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestGuide(t *testing.T) {
	for _, m := range []module{V1, V2} {
		ko, en := m.Guide("ko"), m.Guide("en")
		for _, g := range []string{ko, en} {
			for _, want := range []string{"{{.NoticeURL}}", "가맹점정보 → 기본정보", "암호화 전송 여부", "121.133.126.10"} {
				if !strings.Contains(g, want) {
					t.Errorf("%s: a guide lacks %q", m.code, want)
				}
			}
			if got := strings.Contains(g, "start.nicepay.co.kr"); got != m.json {
				t.Errorf("%s: webhooks in the guide: %t", m.code, got)
			}
		}
		if ko == en || m.Guide("fr") != ko {
			t.Errorf("%s: the guides' languages are mixed up", m.code)
		}
	}
}

func TestInfoIsFresh(t *testing.T) {
	i := V2.Info()
	i.LiveSenders[0], i.Fields[0].Name, i.Events[0] = i.LiveSenders[1], "x", "x"
	i.TestMIDs[0].Credentials[merchantKey] = secret.Text("x")
	j := V2.Info()
	if j.Fields[0].Name == "x" || j.Events[0] == "x" || j.LiveSenders[0] == j.LiveSenders[1] ||
		j.TestMIDs[0].Credentials[merchantKey] == "x" {
		t.Error("a caller can change what Info says")
	}
	if len(j.LiveSenders) != 5 || len(V1.Info().LiveSenders) != 3 {
		t.Errorf("Info = %+v", j)
	}
}

// TestPersonalData: what the buyer is reached by is in the stored body alone,
// and so is a card's number.
func TestPersonalData(t *testing.T) {
	const mark = "01087654321"
	for _, body := range []notice.Request{
		postForm("PayMethod=CARD&ResultCode=3001&TID=t&MallUserID=kept&BuyerTel=" + mark + "&BuyerEmail=" + mark +
			"&CardNo=" + mark + "&VbankNum=" + mark + "&BuyerAuthNum=" + mark),
		postJSON(`{"status":"paid","payMethod":"card","tid":"t","MallUserID":"kept","buyerTel":"` + mark + `","buyerEmail":"` + mark +
			`","card":{"cardNum":"` + mark + `"}}`),
	} {
		n, err := V2.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range n.Fields {
			if strings.Contains(v, mark) {
				t.Errorf("%s is kept among the fields: %q", name, v)
			}
		}
		if n.Fields["MallUserID"] != "kept" {
			t.Errorf("fields = %v", n.Fields)
		}
	}
}
