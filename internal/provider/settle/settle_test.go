package settle

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, Module) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, Module) }

// deposit has the values of the first worked example of the hash.
const deposit = "outStatCd=0021&trdNo=T1&method=VA&bizType=B1&mchtId=nx_mid_il&mchtTrdNo=ORDER20211231100000" +
	"&trdDtm=20211231100000&trdAmt=1000&bankCd=011&vAcntNo=79012345678901&cnclType="

const (
	depositHash = "ff9453b49dccc5c4512e8e190e0e277778f747a663a352d9014803f0b25d5072"
	issuedHash  = "d950b1bdef37587eec5f9ec47870385c019a467ce8ce26771747d253b3fa1cff"
	// requestHash is printed with the notice in the document, and is not made
	// by the notice's formula.
	requestHash = "a2d6d597d55d7c9b689baa2e08c1ddf0ce71f4248c5b9b59fe61bfbf949543e1"
)

func request(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := Module.Decode(request(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return n
}

// with replaces a part of the deposit.
func with(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(deposit, pairs[i]) {
			panic(pairs[i] + " is not in the deposit")
		}
	}
	return strings.NewReplacer(pairs...).Replace(deposit)
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		status, biz, method, cancel string
		event                       payment.Event
		listed                      bool
	}{
		{"0051", "A0", "VA", "", payment.EventIssued, false},
		{"0051", "A4", "VA", "", payment.EventIssued, false},
		{"0051", "", "VA", "", payment.EventIssued, false},
		{"0051", "A0", "", "", payment.EventIssued, false},
		{"0021", "B1", "VA", "", payment.EventDeposited, false},
		{"0021", "B1", "va", "", payment.EventDeposited, false},
		{"0021", "B1", "", "", payment.EventDeposited, false},
		{"0021", "B1", "VA", "00", payment.EventDeposited, false},
		{"0021", "A2", "VA", "", payment.EventCancelled, false},
		{"0021", "C0", "VA", "00", payment.EventCancelled, false},
		{"0021", "C0", "VA", "10", payment.EventPartiallyCancelled, false},
		{"0021", "C0", "VA", "", payment.EventPartiallyCancelled, true},
		{"0021", "C0", "VA", "99", payment.EventOther, true},
		{"0021", "A0", "VA", "", payment.EventOther, true},
		{"0021", "A1", "VA", "", payment.EventOther, true},
		{"0021", "B0", "VA", "", payment.EventOther, true},
		{"0021", "b1", "VA", "", payment.EventOther, true},
		{"0021", "", "VA", "", payment.EventOther, true},
		{"0051", "B1", "VA", "", payment.EventOther, true},
		{"0051", "A2", "VA", "", payment.EventOther, true},
		{"0051", "C0", "VA", "00", payment.EventOther, true},
		{"0031", "B1", "VA", "", payment.EventOther, true},
		{"", "B1", "VA", "", payment.EventOther, true},
		{"0021", "B0", "CA", "", payment.EventApproved, false},
		{"0021", "C0", "CA", "00", payment.EventCancelled, false},
		{"0021", "C0", "MP", "10", payment.EventPartiallyCancelled, false},
		{"0021", "B1", "CA", "", payment.EventOther, true},
		{"0021", "A2", "CA", "", payment.EventOther, true},
		{"0051", "A0", "CA", "", payment.EventOther, false},
		{"0031", "B0", "CA", "", payment.EventOther, false},
	} {
		n := decode(t, with("=0021", "="+c.status, "bizType=B1", "bizType="+c.biz, "method=VA", "method="+c.method, "cnclType=", "cnclType="+c.cancel))
		if n.Event != c.event || n.Listed != c.listed {
			t.Errorf("outStatCd %q bizType %q method %q cnclType %q = %s (listed %t), want %s (listed %t)",
				c.status, c.biz, c.method, c.cancel, n.Event, n.Listed, c.event, c.listed)
		}
		if other := c.method == "CA" || c.method == "MP"; n.OtherMethod != other || (n.Account == "") != other || (n.Bank == "") != other {
			t.Errorf("method %q: other method %t, account %q, bank %q", c.method, n.OtherMethod, n.Account, n.Bank)
		}
		if (n.Deposit != "") != (c.event == payment.EventDeposited) {
			t.Errorf("%s of %s has deposit %q", c.biz, c.status, n.Deposit)
		}
		if n.Closes != (c.biz == "A2" && c.event == payment.EventCancelled) {
			t.Errorf("%s of %s: closes %t", c.biz, c.status, n.Closes)
		}
	}
}

