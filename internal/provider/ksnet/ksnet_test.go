package ksnet_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/ksnet"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestProvider(t *testing.T) { providertest.Run(t, ksnet.Module) }

func FuzzProvider(f *testing.F) { providertest.Fuzz(f, ksnet.Module) }

// published is the published sample of the old form (leafriend/kspay).
const published = "data=VR620212000001KSNETVR++2000001011020030011000012005051918032000000000" +
	"+++++++++++++++++++++++++++++++++++++++++++++01817011660++++01202000000000079670000000000000000000" +
	"%C8%AB%B1%E6%B5%BF++++++++++++++++++00000000079670000000000000000000000000010181764188990++" +
	"20050519180220++++++2999199999++++++++++++++++++++++++++++++++++++++"

// The offsets of the old form, as KSNET's page has them.
const (
	atTx, atBank, atCount, atSeq, atSent, atKind  = 2, 31, 40, 41, 47, 131
	atAmount, atName, atAccount, atDate, atTime   = 135, 167, 230, 246, 254
	atStore, lenTx, lenAmount, lenAccount, lenAll = 266, 12, 13, 16, 314
)

// sample is the published telegram with some of its bytes replaced.
func sample(t *testing.T, patches ...any) []byte {
	t.Helper()
	b := wire.Unescape([]byte(strings.TrimPrefix(published, "data=")))
	if len(b) != lenAll {
		t.Fatalf("the sample has %d bytes", len(b))
	}
	for i := 0; i < len(patches); i += 2 {
		text, err := wire.ToEUCKR(patches[i+1].(string))
		if err != nil {
			t.Fatal(err)
		}
		copy(b[patches[i].(int):], text)
	}
	return b
}

// newer is the telegram of a sample of the new form.
func newer(t *testing.T, name string) []byte {
	t.Helper()
	return wire.Unescape([]byte(strings.TrimPrefix(section(t, name, "request"), "data=")))
}

func section(t *testing.T, name, section string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == section {
			return strings.TrimSuffix(string(f.Data), "\n")
		}
	}
	t.Fatalf("%s has no %s", name, section)
	return ""
}

func post(body string) notice.Request {
	return notice.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

func encoded(telegram []byte) string { return "data=" + url.QueryEscape(string(telegram)) }

func decode(t *testing.T, telegram []byte) notice.Notice {
	t.Helper()
	n, err := ksnet.Module.Decode(post(encoded(telegram)))
	if err != nil {
		t.Fatalf("Decode(%q): %v", telegram, err)
	}
	return n
}

func TestKeyAndDeposit(t *testing.T) {
	tests := []struct {
		name        string
		patches     []any
		sameKey     bool
		sameDeposit bool
	}{
		{"resent", []any{atCount, "2", atSent, "20050519190000"}, true, true},
		{"another sender's bank", []any{atKind + 2, "04"}, true, true},
		{"another number", []any{atSeq, "100002"}, false, false},
		{"another second", []any{atTime, "180221"}, false, false},
		{"another day", []any{atDate, "20050520"}, false, false},
		{"another account", []any{atAccount, "10181764188991"}, false, false},
		{"another merchant", []any{atStore, "2999199990"}, false, true},
		{"the reversal under the deposit's number", []any{atKind, "51"}, false, false},
	}
	first := decode(t, sample(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := decode(t, sample(t, tt.patches...))
			if (n.Key == first.Key) != tt.sameKey {
				t.Errorf("keys %q and %q, want same: %t", n.Key, first.Key, tt.sameKey)
			}
			if (n.Deposit == first.Deposit) != tt.sameDeposit {
				t.Errorf("deposits %q and %q, want same: %t", n.Deposit, first.Deposit, tt.sameDeposit)
			}
			if strings.Contains(n.Key+n.Deposit, "1018176418899") {
				t.Errorf("the account shows in key %q or deposit %q", n.Key, n.Deposit)
			}
		})
	}
}

// TestNameless: where the page's key lacks a part, the rest of the telegram
// tells messages apart, and the money has no name.
func TestNameless(t *testing.T) {
	for what, blank := range map[string][]any{
		"number":  {atSeq, "      "},
		"time":    {atDate, "              "},
		"account": {atAccount, strings.Repeat(" ", lenAccount)},
	} {
		a := decode(t, sample(t, blank...))
		if a.Key == "" || a.Deposit != "" {
			t.Errorf("without %s: key %q, deposit %q", what, a.Key, a.Deposit)
		}
		if b := decode(t, sample(t, append(blank, atCount, "2")...)); b.Key != a.Key {
			t.Errorf("without %s: resent as %q, was %q", what, b.Key, a.Key)
		}
		for other, patch := range map[string][]any{
			"transaction": {atTx, "620212000002"}, "amount": {atAmount, "0000000007968"}, "name": {atName, "홍길순"},
		} {
			if b := decode(t, sample(t, append(blank, patch...)...)); b.Key == a.Key {
				t.Errorf("without %s another %s has the same key %q", what, other, a.Key)
			}
		}
	}
}

