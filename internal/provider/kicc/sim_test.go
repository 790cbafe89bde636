package kicc_test

import (
	"fmt"
	"math/rand/v2"
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
	"github.com/tongbo/tongbo/internal/provider/kicc"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestAcked(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   bool
	}{
		{200, "res_cd=0000\x1fres_msg=SUCCESS", true},
		{200, "res_cd=0000^res_msg=SUCCESS", true},
		{200, "res_msg=SUCCESS\x1fres_cd=0000", true},
		{200, "res_cd=0000", true},
		{200, "res_cd=5001\x1fres_msg=FAIL", false},
		{200, "res_cd=0000 res_msg=SUCCESS", false},
		{200, "res_cd=00001", false},
		{200, "xres_cd=0000", false},
		{201, "res_cd=0000\x1fres_msg=SUCCESS", false},
		{500, "res_cd=0000\x1fres_msg=SUCCESS", false},
		{200, `{"resCd":"0000","resMsg":"정상"}`, true},
		{200, "\n{ \"resMsg\": \"Success\", \"resCd\": \"0000\" }\n", true},
		{200, `{"resCd":"5001","resMsg":"처리실패"}`, false},
		{200, `{"resMsg":"resCd=0000"}`, false},
		{200, `{"resCd":"0000"`, false},
		{400, `{"resCd":"0000","resMsg":"정상"}`, false},
		{200, "OK", false},
		{200, "", false},
	} {
		if got := kicc.Module.Acked(provider.Reply{Status: c.status, Body: []byte(c.body)}); got != c.want {
			t.Errorf("Acked(%d %q) = %t, want %t", c.status, c.body, got, c.want)
		}
	}
}

func sampleBody(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == "request" {
			return strings.TrimSuffix(string(f.Data), "\n")
		}
	}
	t.Fatalf("%s has no plain request", name)
	return ""
}

// TestEncodeBytes: what the old form's sample says comes out as the sample's
// own bytes, but for its message of success.
func TestEncodeBytes(t *testing.T) {
	want := sampleBody(t, "form_deposit")
	r := kicc.Module.Encode(decode(t, want), nil)
	want = strings.Replace(want, "res_msg=%C1%A4%BB%F3", "res_msg=%C0%D4%B1%DD%BF%CF%B7%E1", 1)
	if string(r.Body) != want {
		t.Errorf("Encode:\n%s\nwant\n%s", r.Body, want)
	}
	if r.Method != http.MethodPost || r.Path != "/kicc_payments/notice_vbank" || r.ContentType() != "application/x-www-form-urlencoded" {
		t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
	}
}

func TestEncodeJSONBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Form, n.Merchant, n.PGTx, n.Depositor = "json", "T5102001", "26080109200010000001", `<A&B>"`
	r := kicc.Module.Encode(n, nil)
	want := `{"resCd":"0000","resMsg":"입금완료","mallId":"T5102001","notiType":"30","pgCno":"20260801123015000001",` +
		`"shopOrderNo":"order-1001","amount":"10000","transactionDate":"20260801123015","bankCode":"26","bankName":"신한은행",` +
		`"accountNo":"56211992494252","depositName":"<A&B>\"","escrowUsed":"N","payMethodTypeCode":"22",` +
		`"statusCode":"","statusMessage":"","tlfSno":"26080109200010000001","accountType":"V","customerId":"",` +
		`"customerName":"홍길동","depoBkcd":"090","depoBknm":"카카오뱅크"}`
	if d := cmp.Diff(want, string(r.Body)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.ContentType() != "application/json; charset=utf-8" {
		t.Errorf("type %q", r.ContentType())
	}
}

// stories are the events with the kinds and forms in which they may be told.
func stories() []notice.Notice {
	var list []notice.Notice
	add := func(e payment.Event, kind string, form string) {
		list = append(list, notice.Notice{Report: payment.Report{Event: e}, Kind: kind, Form: form})
	}
	for _, e := range kicc.Module.Info().Events {
		add(e, "", "")
		add(e, "", "json")
	}
	for _, form := range []string{"", "json"} {
		add(payment.EventDeposited, "40", form)
		add(payment.EventApproved, "70", form)
	}
	return list
}

