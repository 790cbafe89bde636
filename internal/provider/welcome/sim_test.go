package welcome_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/welcome"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func encode(n notice.Notice) string { return string(welcome.Module.Encode(n, nil).Body) }

// TestSamplesComeBack: the simulator writes the bytes that the samples have.
func TestSamplesComeBack(t *testing.T) {
	for _, name := range []string{"a-deposit", "a-reversal", "b-deposit", "b-deposit-utf8", "b-card"} {
		want := sample(t, name)
		n := decode(t, want)
		if got := encode(n); got != want {
			t.Errorf("%s: Encode(Decode(sample)) =\n%s\nwant\n%s", name, got, want)
		}
	}
	for _, name := range []string{"a-deposit-extra", "b-deposit-receipt", "b-failure", "b-issue"} {
		n := decode(t, sample(t, name))
		again := decode(t, encode(n))
		for _, made := range []string{"dt_inputstd", "P_CSHR_TYPE", "P_NEW"} { // filled in, or not written
			delete(n.Fields, made)
			delete(again.Fields, made)
		}
		n.Merchant, again.Merchant = "", "" // form A does not write it
		if name == "b-failure" {
			again.Bank, again.BankCode, again.BankName = n.Bank, n.BankCode, n.BankName
		}
		if d := cmp.Diff(n, again); d != "" {
			t.Errorf("%s (-decoded +again):\n%s", name, d)
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
		{payment.EventDeposited, "B-utf8", "B-utf8"},
		{payment.EventDeposited, "C", "A"},
		{payment.EventReversed, "", "A"},
		{payment.EventReversed, "B", "A"},
		{payment.EventIssued, "", "B"},
		{payment.EventIssued, "A", "B"},
		{payment.EventIssued, "B-utf8", "B-utf8"},
		{payment.EventFailed, "", "B"},
		{payment.EventApproved, "", "B"},
	} {
		n := providertest.Sample(c.event)
		n.Form = c.form
		r := welcome.Module.Encode(n, nil)
		got := decode(t, string(r.Body))
		if got.Form != c.want || got.Event != c.event {
			t.Errorf("%s as form %q: sent form %s, event %s, want form %s", c.event, c.form, got.Form, got.Event, c.want)
		}
		if r.Method != "POST" || r.Path != "/welcome" || r.ContentType() != "application/x-www-form-urlencoded" {
			t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
		}
	}
}

// TestEncodedBytes: padding, escapes and charset in the simulator's bytes.
func TestEncodedBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Bank, n.Merchant, n.PGTx = "MERITZ_SECURITIES", "welcometst", "StdpayVBNK1"
	for form, wants := range map[string][]string{
		"A": {
			"&cd_bank=000000DE&", "&amt_input=10000&", "&nm_input=%8Cc%B9%E6%B0%A2%C7%CF&", "no_tid=" + n.Deposit + "&no_oid=order-1001&",
			"&tm_trans=123015&", "&type_msg=0200&", "&cl_kor=2&no_req_tid=StdpayVBNK1",
		},
		"B": {
			"P_STATUS=02&P_TID=StdpayVBNK1&P_TYPE=VBANK&P_AUTH_DT=20260801123015&P_MID=welcometst&P_OID=order-1001&P_FN_CD1=DE&",
			"&P_FN_NM=%B8%DE%B8%AE%C3%F7%C1%F5%B1%C7&", "&P_RMESG1=P_VACCT_NO%3D56211992494252%7CP_EXP_DT%3D20260811235959&",
		},
		"B-utf8": {"&P_FN_NM=%EB%A9%94%EB%A6%AC%EC%B8%A0%EC%A6%9D%EA%B6%8C&", "&P_UNAME=%ED%99%8D%EA%B8%B8%EB%8F%99&"},
	} {
		n.Form = form
		body := encode(n)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("form %s lacks %q:\n%s", form, want, body)
			}
		}
	}
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, e := range welcome.Module.Info().Events {
		n := notice.Notice{Report: payment.Report{Event: e}}
		if a, b := encode(n), encode(n); a != b {
			t.Errorf("%s is told in two ways:\n%s\n%s", e, a, b)
		}
		got := decode(t, encode(n))
		if got.Event != e || got.Order == "" || !got.HasAmount || got.At.IsZero() {
			t.Errorf("%s decodes as %+v", e, got)
		}
		if e == payment.EventDeposited && (got.Account == "" || got.Depositor == "" || len(got.Deposit) != 40) {
			t.Errorf("a plain deposit decodes as %+v", got)
		}
	}
}