// TestReversal: a 51 names no deposit, and finds the one that it takes back by
// account and amount, told before it or after. Two that fit are a person's.
func TestReversal(t *testing.T) {
	env := payment.Env{Now: time.Date(2005, 5, 21, 0, 0, 0, 0, wire.Seoul), NewID: func() string { return "id" }}
	of := func(kind payment.AccountType) payment.Payment {
		return payment.Payment{
			ID: "p", State: payment.Issued, Amount: payment.Won(7967),
			Transactions: []payment.Transaction{{ID: "t", State: payment.Issued, Account: &payment.Account{Number: "10181764188990", Type: kind}}},
		}
	}
	in := decode(t, sample(t)).Report
	second := decode(t, sample(t, atSeq, "100007", atTime, "180230")).Report
	out := decode(t, sample(t, atKind, "51", atSeq, "100009", atDate, "20050520093000")).Report
	tests := []struct {
		name    string
		account payment.AccountType
		told    []payment.Report
		want    []payment.Verdict
		state   payment.State
	}{
		{"after its deposit", payment.Normal, []payment.Report{in, out}, []payment.Verdict{payment.Applied, payment.Applied}, payment.Cancelled},
		{"before its deposit", payment.Normal, []payment.Report{out, in}, []payment.Verdict{payment.Recorded, payment.Recorded}, payment.Issued},
		{"of one of two alike", payment.FixedUnlimited, []payment.Report{in, second, out}, []payment.Verdict{payment.Applied, payment.Applied, payment.Conflict}, payment.Paid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := of(tt.account)
			for i, r := range tt.told {
				d := p.Decide(r, env)
				if d.Verdict != tt.want[i] {
					t.Errorf("report %d is %s (%s), want %s", i+1, d.Verdict, d.Reason, tt.want[i])
				}
				if d.Changed {
					p = d.Payment
				}
			}
			if p.State != tt.state {
				t.Errorf("state = %s, want %s", p.State, tt.state)
			}
		})
	}
}

func TestBank(t *testing.T) {
	tests := []struct {
		old, new string
		want     payment.Bank
	}{
		{"04", "04    ", "KOOKMIN"},
		{"04", "004   ", "KOOKMIN"},
		{"04", "000004", "KOOKMIN"},
		{"04", "   004", "KOOKMIN"},
		{"26", "26    ", "SHINHAN"},
		{"26", "026   ", "SHINHAN"},
		{"88", "088   ", "SHINHAN"},
		{"", "209   ", "YUANTA_SECURITIES"},
		{"00", "000000", ""},
		{"XX", "KB    ", ""},
		{"  ", "      ", ""},
	}
	for _, tt := range tests {
		b := newer(t, "deposit_new")
		copy(b[333:], tt.new)
		if n := decode(t, b); n.Bank != tt.want || n.BankCode != strings.TrimSpace(tt.new) {
			t.Errorf("%q in the new form is %q with code %q, want %q", tt.new, n.Bank, n.BankCode, tt.want)
		}
		if tt.old == "" {
			continue
		}
		if n := decode(t, sample(t, atBank, tt.old)); n.Bank != tt.want {
			t.Errorf("%q in the old form is %q, want %q", tt.old, n.Bank, tt.want)
		}
	}
}