// TestRandomNotices encodes and decodes made-up notices of every event, kind
// and form: all that the wire carries must come back.
func TestRandomNotices(t *testing.T) {
	rng := rand.New(rand.NewPCG(20260801, 1))
	banks := payment.Banks()
	for i, story := range stories() {
		for range 150 {
			n := random(rng, story, banks[rng.IntN(len(banks))].Bank)
			r := kicc.Module.Encode(n, nil)
			got, err := kicc.Module.Decode(r)
			if err != nil {
				t.Fatalf("story %d: Decode(Encode(%+v)): %v\n%s", i, n, err, r.Body)
			}
			if problem := differs(n, got); problem != "" {
				t.Fatalf("story %d: %s\nof %+v\nas %+v\n%s", i, problem, n, got, r.Body)
			}
			if again := kicc.Module.Encode(n, nil); string(again.Body) != string(r.Body) {
				t.Fatalf("one notice is told in two ways:\n%s\n%s", r.Body, again.Body)
			}
		}
	}
}

func random(rng *rand.Rand, n notice.Notice, bank payment.Bank) notice.Notice {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	pick := func(from string, least, most int) string {
		b := make([]byte, least+rng.IntN(most-least+1))
		for i := range b {
			b[i] = from[rng.IntN(len(from))]
		}
		return string(b)
	}
	first, last := time.Date(2020, 1, 1, 0, 0, 0, 0, wire.Seoul), time.Date(2036, 1, 1, 0, 0, 0, 0, wire.Seoul)
	n.Order, n.Merchant = pick(letters, 1, 20), "T5102001"
	n.Amount, n.HasAmount = payment.Won(1+rng.Int64N(99_999_999)), true
	n.Account, n.Bank = secret.Account(pick("0123456789", 10, 14)), bank
	for range 1 + rng.IntN(5) {
		n.Depositor += string(rune(0xAC00 + rng.IntN(11172)))
	}
	n.At = first.Add(time.Duration(rng.Int64N(int64(last.Sub(first)/time.Second))) * time.Second)
	n.Deposit = fmt.Sprintf("%020d", rng.Uint64())
	if rng.IntN(2) == 0 {
		n.PGTx = fmt.Sprintf("%020d", rng.Uint64())
	}
	return n
}

// differs says what of a notice did not come back.
func differs(n, got notice.Notice) string {
	money := n.Event == payment.EventDeposited || n.Event == payment.EventReversed
	switch {
	case got.Event != n.Event:
		return "event " + string(got.Event)
	case n.Form == "json" && got.Form != "json":
		return "form " + got.Form
	case n.Kind == "40" && got.Kind != "40", n.Kind == "70" && got.Kind != "70":
		return "kind " + got.Kind
	case got.Order != n.Order || got.Merchant != n.Merchant:
		return "order or merchant"
	case !got.HasAmount || got.Amount != n.Amount:
		return "amount " + got.Amount.String()
	case got.Account != "" && got.Account != n.Account, money && got.Account == "":
		return "account"
	case got.Bank != "" && got.Bank != n.Bank, money && got.Bank == "" && n.Bank.Code() != "":
		return "bank " + string(got.Bank)
	case got.Depositor != "" && got.Depositor != n.Depositor, money && got.Depositor == "":
		return "depositor " + got.Depositor
	case !got.At.IsZero() && !got.At.Equal(n.At), money && got.At.IsZero():
		return "time " + got.At.String()
	case money && got.Deposit != n.Deposit, !money && got.Deposit != "":
		return "deposit " + got.Deposit
	case n.PGTx != "" && got.PGTx != "" && got.PGTx != n.PGTx:
		return "transaction " + got.PGTx
	case got.Key == "" || got.OtherMethod != (n.Event == payment.EventApproved):
		return "key or method"
	}
	return ""
}

