package daou_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/daou"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// escape writes text as it stands in a query.
func escape(t *testing.T, s string) string {
	t.Helper()
	b, err := wire.ToEUCKR(s)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}

func TestAcked(t *testing.T) {
	tests := []struct {
		body   string
		status int
		want   bool
	}{
		{"<html><body><RESULT>SUCCESS</RESULT></body></html>", 200, true},
		{"<RESULT>SUCCESS</RESULT>", 200, true},
		{"\r\n<!-- page -->\r\n<html><body><RESULT>SUCCESS</RESULT></body></html>\r\n", 200, true},
		{"<html><body><RESULT>SUCCESS</RESULT></body></html>", 400, false},
		{"<html><body><RESULT>SUCCESS</RESULT></body></html>", 201, false},
		{"<html><body><RESULT>FAIL</RESULT></body></html>", 200, false},
		{"<html><body>SUCCESS</body></html>", 200, false},
		{"SUCCESS", 200, false},
		{"OK", 200, false},
		{"", 200, false},
	}
	for _, tt := range tests {
		if got := daou.Module.Acked(provider.Reply{Status: tt.status, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("Acked(%d %s) = %t, want %t", tt.status, tt.body, got, tt.want)
		}
	}
}

// TestSamplesComeBack: what is decoded from a sample is encoded to its very
// bytes. The captured one is cut off where the reserved fields begin.
func TestSamplesComeBack(t *testing.T) {
	const card = "PAYMETHOD=CARD&CPID=CMN12889&DAOUTRX=CTS14101418493499255&ORDERNO=DK142876774022&AMOUNT=2722" +
		"&SETTDATE=20141014185002&EMAIL=123%40webpro%2Ekr&USERID=webpro&USERNAME=%C0%A5%C7%C1%B7%CE&PRODUCTCODE=59" +
		"&PRODUCTNAME=Face%2DLifting%20Care%20Pack&CARDCODE=CCBC&CARDNAME=BC%C4%AB%B5%E5"
	const cutOff = "&RESERVEDINDEX1=&RESERVEDINDEX2=&RESERVEDSTRING="
	for path, list := range map[string][]string{
		"/daou_payments/notice_vbank": {deposit, card + cutOff, change(deposit, "hong", "a%20%2B%5Fb") + "&NEW=1&OLD=2"},
		"/daou_payments/result":       {issue, change(issue, "VACCOUNTISSUE", "VACCOUNT"), change(issue, "BANKCODE=04", "BANKCODE=88")},
	} {
		for _, want := range list {
			n := decode(t, want)
			if strings.Contains(want, "123%40webpro") {
				n.Fields["EMAIL"] = "123@webpro.kr" // Decode withholds it
			}
			r := daou.Module.Encode(n, nil)
			if r.Query != want {
				t.Errorf("encoded again:\n%s\nwant\n%s", r.Query, want)
			}
			if r.Method != http.MethodGet || r.Path != path || r.ContentType() != "" || len(r.Body) != 0 {
				t.Errorf("request line %s %s, type %q, body %q", r.Method, r.Path, r.ContentType(), r.Body)
			}
		}
	}
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range daou.Module.Info().Events {
		n := notice.Notice{Report: payment.Report{Event: e}}
		a, b := daou.Module.Encode(n, nil), daou.Module.Encode(n, nil)
		if a.Query != b.Query {
			t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Query, b.Query)
		}
		got := decode(t, a.Query)
		if got.Event != e || got.Merchant == "" || got.Order == "" || len(got.PGTx) != 20 || !got.HasAmount {
			t.Errorf("%s decodes as %+v", e, got)
		}
		seen[got.PGTx] = true
		switch e {
		case payment.EventIssued:
			if len(got.Account.Reveal()) != 14 || got.Bank != "KOOKMIN" || got.Holder == "" || !got.ExpiresAt.After(time.Date(2026, 1, 5, 0, 0, 0, 0, wire.Seoul)) {
				t.Errorf("a plain issue decodes as %+v", got)
			}
		case payment.EventDeposited:
			if got.Depositor == "" || got.At.IsZero() || got.Deposit == "" {
				t.Errorf("a plain deposit decodes as %+v", got)
			}
		default:
		}
	}
	if len(seen) != 1 {
		t.Errorf("one order has the transactions %v", seen)
	}
}

func TestEncodeKind(t *testing.T) {
	tests := []struct {
		event      payment.Event
		kind, want string
	}{
		{payment.EventDeposited, "", "VACCOUNT"},
		{payment.EventDeposited, "VACCOUNTISSUE", "VACCOUNT"},
		{payment.EventIssued, "", "VACCOUNTISSUE"},
		{payment.EventIssued, "VACCOUNT", "VACCOUNT"},
		{payment.EventCancelled, "", "VACCOUNTCANCEL"},
		{payment.EventCancelled, "CARD_CANCEL", "VACCOUNTCANCEL"},
		{payment.EventApproved, "", "CARD"},
		{payment.EventApproved, "BANK", "BANK"},
		{payment.EventApproved, "MOBILE", "MOBILE"},
		{payment.EventOther, "", "CARD_CANCEL"},
		{payment.EventOther, "BANK_CANCEL", "BANK_CANCEL"},
		{payment.EventOther, "VACCOUNT_CANCEL", "VACCOUNT_CANCEL"},
		{payment.EventOther, "CULTURE", "CULTURE"},
		{payment.EventOther, "VACCOUNT", "CARD_CANCEL"},
		{payment.EventOther, "CARD", "CARD_CANCEL"},
	}
	for _, tt := range tests {
		n := providertest.Sample(tt.event)
		n.Kind = tt.kind
		got := decode(t, daou.Module.Encode(n, nil).Query)
		if got.Event != tt.event || got.Kind != tt.want {
			t.Errorf("%s of kind %q comes back as %s of kind %q, want %q", tt.event, tt.kind, got.Event, got.Kind, tt.want)
		}
	}
}

