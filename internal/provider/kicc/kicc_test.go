package kicc_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kicc"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, kicc.Module) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, kicc.Module) }

func request(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := kicc.Module.Decode(request(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return n
}

// oldToNew are the names of the old form that the tables below use, and the
// new form's for the same.
var oldToNew = strings.NewReplacer(
	"noti_type", "notiType", "res_cd", "resCd", "stat_cd", "statusCode", "pay_type", "payMethodTypeCode",
	"memb_id", "mallId", "order_no", "shopOrderNo", "cno", "pgCno", "tlf_sno", "tlfSno",
	"mgr_amt", "cancelAmount", "mgr_seqno", "cancelPgCno", "tran_date", "transactionDate",
	"canc_date", "cancelDate", "bank_cd", "bankCode", "account_no", "accountNo", "deposit_nm", "depositName",
	"expire_date", "expiryDate",
)

// asJSON writes a form of the old names as the new form would say it.
func asJSON(t *testing.T, form string) string {
	t.Helper()
	parsed, err := wire.ParseForm([]byte(form))
	if err != nil {
		t.Fatal(err)
	}
	values, err := parsed.Decode(wire.EUCKR)
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]string{}
	for name, v := range values.Map() {
		object[oldToNew.Replace(name)] = v
	}
	b, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEvents is long for its table: it is the protocol's table of kinds and
// states, in both forms.
func TestEvents(t *testing.T) {
	const other = payment.EventOther
	const old, fresh, both = "old", "new", ""
	tests := []struct {
		form, fields string
		want         payment.Event
		listed       bool
	}{
		{both, "noti_type=30&pay_type=22", payment.EventDeposited, false},
		{both, "noti_type=30", payment.EventDeposited, false},
		{both, "noti_type=30&pay_type=22&stat_cd=TS08&res_cd=0000", payment.EventDeposited, false},
		{both, "noti_type=30&pay_type=22&stat_cd=ES04", payment.EventDeposited, false},
		{both, "noti_type=30&pay_type=22&stat_cd=ES07", payment.EventDeposited, false},
		{both, "noti_type=30&pay_type=22&stat_cd=RF02", other, true},
		{both, "noti_type=30&pay_type=22&stat_cd=TS07", other, true},
		{both, "noti_type=30&pay_type=22&stat_cd=ES17", other, true},
		{both, "noti_type=30&pay_type=22&res_cd=5001", other, true},
		{both, "noti_type=30&pay_type=11", other, true},
		{both, "noti_type=10&pay_type=22", payment.EventIssued, false},
		{both, "noti_type=10&pay_type=22&stat_cd=TS07", payment.EventIssued, false},
		{both, "noti_type=10&pay_type=22&stat_cd=ES03", payment.EventIssued, false},
		{both, "noti_type=10&pay_type=22&stat_cd=TS08", other, true},
		{both, "noti_type=10&account_no=1", payment.EventIssued, false},
		{both, "noti_type=10&pay_type=11&stat_cd=TS03", payment.EventApproved, false},
		{both, "noti_type=10&pay_type=21&account_no=1", payment.EventApproved, false},
		{both, "noti_type=10&pay_type=31", payment.EventApproved, false},
		{both, "noti_type=10", payment.EventApproved, false},
		{both, "noti_type=20&pay_type=22&stat_cd=TS02", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=22&stat_cd=TS02&mgr_amt=4", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=11&stat_cd=TS05", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=22&stat_cd=ES02", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=22&stat_cd=ES17", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=11&stat_cd=TS06&mgr_amt=4", payment.EventPartiallyCancelled, false},
		{both, "noti_type=20&pay_type=11&stat_cd=TS06&mgr_amt=10", payment.EventPartiallyCancelled, false},
		{both, "noti_type=20&pay_type=11&stat_cd=TS06", other, true},
		{both, "noti_type=20&pay_type=22&stat_cd=RF02&mgr_amt=10", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=22&stat_cd=RF02&mgr_amt=4", payment.EventPartiallyCancelled, false},
		{both, "noti_type=20&pay_type=22&stat_cd=RF02&mgr_amt=0", other, true},
		{both, "noti_type=20&pay_type=22&stat_cd=RF02", other, true},
		{both, "noti_type=20&pay_type=22&mgr_amt=10", payment.EventCancelled, false},
		{both, "noti_type=20&pay_type=22&mgr_amt=4", payment.EventPartiallyCancelled, false},
		{both, "noti_type=20&pay_type=22", other, true},
		{both, "noti_type=20&pay_type=22&stat_cd=RF01&mgr_amt=10", other, true},
		{both, "noti_type=20&pay_type=22&stat_cd=RF03&mgr_amt=10", other, true},
		{both, "noti_type=20&pay_type=22&stat_cd=TS02&res_cd=9999", other, true},
		{both, "noti_type=40&pay_type=22&stat_cd=ES04", payment.EventDeposited, false},
		{both, "noti_type=40&stat_cd=ES04", payment.EventDeposited, false},
		{both, "noti_type=40&pay_type=21&stat_cd=ES04", other, true},
		{both, "noti_type=40&pay_type=22&stat_cd=ES03", other, false},
		{both, "noti_type=40&pay_type=22&stat_cd=ES07", other, false},
		{both, "noti_type=40&pay_type=22&stat_cd=ES12", other, false},
		{both, "noti_type=40&pay_type=22&stat_cd=ES06", other, true},
		{both, "noti_type=40&pay_type=22&stat_cd=ES13", other, true},
		{both, "noti_type=40&pay_type=22&stat_cd=ES17", other, true},
		{both, "noti_type=40&pay_type=22", other, true},
		{fresh, "noti_type=31&pay_type=22", payment.EventReversed, false},
		{fresh, "noti_type=31&pay_type=11", other, true},
		{old, "noti_type=31&pay_type=22", other, true},
		{fresh, "noti_type=50&pay_type=22&stat_cd=RF02", payment.EventRefunded, false},
		{fresh, "noti_type=50", payment.EventRefunded, false},
		{fresh, "noti_type=50&pay_type=22&stat_cd=RF03", other, true},
		{old, "noti_type=50&pay_type=22&stat_cd=RF02", other, true},
		{fresh, "noti_type=51&res_cd=5413", payment.EventRefundFailed, false},
		{old, "noti_type=51&res_cd=5413", other, true},
		{fresh, "noti_type=70&pay_type=11", payment.EventApproved, false},
		{old, "noti_type=70&pay_type=11", other, true},
		{both, "noti_type=99&pay_type=22", other, true},
		{both, "noti_type=&pay_type=22", other, true},
	}
	for _, tt := range tests {
		form := "cno=1&order_no=o-1&amount=10&canc_date=20251106100000&" + tt.fields
		bodies := map[string]string{old: form, fresh: asJSON(t, form)}
		if tt.form != both {
			bodies = map[string]string{tt.form: bodies[tt.form]}
		}
		for name, body := range bodies {
			n := decode(t, body)
			if n.Event != tt.want || n.Listed != tt.listed {
				t.Errorf("%s form, %s = %s (listed %t), want %s (listed %t)", name, tt.fields, n.Event, n.Listed, tt.want, tt.listed)
			}
			if (n.Form == "json") != (name == fresh) {
				t.Errorf("%s form, %s: Form = %q", name, tt.fields, n.Form)
			}
			if n.Closes != strings.Contains(tt.fields, "noti_type=20&pay_type=22&stat_cd=ES17") {
				t.Errorf("%s form, %s: closes = %t", name, tt.fields, n.Closes)
			}
		}
	}
}

func TestOtherMethod(t *testing.T) {
	for fields, want := range map[string]bool{
		"noti_type=30&pay_type=22": false, "noti_type=30": false, "noti_type=10&pay_type=11": true,
		"noti_type=20&pay_type=31&stat_cd=TS02": true, "noti_type=20&tlf_sno=2&stat_cd=TS02": false, "noti_type=51": false,
		"noti_type=10&pay_type=21&account_no=123&bank_cd=004": true, "noti_type=70": true,
	} {
		form := "cno=1&order_no=o-1&" + fields
		for _, body := range []string{form, asJSON(t, form)} {
			n := decode(t, body)
			if n.OtherMethod != want {
				t.Errorf("%s: other method = %t, want %t", body, n.OtherMethod, want)
			}
			if want && (n.Account != "" || n.Bank != "") {
				t.Errorf("%s has account %s at %s", body, n.Account, n.Bank)
			}
		}
	}
}

// TestBothFormsSayTheSame: but for the form, the names of fields and what is
// known of one form only, nothing differs.
func TestBothFormsSayTheSame(t *testing.T) {
	const form = "res_cd=0000&cno=25110509275210000001&memb_id=T1&amount=15000&order_no=o-1&noti_type=30" +
		"&tran_date=20251105092752&bank_cd=26&account_no=790-134&deposit_nm=%C8%AB%B1%E6%B5%BF&pay_type=22" +
		"&tlf_sno=25110509200010000001&expire_date=20251112235959"
	old, fresh := decode(t, form), decode(t, asJSON(t, form))
	if old.Bank != "SHINHAN" || old.Account != "790134" || old.Depositor != "홍길동" || old.PGTx != "25110509200010000001" {
		t.Errorf("decoded as %+v", old)
	}
	if old.Charset != "EUC-KR" || old.CharsetByRule || fresh.Charset != "UTF-8" || !fresh.CharsetByRule {
		t.Errorf("read in %s and %s", old.Charset, fresh.Charset)
	}
	old.Form, old.Fields, fresh.Fields = "json", nil, nil
	old.Charset, old.CharsetByRule = fresh.Charset, fresh.CharsetByRule
	if d := cmp.Diff(old, fresh); d != "" {
		t.Errorf("(-old form +new form):\n%s", d)
	}
}

func TestKeyAndDeposit(t *testing.T) {
	const base = "memb_id=T1&order_no=o-1&amount=10&pay_type=22&noti_type=30&tlf_sno=9&cno=1&tran_date=20251105092752"
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	same := func(cno string) string { return edit("cno=1", "cno="+cno, "&tlf_sno=9", "") }
	change := edit("noti_type=30", "noti_type=20", "cno=1", "cno=9") + "&stat_cd=RF02"
	tests := []struct {
		name              string
		a, b              string
		sameKey, sameGold bool
	}{
		{"a resend", base, base + "&reserve1=2", true, true},
		{"sent as JSON", base, asJSON(t, base), true, true},
		{"another deposit", base, edit("cno=1", "cno=2"), false, false},
		{"another shop", base, edit("T1", "T2"), false, true},
		{"as an escrow deposit", base, edit("noti_type=30", "noti_type=40") + "&stat_cd=ES04", false, true},
		{"its reversal", asJSON(t, base), asJSON(t, edit("noti_type=30", "noti_type=31", "092752", "100000")), false, true},
		{"a deposit that failed", base, base + "&res_cd=5001", false, false},
		{"a deposit that calls itself a card", base, edit("pay_type=22", "pay_type=11"), false, false},
		{"two of an issue's number", same("9"), edit("cno=1", "cno=9", "092752", "100000", "&tlf_sno=9", ""), false, true},
		{"no number, another amount", edit("cno=1", "cno="), edit("cno=1", "cno=", "amount=10", "amount=11"), false, true},
		{"no number, another time", edit("cno=1", "cno="), edit("cno=1", "cno=", "092752", "092753"), false, true},
		{"two escrow states", edit("noti_type=30", "noti_type=40") + "&stat_cd=ES07", edit("noti_type=30", "noti_type=40") + "&stat_cd=ES12", false, true},
		{"two changes by number", change + "&mgr_amt=4&mgr_seqno=1", change + "&mgr_amt=4&mgr_seqno=2", false, true},
		{"two changes without one", change + "&mgr_amt=4", change + "&mgr_amt=5", false, true},
		{"a refund, asked for and done", strings.Replace(change, "RF02", "RF01", 1) + "&mgr_amt=4&mgr_seqno=1", change + "&mgr_amt=4&mgr_seqno=1", false, true},
		{"a separator in a value", edit("T1", "T1/30", "noti_type=30", "noti_type=1"), edit("noti_type=30", "noti_type=30/1"), false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := decode(t, tt.a), decode(t, tt.b)
			if (a.Key == b.Key) != tt.sameKey {
				t.Errorf("keys %q and %q, want same: %t", a.Key, b.Key, tt.sameKey)
			}
			if (a.Deposit == b.Deposit) != tt.sameGold {
				t.Errorf("deposits %q and %q, want same: %t", a.Deposit, b.Deposit, tt.sameGold)
			}
		})
	}
	// Keys are shown, and an account number is not.
	a, b := decode(t, "noti_type=30&account_no=1109260001455"), decode(t, "noti_type=30&account_no=1109260001456")
	if a.Key == b.Key || strings.Contains(a.Key, "1109260001455") || a.Deposit != "" {
		t.Errorf("keys %q and %q, deposit %q", a.Key, b.Key, a.Deposit)
	}
	// A reversal by the number can't say which deposit it means.
	if n := decode(t, `{"notiType":"31","pgCno":"9","tlfSno":"9","transactionDate":"20251105092752"}`); n.Deposit != "" {
		t.Errorf("a reversal by the issue's number is of deposit %q", n.Deposit)
	}
}

func TestBanks(t *testing.T) {
	for code, want := range map[string]payment.Bank{
		"026": "SHINHAN", "26": "SHINHAN", "088": "SHINHAN", "88": "SHINHAN", "11": "NONGHYUP", "04": "KOOKMIN", "4": "KOOKMIN",
		"004": "KOOKMIN", "090": "KAKAO", "005": "HANA", "240": "SAMSUNG_SECURITIES", "999": "", "": "", "KB": "",
	} {
		n := decode(t, "noti_type=30&cno=1&bank_cd="+code)
		if n.Bank != want || n.BankCode != code {
			t.Errorf("bank %q = %q (code %q), want %q", code, n.Bank, n.BankCode, want)
		}
	}
}

// TestPrivate looks for what must not be shown in fields and errors.
func TestPrivate(t *testing.T) {
	const mark = "0109999888"
	n := decode(t, `{"notiType":"30","pgCno":"1","cashAuthValue":"`+mark+`","mobileNo":"`+mark+`","cardNo":"`+mark+`","cardnoHash":"`+mark+`","shopValue1":"kept"}`)
	if d := cmp.Diff(map[string]string{"shopValue1": "kept"}, n.Fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
	n = decode(t, "noti_type=10&pay_type=21&cno=1&reserve1=kept&card_no="+mark+"&cardno_hash="+mark+"&account_no="+mark)
	if d := cmp.Diff(map[string]string{"pay_type": "21", "reserve1": "kept"}, n.Fields); d != "" {
		t.Errorf("fields of a transfer (-want +got):\n%s", d)
	}
	const form = "noti_type=30&cno=1&account_no=" + mark
	const object = `{"notiType":"30","pgCno":"1","accountNo":"` + mark + `"`
	for _, body := range []string{
		"", "&&", "hello", form + "&account_no=" + mark, form + "&amount=" + mark + "x", form + "&mgr_amt=" + mark + "x",
		form + "&x=%00", form + "&deposit_nm=" + mark + "%FF", "account_nm=" + mark, "{}", "[]", "{", object, object + "}}",
		object + `,"amount":"` + mark + `x"}`, object + `,"cancelAmount":{}}`, object + `,"accountNo":"1"}`, object + `,"x":"\u0000"}`,
		object + `,"\u0000":"1"}`, object + `,"x":{"\u0000":"1"}}`, object + ",\"x\":\"\xff\"}", object + `,"x":}`,
		`{"` + mark + `":"1"}`,
	} {
		n, err := kicc.Module.Decode(request(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", body, n, err)
			continue
		}
		if strings.Contains(err.Error(), mark) {
			t.Errorf("the error repeats a value: %v", err)
		}
	}
}

// TestReceipt: a number alone is no receipt if KICC says that none was issued.
func TestReceipt(t *testing.T) {
	for fields, want := range map[string]string{
		`"cashAuthNo":"128170000","cashResCd":"0000","cashUsed":"1","cashIssueType":"01"`: "128170000 PERSONAL",
		`"cashAuthNo":"128170000","cashIssueType":"02"`:                                   "128170000 CORPORATE",
		`"cashAuthNo":"128170000","cashIssueType":"03"`:                                   "128170000 ",
		`"cashAuthNo":"128170000","cashResCd":"5001"`:                                     "none",
		`"cashAuthNo":"128170000","cashUsed":"0"`:                                         "none",
		`"cashAuthNo":"000000000"`:                                                        "none",
		`"cashAuthNo":""`:                                                                 "none",
	} {
		got := "none"
		if r := decode(t, `{"notiType":"30","pgCno":"1",`+fields+`}`).CashReceipt; r != nil {
			got = r.Number + " " + r.Type
		}
		if got != want {
			t.Errorf("%s: receipt %q, want %q", fields, got, want)
		}
	}
}

// TestVerify: KICC has no proof, whatever the channel knows.
func TestVerify(t *testing.T) {
	const body = "noti_type=30&cno=1"
	for _, c := range []merchant.Credentials{nil, {"secret_key": "k"}} {
		if err := kicc.Module.Verify(request(body), decode(t, body), merchant.Channel{Credentials: c}, payment.Payment{}); err != nil {
			t.Errorf("Verify with %d credentials: %v", len(c), err)
		}
	}
}

func TestAck(t *testing.T) {
	typed := request("")
	typed.Header.Set("Content-Type", "application/json;charset=UTF-8")
	const page, object = "text/html", "application/json"
	for _, c := range []struct {
		name    string
		request notice.Request
		outcome provider.Outcome
		want    provider.Reply
	}{
		{"form", request("noti_type=30"), provider.Received, provider.Reply{Status: 200, ContentType: page, Body: []byte("res_cd=0000\x1fres_msg=SUCCESS")}},
		{"form refused", request("noti_type=30"), provider.Refused, provider.Reply{Status: 400, ContentType: page, Body: []byte("res_cd=5001\x1fres_msg=FAIL")}},
		{"nothing", request(""), provider.Refused, provider.Reply{Status: 400, ContentType: page, Body: []byte("res_cd=5001\x1fres_msg=FAIL")}},
		{"JSON", request("\r\n {"), provider.Received, provider.Reply{Status: 200, ContentType: object, Body: []byte(`{"resCd":"0000","resMsg":"정상"}`)}},
		{"JSON refused", request("{"), provider.Refused, provider.Reply{Status: 400, ContentType: object, Body: []byte(`{"resCd":"5001","resMsg":"처리실패"}`)}},
		{"JSON by its type", typed, provider.Received, provider.Reply{Status: 200, ContentType: object, Body: []byte(`{"resCd":"0000","resMsg":"정상"}`)}},
	} {
		if d := cmp.Diff(c.want, kicc.Module.Ack(c.request, c.outcome)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestInfo(t *testing.T) {
	i := kicc.Module.Info()
	if i.Inquires(merchant.Credentials{"secret_key": "k"}) {
		t.Error("KICC can't be asked about a deposit, nor does it prove one")
	}
	for addr, live := range map[string]bool{"203.233.72.151": true, "61.33.211.180": true, "61.33.205.151": false, "203.233.72.14": false} {
		if got := provider.Admits(i.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	i.Resend[0], i.Events[0], i.LiveSenders[0] = 0, "x", i.LiveSenders[1]
	if j := kicc.Module.Info(); j.Resend[0] == 0 || len(j.Resend) != 10 || j.Events[0] == "x" || j.LiveSenders[0] == j.LiveSenders[1] {
		t.Error("a caller can change what Info says")
	}
}

func TestGuide(t *testing.T) {
	ko, en := kicc.Module.Guide("ko"), kicc.Module.Guide("en")
	for _, g := range []string{ko, en} {
		for _, want := range []string{"{{.NoticeURL}}", "노티등록", "입금취소(31)", "1644-2004", "203.233.72.150", "confirm = true", "senders"} {
			if !strings.Contains(g, want) {
				t.Errorf("a guide lacks %q", want)
			}
		}
		if strings.Count(g, "{{") != strings.Count(g, "{{.NoticeURL}}") {
			t.Error("a guide has other placeholders")
		}
	}
	if ko == en || kicc.Module.Guide("") != ko {
		t.Error("the guides' languages are mixed up")
	}
}