// TestEncodeEmpty: what the notice leaves empty is made up.
func TestEncodeEmpty(t *testing.T) {
	for _, n := range stories() {
		r := kicc.Module.Encode(n, nil)
		got, err := kicc.Module.Decode(r)
		if err != nil {
			t.Fatalf("Decode: %v\n%s", err, r.Body)
		}
		if got.Event != n.Event || got.Merchant == "" || got.Order == "" || len(got.PGTx) != 20 {
			t.Errorf("%s decodes as %+v", n.Event, got)
		}
		if n.Event == payment.EventDeposited && (got.Account == "" || got.Bank == "" || !got.HasAmount || got.Depositor == "" || len(got.Deposit) != 20) {
			t.Errorf("a plain deposit decodes as %+v", got)
		}
	}
}

// TestOneStory: an order's notices, whose numbers nobody gave, speak of one
// issue, and the reversal of a deposit of that deposit.
func TestOneStory(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range stories() {
		n.Order = "o-1"
		got, err := kicc.Module.Decode(kicc.Module.Encode(n, nil))
		if err != nil {
			t.Fatal(err)
		}
		if !got.OtherMethod || n.Form == "json" {
			seen[got.PGTx] = true
		}
	}
	if len(seen) != 1 {
		t.Errorf("one order has the issues %v", seen)
	}
	in := decode(t, string(kicc.Module.Encode(providertest.Sample(payment.EventDeposited), nil).Body))
	back := in
	back.Event, back.At = payment.EventReversed, in.At.Add(time.Hour)
	out := decode(t, string(kicc.Module.Encode(back, nil).Body))
	if out.Event != payment.EventReversed || out.Deposit != in.Deposit || out.PGTx != in.PGTx || out.Key == in.Key {
		t.Errorf("reversal %+v\nof deposit %+v", out, in)
	}
}

// TestEncodeReceipt: cash receipts come back in both forms, in the old one
// without their purpose.
func TestEncodeReceipt(t *testing.T) {
	for _, form := range []string{"", "json"} {
		for _, kind := range []string{"PERSONAL", "CORPORATE", ""} {
			n := providertest.Sample(payment.EventDeposited)
			n.Form, n.CashReceipt = form, &payment.CashReceipt{Number: "123456789", Type: kind, At: n.At}
			want := &payment.CashReceipt{Number: "123456789", Type: kind, At: n.At}
			if form == "" {
				want.Type = ""
			}
			got := decode(t, string(kicc.Module.Encode(n, nil).Body)).CashReceipt
			if got == nil || got.Number != want.Number || got.Type != want.Type || !got.At.Equal(want.At) {
				t.Errorf("form %q: receipt %+v, want %+v", form, got, want)
			}
		}
	}
}

func TestEncodeState(t *testing.T) {
	for _, state := range []string{"ES06", "ES07", "ES13", "ES17"} {
		for form, name := range map[string]string{"": "stat_cd", "json": "statusCode"} {
			n := providertest.Sample(payment.EventOther)
			n.Form, n.Fields = form, map[string]string{name: state}
			got := decode(t, string(kicc.Module.Encode(n, nil).Body))
			if got.Event != payment.EventOther || got.Fields[name] != state {
				t.Errorf("form %q, %s comes back as %s in state %q", form, state, got.Event, got.Fields[name])
			}
		}
	}
	n := providertest.Sample(payment.EventOther)
	n.Fields = map[string]string{"stat_cd": "ES04"}
	if got := decode(t, string(kicc.Module.Encode(n, nil).Body)); got.Event != payment.EventOther {
		t.Errorf("what moves nothing comes back as %s", got.Event)
	}
	n = providertest.Sample(payment.EventCancelled)
	n.Closes = true
	if got := decode(t, string(kicc.Module.Encode(n, nil).Body)); got.Event != payment.EventCancelled || !got.Closes {
		t.Errorf("a closed account comes back as %s, closes %t", got.Event, got.Closes)
	}
}
