package kpn_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kpn"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

func TestAcked(t *testing.T) {
	tests := []struct {
		body   string
		status int
		want   bool
	}{
		{"ACK=200OKOK", 200, true},
		{"\r\n\r\nACK=200OKOK \r\n", 200, true},
		{"ACK=200OKOK", 201, false},
		{"ACK=200OKOK", 500, false},
		{"ACK=400FAIL", 200, false},
		{"ACK=200OK", 200, false},
		{"ack=200okok", 200, false},
		{"ACK=400FAILACK=200OKOK", 200, false},
		{"OK", 200, false},
		{"", 200, false},
	}
	for _, tt := range tests {
		if got := kpn.Module.Acked(provider.Reply{Status: tt.status, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("Acked(%d %q) = %t, want %t", tt.status, tt.body, got, tt.want)
		}
	}
}

func TestEncodeBytes(t *testing.T) {
	n := notice.Notice{
		Report: payment.Report{
			Event: payment.EventDeposited, Amount: payment.Won(15000), HasAmount: true,
			PGTx: "106709",
		},
		Fields: map[string]string{"MxIssueDate": "20260105101530"},
		Order:  "KPN20260105000001", Merchant: "testcorp",
	}
	for form, want := range map[string]string{
		"": deposit,
		"euc-kr": "Amount=15000&ReplyCode=00003000&ReplyMessage=%C1%A4%BB%F3%C3%B3%B8%AE&MxIssueNO=KPN20260105000001" +
			"&MxIssueDate=20260105101530&MxHASH256=" + hash,
		"dbpath": oldDeposit,
	} {
		n.Form = form
		r := kpn.Module.Encode(n, nil)
		if string(r.Body) != want {
			t.Errorf("form %q:\n%s\nwant\n%s", form, r.Body, want)
		}
		if r.Method != http.MethodPost || r.Path != "/kpn/virtual-account" || r.ContentType() != "application/x-www-form-urlencoded" {
			t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
		}
	}
}

// TestSamplesComeBack: what KPN's published bytes mean is written as the same
// bytes again.
func TestSamplesComeBack(t *testing.T) {
	for _, body := range []string{deposit, receipt, oldDeposit, with("00003000", "00003100"), with("00003000&ReplyMessage=OK", "00004000&ReplyMessage=x")} {
		if again := string(kpn.Module.Encode(decode(t, body), keys.Credentials).Body); again != body {
			t.Errorf("comes back as\n%s\nwant\n%s", again, body)
		}
	}
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, form := range []string{"", "euc-kr", "dbpath"} {
		for _, e := range kpn.Module.Info().Events {
			n := notice.Notice{Report: payment.Report{Event: e}, Form: form}
			a, b := kpn.Module.Encode(n, nil), kpn.Module.Encode(n, nil)
			if string(a.Body) != string(b.Body) {
				t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Body, b.Body)
			}
			got := decode(t, string(a.Body))
			if got.Event != e || got.Form != form || len(got.Order) != 17 || len(got.Fields["MxIssueDate"]) != 14 || !got.HasAmount {
				t.Errorf("%s decodes as %+v", e, got)
			}
		}
	}
}

