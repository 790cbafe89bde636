package inicis_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/inicis"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T)   { providertest.Run(t, inicis.V1, inicis.V2) }
func FuzzProvider(f *testing.F)   { providertest.Fuzz(f, inicis.V1) }
func FuzzProviderV2(f *testing.F) { providertest.Fuzz(f, inicis.V2) }

// published is the one raw body of form A that was ever published.
func published(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/a-deposit.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == "request" {
			return strings.TrimSuffix(string(f.Data), "\n")
		}
	}
	t.Fatal("the sample has no request")
	return ""
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := inicis.V1.Decode(notice.Request{Method: http.MethodPost, Body: []byte(body)})
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

func TestEncodeGivesThePublishedBytes(t *testing.T) {
	want := published(t)
	got := inicis.V1.Encode(decode(t, want), nil)
	if string(got.Body) != want {
		t.Errorf("Encode(Decode(sample)) =\n%s\nwant\n%s", got.Body, want)
	}
	if got.Path != "/inicis_payments/notice_vbank" || inicis.V2.Encode(notice.Notice{}, nil).Path != "/inicis-v2" {
		t.Errorf("path = %q", got.Path)
	}
}

func TestLenCountsWhatFollows(t *testing.T) {
	bodies := map[string]string{"published": published(t)}
	for _, e := range []payment.Event{payment.EventDeposited, payment.EventReversed, payment.EventOther} {
		n := providertest.Sample(e)
		bodies[string(e)] = string(inicis.V1.Encode(n, nil).Body)
		n.Depositor, n.Order = "a & b=%", strings.Repeat("가", 40)
		bodies[string(e)+" with odd text"] = string(inicis.V1.Encode(n, nil).Body)
	}
	for name, body := range bodies {
		head, rest, _ := strings.Cut(body, "&")
		if want := fmt.Sprintf("len=%04d", len(rest)+1); head != want {
			t.Errorf("%s: body begins with %q, want %q", name, head, want)
		}
	}
}

func TestEncodeChoosesTheForm(t *testing.T) {
	for _, c := range []struct {
		event      payment.Event
		form, want string
	}{
		{payment.EventDeposited, "", "A"},
		{payment.EventDeposited, "A", "A"},
		{payment.EventDeposited, "B", "B"},
		{payment.EventReversed, "", "A"},
		{payment.EventReversed, "B", "A"},
		{payment.EventIssued, "", "B"},
		{payment.EventIssued, "A", "B"},
		{payment.EventFailed, "", "B"},
		{payment.EventApproved, "", "B"},
	} {
		n := providertest.Sample(c.event)
		n.Form = c.form
		got := decode(t, string(inicis.V1.Encode(n, nil).Body))
		if got.Form != c.want || got.Event != c.event {
			t.Errorf("%s as form %q: sent form %s, event %s, want form %s", c.event, c.form, got.Form, got.Event, c.want)
		}
	}
}

func TestFormBCarriesTheDepositID(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Form, n.PGTx = "B", "INIMX_VBNKINIpayTest20260801110000000001"
	got := decode(t, string(inicis.V1.Encode(n, nil).Body))
	if got.Deposit != n.Deposit || got.PGTx != n.PGTx {
		t.Errorf("deposit = %q, pg_tx = %q, want %q, %q", got.Deposit, got.PGTx, n.Deposit, n.PGTx)
	}
	issue := n
	issue.Event, issue.At, issue.PGTx = payment.EventIssued, n.At.Add(-time.Hour), ""
	n.PGTx = ""
	a := decode(t, string(inicis.V1.Encode(issue, nil).Body))
	b := decode(t, string(inicis.V1.Encode(n, nil).Body))
	if a.PGTx != b.PGTx || a.Key == b.Key {
		t.Errorf("issue and deposit have P_TID %q and %q, keys %q and %q", a.PGTx, b.PGTx, a.Key, b.Key)
	}
}

func TestEncodeTestTool(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	if decode(t, string(inicis.V1.Encode(n, nil).Body)).Test {
		t.Error("an ordinary notice bears the test tool's mark")
	}
	n.Test = true
	if !decode(t, string(inicis.V1.Encode(n, nil).Body)).Test {
		t.Error("a test notice does not bear the test tool's mark")
	}
}