// TestIssueAndDepositOfOneOrder bear one P_TID in form B, and two keys.
func TestIssueAndDepositOfOneOrder(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Form = "B"
	issue := n
	issue.Event, issue.At = payment.EventIssued, n.At.Add(-time.Hour)
	a, b := decode(t, encode(issue)), decode(t, encode(n))
	if a.PGTx != b.PGTx || a.Key == b.Key {
		t.Errorf("issue and deposit have P_TID %q and %q, keys %q and %q", a.PGTx, b.PGTx, a.Key, b.Key)
	}
}

func TestEncodeTestTool(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	if decode(t, encode(n)).Test {
		t.Error("an ordinary notice bears the test tool's mark")
	}
	n.Test = true
	if !decode(t, encode(n)).Test {
		t.Error("a test notice does not bear the test tool's mark")
	}
}

// TestRandomNotices: in every form, what the wire carries comes back.
func TestRandomNotices(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	forms := []string{"A", "B", "B-utf8"}
	for i := range 3000 {
		n := randomNotice(r)
		n.Form = forms[i%len(forms)]
		got := decode(t, encode(n))
		want := n
		if got.Form != "A" {
			want.Depositor, want.Deposit = "", "" // form B has neither
		}
		if n.Event == payment.EventReversed {
			want.Deposit = "" // it names none
		}
		if n.Event == payment.EventFailed || n.Event == payment.EventApproved {
			want.Account = "" // there is none
		}
		if n.Event == payment.EventApproved {
			want.Bank = ""
		}
		for what, pair := range map[string][2]any{
			"event": {want.Event, got.Event}, "order": {want.Order, got.Order}, "amount": {want.Amount, got.Amount},
			"account": {want.Account.Reveal(), got.Account.Reveal()}, "bank": {want.Bank, got.Bank},
			"depositor": {want.Depositor, got.Depositor}, "deposit": {want.Deposit, got.Deposit},
			"time": {want.At.Unix(), got.At.Unix()},
		} {
			if pair[0] != pair[1] {
				t.Fatalf("%s in form %s: %s = %v, want %v\n%s", n.Event, n.Form, what, pair[1], pair[0], encode(n))
			}
		}
	}
}

func randomNotice(r *rand.Rand) notice.Notice {
	pick := func(from []rune, n int) string {
		out := make([]rune, n)
		for i := range out {
			out[i] = from[r.IntN(len(from))]
		}
		return string(out)
	}
	var syllables []rune
	for c := '가'; c <= '힣'; c++ {
		syllables = append(syllables, c)
	}
	events, banks := welcome.Module.Info().Events, payment.Banks()
	first := time.Date(2020, 1, 1, 0, 0, 0, 0, wire.Seoul).Unix()
	last := time.Date(2036, 1, 1, 0, 0, 0, 0, wire.Seoul).Unix()
	n := notice.Notice{Order: pick([]rune("abcXYZ0189_-"), 1+r.IntN(20))}
	n.Event = events[r.IntN(len(events))]
	n.Amount, n.HasAmount = payment.Won(1+r.Int64N(99_999_999)), true
	n.Depositor = pick(syllables, 1+r.IntN(5))
	n.Account = secret.Account(pick([]rune("0123456789"), 10+r.IntN(5)))
	for n.Bank == "" || n.Bank.Code() == "" {
		n.Bank = banks[r.IntN(len(banks))].Bank
	}
	n.At = time.Unix(first+r.Int64N(last-first), 0)
	n.Deposit = fmt.Sprintf("ININPGVBNK%030d", r.Uint64())
	return n
}