// TestEncodeDeposit: a Deposit as it is decoded names transaction and time.
func TestEncodeDeposit(t *testing.T) {
	n := notice.Notice{Report: payment.Report{Event: payment.EventDeposited, Deposit: "CTS26010510153000001/20260105113000"}}
	got := decode(t, daou.Module.Encode(n, nil).Query)
	if got.Deposit != n.Deposit || got.PGTx != "CTS26010510153000001" {
		t.Errorf("deposit = %q of %q, want %q", got.Deposit, got.PGTx, n.Deposit)
	}
	n.At, n.PGTx = time.Date(2026, 1, 5, 2, 31, 0, 0, time.UTC), "T2"
	if got := decode(t, daou.Module.Encode(n, nil).Query); got.Deposit != "T2/20260105113100" || !got.At.Equal(n.At) {
		t.Errorf("deposit = %q at %v, want what PGTx and At say", got.Deposit, got.At)
	}
	n.Fields = map[string]string{"USERNAME": "구매자", "ORDERNO": "x", "AMOUNT": "1", "SETTDATE": "2"}
	n.Order, n.Depositor, n.Amount, n.HasAmount = "o-1", "입금자", payment.Won(500), true
	got = decode(t, daou.Module.Encode(n, nil).Query)
	if got.Order != "o-1" || got.Depositor != "입금자" || got.Amount != n.Amount || !got.At.Equal(n.At) {
		t.Errorf("the notice's fields override the notice: %+v", got)
	}
}

func TestEncodeBanks(t *testing.T) {
	for _, b := range payment.Banks() {
		n := providertest.Sample(payment.EventIssued)
		n.Bank, n.BankName = b.Bank, "국민은행"
		got := decode(t, daou.Module.Encode(n, nil).Query)
		if got.Bank != b.Bank || got.BankCode != strings.TrimPrefix(b.Code, "0") {
			t.Errorf("%s is sent as %q %q and read as %q", b.Bank, got.BankCode, got.BankName, got.Bank)
		}
	}
}

// TestRandomNotices sends random notices in every kind, by GET and by POST:
// what the wire carries must come back.
func TestRandomNotices(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 14))
	kinds := map[payment.Event][]string{
		payment.EventDeposited: {"", "vaccount"}, payment.EventIssued: {"", "VACCOUNT"}, payment.EventCancelled: {""},
		payment.EventApproved: {"", "BANK", "MOBILE"}, payment.EventOther: {"", "BANK_CANCEL", "VACCOUNT_CANCEL", "NEWKIND"},
	}
	for range 300 {
		for event, list := range kinds {
			n := random(rnd, event)
			n.Kind = list[rnd.IntN(len(list))]
			r := daou.Module.Encode(n, nil)
			post := notice.Request{Method: http.MethodPost, Path: r.Path, Body: []byte(r.Query)}
			for _, r := range []notice.Request{r, post} {
				got, err := daou.Module.Decode(r)
				if err != nil {
					t.Fatalf("%s: %v", r.Query, err)
				}
				checkSame(t, n, got)
			}
			if t.Failed() {
				t.Fatalf("by %s", r.Query)
			}
		}
	}
}

func checkSame(t *testing.T, want, got notice.Notice) {
	t.Helper()
	if got.Event != want.Event || got.Order != want.Order || got.Amount != want.Amount || got.PGTx != want.PGTx || got.Merchant != want.Merchant {
		t.Errorf("Decode = %+v, want %+v", got, want)
	}
	switch want.Event {
	case payment.EventIssued:
		if got.Account != want.Account || got.Bank != want.Bank || got.Holder != want.Holder || !got.ExpiresAt.Equal(want.ExpiresAt) {
			t.Errorf("account of %+v, want that of %+v", got, want)
		}
	case payment.EventDeposited:
		if got.Depositor != want.Depositor {
			t.Errorf("depositor = %q, want %q", got.Depositor, want.Depositor)
		}
		fallthrough
	default:
		if !got.At.Equal(want.At) {
			t.Errorf("at = %v, want %v", got.At, want.At)
		}
	}
}

func random(rnd *rand.Rand, e payment.Event) notice.Notice {
	text := func(letters string, least, most int) string {
		runes := []rune(letters)
		out := make([]rune, least+rnd.IntN(most-least+1))
		for i := range out {
			out[i] = runes[rnd.IntN(len(runes))]
		}
		return string(out)
	}
	const (
		word     = "ABCXYZabcxyz0123456789_-"
		hangul   = "가각힣홍길동똠방하뷁쀍김이박최"
		anything = hangul + " &=%+|<>\"'A1"
	)
	second := time.Date(2020, 1, 1, 0, 0, 0, 0, wire.Seoul).Unix() + rnd.Int64N(16*365*24*60*60)
	banks := payment.Banks()
	n := notice.Notice{Merchant: text(word, 1, 20), Order: text(word, 1, 50)}
	n.Event, n.At, n.PGTx = e, time.Unix(second, 0), text(word, 1, 20)
	n.Amount, n.HasAmount = payment.Won(1+rnd.Int64N(99_999_999)), true
	n.Account, n.Bank = secret.Account(text("0123456789", 10, 16)), banks[rnd.IntN(len(banks))].Bank
	n.Depositor, n.Holder = text(hangul, 1, 5), text(hangul, 1, 5)
	n.ExpiresAt = n.At.Add(time.Duration(rnd.IntN(1000)) * time.Minute)
	n.Fields = map[string]string{"PRODUCTNAME": text(anything, 0, 20), "RESERVEDSTRING": text(anything, 0, 100)}
	return n
}