// What the PG writes raw, padded or escaped, in the simulator's bytes.
func TestEncodedBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Bank = "MERITZ_SECURITIES"
	body := inicis.V1.Encode(n, nil).Body
	for _, want := range []string{
		"&no_transseq= &type_msg=0200&", "&cd_bank=000000DE&", "&amt_input=0000000010000&",
		"&nm_input=%8Cc%B9%E6%B0%A2%C7%CF&", "&no_tid=" + n.Deposit + "&", "&tm_trans=123015&",
	} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("body lacks %q:\n%s", want, body)
		}
	}
}

func TestReversalNamesNoDeposit(t *testing.T) {
	n := decode(t, swap(t, published(t), "type_msg=0200", "type_msg=0400"))
	if n.Event != payment.EventReversed || n.Deposit != "" {
		t.Errorf("event %s names deposit %q, want none", n.Event, n.Deposit)
	}
	if n.Fields["no_tid"] == "" {
		t.Error("the reversal's own id is lost")
	}
	n = decode(t, swap(t, swap(t, published(t), "type_msg=0200", "type_msg=0400"), "tm_trans=163833", "tm_trans= "))
	if !n.At.IsZero() {
		t.Errorf("without time of day the reversal is at %v, before its deposit", n.At)
	}
}

// A date alone is no time: its midnight would tell the money of form B, whose
// time is exact, as another deposit.
func TestDateAloneIsNoTime(t *testing.T) {
	for _, body := range []string{
		swap(t, published(t), "&tm_trans=163833", ""), swap(t, published(t), "tm_trans=163833", "tm_trans=x"),
		"P_STATUS=02&P_TYPE=VBANK&P_TID=t&P_OID=o&P_AUTH_DT=20260401",
	} {
		if n := decode(t, body); n.Event != payment.EventDeposited || !n.At.IsZero() {
			t.Errorf("%s: %s at %v, want a deposit at an unknown time", body, n.Event, n.At)
		} else if n.Fields["dt_trans"] != "20201228" && n.Fields["P_AUTH_DT"] != "20260401" {
			t.Errorf("%s: the date is lost: %v", body, n.Fields)
		}
	}
}

// UTF-8 that is valid EUC-KR too never becomes a wrong name.
func TestCharset(t *testing.T) {
	for _, name := range []string{"박박", "홍길동", "박박 뷁"} {
		for _, c := range []wire.Charset{wire.EUCKR, wire.UTF8} {
			form := wire.EncodeForm([]wire.Field{{Name: "no_tid", Value: "1"}, {Name: "type_msg", Value: "0200"}, {Name: "nm_input", Value: name}}, c)
			if got := decode(t, string(form)).Depositor; got != name {
				t.Errorf("%s in %v is read as %q", name, c, got)
			}
		}
	}
}

