package welcome_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/welcome"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, welcome.Module) }
func FuzzProvider(f *testing.F) { providertest.Fuzz(f, welcome.Module) }

// sample is the body of a fixture.
func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		text := strings.TrimSuffix(string(f.Data), "\n")
		switch f.Name {
		case "request":
			return text
		case "request.b64":
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
	}
	t.Fatalf("%s has no request", name)
	return ""
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := welcome.Module.Decode(notice.Request{Method: http.MethodPost, Body: []byte(body)})
	if err != nil {
		t.Fatalf("Decode: %v\n%s", err, body)
	}
	return n
}

// swap replaces something in a body that must be there.
func swap(t *testing.T, body, old, with string) string {
	t.Helper()
	if !strings.Contains(body, old) {
		t.Fatalf("the body has no %q", old)
	}
	return strings.ReplaceAll(body, old, with)
}

func TestReversalNamesNoDeposit(t *testing.T) {
	body := sample(t, "a-reversal")
	n := decode(t, body)
	if n.Event != payment.EventReversed || n.Deposit != "" {
		t.Errorf("event %s names deposit %q, want none", n.Event, n.Deposit)
	}
	if n.Fields["no_tid"] == "" {
		t.Error("the reversal's own id is lost")
	}
	n = decode(t, swap(t, body, "tm_trans=103000", "tm_trans="))
	if !n.At.IsZero() || n.Fields["dt_trans"] != "20260401" {
		t.Errorf("without time of day the reversal is at %v, before its deposit", n.At)
	}
}

// TestDateAloneIsNoTime: midnight would tell the money of form B, whose time is
// exact, as another deposit.
func TestDateAloneIsNoTime(t *testing.T) {
	for _, body := range []string{
		swap(t, sample(t, "a-deposit"), "tm_trans=103000", "tm_trans="), swap(t, sample(t, "a-deposit"), "tm_trans=103000", "tm_trans=x"),
		"P_STATUS=02&P_TYPE=VBANK&P_TID=t&P_OID=o&P_AUTH_DT=20260401",
	} {
		if n := decode(t, body); n.Event != payment.EventDeposited || !n.At.IsZero() {
			t.Errorf("%s: %s at %v, want a deposit at an unknown time", body, n.Event, n.At)
		} else if n.Fields["dt_trans"] != "20260401" && n.Fields["P_AUTH_DT"] != "20260401" {
			t.Errorf("%s: the date is lost: %v", body, n.Fields)
		}
	}
}

// TestOtherMethodsLeaveKeysAlone: what moves nothing must not make the deposit
// or issue of the same id look like one sent twice.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, body := range []string{
		"P_TID=t&P_OID=o&P_MID=m&P_AUTH_DT=20260401101500&P_TYPE=VBANK&P_STATUS=02",
		"P_TID=t&P_OID=o&P_MID=m&P_TYPE=VBANK&P_STATUS=00", "P_OID=o&P_MID=m&P_TYPE=VBANK&P_STATUS=02",
	} {
		for _, method := range []string{"CARD", "POINT"} {
			if k := decode(t, body).Key; decode(t, swap(t, body, "VBANK", method)).Key == k {
				t.Errorf("%s of %s has the account's key %s", body, method, k)
			}
		}
	}
}