// TestOtherMethodsLeaveKeysAlone: a genuine notice with a method or a word that
// is not covered by its hash moves nothing, and must not make the real one look
// like a resend.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, genuine := range [][]string{
		nil, {"bizType=B1", "bizType=A2"}, {"bizType=B1", "bizType=C0", "cnclType=", "cnclType=00"}, {"=0021", "=0051", "bizType=B1", "bizType=A0"},
	} {
		body := with(genuine...)
		for _, method := range []string{"CA", "MP", "X/Y"} {
			if k := decode(t, body).Key; decode(t, strings.Replace(body, "method=VA", "method="+method, 1)).Key == k {
				t.Errorf("%s of method %s has the account's key %s", body, method, k)
			}
		}
	}
	refund := with("bizType=B1", "bizType=C0", "cnclType=", "cnclType=00")
	if k := decode(t, refund).Key; decode(t, strings.Replace(refund, "cnclType=00", "cnclType=99", 1)).Key == k {
		t.Errorf("a refund of an unknown kind has the key %s of one", k)
	}
}

func TestVerify(t *testing.T) {
	has := merchant.Credentials{hashKey: testHashKey}
	for _, c := range []struct {
		name, body string
		creds      merchant.Credentials
		want       string
	}{
		{"the right hash", deposit + "&pktHash=" + depositHash, has, "ok"},
		{"in upper case", deposit + "&pktHash=" + strings.ToUpper(depositHash), has, "ok"},
		{"of an issue", with("=0021", "=0051", "B1", "A0") + "&pktHash=" + issuedHash, has, "ok"},
		{"fields in another order", "pktHash=" + depositHash + "&" + deposit, has, "ok"},
		{"fields that are not covered", with("T1", "T2", "79012345678901", "1") + "&dpstrNm=x&pktHash=" + depositHash, has, "ok"},
		{"another status", with("=0021", "=0051", "B1", "A0") + "&pktHash=" + depositHash, has, "refused"},
		{"another amount", with("=1000&", "=1001&") + "&pktHash=" + depositHash, has, "refused"},
		{"an amount that is the same number", with("=1000&", "=01000&") + "&pktHash=" + depositHash, has, "refused"},
		{"a space that was not there", with("=1000&", "=1000+&") + "&pktHash=" + depositHash, has, "refused"},
		{"another order", with("ORDER2", "ORDER3") + "&pktHash=" + depositHash, has, "refused"},
		{"another shop", with("nx_mid_il", "nxva_fix") + "&pktHash=" + depositHash, has, "refused"},
		{"another time", with("trdDtm=2021", "trdDtm=2022") + "&pktHash=" + depositHash, has, "refused"},
		{"the hash that the document prints", deposit + "&pktHash=" + requestHash, has, "refused"},
		{"no hash", deposit, has, "refused"},
		{"an empty hash", deposit + "&pktHash=", has, "refused"},
		{"a hash cut short", deposit + "&pktHash=" + depositHash[:63], has, "refused"},
		{"two hashes", deposit + "&pktHash=x&pktHash=" + depositHash, has, "unreadable"},
		{"another key", deposit + "&pktHash=" + depositHash, merchant.Credentials{hashKey: "ST"}, "refused"},
		{"only the other key is known", deposit + "&pktHash=" + depositHash, merchant.Credentials{aesKey: testHashKey}, "unproved"},
		{"an empty key", deposit + "&pktHash=" + depositHash, merchant.Credentials{hashKey: ""}, "unproved"},
		{"no key is known", deposit + "&pktHash=" + depositHash, nil, "unproved"},
		{"no key is known, no hash came", deposit, nil, "unproved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Module.Verify(request(c.body), notice.Notice{}, merchant.Channel{Credentials: c.creds}, payment.Payment{})
			if got := verdict(err); got != c.want {
				t.Errorf("Verify = %v, want %s", err, c.want)
			}
		})
	}
}

