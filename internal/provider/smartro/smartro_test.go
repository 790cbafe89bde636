package smartro_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/smartro"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestProvider(t *testing.T) { providertest.Run(t, smartro.V2) }
func FuzzProvider(f *testing.F) { providertest.Fuzz(f, smartro.V2) }

const (
	// key is the published key of SMTPAY001m. It holds every sign of base64
	// that means something in a form.
	key = "0/4GFsSd7ERVRGX9WHOzJ96GyeMTwvIaKSWUCKmN3fDklNRGw3CualCFoMPZaS99YiFGOuwtzTkrLo4bR4V+Ow=="
	tid = "SMTPAY001m03012601021530451234"

	// printf '%s' "SMTPAY001m411003012$key"601021530451234, then
	// sha256sum | xxd -r -p | base64, and md5sum | cut -c1-32 | tr -d '\n' | base64.
	sign    = "RthD+GSSb4CvDfdEZ970Irc+V5a8IQ3BlMSti+Khi10="
	oldSign = "MTgzN2ZkMGJjNGNlNjliYzM1NWMzMjhjODcwNzkwMjE="
)

// ids is what every body below begins with.
const ids = "Mid=SMTPAY001m&Tid=" + tid + "&Moid=o-1&"

func request(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := smartro.V2.Decode(request(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return n
}

func TestVerify(t *testing.T) {
	const body = ids + "PayMethod=VBANK&ResultCode=4110&StateCd=0&Amt=1000"
	with := func(sign string) string { return body + "&SignValue=" + url.QueryEscape(sign) }
	has := merchant.Credentials{"merchant_key": key}
	for _, c := range []struct {
		name, body string
		creds      merchant.Credentials
		want       string
	}{
		{"the new module's", with(sign), has, "ok"},
		{"the old module's", with(oldSign), has, "ok"},
		{"without escapes", body + "&SignValue=" + sign, has, "ok"},
		{"under a name in other case", body + "&signvalue=" + url.QueryEscape(sign), has, "ok"},
		{"구통보's names", strings.NewReplacer("Mid", "MID", "Tid", "TID", "Moid", "OID").Replace(with(oldSign)), has, "ok"},
		{"another amount, which is not covered", strings.Replace(with(sign), "1000", "9000", 1), has, "ok"},
		{"another order, which is not covered", strings.Replace(with(sign), "o-1", "o-2", 1), has, "ok"},
		{"another result", strings.Replace(with(sign), "4110", "4100", 1), has, "refused"},
		{"another transaction", strings.Replace(with(sign), "51234", "51235", 1), has, "refused"},
		{"a transaction too short to be signed", strings.Replace(with(sign), tid, tid[:14], 1), has, "refused"},
		{"no transaction", strings.Replace(with(sign), tid, "", 1), has, "refused"},
		{"another case", with(strings.ToLower(sign)), has, "refused"},
		{"nonsense", with("x"), has, "refused"},
		{"another key", with(sign), merchant.Credentials{"merchant_key": secret.Text(key[1:])}, "refused"},
		{"none came", body, has, "unproved"},
		{"an empty one came", with(""), has, "unproved"},
		{"none came, and no key is known", body, nil, "unproved"},
		{"no key is known", with(sign), nil, "unproved"},
		{"the channel's key is empty", with(sign), merchant.Credentials{"merchant_key": ""}, "unproved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := verdict(smartro.V2.Verify(request(c.body), decode(t, c.body), merchant.Channel{Credentials: c.creds}, payment.Payment{}))
			if got != c.want {
				t.Errorf("Verify = %s, want %s", got, c.want)
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
	}
	return err.Error()
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		want         payment.Event
		listed       bool
	}{
		{"a deposit", "PayMethod=VBANK&ResultCode=4110&StateCd=0", payment.EventDeposited, false},
		{"a deposit without a state", "PayMethod=vbank&ResultCode=4110", payment.EventDeposited, false},
		{"a deposit of no method", "ResultCode=4110&VbankNum=1", payment.EventDeposited, false},
		{"a deposit without method or account", "ResultCode=4110", payment.EventOther, true},
		{"a deposit in an unknown state", "PayMethod=VBANK&ResultCode=4110&StateCd=9", payment.EventOther, true},
		{"a deposit cancelled before purchase", "PayMethod=VBANK&ResultCode=4110&StateCd=1", payment.EventCancelled, false},
		{"a deposit cancelled after purchase", "PayMethod=VBANK&ResultCode=4110&StateCd=2", payment.EventCancelled, false},
		{"an account issued", "PayMethod=VBANK&ResultCode=4100&StateCd=0", payment.EventIssued, false},
		{"an issue that was cancelled", "PayMethod=VBANK&ResultCode=4100&StateCd=1", payment.EventCancelled, false},
		{"a cancel", "PayMethod=VBANK&ResultCode=2001&StateCd=0", payment.EventCancelled, false},
		{"a cancel by state", "PayMethod=VBANK&StateCd=2", payment.EventCancelled, false},
		{"a cancel in an unknown state", "PayMethod=VBANK&ResultCode=2001&StateCd=x", payment.EventOther, true},
		{"a refund", "PayMethod=VBANK&ResultCode=2211&StateCd=0", payment.EventRefunded, false},
		{"a refund before purchase", "PayMethod=VBANK&ResultCode=2211&StateCd=1", payment.EventRefunded, false},
		{"a refund after purchase", "PayMethod=VBANK&ResultCode=2211&StateCd=2", payment.EventRefunded, false},
		{"a refund in an unknown state", "PayMethod=VBANK&ResultCode=2211&StateCd=7", payment.EventOther, true},
		{"a refund of no method", "ResultCode=2211", payment.EventRefunded, false},
		{"a refund of an unknown method", "PayMethod=REFUND&ResultCode=2211", payment.EventRefunded, false},
		{"cancelled before", "PayMethod=VBANK&ResultCode=2013&StateCd=1", payment.EventOther, true},
		{"an unknown code", "PayMethod=VBANK&ResultCode=9999&StateCd=0", payment.EventOther, true},
		{"an unknown code in a cancel's state", "PayMethod=VBANK&ResultCode=9999&StateCd=1", payment.EventOther, true},
		{"no code", "PayMethod=VBANK&StateCd=0", payment.EventOther, true},
		{"a card", "PayMethod=CARD&ResultCode=3001&StateCd=0", payment.EventApproved, false},
		{"a transfer", "PayMethod=BANK&ResultCode=4000", payment.EventApproved, false},
		{"a phone", "PayMethod=CELLPHONE&ResultCode=A000&StateCd=0", payment.EventApproved, false},
		{"a wallet's card", "PayMethod=KAKAO&ResultCode=3001&StateCd=0", payment.EventApproved, false},
		{"a card in an unknown state", "PayMethod=CARD&ResultCode=3001&StateCd=5", payment.EventOther, false},
		{"a card cancelled by state", "PayMethod=CARD&ResultCode=3001&StateCd=2", payment.EventCancelled, false},
		{"a card cancelled by code", "PayMethod=CARD&ResultCode=2001&StateCd=0", payment.EventCancelled, false},
		{"a transfer refunded", "PayMethod=BANK&ResultCode=2211&StateCd=0", payment.EventCancelled, false},
		{"a cash receipt", "PayMethod=CASHRCPT&ResultCode=7001&StateCd=0", payment.EventOther, false},
		{"a cash receipt cancelled", "PayMethod=CASHRCPT&ResultCode=2001&StateCd=1", payment.EventOther, false},
		{"a deposit that calls itself a card", "PayMethod=CARD&ResultCode=4110&StateCd=0", payment.EventOther, true},
		{"a deposit of an unknown method", "PayMethod=POINT&ResultCode=4110&VbankNum=1", payment.EventOther, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := decode(t, ids+c.fields)
			if n.Event != c.want || n.Listed != c.listed {
				t.Errorf("event = %s, listed %t; want %s, %t", n.Event, n.Listed, c.want, c.listed)
			}
			if n.HasAmount {
				t.Error("an absent amount is there")
			}
			account := strings.Contains(c.fields, "=VBANK") || strings.Contains(c.fields, "=vbank") ||
				n.Event == payment.EventRefunded || n.Event == payment.EventDeposited
			if n.OtherMethod == account {
				t.Errorf("of another method: %t", n.OtherMethod)
			}
		})
	}
}

// TestKeys has messages of which no two are the same.
func TestKeys(t *testing.T) {
	const form = "PayMethod=VBANK&Mid=m&"
	seen := map[string]string{}
	for _, fields := range []string{
		"Tid=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"Tid=t-1&ResultCode=4110&AuthDate=260802120000&StateCd=0", // a fixed account, paid again
		"Tid=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=1",
		"Tid=t-1&ResultCode=4100&AuthDate=260801120000&StateCd=0",
		"Tid=t-2&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"Tid=a/b&ResultCode=c&AuthDate=d&StateCd=e",
		"Tid=a&ResultCode=b/c&AuthDate=d&StateCd=e",
		"Moid=o-1&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"Moid=o-2&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"OTid=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"VbankNum=1&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"VbankNum=2&ResultCode=4110&AuthDate=260801120000&StateCd=0",
		"VbankNum=2&ResultCode=4110&AuthDate=260801120000&StateCd=0&Amt=1",
		"VbankNum=2&ResultCode=4110&AuthDate=260801120000&StateCd=0&Amt=2",
	} {
		n := decode(t, form+fields)
		if before, ok := seen[n.Key]; ok {
			t.Errorf("key %s is of both\n%s\n%s", n.Key, before, fields)
		}
		seen[n.Key] = fields
		if !strings.HasPrefix(fields, "Tid") && n.Deposit != "" {
			t.Errorf("%s: deposit = %q without any id", fields, n.Deposit)
		}
	}
	for _, again := range []string{ // the first of them, told again
		"PayMethod=VBANK&Mid=m&Tid=t-1&ResultCode=4110&AuthDate=260801120000&StateCd=0&EdiDate=20260801120500",
		"PayMethod=VBANK&MID=m&TID=t-1&ResultCode=4110&AuthDate=260801120000&state_cd=0",
		"PayMethod=VBANK&Mid=m&Tid=t-1&ResultCode=4110&AuthDate=20260801120000&StateCd=0",
	} {
		if n := decode(t, again); seen[n.Key] == "" || n.Deposit != "t-1/260801120000" {
			t.Errorf("a resend has key %q, deposit %q", n.Key, n.Deposit)
		}
	}
}

// TestOriginal: what a notice says of the transaction that came before it.
func TestOriginal(t *testing.T) {
	for _, c := range []struct{ fields, pgTx, pgCancel string }{
		{"ResultCode=2211&Tid=t-2&OTid=t-1", "t-1", "t-2"},
		{"ResultCode=2211&TID=t-2&OTID=t-1", "t-1", "t-2"},
		{"ResultCode=2211&Tid=t-1&OTid=t-1", "t-1", ""},
		{"ResultCode=2211&Tid=t-2", "t-2", ""},
		{"ResultCode=2001&Tid=t-2&OTid=t-1", "t-1", "t-2"},
		{"ResultCode=4110&Tid=t-2&OTid=t-1", "t-1", ""},
		{"ResultCode=4110&OTid=t-1", "t-1", ""},
	} {
		n := decode(t, "PayMethod=VBANK&"+c.fields)
		if n.PGTx != c.pgTx || n.PGCancel != c.pgCancel {
			t.Errorf("%s: transaction %q, cancel %q; want %q, %q", c.fields, n.PGTx, n.PGCancel, c.pgTx, c.pgCancel)
		}
	}
}

// TestSpellings: a field is the same however its name is spelt, and two values
// for one that decides are no notice.
func TestSpellings(t *testing.T) {
	const body = "PAYMETHOD=VBANK&resultcode=4110&"
	for _, fields := range []string{
		"tid=t&mOID=o-1&AMT=7&statecd=0&fncd=088", "TID=t&OID=o-1&amt=7&state_cd=0&fn_cd=088",
		"Tid=t&Moid=o-1&OID=o-1&Amt=7&StateCd=0&state_cd=&FnCd=088", "Tid=t&Moid=&OID=o-1&Amt=7&StateCd=0&FN_CD=088",
	} {
		n := decode(t, body+fields)
		if n.Order != "o-1" || n.Amount != payment.Won(7) || n.Event != payment.EventDeposited || n.Bank != "SHINHAN" || n.PGTx != "t" {
			t.Errorf("%s: %+v", fields, n)
		}
	}
	for _, twice := range []string{
		"PayMethod=VBANK", "Mid=m&MID=n", "Tid=x&TID=y", "Moid=a&OID=b", "StateCd=0&state_cd=1", "Amt=1&AMT=2",
		"Amt=1&Amt=1", "OTid=1&OTid=2", "AuthDate=1&AuthDate=2", "VbankNum=1&VBANKNUM=2", "ResultCode=2001", "SignValue=a&signvalue=b",
	} {
		const own = "PayMethod=CARD&ResultCode=4110&TId=x&"
		decode(t, own)
		if _, err := smartro.V2.Decode(request(own + twice)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s told twice: %v, want fault.Invalid", twice, err)
		}
	}
}

// TestCharset: the same notice in each charset that the admin site offers.
func TestCharset(t *testing.T) {
	fields := []wire.Field{
		{Name: "PayMethod", Value: "VBANK"}, {Name: "ResultCode", Value: "4110"}, {Name: "Tid", Value: tid},
		{Name: "BuyerName", Value: "똠방각하"}, {Name: "VbankName", Value: "신한은행"}, {Name: "한글", Value: "이름"},
	}
	for c, form := range map[wire.Charset]string{wire.UTF8: "", wire.EUCKR: "euc-kr"} {
		n := decode(t, string(wire.EncodeForm(fields, c)))
		if n.BankName != "신한은행" || n.Fields["BuyerName"] != "똠방각하" || n.Fields["한글"] != "이름" || n.Form != form {
			t.Errorf("%s: %+v", c, n)
		}
	}
	mixed := append(wire.EncodeForm(fields[:5], wire.UTF8), "&GoodsName=%BB%F3%C7%B0%FF"...)
	if n, err := smartro.V2.Decode(request(string(mixed))); !fault.Is(err, fault.Invalid) {
		t.Errorf("a form of two charsets is read as %+v (%v)", n, err)
	}
}

// TestSecrets looks for what is not to be seen in all that is shown of a notice.
func TestSecrets(t *testing.T) {
	const good = ids + "PayMethod=VBANK&ResultCode=4110&BuyerAuthNum=8001011234567&rcptccno=8001011234567&PinNo=8001011234567&buyertel=8001011234567&BuyerEmail=8001011234567&SignValue="
	signed := good + url.QueryEscape(sign)
	n := decode(t, signed)
	if !n.Proof.Equal(sign) {
		t.Error("SignValue is not kept as proof")
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(b), fmt.Sprintf("%+v", n)}
	for _, body := range []string{
		signed + "&SignValue=x", signed + "&signvalue=x", good + "&Amt=" + sign, good + "&Amt=8001011234567x",
		signed + "&x=%ff", signed + "%00", "SignValue=" + sign, signed + "&VbankNum=8001011234567&VbankNum=1",
	} {
		_, err := smartro.V2.Decode(request(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%s) = %v, want invalid", body, err)
			continue
		}
		shown = append(shown, err.Error())
	}
	other, err := json.Marshal(decode(t, ids+"PayMethod=CARD&ResultCode=3001&VbankNum=8001011234567"))
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, string(other))
	wrong := smartro.V2.Verify(request(signed), n, merchant.Channel{Credentials: merchant.Credentials{"merchant_key": secret.Text(key[1:])}}, payment.Payment{})
	for _, s := range append(shown, wrong.Error()) {
		if strings.Contains(s, sign[:10]) || strings.Contains(s, key[1:10]) || strings.Contains(s, "8001011234567") {
			t.Errorf("a secret is shown: %s", s)
		}
	}
}

func TestAck(t *testing.T) {
	for outcome, want := range map[provider.Outcome]provider.Reply{
		provider.Received: {Status: 200, ContentType: "text/html", Body: []byte("OK")},
		provider.Refused:  {Status: 400, ContentType: "text/html", Body: []byte("FAIL")},
	} {
		if d := cmp.Diff(want, smartro.V2.Ack(notice.Request{}, outcome)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func TestInfo(t *testing.T) {
	i := smartro.V2.Info()
	for addr, live := range map[string]bool{"211.193.35.216": true, "211.193.35.215": true, "211.193.35.20": false, "211.193.35.11": false} {
		if got := provider.Admits(i.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	if i.ConfirmAlways || i.Inquires(merchant.Credentials{"merchant_key": key}) {
		t.Error("the module claims a proof or an inquiry that it has not")
	}
	i.LiveSenders[0], i.Events[0] = i.LiveSenders[1], "x"
	i.TestMIDs[0].Credentials["merchant_key"] = "x"
	j := smartro.V2.Info()
	if j.Events[0] == "x" || j.LiveSenders[0] == j.LiveSenders[1] || !j.TestMIDs[0].Credentials["merchant_key"].Equal(key) {
		t.Error("a caller can change what Info says")
	}
}

func TestGuide(t *testing.T) {
	ko, en := smartro.V2.Guide("ko"), smartro.V2.Guide("en")
	for _, g := range []string{ko, en} {
		for _, want := range []string{"가맹점정보 → 기본정보", "**가상계좌**", "**환불**", "신통보", "UTF-8", "merchant_key", "211.193.35.216"} {
			if !strings.Contains(g, want) {
				t.Errorf("a guide lacks %q", want)
			}
		}
		if !strings.Contains(g, "{{.NoticeURL}}") || strings.Count(g, "{{") != 1 {
			t.Error("a guide has not the notice URL alone to fill in")
		}
	}
	if ko == en || smartro.V2.Guide("fr") != ko {
		t.Error("the guides' languages are mixed up")
	}
}