// TestLooseValues: nothing documented about lengths and digits, and no missing
// field, makes a notice unreadable.
func TestLooseValues(t *testing.T) {
	body := sample(t, "a-deposit")
	for _, c := range []struct {
		name, old, with string
		ok              func(notice.Notice) bool
	}{
		{"no amount", "amt_input=1004", "amt_input= ", func(n notice.Notice) bool { return !n.HasAmount }},
		{"no amount field", "&amt_input=1004", "", func(n notice.Notice) bool { return !n.HasAmount }},
		{"a padded amount", "amt_input=1004", "amt_input=0000000001004", func(n notice.Notice) bool { return n.Amount == payment.Won(1004) }},
		{"a cheque is listed", "&cl_kor=2", "&amt_check=0000000050000", func(n notice.Notice) bool {
			return n.Listed && n.Fields["amt_check"] == "0000000050000" && n.Event == payment.EventDeposited
		}},
		{"no cheque is not listed", "&cl_kor=2", "&amt_check=0000000000000", func(n notice.Notice) bool { return !n.Listed }},
		{"an account with dashes", "no_vacct=01443364911441", "no_vacct=014-433649-11441", func(n notice.Notice) bool { return n.Account == "01443364911441" }},
		{"an unknown bank", "cd_bank=00000011", "cd_bank=000000ZZ", func(n notice.Notice) bool { return n.Bank == "" && n.BankCode == "ZZ" }},
		{"a bank code that is not padded", "cd_bank=00000011", "cd_bank=11", func(n notice.Notice) bool { return n.Bank == "NONGHYUP" }},
		{"no date", "dt_trans=20260401&tm_trans=103000", "dt_trans=&tm_trans=", func(n notice.Notice) bool { return n.At.IsZero() }},
		{"no such date", "dt_trans=20260401", "dt_trans=20261301", func(n notice.Notice) bool {
			return n.At.IsZero() && n.Fields["dt_trans"] == "20261301"
		}},
		{"no message type", "&type_msg=0200", "", func(n notice.Notice) bool { return n.Event == payment.EventOther && n.Listed }},
		{"an order over 40 characters", "no_oid=mall_order_1", "no_oid=" + strings.Repeat("x", 200), func(n notice.Notice) bool { return len(n.Order) == 200 }},
		{"lower-case escapes", "%C8%AB%B1%E6%B5%BF", "%c8%ab%b1%e6%b5%bf", func(n notice.Notice) bool { return n.Depositor == "홍길동" }},
		{"only the ids", body, "no_tid=1", func(n notice.Notice) bool { return n.Event == payment.EventOther }},
	} {
		if n := decode(t, swap(t, body, c.old, c.with)); !c.ok(n) {
			t.Errorf("%s: got %+v", c.name, n)
		}
	}
}

// TestBankCodes reads the PG's own list where it differs from KFTC's.
func TestBankCodes(t *testing.T) {
	for code, want := range map[string]payment.Bank{
		"00000026": "SHINHAN", "00000021": "SHINHAN", "00000088": "SHINHAN", "00000005": "HANA", "00000004": "KOOKMIN",
		"000000D2": "KB_SECURITIES", "000000dg": "MIRAE_ASSET_SECURITIES", "D5": "NH_SECURITIES", "DP": "CAPE_SECURITIES",
		"DL": "", "16": "", "38": "", "00000000": "", "088": "SHINHAN", "218": "KB_SECURITIES",
	} {
		if got := decode(t, swap(t, sample(t, "a-deposit"), "cd_bank=00000011", "cd_bank="+code)).Bank; got != want {
			t.Errorf("code %s is %q, want %q", code, got, want)
		}
	}
	for _, b := range payment.Banks() {
		n := providertest.Sample(payment.EventDeposited)
		n.Bank = b.Bank
		for _, form := range []string{"A", "B"} {
			n.Form = form
			got := decode(t, string(welcome.Module.Encode(n, nil).Body))
			if b.Code != "" && got.Bank != b.Bank {
				t.Errorf("%s is sent in form %s as %q and read as %q", b.Bank, form, got.BankCode, got.Bank)
			}
		}
	}
}

