package daou_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/daou"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

func TestProvider(t *testing.T) { providertest.Run(t, daou.Module) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, daou.Module) }

// deposit and issue are the samples of those names.
const (
	deposit = "PAYMETHOD=VACCOUNT&CPID=CTS10273&DAOUTRX=CTS26010510153000001&ORDERNO=ORD20260105001" +
		"&AMOUNT=15000&SETTDATE=20260105113000&EMAIL=&USERID=hong&USERNAME=%C8%AB%B1%E6%B5%BF" +
		"&PRODUCTCODE=1&PRODUCTNAME=%BB%F3%C7%B0&RESERVEDINDEX1=&RESERVEDINDEX2=&RESERVEDSTRING="
	issue = "PAYMETHOD=VACCOUNTISSUE&CPID=CTS10273&DAOUTRX=CTS26010510153000001&ORDERNO=ORD20260105001" +
		"&AMOUNT=15000&SETTDATE=&EMAIL=&USERID=hong&USERNAME=%C8%AB%B1%E6%B5%BF&PRODUCTCODE=1" +
		"&PRODUCTNAME=%BB%F3%C7%B0&BANKCODE=04&BANKNAME=%B1%B9%B9%CE%C0%BA%C7%E0&ACCOUNTNO=12345678901234" +
		"&RECEIVERNAME=%C8%AB%B1%E6%B5%BF&DEPOSITENDDATE=20260112235959" +
		"&RESERVEDINDEX1=&RESERVEDINDEX2=&RESERVEDSTRING="
)

func get(query string) notice.Request {
	return notice.Request{Method: http.MethodGet, Path: "/daou_payments/notice_vbank", Query: query, Header: http.Header{}}
}

func decode(t *testing.T, query string) notice.Notice {
	t.Helper()
	n, err := daou.Module.Decode(get(query))
	if err != nil {
		t.Fatalf("Decode(%s): %v", query, err)
	}
	return n
}

// change replaces a part of a query that must be there.
func change(query, old, fresh string) string {
	if !strings.Contains(query, old) {
		panic(old + " is not in the sample")
	}
	return strings.Replace(query, old, fresh, 1)
}

func TestEvents(t *testing.T) {
	const settled, account = "&SETTDATE=20260105113000", "&ACCOUNTNO=12345678901234"
	tests := []struct {
		kind, more string
		event      payment.Event
		listed     bool
	}{
		{"VACCOUNT", settled, payment.EventDeposited, false},
		{"VACCOUNT", settled + account, payment.EventDeposited, false},
		{"vaccount", settled, payment.EventDeposited, false},
		{"VACCOUNT", "&SETTDATE=soon", payment.EventDeposited, false},
		{"VACCOUNT", account, payment.EventIssued, false},
		{"VACCOUNT", account + "&SETTDATE=", payment.EventIssued, false},
		{"VACCOUNT", account + "&SETTDATE=00000000000000", payment.EventIssued, false},
		{"VACCOUNT", "", payment.EventOther, true},
		{"VACCOUNT", "&SETTDATE=00000000000000", payment.EventOther, true},
		{"VACCOUNTISSUE", account, payment.EventIssued, false},
		{"VACCOUNTISSUE", account + settled, payment.EventIssued, false},
		{"VACCOUNTISSUE", "", payment.EventIssued, false},
		{"VACCOUNTCANCEL", settled, payment.EventCancelled, false},
		{"VACCOUNT_CANCEL", settled, payment.EventOther, true},
		{"VACCOUNT-ISSUE", account, payment.EventOther, true},
		{"BANK_CANCEL", settled, payment.EventOther, true},
		{"CARD_CANCEL", settled, payment.EventOther, true},
		{"KAKAOCANCEL", settled, payment.EventOther, true},
		{"CARD", settled, payment.EventApproved, false},
		{"BANK", settled + account, payment.EventApproved, false},
		{"MOBILE", settled, payment.EventApproved, false},
		{"CULTURE", settled, payment.EventOther, false},
		{"", settled, payment.EventOther, true},
	}
	for _, tt := range tests {
		n := decode(t, "CPID=C&DAOUTRX=T&ORDERNO=O&AMOUNT=1000&PAYMETHOD="+tt.kind+tt.more)
		if n.Event != tt.event || n.Listed != tt.listed {
			t.Errorf("%s%s = %s (listed %t), want %s (listed %t)", tt.kind, tt.more, n.Event, n.Listed, tt.event, tt.listed)
		}
		if (n.Deposit != "") != (tt.event == payment.EventDeposited && !n.At.IsZero()) {
			t.Errorf("%s%s has deposit %q", tt.kind, tt.more, n.Deposit)
		}
		if n.Closes != (tt.event == payment.EventCancelled) || n.OtherMethod != (tt.event == payment.EventApproved) {
			t.Errorf("%s%s closes: %t, other method: %t", tt.kind, tt.more, n.Closes, n.OtherMethod)
		}
	}
}

