package kpn_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kpn"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, kpn.Module) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, kpn.Module) }

// hash is that of deposit, made by hand with the test key.
const hash = "8fa77ad3f49a736862e412dd1397c3e0849a63b5416f829d704c5d7399cc093b"

// deposit has the six fields of KPN's sample receivers, in its order.
const deposit = "Amount=15000&ReplyCode=00003000&ReplyMessage=OK&MxIssueNO=KPN20260105000001" +
	"&MxIssueDate=20260105101530&MxHASH256=" + hash

// receipt is the notice that a receiver of 2008 quotes: a cash receipt in the
// older form.
const receipt = "ReplyCode=00003000&MxIssueDate=20080704135518&MSTR=&MSTR2=&Smode=0001&Amount=1000" +
	"&MxIssueNO=0807040002&TxNO=106708&MxHASH=7063035a3dca1c8eea4a0bdc8c838d2f&ReplyMessage=0000"

func request(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func decode(t *testing.T, body string) notice.Notice {
	t.Helper()
	n, err := kpn.Module.Decode(request(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return n
}

// with replaces a part of the sample.
func with(old, fresh string) string {
	if !strings.Contains(deposit, old) {
		panic(old + " is not in the sample")
	}
	return strings.Replace(deposit, old, fresh, 1)
}

func TestEvents(t *testing.T) {
	tests := []struct {
		code, more string
		event      payment.Event
		listed     bool
		other      bool
	}{
		{"00003000", "", payment.EventDeposited, false, false},
		{"00003100", "", payment.EventReversed, false, false},
		{"00004000", "", payment.EventIssued, false, false},
		{"00009999", "", payment.EventOther, true, false},
		{"3000", "", payment.EventOther, true, false},
		{"", "", payment.EventOther, true, false},
		{"00003000", "&Smode=", payment.EventDeposited, false, false},
		{"00003000", "&Smode=2601", payment.EventDeposited, false, false},
		{"00003100", "&Smode=2601", payment.EventReversed, false, false},
		{"00004000", "&Smode=2601", payment.EventIssued, false, false},
		{"00003000", "&Smode=0001", payment.EventOther, false, true},
		{"00003000", "&Smode=3001", payment.EventOther, false, true},
		{"00003100", "&Smode=2401", payment.EventOther, false, true},
		{"00009999", "&Smode=3001", payment.EventOther, false, true},
		{"00003000", "&Smode=2602", payment.EventOther, true, true},
	}
	for _, tt := range tests {
		n := decode(t, with("=00003000", "="+tt.code)+tt.more)
		if n.Event != tt.event || n.Listed != tt.listed || n.OtherMethod != tt.other || n.Kind != tt.code {
			t.Errorf("code %q%s = %s (listed %t, other method %t), want %s (%t, %t)",
				tt.code, tt.more, n.Event, n.Listed, n.OtherMethod, tt.event, tt.listed, tt.other)
		}
		moves := tt.event == payment.EventDeposited || tt.event == payment.EventReversed
		if moves != (n.Deposit != "") {
			t.Errorf("code %q%s has deposit %q", tt.code, tt.more, n.Deposit)
		}
	}
}

func TestKeyAndDeposit(t *testing.T) {
	noDate, unsigned := with("&MxIssueDate=20260105101530", ""), with("&MxHASH256="+hash, "")
	tests := []struct {
		name        string
		a, b        string
		sameKey     bool
		sameDeposit bool
	}{
		{"a resend", deposit, deposit, true, true},
		{"a resend with other words", deposit, with("ReplyMessage=OK", "ReplyMessage=again"), true, true},
		{"the older form of the same", deposit, with("MxHASH256="+hash, "Smode=2601&MxHASH="+oldHash), true, false},
		{"the same without a hash", deposit, with("&MxHASH256="+hash, ""), true, false},
		{"another request for the order", deposit, with(hash, oldHash+oldHash), true, false},
		{"the reversal", deposit, with("00003000", "00003100"), false, true},
		{"another order", deposit, with("000001", "000002"), false, false},
		{"the hash again, at another time", deposit, with("101530", "101531"), false, true},
		{"the order again, at another time", unsigned, strings.Replace(unsigned, "101530", "101531", 1), false, false},
		{"no hash, in another form", unsigned, unsigned + "&MxHASH=00", true, true},
		{"a separator in a value", with("NO=KPN", "NO=a/KPN"), with("Date=2026", "Date=KPN/2026"), false, false},
		{"another amount is the same message", deposit, with("15000", "15001"), true, true},
		{"a cash receipt of the order", deposit, deposit + "&Smode=0001", false, false},
		{"two cash receipts of one order", deposit + "&Smode=0001&TxNO=1", deposit + "&Smode=0001&TxNO=2", false, true},
		{"without a date, told again", noDate, noDate, true, true},
		{"without a date, another amount", noDate, strings.Replace(noDate, "15000", "15001", 1), false, true},
		{"without a date, another transaction", noDate + "&TxNO=1", noDate + "&TxNO=2", false, true},
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
	bare := strings.Replace(noDate, "&MxHASH256="+hash, "", 1) + "&vactno=56211992494252"
	if n := decode(t, bare); n.Deposit != "" || strings.Contains(n.Key, "4252") {
		t.Errorf("without date and hash: deposit %q, key %q", n.Deposit, n.Key)
	}
}

func TestFields(t *testing.T) {
	tests := []struct {
		name  string
		body  string
		check func(notice.Notice) any
		want  any
	}{
		{"no amount", with("Amount=15000&", ""), func(n notice.Notice) any { return n.HasAmount }, false},
		{"an empty amount", with("=15000", "="), func(n notice.Notice) any { return n.HasAmount }, false},
		{"an amount with zeros in front", with("15000", "000000015000"), func(n notice.Notice) any { return n.Amount }, payment.Won(15000)},
		{"no time of the deposit", deposit, func(n notice.Notice) any { return n.At.IsZero() }, true},
		{"the order's time is kept", deposit, field("MxIssueDate"), "20260105101530"},
		{"the message is kept", deposit, field("ReplyMessage"), "OK"},
		{"what KPN might add is kept", deposit + "&bkname=x", field("bkname"), "x"},
		{"an account", deposit + "&vactno=562-119-92494252", func(n notice.Notice) any { return n.Account.Reveal() }, "56211992494252"},
		{"an account is no field", deposit + "&vactno=56211992494252", field("vactno"), ""},
		{"a transaction beside its order", receipt, func(n notice.Notice) any { return n.PGTx + n.Fields["TxNO"] }, "106708"},
		{"a bank's meaning is unknown", deposit + "&BkCode=088", func(n notice.Notice) any { return string(n.Bank) + n.BankCode + n.Fields["BkCode"] }, "088"},
		{"a long order", with("KPN2026", strings.Repeat("K", 200)+"2026"), func(n notice.Notice) any { return len(n.Order) }, 214},
		{"only an order", "MxIssueNO=1", func(n notice.Notice) any { return string(n.Event) + n.Order }, "other1"},
		{"only a transaction", "TxNO=1&MxHASH=", func(n notice.Notice) any { return n.Form + n.PGTx }, "dbpath1"},
		{"the newer form with a transaction", deposit + "&TxNO=1", func(n notice.Notice) any { return n.Form }, ""},
		{"the newer form without its hash", with("&MxHASH256="+hash, ""), func(n notice.Notice) any { return n.Form }, ""},
		{"the short message of an issue is kept", with("00003000", "00004000"), field("ReplyMessage"), "OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.check(decode(t, tt.body))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func field(name string) func(notice.Notice) any {
	return func(n notice.Notice) any { return n.Fields[name] }
}

// TestNothingPrivateShows looks for hashes, keys and accounts in what is shown
// of a notice.
func TestNothingPrivateShows(t *testing.T) {
	const key = "wr7yZ2OayGjj3eDo2XbA1jipf6S45ubp"
	for _, body := range []string{
		deposit, receipt, deposit + "&MxHASH=" + hash, with("MxHASH256", "mxhash256"), deposit + "&MxOTP=" + key + "&mxotp=" + key,
		with("00003000&ReplyMessage=OK", "00004000&ReplyMessage=%EA%B5%AD%EB%AF%BC+562-1199-2494252"),
	} {
		n := decode(t, body)
		shown, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{hash, "7063035a3dca1c8eea4a0bdc8c838d2f", key, "2494252"} {
			if strings.Contains(string(shown), private) {
				t.Errorf("%s shows in %s", private, shown)
			}
		}
		if n.Proof == "" {
			t.Errorf("no proof was read from %s", body)
		}
	}
}

// TestUnreadable checks the kind of error, and that no error repeats what may
// be somebody's name, account or hash.
func TestUnreadable(t *testing.T) {
	for _, body := range []string{
		"", "&&", "hello", `{"MxIssueNO":"1"}`, "<MxIssueNO>1</MxIssueNO>",
		"MID=x&Amt=1000&VbankNum=56211992494252", "TxNO=56211992494252", "mxIssueNo=1&amount=1",
		"MxIssueNO=&MxIssueDate=20260105101530&Amount=56211992494252", "MxHASH256=" + hash,
		with("=15000", "=-15000"), with("=15000", "=1e4"), with("=15000", "=56211992494252x"),
		deposit + "&name=56211992494252%00", deposit + "&name=56211992494252%FF",
		deposit + "&mxhash256=" + hash, deposit + "&MxHASH=1&mxhash=2", deposit + "&MxOTP=1&MxOTP=2",
	} {
		n, err := kpn.Module.Decode(request(body))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", body, n, err)
			continue
		}
		if strings.Contains(err.Error(), "56211992494252") || strings.Contains(err.Error(), hash) {
			t.Errorf("the error repeats the body: %v", err)
		}
		if err := kpn.Module.Verify(request(body), n, keys, payment.Payment{}); err == nil {
			t.Errorf("Verify takes %q", body)
		}
	}
}

// TestTwice: two values for what decides are no notice; elsewhere the first
// counts.
func TestTwice(t *testing.T) {
	for part := range strings.SplitSeq(receipt, "&") {
		name, _, _ := strings.Cut(part, "=")
		_, err := kpn.Module.Decode(request(receipt + "&" + name + "=1"))
		harmless := name == "ReplyMessage" || name == "MSTR" || name == "MSTR2"
		if fault.Is(err, fault.Invalid) == harmless {
			t.Errorf("%s told twice: %v", name, err)
		}
	}
	if n := decode(t, deposit+"&ReplyMessage=2"); n.Fields["ReplyMessage"] != "OK" {
		t.Errorf("ReplyMessage = %q, want the first value", n.Fields["ReplyMessage"])
	}
}

// TestCharset: one notice in either charset is the same notice.
func TestCharset(t *testing.T) {
	fields := []wire.Field{
		{Name: "Amount", Value: "15000"}, {Name: "ReplyCode", Value: "00003000"}, {Name: "ReplyMessage", Value: "똠방각하 입금"},
		{Name: "MxIssueNO", Value: "KPN1"}, {Name: "MxIssueDate", Value: "20260105101530"}, {Name: "MxHASH256", Value: hash},
	}
	a := decode(t, string(wire.EncodeForm(fields, wire.UTF8)))
	b := decode(t, string(wire.EncodeForm(fields, wire.EUCKR)))
	if a.Charset != "UTF-8" || b.Charset != "EUC-KR" || a.Form != "" || b.Form != "euc-kr" || a.Fields["ReplyMessage"] != "똠방각하 입금" {
		t.Errorf("forms %q and %q, message %q", a.Form, b.Form, a.Fields["ReplyMessage"])
	}
	b.Form, b.Charset = "", a.Charset
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("(-UTF-8 +EUC-KR):\n%s", d)
	}
	raw := "MxIssueNO=KPN1&ReplyMessage=\x8cc\xb9\xe6\xb0\xa2\xc7\xcf"
	if n := decode(t, raw); n.Fields["ReplyMessage"] != "똠방각하" {
		t.Errorf("raw CP949 is read as %q", n.Fields["ReplyMessage"])
	}
}

func TestAck(t *testing.T) {
	want := provider.Reply{Status: 200, ContentType: "text/html", Body: []byte("ACK=200OKOK")}
	if d := cmp.Diff(want, kpn.Module.Ack(request(deposit), provider.Received)); d != "" {
		t.Errorf("received (-want +got):\n%s", d)
	}
	want = provider.Reply{Status: 400, ContentType: "text/html", Body: []byte("ACK=400FAIL")}
	if d := cmp.Diff(want, kpn.Module.Ack(request(deposit), provider.Refused)); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
}

func TestInfo(t *testing.T) {
	i := kpn.Module.Info()
	if i.LiveSenders != nil || i.TestSenders != nil {
		t.Error("KPN publishes no senders")
	}
	live := keys
	live.Mode = merchant.Live
	if i.Confirms(live) {
		t.Error("a live channel waits for an inquiry that KPN has not")
	}
	if wait := true; !i.Confirms(merchant.Channel{Mode: merchant.Live, Confirm: &wait}) {
		t.Error("the operator can't hold deposits back")
	}
}

var unended = regexp.MustCompile(`\)\*\*\pL`)

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		g := kpn.Module.Guide(lang)
		for _, want := range []string{provider.NoticeURLMark, "백노티", "MID", "senders", "token", "mx_otp", "pgSecret", "confirm = true"} {
			if !strings.Contains(g, want) {
				t.Errorf("guide %q lacks %q", lang, want)
			}
		}
		// Markdown does not end bold text between a bracket and a letter.
		if unended.MatchString(g) {
			t.Errorf("guide %q shows its asterisks: %q", lang, unended.FindString(g))
		}
		if strings.Count(g, "{{") != strings.Count(g, provider.NoticeURLMark) {
			t.Errorf("guide %q has other placeholders", lang)
		}
	}
	if kpn.Module.Guide("en") == kpn.Module.Guide("ko") {
		t.Error("the English guide is the Korean one")
	}
}

// told decides on notices with those codes in turn, about one payment.
func told(t *testing.T, steps ...step) {
	t.Helper()
	p := payment.Payment{
		ID: "KPN20260105000001", State: payment.Issued, Amount: payment.Won(15000),
		Transactions: []payment.Transaction{{Order: "KPN20260105000001", State: payment.Issued, Account: &payment.Account{Number: "1"}}},
	}
	env := payment.Env{Now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), NewID: func() string { return "id" }}
	for _, step := range steps {
		d := p.Decide(decode(t, with("00003000", step.code)).Report, env)
		if d.Verdict != step.verdict || d.Payment.State != step.state {
			t.Fatalf("%s: %s, %s; want %s, %s", step.code, d.Verdict, d.Payment.State, step.verdict, step.state)
		}
		p = d.Payment
	}
}

type step struct {
	code    string
	verdict payment.Verdict
	state   payment.State
}

// TestReversalFirst: a reversal that comes before its deposit takes it back,
// since both name it alike.
func TestReversalFirst(t *testing.T) {
	told(
		t,
		step{"00004000", payment.Recorded, payment.Issued},
		step{"00003100", payment.Recorded, payment.Issued},
		step{"00003000", payment.Recorded, payment.Issued},
	)
}

// TestDepositAfterReversal: nothing in a notice tells it from a resend of the
// first deposit, so it pays nothing. The guides say what to do.
func TestDepositAfterReversal(t *testing.T) {
	told(
		t,
		step{"00003000", payment.Applied, payment.Paid},
		step{"00003100", payment.Applied, payment.Cancelled},
		step{"00003000", payment.Duplicate, payment.Cancelled},
	)
}