// A notice without the PG's id is named by what it says: two of them are not
// taken for one, and no account number comes to light, since keys are kept in
// clear.
func TestKeysWithoutTID(t *testing.T) {
	a := swap(t, sample(t, "a-deposit"), "no_tid=ININPGVBNKwelcometst20260401103000123456", "no_tid= ")
	b := swap(t, sample(t, "b-deposit"), "P_TID=INIMX_VBNKwelcometst20260401101500123456", "P_TID=")
	const account = "01443364911441"
	hashed := regexp.MustCompile(`^/(0200|02)/[0-9a-f]{32}$`)
	for _, c := range []struct{ name, one, other string }{
		{"form A, another time", a, swap(t, a, "tm_trans=103000", "tm_trans=103001")},
		{"form A, another account", a, swap(t, a, account, "01443364911442")},
		{"form A, another order", a, swap(t, a, "mall_order_1", "mall_order_2")},
		{"form B, another time", b, swap(t, b, "20260401103000", "20260401103001")},
		{"form B, another account", b, swap(t, b, account, "01443364911442")},
		{"form B, another amount", b, swap(t, b, "P_AMT=1004", "P_AMT=1005")},
	} {
		one, again, other := decode(t, c.one), decode(t, c.one), decode(t, c.other)
		if one.Key != again.Key || one.Key == other.Key {
			t.Errorf("%s: keys are %q, %q again, and %q of the other", c.name, one.Key, again.Key, other.Key)
		}
		if !hashed.MatchString(one.Key) {
			t.Errorf("%s: key %q is not hashed", c.name, one.Key)
		}
		if strings.Contains(one.Key, account) || strings.Contains(one.Deposit, account) {
			t.Errorf("%s: the account is in key %q or deposit %q", c.name, one.Key, one.Deposit)
		}
	}
}

// TestKeysOfOneTransaction: what is told of one transaction in turn is not
// taken for a resend.
func TestKeysOfOneTransaction(t *testing.T) {
	escrow := sample(t, "a-escrow")
	seen := make(map[string]string)
	for name, body := range map[string]string{
		"deposit": sample(t, "a-deposit"), "reversal": sample(t, "a-reversal"),
		"issue in B": sample(t, "b-issue"), "deposit in B": sample(t, "b-deposit"),
		"a second deposit in B": swap(t, sample(t, "b-deposit"), "20260401103000", "20260402090000"),
		"escrow, confirmed":     escrow, "escrow, cancelled": swap(t, escrow, "cl_status=3", "cl_status=8"),
		"C": sample(t, "c-deposit"), "C of another": swap(t, sample(t, "c-deposit"), "1004", "1005"),
		"a slash": "no_tid=x/y&type_msg=0200", "another slash": "no_tid=x&type_msg=y/0200",
	} {
		k := decode(t, body).Key
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have the key %q", name, other, k)
		}
		seen[k] = name
	}
}

func TestFormB(t *testing.T) {
	const tail = "&P_MID=m&P_OID=o&P_TID=t"
	for _, c := range []struct {
		body         string
		event        payment.Event
		kind         string
		listed, card bool
	}{
		{"P_STATUS=00&P_TYPE=VBANK", payment.EventIssued, "00", false, false},
		{"P_STATUS=00&P_TYPE=vbank", payment.EventIssued, "00", false, false},
		{"P_STATUS=00&P_RMESG1=P_VACCT_NO%3D1", payment.EventIssued, "00", false, false},
		{"P_STATUS=02&P_TYPE=VBANK", payment.EventDeposited, "02", false, false},
		{"P_STATUS=02", payment.EventDeposited, "02", false, false},
		{"P_STATUS=01&P_TYPE=VBANK", payment.EventFailed, "01", false, false},
		{"P_STATUS=01&P_TYPE=CARD", payment.EventFailed, "CARD", false, true},
		{"P_STATUS=00&P_TYPE=CARD", payment.EventApproved, "CARD", false, true},
		{"P_STATUS=00&P_TYPE=ISP", payment.EventApproved, "ISP", false, true},
		{"P_STATUS=00", payment.EventOther, "00", true, false},
		{"P_STATUS=02&P_TYPE=CARD", payment.EventOther, "CARD", true, true},
		{"P_STATUS=03&P_TYPE=VBANK", payment.EventOther, "03", true, false},
		{"P_STATUS=", payment.EventOther, "", true, false},
	} {
		n := decode(t, c.body+tail)
		if n.Event != c.event || n.Kind != c.kind || n.Listed != c.listed || n.OtherMethod != c.card {
			t.Errorf("%s: event %s, kind %q, listed %v, other method %v, want %s, %q, %v, %v",
				c.body, n.Event, n.Kind, n.Listed, n.OtherMethod, c.event, c.kind, c.listed, c.card)
		}
		if n.Depositor != "" || n.Deposit != "" {
			t.Errorf("%s: depositor %q, deposit %q, but form B has neither", c.body, n.Depositor, n.Deposit)
		}
	}
}