func TestKeyAndDeposit(t *testing.T) {
	noTrx := change(deposit, "CTS26010510153000001", "")
	noTrxIssue := change(issue, "CTS26010510153000001", "")
	tests := []struct {
		name                 string
		a, b                 string
		sameKey, sameDeposit bool
	}{
		{"a resend", deposit, deposit, true, true},
		{"a resend with a word of its own", deposit, deposit + "&RETRY=2", true, true},
		{"another deposit of the payment", deposit, change(deposit, "113000", "113001"), false, false},
		{"a resend with a time to the minute", deposit, change(deposit, "20260105113000", "202601051130"), true, true},
		{"another deposit with a time to the minute", deposit, change(deposit, "20260105113000", "202601051131"), false, false},
		{"another transaction", deposit, change(deposit, "000001&", "000002&"), false, false},
		{"another shop", deposit, change(deposit, "CTS10273", "CTS10616"), false, true},
		{"issue and deposit", deposit, issue, false, false},
		{"an issue told under both names", issue, change(issue, "VACCOUNTISSUE", "VACCOUNT"), false, true},
		{"an issue and what may be its deposit", change(issue, "VACCOUNTISSUE", "VACCOUNT"), change(deposit, "SETTDATE=20260105113000", "SETTDATE="), false, true},
		{"issue and its cancellation", issue, change(issue, "VACCOUNTISSUE", "VACCOUNTCANCEL"), false, true},
		{"no id, a resend", noTrx, noTrx, true, true},
		{"no id, another order", noTrx, change(noTrx, "ORD20260105001", "ORD20260105002"), false, true},
		{"no id, another amount", noTrx, change(noTrx, "15000", "15001"), false, true},
		{"no id, another account", noTrxIssue, change(noTrxIssue, "5678901234&", "5678901235&"), false, true},
		{"a separator in a value", change(deposit, "CPID=CTS10273&DAOUTRX=", "CPID=A&DAOUTRX=B%2F"), change(deposit, "CPID=CTS10273&DAOUTRX=", "CPID=A%2FB&DAOUTRX="), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := decode(t, tt.a), decode(t, tt.b)
			if (a.Key == b.Key) != tt.sameKey {
				t.Errorf("keys %q and %q, want same: %t", a.Key, b.Key, tt.sameKey)
			}
			if (a.Deposit == b.Deposit) != tt.sameDeposit {
				t.Errorf("deposits %q and %q, want same: %t", a.Deposit, b.Deposit, tt.sameDeposit)
			}
		})
	}
	if n := decode(t, noTrxIssue); strings.Contains(n.Key, "12345678901234") {
		t.Errorf("key %q shows the account", n.Key)
	}
	if n := decode(t, noTrx); n.Deposit != "" {
		t.Errorf("deposit %q without DAOUTRX", n.Deposit)
	}
}