func TestLooseValues(t *testing.T) {
	sample := published(t)
	for _, c := range []struct {
		name, old, with string
		ok              func(notice.Notice) bool
	}{
		{"no amount", "amt_input=880000", "amt_input= ", func(n notice.Notice) bool { return !n.HasAmount }},
		{"no amount field", "&amt_input=880000", "", func(n notice.Notice) bool { return !n.HasAmount }},
		{"a cheque is listed", "amt_check=0", "amt_check=0000000050000", func(n notice.Notice) bool {
			return n.Listed && n.Fields["amt_check"] == "0000000050000" && n.Event == payment.EventDeposited
		}},
		{"no cheque is not listed", "amt_check=0", "amt_check=0000000000000", func(n notice.Notice) bool { return !n.Listed }},
		{"an account with dashes", "no_vacct=56211992494252", "no_vacct=562-11992-494252", func(n notice.Notice) bool { return n.Account == "56211992494252" }},
		{"an unknown bank", "cd_bank=00000088", "cd_bank=000000ZZ", func(n notice.Notice) bool { return n.Bank == "" && n.BankCode == "ZZ" }},
		{"securities", "cd_bank=00000088", "cd_bank=000000D2", func(n notice.Notice) bool { return n.Bank == "KB_SECURITIES" }},
		{"a merged bank", "cd_bank=00000088", "cd_bank=00000005", func(n notice.Notice) bool { return n.Bank == "HANA" }},
		{"no date", "dt_trans=20201228&tm_trans=163833", "dt_trans= &tm_trans= ", func(n notice.Notice) bool { return n.At.IsZero() }},
		{"no such date", "dt_trans=20201228", "dt_trans=20201328", func(n notice.Notice) bool {
			return n.At.IsZero() && n.Fields["dt_trans"] == "20201328"
		}},
		{"no message type", "&type_msg=0200", "", func(n notice.Notice) bool { return n.Event == payment.EventOther && n.Listed }},
		{"no cash receipt", "no_cshr_appl=268897130", "no_cshr_appl= ", func(n notice.Notice) bool { return n.CashReceipt == nil }},
		{"an order over 40 characters", "no_oid=O443279371", "no_oid=" + strings.Repeat("x", 200), func(n notice.Notice) bool { return len(n.Order) == 200 }},
		{"len that is no number", "len=0615", "len=x", func(n notice.Notice) bool { return n.Amount == payment.Won(880000) }},
		{"no len", "len=0615&", "", func(n notice.Notice) bool { return n.Amount == payment.Won(880000) }},
		{"lower-case escapes", "%C8%AB%B1%E6%B5%BF", "%c8%ab%b1%e6%b5%bf", func(n notice.Notice) bool { return n.Depositor == "홍길동" }},
		{"only the ids", sample, "no_tid=1", func(n notice.Notice) bool { return n.Event == payment.EventOther }},
	} {
		if n := decode(t, swap(t, sample, c.old, c.with)); !c.ok(n) {
			t.Errorf("%s: got %+v", c.name, n)
		}
	}
}

func TestFormB(t *testing.T) {
	const tail = "&P_MID=m&P_OID=o&P_TID=t"
	for _, c := range []struct {
		body   string
		event  payment.Event
		kind   string
		listed bool
	}{
		{"P_STATUS=00&P_TYPE=VBANK", payment.EventIssued, "00", false},
		{"P_STATUS=00&P_TYPE=vbank", payment.EventIssued, "00", false},
		{"P_STATUS=00&P_RMESG1=P_VACCT_NO%3D1", payment.EventIssued, "00", false},
		{"P_STATUS=02&P_TYPE=VBANK", payment.EventDeposited, "02", false},
		{"P_STATUS=02", payment.EventDeposited, "02", false},
		{"P_STATUS=01&P_TYPE=VBANK", payment.EventFailed, "01", false},
		{"P_STATUS=01&P_TYPE=CARD", payment.EventFailed, "CARD", false},
		{"P_STATUS=00&P_TYPE=CARD", payment.EventApproved, "CARD", false},
		{"P_STATUS=00&P_TYPE=MOBILE", payment.EventApproved, "MOBILE", false},
		{"P_STATUS=00", payment.EventOther, "00", true},
		{"P_STATUS=02&P_TYPE=CARD", payment.EventOther, "CARD", true},
		{"P_STATUS=03&P_TYPE=VBANK", payment.EventOther, "03", true},
		{"P_STATUS=", payment.EventOther, "", true},
	} {
		n := decode(t, c.body+tail)
		if n.Event != c.event || n.Kind != c.kind || n.Listed != c.listed {
			t.Errorf("%s: event %s, kind %q, listed %v, want %s, %q, %v", c.body, n.Event, n.Kind, n.Listed, c.event, c.kind, c.listed)
		}
		if n.Depositor != "" {
			t.Errorf("%s: depositor %q, but form B has none", c.body, n.Depositor)
		}
	}
}

func TestDeadlines(t *testing.T) {
	for text, want := range map[string]time.Time{
		"20160515235900": time.Date(2016, 5, 15, 23, 59, 0, 0, wire.Seoul),
		"20160515":       time.Date(2016, 5, 15, 23, 59, 59, 0, wire.Seoul),
		"2016-05-15":     {},
		"":               {},
	} {
		n := decode(t, "P_STATUS=00&P_TYPE=VBANK&P_TID=t&P_RMESG1=P_VACCT_NO%3D79010590891926%7CP_EXP_DT%3D"+text)
		if !n.ExpiresAt.Equal(want) || n.Account != "79010590891926" {
			t.Errorf("P_EXP_DT %q: expires at %v, account %v, want %v", text, n.ExpiresAt, n.Account, want)
		}
	}
}