func verdict(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, provider.ErrUnproved):
		return "unproved"
	case fault.Is(err, fault.Unauthorized):
		return "refused"
	case fault.Is(err, fault.Invalid):
		return "unreadable"
	}
	return err.Error()
}

// TestVerifyRaw: the hash is of what was sent, although it is read as less.
func TestVerifyRaw(t *testing.T) {
	key := merchant.Credentials{hashKey: testHashKey}
	for _, c := range []struct{ amount, order string }{
		{"000001000", "o-1"}, {" 1000 ", "o-1"}, {"1,000", "o-1"}, {"1000", " o 1 "}, {"1000", "0000000"}, {"", "o-1"},
	} {
		f := []wire.Field{
			{Name: "outStatCd", Value: "0021"}, {Name: "bizType", Value: "B1"}, {Name: "mchtId", Value: "m"},
			{Name: "mchtTrdNo", Value: c.order}, {Name: "trdDtm", Value: "20211231100000"}, {Name: "trdAmt", Value: c.amount},
			{Name: "pktHash", Value: hash("002120211231100000m"+c.order+c.amount, testHashKey)},
		}
		r := request(string(wire.EncodeForm(f, wire.EUCKR)))
		n, err := Module.Decode(r)
		if err != nil || n.HasAmount && n.Amount != payment.Won(1000) || n.HasAmount != (c.amount != "") {
			t.Errorf("amount %q: %v, %v", c.amount, n.Amount, err)
		}
		if err := Module.Verify(r, n, merchant.Channel{Credentials: key}, payment.Payment{}); err != nil {
			t.Errorf("amount %q, order %q: %v", c.amount, c.order, err)
		}
	}
}