func TestEncodeKind(t *testing.T) {
	tests := []struct {
		event       payment.Event
		kind, smode string
		want        string
		wantSmode   string
	}{
		{payment.EventDeposited, "00003000", "", "00003000", "2601"},
		{payment.EventDeposited, "00004000", "", "00003000", "2601"},
		{payment.EventDeposited, "", "0001", "00003000", "2601"},
		{payment.EventReversed, "", "", "00003100", "2601"},
		{payment.EventIssued, "", "", "00004000", "2601"},
		{payment.EventOther, "", "", "00009999", "2601"},
		{payment.EventOther, "00001234", "", "00001234", "2601"},
		{payment.EventOther, "00003000", "", "00009999", "2601"},
		{payment.EventOther, "00003000", "0001", "00003000", "0001"},
		{payment.EventExpired, "", "", "00009999", "2601"},
	}
	for _, tt := range tests {
		for _, form := range []string{"", "dbpath"} {
			n := providertest.Sample(tt.event)
			n.Kind, n.Form = tt.kind, form
			if tt.smode != "" {
				n.Fields = map[string]string{"Smode": tt.smode}
			}
			got := decode(t, string(kpn.Module.Encode(n, nil).Body))
			told := form != "" || tt.smode != ""
			if got.Kind != tt.want || told && got.Fields["Smode"] != tt.wantSmode {
				t.Errorf("%s, kind %q, Smode %q, form %q comes back as %q, Smode %q, want %q, %q",
					tt.event, tt.kind, tt.smode, form, got.Kind, got.Fields["Smode"], tt.want, tt.wantSmode)
			}
			if tt.event != payment.EventExpired && got.Event != tt.event {
				t.Errorf("%s, kind %q comes back as %s", tt.event, tt.kind, got.Event)
			}
		}
	}
}

// TestEncodeReversal: a deposit and its reversal are of the same money, at
// whatever time each is told, and two deposits are not.
func TestEncodeReversal(t *testing.T) {
	for _, form := range []string{"", "euc-kr", "dbpath"} {
		for _, name := range []string{"", "20260801123015000001"} {
			n := providertest.Sample(payment.EventDeposited)
			n.Form, n.Deposit = form, name
			in := decode(t, string(kpn.Module.Encode(n, nil).Body))
			n.Event, n.At = payment.EventReversed, n.At.Add(time.Hour)
			out := decode(t, string(kpn.Module.Encode(n, nil).Body))
			n.Deposit = in.Deposit // as the console knows it
			same := decode(t, string(kpn.Module.Encode(n, nil).Body))
			if in.Deposit == "" || out.Deposit != in.Deposit || same.Deposit != in.Deposit || out.Key == in.Key {
				t.Errorf("form %q: deposit %q, reversals of %q and %q", form, in.Deposit, out.Deposit, same.Deposit)
			}
			n.Fields = map[string]string{"MxIssueDate": "20260105101530"} // another request for the order
			if again := decode(t, string(kpn.Module.Encode(n, nil).Body)); again.Deposit == in.Deposit {
				t.Errorf("form %q: two deposits have one name", form)
			}
		}
	}
}

// TestRandomFields walks what the common round trip leaves out: fields of
// KPN's own, in every form, come back as they were, and so does what is
// decoded once.
func TestRandomFields(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3)) // the same notices on every run
	text := func() string {
		const letters = "0aZ %&=+/-_.~가똠힣"
		runes := []rune(letters)
		out := []rune{'x'}
		for range r.IntN(6) {
			out = append(out, runes[r.IntN(len(runes))])
		}
		return string(append(out, 'x'))
	}
	events, forms := kpn.Module.Info().Events, []string{"", "euc-kr", "dbpath"}
	for range 300 {
		n := providertest.Random(r, events[r.IntN(len(events))])
		n.Form, n.Order = forms[r.IntN(len(forms))], text()
		n.Fields = map[string]string{"ReplyMessage": text() + "글", "MSTR": text(), "BkCode": text()}
		got := decode(t, string(kpn.Module.Encode(n, nil).Body))
		if got.Event != n.Event || got.Form != n.Form || got.Order != n.Order || got.Amount != n.Amount {
			t.Fatalf("%s in form %q of %q, %v comes back as %s in %q of %q, %v",
				n.Event, n.Form, n.Order, n.Amount, got.Event, got.Form, got.Order, got.Amount)
		}
		for name, want := range n.Fields {
			if got.Fields[name] != want {
				t.Fatalf("%s in form %q = %q, want %q", name, n.Form, got.Fields[name], want)
			}
		}
		got.Merchant = "testcorp"
		again := decode(t, string(kpn.Module.Encode(got, nil).Body))
		again.Merchant = "testcorp"
		if d := cmp.Diff(got, again); d != "" {
			t.Fatalf("decoded once and twice (-once +twice):\n%s", d)
		}
	}
}