func TestVerifyHasNothingToCheck(t *testing.T) {
	n := decode(t, published(t))
	for _, p := range []provider.Provider{inicis.V1, inicis.V2} {
		if err := p.Verify(notice.Request{}, n, merchant.Channel{}, payment.Payment{}); err != nil {
			t.Errorf("Verify = %v, want nil", err)
		}
	}
}

func TestAck(t *testing.T) {
	for _, p := range []provider.Provider{inicis.V1, inicis.V2} {
		yes, no := p.Ack(notice.Request{}, provider.Received), p.Ack(notice.Request{}, provider.Refused)
		if yes.Status != 200 || string(yes.Body) != "OK" || yes.ContentType != "text/plain" {
			t.Errorf("received = %d %q %q", yes.Status, yes.ContentType, yes.Body)
		}
		if no.Status != 400 || string(no.Body) != "FAIL" {
			t.Errorf("refused = %d %q", no.Status, no.Body)
		}
	}
	for body, want := range map[string]bool{
		"OK": true, "OK\n": false, " OK": false, "ok": false, "\ufeffOK": false, "": false, "<html>OK</html>": false,
	} {
		if got := inicis.V1.Acked(provider.Reply{Status: 200, Body: []byte(body)}); got != want {
			t.Errorf("Acked(%q) = %v, want %v", body, got, want)
		}
	}
	if inicis.V1.Acked(provider.Reply{Status: 500, Body: []byte("OK")}) {
		t.Error("Acked(500 OK) = true, want false")
	}
}

// Errors reach logs and refusals: they must say nothing of what the body held.
func TestErrorsTellNoValues(t *testing.T) {
	for _, c := range []struct{ old, with string }{
		{"amt_input=880000", "amt_input=secretsecret"},
		{"nm_input=%C8%AB", "nm_input=secretsecret%00"},
		{"nm_input=%C8%AB", "nm_input=secretsecret%FF%FF"},
		{"&flg_close=0", "&no_vacct=secretsecret"},
		{"&flg_close=0", "&P_STATUS=secretsecret&P_TID=secretsecret"},
	} {
		body := swap(t, published(t), c.old, c.with)
		_, err := inicis.V1.Decode(notice.Request{Body: []byte(body)})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: err = %v, want invalid", c.with, err)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "secretsecret") || strings.Contains(e.Error(), "56211992494252") {
				t.Errorf("%s: the error tells a value: %v", c.with, e)
			}
		}
	}
}

func TestGuides(t *testing.T) {
	for _, lang := range []string{"ko", "en"} {
		g := inicis.V1.Guide(lang)
		for _, want := range []string{
			"{{.NoticeURL}}", "iniweb.inicis.com", "상점정보 → 계약정보 → 결제수단 정보", "입금내역 통보", "실시간통보함",
			"입금통보 URL(IP)", "URL수신사용(일반)", "건별채번",
		} {
			if !strings.Contains(g, want) {
				t.Errorf("guide %s lacks %q", lang, want)
			}
		}
		for _, a := range inicis.V1.Info().LiveSenders {
			if !strings.Contains(g, a.Addr().String()) {
				t.Errorf("guide %s lacks the sender %v", lang, a)
			}
		}
	}
}

// TestPersonalData: numbers of cards and phones are in the stored body alone.
func TestPersonalData(t *testing.T) {
	n := decode(t, "P_STATUS=00&P_TYPE=CARD&P_TID=t&P_NOTI=kept&P_CARD_NUM=1&P_HPP_NUM=1&P_MOBILE=1&P_EMAIL=1")
	if len(n.Fields) != 2 || n.Fields["P_NOTI"] != "kept" || n.Fields["P_STATUS"] != "00" {
		t.Errorf("fields = %v", n.Fields)
	}
}
