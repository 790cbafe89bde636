package kcp_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

func TestAcked(t *testing.T) {
	tests := []struct {
		body   string
		status int
		want   bool
	}{
		{`<input type="hidden" name="result" value="0000">`, 200, true},
		{`<form><INPUT value='0000' NAME=result type=hidden /></form>`, 200, true},
		{"<input\n name = \"result\"\n value = 0000>", 200, true},
		{`<input name="x" value="1 > 0"><input name="result" value="0000"/>`, 200, true},
		{`<input name="result" value="0000">`, 201, false},
		{`<input name="result" value="0000">`, 500, false},
		{`<input name="result" value="9999">`, 200, false},
		{`<input name="result">`, 200, false},
		{`<input name="results" value="0000">`, 200, false},
		{`<input name="x" value="result"><input value="0000">`, 200, false},
		{`<output name="result" value="0000">`, 200, false},
		{`name="result" value="0000"`, 200, false},
		{"0000", 200, false},
		{"OK", 200, false},
		{"", 200, false},
	}
	for _, tt := range tests {
		if got := kcp.V1.Acked(provider.Reply{Status: tt.status, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("Acked(%d %s) = %t, want %t", tt.status, tt.body, got, tt.want)
		}
	}
}

func TestEncodeBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Merchant, n.PGTx, n.Test = "T0000", "20260801123015", true
	const head = "site_cd=T0000&tno=20260801123015&order_no=order-1001&tx_cd=TX00&tx_tm=20260801123015&ipgm_name="
	const tail = "&ipgm_mnyx=10000&totl_mnyx=10000&ipgm_time=20260801123015&bank_code=BK88" +
		"&account=56211992494252&noti_id=20260801123015000001&op_cd=18&ipgm_stat=STIY"
	for form, name := range map[string]string{
		"":       "%EB%98%A0%EB%B0%A9%EA%B0%81%ED%95%98",
		"euc-kr": "%8Cc%B9%E6%B0%A2%C7%CF",
		"EUC-KR": "%8Cc%B9%E6%B0%A2%C7%CF",
	} {
		n.Form = form
		r := kcp.V2.Encode(n, nil)
		if want := head + name + "&remitter=" + name + tail; string(r.Body) != want {
			t.Errorf("form %q:\n%s\nwant\n%s", form, r.Body, want)
		}
		if r.Method != http.MethodPost || r.Path != "/kcp-v2" || r.ContentType() != "application/x-www-form-urlencoded" {
			t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
		}
	}
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, e := range kcp.V1.Info().Events {
		n := notice.Notice{Report: payment.Report{Event: e}}
		a, b := kcp.V1.Encode(n, nil), kcp.V1.Encode(n, nil)
		if string(a.Body) != string(b.Body) {
			t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Body, b.Body)
		}
		got := decode(t, string(a.Body))
		if got.Event != e || got.Merchant == "" || got.Order == "" || len(got.PGTx) != 14 || got.At.IsZero() {
			t.Errorf("%s decodes as %+v", e, got)
		}
		if e == payment.EventDeposited && (got.Account == "" || !got.HasAmount || got.Depositor == "" || len(got.Deposit) != 20) {
			t.Errorf("a plain deposit decodes as %+v", got)
		}
	}
}

func TestEncodeKind(t *testing.T) {
	tests := []struct {
		event payment.Event
		kind  string
		want  string
	}{
		{payment.EventDeposited, "TX00", "TX00"},
		{payment.EventReversed, "TX00", "TX00"},
		{payment.EventReversed, "", "TX00"},
		{payment.EventRefunded, "", "TX01"},
		{payment.EventCancelled, "", "TX07"},
		{payment.EventCancelled, "TX05", "TX05"},
		{payment.EventCancelled, "TX06", "TX06"},
		{payment.EventCancelled, "TX00", "TX07"},
		{payment.EventOther, "TX02", "TX02"},
		{payment.EventOther, "TX04", "TX04"},
		{payment.EventOther, "TX99", "TX99"},
		{payment.EventOther, "TX00", "TX03"},
		{payment.EventOther, "", "TX03"},
	}
	for _, tt := range tests {
		n := providertest.Sample(tt.event)
		n.Kind = tt.kind
		got := decode(t, string(kcp.V1.Encode(n, nil).Body))
		if got.Event != tt.event || got.Kind != tt.want {
			t.Errorf("%s of kind %q comes back as %s of kind %q, want %q", tt.event, tt.kind, got.Event, got.Kind, tt.want)
		}
	}
}

// TestEncodeReversal: a deposit and its reversal are of the same money.
func TestEncodeReversal(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Deposit = ""
	in := decode(t, string(kcp.V1.Encode(n, nil).Body))
	n.Event, n.Deposit, n.At = payment.EventReversed, in.Deposit, n.At.Add(time.Hour)
	n.Fields = map[string]string{"op_cd": "50"}
	out := decode(t, string(kcp.V1.Encode(n, nil).Body))
	if out.Event != payment.EventReversed || out.Deposit != in.Deposit || out.PGTx != in.PGTx || out.Key == in.Key {
		t.Errorf("reversal %+v\nof deposit %+v", out, in)
	}
	n.Event, n.Fields["op_cd"] = payment.EventDeposited, "13"
	if got := decode(t, string(kcp.V1.Encode(n, nil).Body)); got.Event != payment.EventDeposited {
		t.Errorf("a deposit with a reversal's op_cd comes back as %s", got.Event)
	}
}

// TestSamplesComeBack encodes what the samples say: everything KCP documents
// must come back, in the sample's charset.
func TestSamplesComeBack(t *testing.T) {
	for _, name := range []string{
		"deposit_resent", "reversal", "deposit_utf8", "deposit_euckr", "deposit_mock", "refund",
		"escrow_refused", "escrow_delivery", "escrow_held", "escrow_cancelled", "account_closed", "unknown_kind",
	} {
		t.Run(name, func(t *testing.T) {
			n := sample(t, name)
			again := decode(t, string(kcp.V1.Encode(n, nil).Body))
			for _, made := range []string{"tx_tm", "ipgm_name", "totl_mnyx"} {
				if _, ok := n.Fields[made]; !ok {
					delete(again.Fields, made)
				}
			}
			if n.Kind == "TX00" && n.Depositor == "" { // published samples leave these out
				again.Depositor, again.Bank, again.BankCode = "", "", ""
			}
			n.Charset, again.Charset = "", "" // names that were made up are Korean
			if d := cmp.Diff(n, again); d != "" {
				t.Errorf("(-decoded +again):\n%s", d)
			}
		})
	}
}

func sample(t *testing.T, name string) notice.Notice {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == "request" {
			return decode(t, strings.TrimSuffix(string(f.Data), "\n"))
		}
	}
	t.Fatalf("%s has no plain request", name)
	return notice.Notice{}
}

func TestBankCodes(t *testing.T) {
	for _, b := range payment.Banks() {
		n := providertest.Sample(payment.EventDeposited)
		n.Bank = b.Bank
		got := decode(t, string(kcp.V1.Encode(n, nil).Body))
		if b.Code != "" && got.Bank != b.Bank {
			t.Errorf("%s is sent as %q and read as %q", b.Bank, got.BankCode, got.Bank)
		}
		if b.Code == "" && got.Bank != "" {
			t.Errorf("%s, which has no code, is read as %q", b.Bank, got.Bank)
		}
	}
}
