package kcp_test

import (
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
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, kcp.V1, kcp.V2) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, kcp.V1) }

func FuzzProviderV2(f *testing.F) { providertest.Fuzz(f, kcp.V2) }

// deposit is the published sample (gnuboard5, 2026-09).
const deposit = "site_cd=T0000&tno=20260910123456&order_no=1001&tx_cd=TX00&tx_tm=20260910120000" +
	"&ipgm_mnyx=10000&account=T123456789&noti_id=20260910123456789012&op_cd=50"

func request(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := kcp.V1.Decode(request(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return n
}

// with replaces or, where old is not there, adds to the published sample.
func with(old, fresh string) string {
	if !strings.Contains(deposit, old) {
		panic(old + " is not in the sample")
	}
	return strings.Replace(deposit, old, fresh, 1)
}

func TestEvents(t *testing.T) {
	tests := []struct {
		kind, op string
		event    payment.Event
		listed   bool
	}{
		{"TX00", "50", payment.EventDeposited, false},
		{"TX00", "01", payment.EventDeposited, false},
		{"TX00", "18", payment.EventDeposited, false},
		{"TX00", "51", payment.EventDeposited, false},
		{"TX00", "", payment.EventDeposited, false},
		{"TX00", "13", payment.EventReversed, false},
		{"TX01", "50", payment.EventRefunded, false},
		{"TX02", "50", payment.EventOther, true},
		{"TX03", "50", payment.EventOther, false},
		{"TX04", "13", payment.EventOther, true},
		{"TX05", "50", payment.EventCancelled, false},
		{"TX06", "50", payment.EventCancelled, false},
		{"TX07", "13", payment.EventCancelled, false},
		{"TX08", "50", payment.EventOther, false},
		{"TX09", "50", payment.EventOther, false},
		{"", "50", payment.EventOther, true},
	}
	for _, tt := range tests {
		body := strings.Replace(with("tx_cd=TX00", "tx_cd="+tt.kind), "op_cd=50", "op_cd="+tt.op, 1)
		n := decode(t, body)
		if n.Event != tt.event || n.Listed != tt.listed {
			t.Errorf("tx_cd %q, op_cd %q = %s (listed %t), want %s (listed %t)",
				tt.kind, tt.op, n.Event, n.Listed, tt.event, tt.listed)
		}
		if (tt.event == payment.EventDeposited || tt.event == payment.EventReversed) != (n.Deposit != "") {
			t.Errorf("tx_cd %q, op_cd %q has deposit %q", tt.kind, tt.op, n.Deposit)
		}
	}
}

func TestKeyAndDeposit(t *testing.T) {
	first := decode(t, deposit)
	noID := with("&noti_id=20260910123456789012", "")
	tests := []struct {
		name        string
		a, b        string
		sameKey     bool
		sameDeposit bool
	}{
		{"a resend with op_cd 01", deposit, with("op_cd=50", "op_cd=01"), true, true},
		{"a resend with a counter", deposit, deposit + "&noti_cnt=2", true, true},
		{"the reversal", deposit, with("op_cd=50", "op_cd=13"), false, true},
		{"another deposit of the payment", deposit, with("789012", "789013"), false, false},
		{"another payment", deposit, with("tno=20260910123456", "tno=20260910123457"), false, true},
		{"another site", deposit, with("T0000", "T0007"), false, true},
		{"escrow with the same id", deposit, with("TX00", "TX02"), false, false},
		{"no id, resent with op_cd 01", noID, strings.Replace(noID, "op_cd=50", "op_cd=01", 1), true, true},
		{"no id, the reversal", noID, strings.Replace(noID, "op_cd=50", "op_cd=13", 1), false, true},
		{"no id, another time", noID, strings.Replace(noID, "120000", "120001", 1), false, true},
		{"no id, another amount", noID, strings.Replace(noID, "=10000&", "=10001&", 1), false, true},
		{"no id, another kind", noID, strings.Replace(noID, "TX00", "TX05", 1), false, true},
		{"a kind called deposit", "tx_cd=TX00&tno=1", "tx_cd=deposit&tno=1", false, true},
		{"a separator in a value", with("tno=2026", "tno=a/b"), with("site_cd=T0000&tno=2026", "site_cd=T0000/a&tno=b"), false, true},
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
	if first.Deposit != "20260910123456789012" {
		t.Errorf("deposit = %q, want the noti_id", first.Deposit)
	}
	if n := decode(t, noID); n.Deposit != "" || strings.Contains(n.Key, "123456789/") {
		t.Errorf("without noti_id: deposit %q, key %q", n.Deposit, n.Key)
	}
	// The account alone must tell two notices apart, and not show in the key.
	account := "site_cd=T0000&tx_cd=TX00&ipgm_mnyx=10000&account=T1109260001455"
	a, b := decode(t, account), decode(t, strings.Replace(account, "1455", "1456", 1))
	if a.Key == b.Key || strings.Contains(a.Key, "1109260001455") {
		t.Errorf("keys %q and %q", a.Key, b.Key)
	}
}

func TestFields(t *testing.T) {
	tests := []struct {
		name  string
		body  string
		check func(notice.Notice) any
		want  any
	}{
		{"remitter goes first", deposit + "&ipgm_name=A&remitter=B", func(n notice.Notice) any { return n.Depositor }, "B"},
		{"the orderer stays a field", deposit + "&ipgm_name=A&remitter=B", func(n notice.Notice) any { return n.Fields["ipgm_name"] }, "A"},
		{"the orderer stands in", deposit + "&ipgm_name=A&remitter=+", func(n notice.Notice) any { return n.Depositor }, "A"},
		{"order_no goes first", deposit + "&ordr_idxx=2", func(n notice.Notice) any { return n.Order }, "1001"},
		{"ordr_idxx stands in", with("order_no=1001", "ordr_idxx=2"), func(n notice.Notice) any { return n.Order }, "2"},
		{"total is a field", deposit + "&totl_mnyx=20000", func(n notice.Notice) any { return n.Fields["totl_mnyx"] }, "20000"},
		{"the hash is kept", deposit + "&noti_hash=ab", func(n notice.Notice) any { return n.Fields["noti_hash"] }, "ab"},
		{"ipgm_time goes first", deposit + "&ipgm_time=20260910115959", at, "2026-09-10T11:59:59+09:00"},
		{"a bad ipgm_time gives way", deposit + "&ipgm_time=20260230115959", at, "2026-09-10T12:00:00+09:00"},
		{"a bad ipgm_time is kept", deposit + "&ipgm_time=20260230115959", func(n notice.Notice) any { return n.Fields["ipgm_time"] }, "20260230115959"},
		{"no time", with("tx_tm=20260910120000", "tx_tm="), func(n notice.Notice) any { return n.At.IsZero() }, true},
		{"bank of two digits", deposit + "&bank_code=04", bank, payment.Bank("KOOKMIN")},
		{"bank with BK", deposit + "&bank_code=BK92", bank, payment.Bank("TOSS")},
		{"bank in lower case", deposit + "&bank_code=bk04", bank, payment.Bank("KOOKMIN")},
		{"securities", deposit + "&bank_code=B240", bank, payment.Bank("SAMSUNG_SECURITIES")},
		{"unknown bank", deposit + "&bank_code=BKZZ", bank, payment.Bank("")},
		{"unknown bank's code", deposit + "&bank_code=BKZZ", func(n notice.Notice) any { return n.BankCode }, "BKZZ"},
		{"receipt by approval number", deposit + "&cash_a_no=123&cash_no=456", receipt, "123"},
		{"receipt by transaction number", deposit + "&cash_a_no=&cash_no=456", receipt, "456"},
		{"no receipt", deposit + "&cash_a_no=&cash_no=", receipt, "none"},
		{"marked as a mock", with("op_cd=50", "op_cd=18&ipgm_stat=STIY"), test, true},
		{"op_cd 18 alone is no mark", with("op_cd=50", "op_cd=18"), test, false},
		{"STIY alone is no mark", deposit + "&ipgm_stat=STIY", test, false},
		{"a test site is no mark", deposit, test, false},
		{"a refund's bank is not the account's", with("TX00", "TX01") + "&bank_code=BK04", bank, payment.Bank("")},
		{"a refund's amount", with("TX00", "TX01") + "&refund_mny=700", func(n notice.Notice) any { return n.Amount }, payment.Won(700)},
		{"a refund without one", with("TX00", "TX01"), func(n notice.Notice) any { return n.HasAmount }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.check(decode(t, tt.body))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func at(n notice.Notice) any   { return n.At.Format(time.RFC3339) }
func bank(n notice.Notice) any { return n.Bank }
func test(n notice.Notice) any { return n.Test }

func receipt(n notice.Notice) any {
	if n.CashReceipt == nil {
		return "none"
	}
	return n.CashReceipt.Number
}

// TestUnreadable checks the kind of error, and that no error repeats what may
// be somebody's name or account.
func TestUnreadable(t *testing.T) {
	for _, body := range []string{
		"", "&&", "hello", `{"tno":"20260910123456"}`, "<tno>1</tno>",
		"MID=x&Amt=1000&VbankNum=T1109260001455",
		with("=10000&", "=-10000&"), with("=10000&", "=T1109260001455&"), with("=10000&", "=99999999999999999999&"),
		with("TX00", "TX01") + "&refund_mny=T1109260001455",
		deposit + "&remitter=T1109260001455%00", deposit + "&remitter=T1109260001455%FF",
		deposit + "&account=T1109260001455",
	} {
		n, err := kcp.V2.Decode(request(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", body, n, err)
			continue
		}
		if strings.Contains(err.Error(), "1109260001455") {
			t.Errorf("the error repeats the account: %v", err)
		}
	}
}

// TestTwice: two values for what decides are no notice; elsewhere the first
// counts.
func TestTwice(t *testing.T) {
	for field := range strings.SplitSeq(deposit, "&") {
		name, _, _ := strings.Cut(field, "=")
		if _, err := kcp.V1.Decode(request(deposit + "&" + name + "=13")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s told twice: %v, want fault.Invalid", name, err)
		}
	}
	if n := decode(t, deposit+"&opt01=1&opt01=2"); n.Fields["opt01"] != "1" {
		t.Errorf("opt01 = %q, want the first value", n.Fields["opt01"])
	}
}

// TestVerify: KCP has no proof, whatever the channel knows.
func TestVerify(t *testing.T) {
	req := request(deposit)
	for _, c := range []merchant.Credentials{nil, {"site_key": "k"}} {
		if err := kcp.V1.Verify(req, decode(t, deposit), merchant.Channel{Credentials: c}, payment.Payment{}); err != nil {
			t.Errorf("Verify with %d credentials: %v", len(c), err)
		}
	}
}

func TestAck(t *testing.T) {
	for _, p := range []provider.Provider{kcp.V1, kcp.V2} {
		want := provider.Reply{
			Status: 200, ContentType: "text/html",
			Body: []byte(`<html><body><form><input type="hidden" name="result" value="0000"></form></body></html>`),
		}
		if d := cmp.Diff(want, p.Ack(request(deposit), provider.Received)); d != "" {
			t.Errorf("received (-want +got):\n%s", d)
		}
		want = provider.Reply{
			Status: 400, ContentType: "text/html",
			Body: []byte(`<html><body><form><input type="hidden" name="result" value="9999"></form></body></html>`),
		}
		if d := cmp.Diff(want, p.Ack(request(deposit), provider.Refused)); d != "" {
			t.Errorf("refused (-want +got):\n%s", d)
		}
	}
}

func TestInfo(t *testing.T) {
	one, two := kcp.V1.Info(), kcp.V2.Info()
	// Whatever the keys: what KCP would answer of a virtual account is not known.
	key := merchant.Credentials{"site_key": "k", "site_cert": "c", "private_key": "p", "private_key_password": "w"}
	if one.Inquires(key) || two.Inquires(key) {
		t.Error("a channel may inquire, for which there is no call")
	}
	for addr, live := range map[string]bool{"103.215.144.174": true, "210.122.176.144": false, "203.238.36.58": false} {
		if got := provider.Admits(one.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	if d := cmp.Diff([]string{"/kcp_payments/notice_vbank", "/kcp-v2"}, append(one.Paths, two.Paths...)); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		one, two := kcp.V1.Guide(lang), kcp.V2.Guide(lang)
		for _, g := range []string{one, two} {
			if !strings.Contains(g, "{{.NoticeURL}}") || strings.Count(g, "{{") != 1 || !strings.Contains(g, "UTF-8") {
				t.Errorf("guide %q lacks the URL or the charset:\n%s", lang, g)
			}
		}
		if one == two {
			t.Errorf("guide %q names the same input for both modules", lang)
		}
	}
	if kcp.V1.Guide("en") == kcp.V1.Guide("ko") {
		t.Error("the English guide is the Korean one")
	}
}

// TestCharset: one name that is not UTF-8 makes all of the form EUC-KR.
func TestCharset(t *testing.T) {
	fields := []wire.Field{
		{Name: "tno", Value: "1"},
		{Name: "tx_cd", Value: "TX00"}, {Name: "ipgm_name", Value: "홍길동"}, {Name: "remitter", Value: "똠방각하"},
	}
	for _, c := range []wire.Charset{wire.UTF8, wire.EUCKR} {
		n := decode(t, string(wire.EncodeForm(fields, c)))
		if n.Depositor != "똠방각하" || n.Fields["ipgm_name"] != "홍길동" || (n.Form == "euc-kr") != (c == wire.EUCKR) {
			t.Errorf("%s: %+v", c, n)
		}
	}
	mixed := append(wire.EncodeForm(fields[:3], wire.UTF8), "&remitter=%8C%63%B9%E6"...)
	if n, err := kcp.V1.Decode(request(string(mixed))); err == nil && n.Form != "euc-kr" {
		t.Errorf("a form of two charsets is read as %+v", n)
	}
}