func TestFields(t *testing.T) {
	tests := []struct {
		name  string
		query string
		check func(notice.Notice) any
		want  any
	}{
		{"a deposit's USERNAME is the depositor", deposit, func(n notice.Notice) any { return n.Depositor }, "홍길동"},
		{"an issue's is the buyer", issue, func(n notice.Notice) any { return n.Depositor + n.Fields["USERNAME"] }, "홍길동"},
		{"an account with dashes", change(issue, "12345678901234", "123-456+789"), func(n notice.Notice) any { return n.Account.Reveal() }, "123456789"},
		{"a deadline", issue, due, "2026-01-12T23:59:59+09:00"},
		{"a deadline that is a date", change(issue, "20260112235959", "20260112"), due, "2026-01-12T23:59:59+09:00"},
		{"a deadline of twelve digits", change(issue, "20260112235959", "202601121200"), due, "2026-01-12T12:00:00+09:00"},
		{"a bad deadline is kept", change(issue, "20260112235959", "20260132"), func(n notice.Notice) any { return n.Fields["DEPOSITENDDATE"] }, "20260132"},
		{"a bad time is kept", change(deposit, "20260105113000", "20260135113000"), func(n notice.Notice) any { return n.Fields["SETTDATE"] }, "20260135113000"},
		{"a bad time is none", change(deposit, "20260105113000", "20260135113000"), func(n notice.Notice) any { return n.At.IsZero() }, true},
		{"a date is no time", change(deposit, "20260105113000", "20260105"), func(n notice.Notice) any { return n.At.IsZero() && n.Deposit == "" }, true},
		{"nor is another field's", change(deposit, "20260105113000", "20260105&AUTHDATE=20260105101530"), func(n notice.Notice) any { return n.At.IsZero() && n.Deposit == "" }, true},
		{"a text is no name", change(deposit, "20260105113000", "soon"), func(n notice.Notice) any { return n.Deposit + n.Fields["SETTDATE"] }, "soon"},
		{"a time to the minute is one", change(deposit, "20260105113000", "202601051130"), func(n notice.Notice) any { return n.At.Format(time.RFC3339) + n.Deposit }, "2026-01-05T11:30:00+09:00CTS26010510153000001/20260105113000"},
		{"an issue has no time", issue, func(n notice.Notice) any { return n.At.IsZero() }, true},
		{"empty fields are left out", deposit, func(n notice.Notice) any { _, ok := n.Fields["EMAIL"]; return ok }, false},
		{"a pass-through is kept", change(deposit, "RESERVEDSTRING=", "RESERVEDSTRING=a%26b"), func(n notice.Notice) any { return n.Fields["RESERVEDSTRING"] }, "a&b"},
		{"a card's number is not", change(deposit, "PAYMETHOD=VACCOUNT", "PAYMETHOD=CARD&CARDNO=4111111111111111"), func(n notice.Notice) any { _, ok := n.Fields["CARDNO"]; return ok }, false},
		{"nor is a phone's, nor an address", change(deposit, "EMAIL=", "MOBILENO=01012345678&EMAIL=hong@example.com"), func(n notice.Notice) any { return n.Fields["MOBILENO"] + n.Fields["EMAIL"] }, ""},
		{"a payer's account is not", change(issue, "PAYMETHOD=VACCOUNTISSUE", "PAYMETHOD=BANK"), func(n notice.Notice) any { return n.Account.Reveal() + n.Fields["ACCOUNTNO"] }, ""},
		{"a payer's bank is a field", change(issue, "PAYMETHOD=VACCOUNTISSUE", "PAYMETHOD=BANK"), func(n notice.Notice) any { return string(n.Bank) + n.Fields["BANKNAME"] }, "국민은행"},
		{"never a test by its CPID", deposit, func(n notice.Notice) any { return n.Test }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.check(decode(t, tt.query))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestCharset: UTF-8 that is valid EUC-KR too never becomes a wrong name.
func TestCharset(t *testing.T) {
	for _, text := range []string{"박박", "홍길동", "박박 뷁"} {
		for charset, escaped := range map[string]string{"EUC-KR": escape(t, text), "UTF-8": url.QueryEscape(text)} {
			n := decode(t, "PAYMETHOD=VACCOUNT&CPID=C&DAOUTRX=T&ORDERNO=O&AMOUNT=1000&SETTDATE=20260105113000&USERNAME="+escaped)
			if n.Depositor != text {
				t.Errorf("%s in %s is read as %q", text, charset, n.Depositor)
			}
		}
	}
}

func due(n notice.Notice) any { return n.ExpiresAt.Format(time.RFC3339) }

// TestRequests: any kind comes to either path, by GET or by POST.
func TestRequests(t *testing.T) {
	for _, told := range []string{deposit, issue} {
		want := decode(t, told)
		for name, r := range map[string]notice.Request{
			"the other path":           {Method: http.MethodGet, Path: "/daou_payments/result", Query: told},
			"a GET with a body":        {Method: http.MethodGet, Query: told, Body: []byte("AMOUNT=1")},
			"a POST":                   {Method: http.MethodPost, Body: []byte(told)},
			"a POST with line ends":    {Method: http.MethodPost, Body: []byte(told + "\r\n")},
			"a POST with a query":      {Method: http.MethodPost, Query: "AMOUNT=1", Body: []byte(told)},
			"a POST with only a query": {Method: http.MethodPost, Query: told, Body: []byte(" \r\n")},
		} {
			got, err := daou.Module.Decode(r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	}
	if n, err := daou.Module.Decode(notice.Request{Method: http.MethodGet, Body: []byte(deposit)}); err == nil {
		t.Errorf("the body of a GET is read as %+v", n)
	}
}

// TestUnreadable checks the kind of error, and that no error repeats what may
// be somebody's name or account.
func TestUnreadable(t *testing.T) {
	for _, query := range []string{
		"", "&&", "hello", "a=1&b=2", `{"DAOUTRX":"1"}`, "<RESULT>", "paymethod=VACCOUNT&daoutrx=1&orderno=2",
		change(deposit, "15000", "-15000"), change(deposit, "15000", "12345678901234"+"56"), change(deposit, "15000", "hong12345678901234"),
		change(issue, "15000", "1.5"), change(deposit, "hong", "12345678901234%00"), change(deposit, "hong", "12345678901234%FF"),
		change(deposit, "hong", "12345678901234%C8"), issue + "&ACCOUNTNO=12345678901234",
	} {
		n, err := daou.Module.Decode(get(query))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", query, n, err)
			continue
		}
		if strings.Contains(err.Error(), "12345678901234") {
			t.Errorf("the error repeats the account: %v", err)
		}
	}
}

// TestTwice: two values for what decides are no notice; elsewhere the first
// counts.
func TestTwice(t *testing.T) {
	for _, name := range []string{"PAYMETHOD", "CPID", "DAOUTRX", "ORDERNO", "AMOUNT", "SETTDATE"} {
		if _, err := daou.Module.Decode(get(deposit + "&" + name + "=13")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s told twice: %v, want fault.Invalid", name, err)
		}
	}
	if n := decode(t, deposit+"&USERID=other"); n.Fields["USERID"] != "hong" {
		t.Errorf("USERID = %q, want the first value", n.Fields["USERID"])
	}
}

func TestBanks(t *testing.T) {
	for name, want := range map[string]payment.Bank{
		"국민은행": "KOOKMIN", "KB국민은행": "KOOKMIN", " KB 국민은행 ": "KOOKMIN", "국민": "KOOKMIN",
		"농협": "NONGHYUP", "NH농협은행": "NONGHYUP", "농협은행": "NONGHYUP", "신한": "SHINHAN", "신한은행": "SHINHAN",
		"SC은행": "STANDARD_CHARTERED", "sc제일은행": "STANDARD_CHARTERED", "IBK기업은행": "IBK", "KEB하나은행": "HANA",
		"외환은행": "HANA", "우체국": "POST", "대구은행": "DAEGU", "iM뱅크": "DAEGU", "수협중앙회": "SUHYUP_FEDERATION",
		"카카오뱅크": "KAKAO", "새마을금고": "KFCC", "은행": "", "달나라은행": "", "": "",
	} {
		query := change(issue, "&BANKNAME=%B1%B9%B9%CE%C0%BA%C7%E0", "")
		n := decode(t, query+"&BANKNAME="+escape(t, name))
		if n.Bank != want || n.BankCode != "04" || n.BankName != strings.TrimSpace(name) {
			t.Errorf("%q is bank %q (%s %q), want %q", name, n.Bank, n.BankCode, n.BankName, want)
		}
	}
}

// TestVerify: Kiwoom has no proof, whatever the channel knows.
func TestVerify(t *testing.T) {
	for _, c := range []merchant.Credentials{nil, {"auth_key": "k"}} {
		if err := daou.Module.Verify(get(deposit), decode(t, deposit), merchant.Channel{Credentials: c}, payment.Payment{}); err != nil {
			t.Errorf("Verify with %d credentials: %v", len(c), err)
		}
	}
}

func TestAck(t *testing.T) {
	for outcome, want := range map[provider.Outcome]provider.Reply{
		provider.Received: {Status: 200, Body: []byte("<html><body><RESULT>SUCCESS</RESULT></body></html>")},
		provider.Refused:  {Status: 400, Body: []byte("<html><body><RESULT>FAIL</RESULT></body></html>")},
	} {
		want.ContentType = "text/html; charset=EUC-KR"
		if d := cmp.Diff(want, daou.Module.Ack(get(deposit), outcome)); d != "" {
			t.Errorf("outcome %d (-want +got):\n%s", outcome, d)
		}
	}
}

func TestInfo(t *testing.T) {
	i := daou.Module.Info()
	if i.Inquires(merchant.Credentials{"auth_key": "k"}) {
		t.Error("a PG without an inquiry may inquire")
	}
	for addr, live := range map[string]bool{
		"27.102.213.199": false, "27.102.213.200": true, "27.102.213.209": true, "27.102.213.210": false, "123.140.121.205": false,
	} {
		if got := provider.Admits(i.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	if len(i.Resend) != 10 || slices.Min(i.Resend) != 3*time.Minute || slices.Max(i.Resend) != 3*time.Minute {
		t.Errorf("resends after %v, want ten times three minutes", i.Resend)
	}
	if d := cmp.Diff([]string{"/daou_payments/notice_vbank", "/daou_payments/result"}, i.Paths); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		g := daou.Module.Guide(lang)
		for _, want := range []string{
			provider.NoticeURLMark, provider.SecondURLMark, "agent.kiwoompay.co.kr", "고객지원 → 기술지원 → 연동정보설정", "CPID", "조회하기",
			"결과 통지 URL", "발행 통지 URL", "27.102.213.200", "123.140.121.205", "senders",
		} {
			if !strings.Contains(g, want) {
				t.Errorf("guide %q lacks %q", lang, want)
			}
		}
		if strings.Count(g, "{{") != 2 {
			t.Errorf("guide %q has %d places to fill, want 2", lang, strings.Count(g, "{{"))
		}
	}
	if daou.Module.Guide("en") == daou.Module.Guide("ko") {
		t.Error("the English guide is the Korean one")
	}
}