func TestKey(t *testing.T) {
	noNumber := with("T1", "")
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"a resend", deposit, deposit, true},
		{"a resend with other small print", deposit, deposit + "&mchtParam=2", true},
		{"its issue", deposit, with("=0021", "=0051", "B1", "A0"), false},
		{"its cancel under the same number", deposit, with("B1", "C0"), false},
		{"another transaction", deposit, with("T1", "T2"), false},
		{"another shop", deposit, with("nx_mid_il", "nxva_fix"), false},
		{"a separator in a value", with("T1", "a%2FB1", "B1", "x"), with("T1", "a", "B1", "B1%2Fx"), false},
		{"no number, a resend", noNumber, noNumber + "&mchtParam=2", true},
		{"no number, another account", noNumber, strings.Replace(noNumber, "8901", "8902", 1), false},
		{"no number, another amount", noNumber, strings.Replace(noNumber, "=1000&", "=1001&", 1), false},
		{"no number, another time", noNumber, strings.Replace(noNumber, "trdDtm=2021", "trdDtm=2022", 1), false},
		{"no number, another order", noNumber, strings.Replace(noNumber, "ORDER2", "ORDER3", 1), false},
	} {
		a, b := decode(t, c.a), decode(t, c.b)
		if (a.Key == b.Key) != c.same {
			t.Errorf("%s: keys %q and %q, want same: %t", c.name, a.Key, b.Key, c.same)
		}
	}
	if n := decode(t, noNumber); n.Deposit != "" || strings.Contains(n.Key, "79012345678901") {
		t.Errorf("without trdNo: deposit %q, key %q", n.Deposit, n.Key)
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		name, body string
		get        func(notice.Notice) any
		want       any
	}{
		{"the constant for no order", with("ORDER20211231100000", "0000000"), func(n notice.Notice) any { return n.Order }, ""},
		{"other zeros are an order", with("ORDER20211231100000", "000000"), func(n notice.Notice) any { return n.Order }, "000000"},
		{"a bank without its zero", with("011", "11"), func(n notice.Notice) any { return n.Bank }, payment.Bank("NONGHYUP")},
		{"a bank that merged", with("011", "005"), func(n notice.Notice) any { return n.Bank }, payment.Bank("HANA")},
		{"a receipt", deposit + "&csrcIssNo=0123456789", receipt, "0123456789"},
		{"zeros are no receipt", deposit + "&csrcIssNo=000000000", receipt, "none"},
		{"no receipt", deposit + "&csrcIssNo=", receipt, "none"},
		{"a deadline", deposit + "&expireDt=20220110120000", deadline, "2022-01-10T12:00:00+09:00"},
		{"a deadline of a day", deposit + "&expireDt=20220110", deadline, "2022-01-10T23:59:59+09:00"},
		{"the passbook's name is no holder", deposit + "&AcntPrintNm=x", func(n notice.Notice) any { return n.Holder + n.Fields["AcntPrintNm"] }, "x"},
		{"a deposit's original stays a field", deposit + "&orgTrdNo=T0", func(n notice.Notice) any { return n.PGTx + n.Fields["orgTrdNo"] }, "T1T0"},
		{"a cancel's original", with("B1", "A2") + "&orgTrdNo=T0", func(n notice.Notice) any { return n.PGTx + "/" + n.PGCancel }, "T0/T1"},
		{"a cancel without it", with("B1", "A2"), func(n notice.Notice) any { return n.PGTx + "/" + n.PGCancel }, "/T1"},
		{"the account of another method", with("method=VA", "method=CA"), func(n notice.Notice) any { return n.Fields["vAcntNo"] }, ""},
		{"a billing key", deposit + "&billKey=SBILL_1", func(n notice.Notice) any { return n.Fields["billKey"] }, ""},
		{"an empty field", deposit + "&x=", func(n notice.Notice) any { _, ok := n.Fields["x"]; return ok }, false},
		{"a line break at the end", deposit + "\r\n", func(n notice.Notice) any { return n.Amount }, payment.Won(1000)},
	} {
		if d := cmp.Diff(c.want, c.get(decode(t, c.body))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func deadline(n notice.Notice) any { return n.ExpiresAt.Format(time.RFC3339) }

func receipt(n notice.Notice) any {
	if n.CashReceipt == nil {
		return "none"
	}
	return n.CashReceipt.Number
}

// TestCharset: the same notice in each charset is the same notice, also where
// a name of EUC-KR happens to be valid UTF-8 and nothing else tells.
func TestCharset(t *testing.T) {
	names := []string{"홍길동", "똠방각하", "홍", "홍홍", "金", "Kim 철수", "훗훗", "Kim", "(주)가나·다라"}
	for r := '가'; r <= '힣'; r++ {
		names = append(names, string(r))
	}
	for _, name := range names {
		fields := []wire.Field{
			{Name: "outStatCd", Value: "0021"}, {Name: "bizType", Value: "B1"}, {Name: "trdNo", Value: "T1"}, {Name: "dpstrNm", Value: name},
		}
		for _, charset := range []wire.Charset{wire.EUCKR, wire.UTF8} {
			n, err := Module.Decode(request(string(wire.EncodeForm(fields, charset))))
			if err != nil || n.Depositor != name {
				t.Fatalf("%s in %v is read as %q, %v", name, charset, n.Depositor, err)
			}
			if utf8 := charset == wire.UTF8 && name != "Kim"; (n.Form == formUTF8) != utf8 {
				t.Fatalf("%s in %v has form %q", name, charset, n.Form)
			}
		}
	}
}

// TestUnreadable checks the kind of error, and that no error repeats what may
// be somebody's name or account, or a hash.
func TestUnreadable(t *testing.T) {
	const account = "79012345678901"
	bodies := []string{
		"", "&&", "hello", "<html></html>", `{"outStatCd":"0021","vAcntNo":"` + account + `"}`, "vAcntNo=" + account,
		"outStatCd=0021&bizType=B1", "PayMethod=VBANK&Amt=1000&VbankNum=" + account,
		with("=1000&", "=-1000&"), with("=1000&", "="+account+"x&"), with("=1000&", "=1000.5&"), with("=1000&", "=99999999999999999999&"),
		deposit + "&dpstrNm=" + account + "%00", deposit + "&dpstrNm=" + account + "%FF", deposit + "&%FF=" + account,
	}
	for field := range strings.SplitSeq(deposit+"&orgTrdNo=x&pktHash="+depositHash, "&") {
		name, _, _ := strings.Cut(field, "=")
		if name != "bankCd" { // nothing is decided by it
			bodies = append(bodies, deposit+"&orgTrdNo=x&pktHash="+depositHash+"&"+name+"="+account)
		}
	}
	for _, body := range bodies {
		n, err := Module.Decode(request(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", body, n, err)
			continue
		}
		if strings.Contains(err.Error(), account) || strings.Contains(err.Error(), depositHash) {
			t.Errorf("the error repeats what was sent: %v", err)
		}
	}
}

// TestSecrets looks for the hash and the billing key in all that is shown of a
// notice, and for the key in what Verify says.
func TestSecrets(t *testing.T) {
	n := decode(t, deposit+"&billKey=SBILL_0123456789&cardNo=4111111111111111&phoneNoEnc=PHONE%2BENC%3D%3D&email=hong@example.com&pktHash="+depositHash)
	if !n.Proof.Equal(depositHash) {
		t.Error("the hash is not kept as proof")
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	err = Module.Verify(request(deposit+"&pktHash="+issuedHash), n, merchant.Channel{Credentials: merchant.Credentials{hashKey: testHashKey}}, payment.Payment{})
	for _, shown := range []string{string(b), fmt.Sprintf("%+v", n), err.Error()} {
		for _, hidden := range []string{depositHash, issuedHash, testHashKey.Reveal(), "SBILL", "41111111", "PHONE", "hong@"} {
			if strings.Contains(shown, hidden) {
				t.Errorf("%q is in %s", hidden, shown)
			}
		}
	}
}

func TestAck(t *testing.T) {
	for o, want := range map[provider.Outcome]provider.Reply{
		provider.Received: {Status: 200, ContentType: "text/plain;charset=utf-8", Body: []byte("OK")},
		provider.Refused:  {Status: 400, ContentType: "text/plain;charset=utf-8", Body: []byte("FAIL")},
	} {
		if d := cmp.Diff(want, Module.Ack(request(deposit), o)); d != "" {
			t.Errorf("outcome %d (-want +got):\n%s", o, d)
		}
	}
}

func TestInfo(t *testing.T) {
	i := Module.Info()
	if i.Class != provider.FullMAC || i.Code != "settle" {
		t.Errorf("class %s, code %s", i.Class, i.Code)
	}
	if i.Inquires(merchant.Credentials{aesKey: "k"}) || !i.Inquires(merchant.Credentials{hashKey: "k"}) {
		t.Error("an inquiry needs the hash key, and no other")
	}
	for addr, live := range map[string]bool{"14.34.14.23": true, "61.252.169.24": true, "61.252.169.22": false, "14.34.14.21": false} {
		if got := provider.Admits(i.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	for _, m := range i.TestMIDs {
		if !m.Credentials[hashKey].Equal("ST1009281328226982205") {
			t.Errorf("test MID %s lacks the published hash key", m.MID)
		}
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		g := Module.Guide(lang)
		for _, part := range []string{
			"\n    {{.NoticeURL}}\n", "입금통보 URL: {{.NoticeURL}}", "settle_pgdev@settlebank.co.kr", "confirm = false",
			"14.34.14.23", "61.252.169.24", "61.252.169.22", testHashKey.Reveal(), "nx_mid_il",
		} {
			if !strings.Contains(g, part) {
				t.Errorf("guide %q lacks %q", lang, part)
			}
		}
	}
	if Module.Guide("en") == Module.Guide("ko") || Module.Guide("") != Module.Guide("ko") {
		t.Error("the guides are mixed up")
	}
}