func TestMessageOfAccount(t *testing.T) {
	second := time.Date(2016, 5, 15, 23, 59, 59, 0, wire.Seoul)
	for text, want := range map[string]struct {
		account string
		until   time.Time
		left    string
	}{
		"P_VACCT_NO=123|P_EXP_DT=20160515235900":    {"123", second.Add(-59 * time.Second), ""},
		"P_VACCT_NO=123|P_EXP_DT=20160515":          {"123", second, ""},
		"P_VACCT_NO=123P_EXP_DT=20160515":           {"123", second, ""},
		"P_EXP_DT=20160515P_VACCT_NO=123":           {"123", second, ""},
		" P_VACCT_NO=1-2 3 | P_EXP_DT= 20160515 ":   {"123", second, ""},
		"P_VACCT_NO=123|P_EXP_DT=2016-05-15":        {"123", time.Time{}, "P_EXP_DT=2016-05-15"},
		"P_VACCT_NO=123|P_EXP_DT=":                  {"123", time.Time{}, ""},
		"P_VACCT_NO=123|P_NEW=1|P_EXP_DT=20160515|": {"123", second, "P_NEW=1"},
		"a = b|c": {"", time.Time{}, "a = b|c"},
		"":        {"", time.Time{}, ""},
	} {
		body := wire.EncodeForm([]wire.Field{{Name: "P_STATUS", Value: "00"}, {Name: "P_TID", Value: "t"}, {Name: "P_RMESG1", Value: text}}, wire.UTF8)
		n := decode(t, string(body))
		if n.Account.Reveal() != want.account || !n.ExpiresAt.Equal(want.until) || n.Fields["P_RMESG1"] != want.left {
			t.Errorf("%q: account %q until %v, left %q, want %+v", text, n.Account.Reveal(), n.ExpiresAt, n.Fields["P_RMESG1"], want)
		}
	}
}

// TestFormCNamesNoPayment: it says what happened, and nothing by which money
// could be moved; its signature is not kept in clear.
func TestFormCNamesNoPayment(t *testing.T) {
	for _, name := range []string{"c-deposit", "c-issue-json", "c-issue-json-euckr", "c-approved", "c-cancelled", "c-partially-cancelled"} {
		n := decode(t, sample(t, name))
		if n.Order != "" || n.PGTx != "" || n.Account != "" || n.Deposit != "" || n.HasAmount {
			t.Errorf("%s names a payment or an amount: %+v", name, n)
		}
		if strings.Contains(sample(t, name), "0a1b") && n.Proof.Reveal() != "0a1b" || n.Fields["Signature"] != "" {
			t.Errorf("%s: the proof is %q, and among the fields %q", name, n.Proof.Reveal(), n.Fields["Signature"])
		}
		err := welcome.Module.Verify(notice.Request{}, n, merchant.Channel{Credentials: merchant.Credentials{"signkey": "x"}}, payment.Payment{})
		if !errors.Is(err, provider.ErrUnproved) {
			t.Errorf("%s: Verify = %v, want ErrUnproved", name, err)
		}
	}
	if n := decode(t, "transType=99"); n.Event != payment.EventOther || !n.Listed {
		t.Errorf("an unknown transType is %s, listed %v", n.Event, n.Listed)
	}
	if n := decode(t, "transType=00"); !n.OtherMethod {
		t.Error("an approval is taken for an account's")
	}
}

func TestVerifyHasNothingToCheck(t *testing.T) {
	for _, name := range []string{"a-deposit", "b-deposit"} {
		n := decode(t, sample(t, name))
		if err := welcome.Module.Verify(notice.Request{}, n, merchant.Channel{}, payment.Payment{}); err != nil {
			t.Errorf("%s: Verify = %v, want nil", name, err)
		}
	}
}