// TestTransport: the method says where the telegram is, and a URL may have
// parameters of its own.
func TestTransport(t *testing.T) {
	want := decode(t, sample(t))
	for name, r := range map[string]notice.Request{
		"a query beside the body":  {Method: http.MethodPost, Query: "data=VR", Body: []byte(published)},
		"a body beside the query":  {Method: http.MethodGet, Query: published, Body: []byte("data=VR")},
		"a POST with a query only": {Method: http.MethodPost, Query: published},
		"parameters before":        {Method: http.MethodGet, Query: "shop=1&" + published},
		"parameters behind":        {Method: http.MethodPost, Body: []byte(published + "&shop=1&shop=2")},
		"an escaped name":          post(strings.Replace(published, "data", "d%61ta", 1)),
		"escapes in lower case":    post(strings.ReplaceAll(published, "%C8%AB", "%c8%ab")),
		"spaces escaped":           post(strings.ReplaceAll(published, "+", "%20")),
		"spaces escaped twice":     post("data=" + url.QueryEscape(strings.ReplaceAll(published[len("data="):], "+", "%20"))),
		"Korean alone twice":       post(strings.NewReplacer("%C8", "%25C8", "%AB", "%25AB", "%B1", "%25B1", "%E6", "%25E6", "%B5", "%25B5", "%BF", "%25BF").Replace(published)),
	} {
		n, err := ksnet.Module.Decode(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, n); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestLooksEscaped: a name that looks like an escape is not decoded again.
func TestLooksEscaped(t *testing.T) {
	if n := decode(t, sample(t, atName, "50%25+A(주)")); n.Depositor != "50%25+A(주)" || n.Account != "10181764188990" {
		t.Errorf("depositor = %q", n.Depositor)
	}
}

// TestUnreadable checks the kind of error and its reason, and that no error
// repeats what may be somebody's name or account.
func TestUnreadable(t *testing.T) {
	files, err := filepath.Glob("testdata/unreadable_*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "request.b64") {
			continue // providertest reads those
		}
		t.Run(name, func(t *testing.T) {
			n, err := ksnet.Module.Decode(post(section(t, name, "request")))
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Decode = %+v, %v; want fault.Invalid", n, err)
			}
			if want := section(t, name, "error"); !strings.Contains(err.Error(), want) {
				t.Errorf("error = %v, want %q in it", err, want)
			}
			if strings.Contains(err.Error(), "188990") || strings.Contains(err.Error(), "홍") {
				t.Errorf("the error repeats the account or the name: %v", err)
			}
		})
	}
	for _, body := range []string{
		"", "&&", "data", "data=", "data=VR", "data=0620", "hello", `{"data":"VR"}`, "<data>VR</data>",
		"DATA=" + published[len("data="):], "data=06A0" + strings.Repeat("0", 620), "data=" + strings.Repeat("VR", 200),
		encoded(sample(t)[:259]), encoded(newer(t, "deposit_new")[:569]), encoded(newer(t, "deposit_new")[1:]),
		encoded(sample(t, atAmount, "-000000007967")), encoded(sample(t, atDate, "20051319")), encoded(sample(t, atTime, "250000")),
	} {
		if n, err := ksnet.Module.Decode(post(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) = %+v, %v; want fault.Invalid", body, n, err)
		}
	}
}

// TestVerify: KSNET has no proof, whatever the channel knows.
func TestVerify(t *testing.T) {
	for _, c := range []merchant.Credentials{nil, {"api_key": "k"}} {
		if err := ksnet.Module.Verify(post(published), decode(t, sample(t)), merchant.Channel{Credentials: c}, payment.Payment{}); err != nil {
			t.Errorf("Verify with %d credentials: %v", len(c), err)
		}
	}
}

func TestAck(t *testing.T) {
	want := provider.Reply{Status: 200, ContentType: "text/html", Body: []byte("result=OK")}
	if d := cmp.Diff(want, ksnet.Module.Ack(post(published), provider.Received)); d != "" {
		t.Errorf("received (-want +got):\n%s", d)
	}
	want = provider.Reply{Status: 400, ContentType: "text/html", Body: []byte("result=false")}
	if d := cmp.Diff(want, ksnet.Module.Ack(post(published), provider.Refused)); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
}

func TestInfo(t *testing.T) {
	i := ksnet.Module.Info()
	if i.Inquires(merchant.Credentials{"api_key": "k"}) || i.Confirms(merchant.Channel{Mode: merchant.Live}) {
		t.Error("KSNET has no inquiry, and deposits would wait for one")
	}
	for addr, live := range map[string]bool{"210.181.28.114": true, "210.181.29.130": true, "210.181.28.116": false, "210.181.28.137": false} {
		if got := provider.Admits(i.LiveSenders, netip.MustParseAddr(addr)); got != live {
			t.Errorf("live notices from %s: %t, want %t", addr, got, live)
		}
	}
	if d := cmp.Diff([]string{"/ksnet_payments/notice_vbank"}, i.Paths); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		g := ksnet.Module.Guide(lang)
		if strings.Count(g, "{{.NoticeURL}}") != 2 || strings.Count(g, "{{") != 2 {
			t.Errorf("guide %q does not show the URL by itself and in the mail:\n%s", lang, g)
		}
		for _, want := range []string{"pgmodule@ksnet.co.kr", "210.181.28.114", "210.181.29.130", "`senders`", "`pgTxId`", "ksta.ksnet.co.kr"} {
			if !strings.Contains(g, want) {
				t.Errorf("guide %q lacks %s", lang, want)
			}
		}
	}
	if ksnet.Module.Guide("en") == ksnet.Module.Guide("ko") {
		t.Error("the English guide is the Korean one")
	}
}