func TestAck(t *testing.T) {
	p := welcome.Module
	yes, no := p.Ack(notice.Request{}, provider.Received), p.Ack(notice.Request{}, provider.Refused)
	if yes.Status != 200 || string(yes.Body) != "OK" || yes.ContentType != "text/plain" {
		t.Errorf("received = %d %q %q", yes.Status, yes.ContentType, yes.Body)
	}
	if no.Status != 400 || string(no.Body) != "FAIL" {
		t.Errorf("refused = %d %q", no.Status, no.Body)
	}
	for body, want := range map[string]bool{
		"OK": true, "OK\n": false, " OK": false, "ok": false, "\ufeffOK": false, "": false, "<html>OK</html>": false,
	} {
		if got := p.Acked(provider.Reply{Status: 200, Body: []byte(body)}); got != want {
			t.Errorf("Acked(%q) = %v, want %v", body, got, want)
		}
	}
	if p.Acked(provider.Reply{Status: 500, Body: []byte("OK")}) {
		t.Error("Acked(500 OK) = true, want false")
	}
}

// Errors reach logs and refusals: they must say nothing of what the body held.
func TestErrorsTellNoValues(t *testing.T) {
	a, b := sample(t, "a-deposit"), sample(t, "b-deposit")
	for _, body := range []string{
		swap(t, a, "amt_input=1004", "amt_input=secretsecret"),
		swap(t, a, "nm_input=%C8%AB", "nm_input=secretsecret%00"),
		swap(t, a, "nm_input=%C8%AB", "nm_input=secretsecret%FF%FF"),
		a + "&no_vacct=secretsecret",
		a + "&P_STATUS=secretsecret&P_TID=secretsecret",
		swap(t, b, "P_VACCT_NO", "P_VACCT_NO%3Dsecretsecret%7CP_VACCT_NO"),
		"secretsecret=secretsecret",
		`{"transType":"02","secretsecret":"\u0000secretsecret"}`,
		`{"transType":"02","secretsecret":1,"secretsecret":2}`,
		`{"transType":"secretsecret`,
	} {
		_, err := welcome.Module.Decode(notice.Request{Body: []byte(body)})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("err = %v, want invalid\n%s", err, body)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "secretsecret") || strings.Contains(e.Error(), "01443364911441") {
				t.Errorf("the error tells a value: %v", e)
			}
		}
	}
}

// TestLiveChannelsNeedMore: the senders of deposit notices are not published,
// so that a token or the operator's own list must speak for them.
func TestLiveChannelsNeedMore(t *testing.T) {
	if i := welcome.Module.Info(); i.LiveSenders != nil || i.Class != provider.AddressOnly {
		t.Errorf("live senders %v, class %s", i.LiveSenders, i.Class)
	}
}

func TestGuides(t *testing.T) {
	for _, lang := range []string{"ko", "en"} {
		g := welcome.Module.Guide(lang)
		for _, want := range []string{
			"{{.NoticeURL}}", "wbiz.paywelcome.co.kr", "상점정보 → 계약정보 → 결제수단 정보", "입금내역 통보", "실시간통보함",
			"입금통보 URL(IP)", "URL수신사용(일반)", "P_NOTI_URL", "senders", "입금통보테스트", "입금통보 재전송",
		} {
			if !strings.Contains(g, want) {
				t.Errorf("guide %s lacks %q", lang, want)
			}
		}
	}
	if welcome.Module.Guide("ko") == welcome.Module.Guide("en") {
		t.Error("both guides are in one language")
	}
}

// TestPersonalData: numbers of cards and phones are in the stored body alone.
func TestPersonalData(t *testing.T) {
	n := decode(t, "P_STATUS=00&P_TYPE=CARD&P_TID=t&P_NOTI=kept&P_CARD_NUM=1&P_HPP_NUM=1&P_MOBILE=1&P_EMAIL=1")
	if len(n.Fields) != 2 || n.Fields["P_NOTI"] != "kept" || n.Fields["P_STATUS"] != "00" {
		t.Errorf("fields = %v", n.Fields)
	}
}
