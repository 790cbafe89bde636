package providertest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// A toy is the smallest PG, with one flaw at most.
type toy struct {
	provider.Provider // what nobody here calls
	flaw              string
	guide             string
}

func (p toy) Info() provider.Info {
	return provider.Info{
		Paths: []string{"/toy"}, Events: []payment.Event{payment.EventDeposited, payment.EventReversed},
		Fields: []provider.Field{{Name: "api_key", Inquiry: true}},
	}
}

func (p toy) Guide(lang string) string {
	if lang == "ko" {
		return p.guide + "\n해요\n"
	}
	return p.guide
}

var words = map[string]payment.Event{"in": payment.EventDeposited, "out": payment.EventReversed}

func (p toy) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	word := "in"
	if n.Event == payment.EventReversed {
		word = "out"
	}
	if p.flaw == "sparse" && n.Account == "" {
		n.Order = "made-up"
	}
	fields := []wire.Field{
		{Name: "what", Value: word}, {Name: "order", Value: n.Order}, {Name: "won", Value: strconv.FormatInt(n.Amount.Amount, 10)},
		{Name: "account", Value: cmp.Or(n.Account.Reveal(), "123456789012")}, {Name: "bank", Value: n.Bank.Code()}, {Name: "name", Value: n.Depositor},
	}
	return notice.Request{Method: http.MethodPost, Body: wire.EncodeForm(fields, wire.UTF8)}
}

func (p toy) Decode(r notice.Request) (n notice.Notice, err error) {
	form, err := wire.ParseForm(r.Body)
	if err != nil {
		return n, err
	}
	once := []string{"what", "order", "won"}
	once = slices.DeleteFunc(once, func(name string) bool { return p.flaw == "twice "+name })
	v, err := form.Read(wire.UTF8, once...)
	if err != nil {
		return n, err
	}
	won, err := wire.Amount(v.Get("won"))
	if err != nil || !v.Has("what") {
		return n, fault.Errorf(fault.Invalid, "it is nothing of the toy's")
	}
	n.Event, n.Order, n.Amount, n.HasAmount = words[v.Get("what")], v.Get("order"), payment.Won(won), true
	n.Account, n.Bank = secret.Account(v.Get("account")), payment.BankByCode(v.Get("bank"))
	n.Key, n.Deposit = wire.Name(v.Get("what"), n.Order), n.Order
	switch p.flaw {
	case "account in Key":
		n.Key += "/" + n.Account.Reveal()
	case "account in Deposit":
		n.Deposit += "-" + n.Account.Reveal()[:4] + "-" + n.Account.Reveal()[4:]
	case "one Key":
		n.Key = n.Order
	case "reversal":
		n.Deposit = n.Key
	case "bank":
		n.Bank = ""
	}
	return n, nil
}

// A recorder keeps what a check complains of.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *recorder) Error(args ...any) { r.said = append(r.said, fmt.Sprint(args...)) }

func TestPromises(t *testing.T) {
	tests := []struct{ flaw, want string }{
		{"none", ""},
		{"account in Key", "has the account number in clear"},
		{"account in Deposit", "has the account number in clear"},
		{"one Key", "names two messages"},
		{"sparse", `decodes with order "made-up"`},
		{"twice what", "with what told twice"},
		{"twice order", "with order told twice"},
		{"twice won", "with won told twice"},
		{"reversal", "want that of the deposit"},
		{"bank", "fill it in by payment.BankByCode"},
	}
	for _, tt := range tests {
		t.Run(tt.flaw, func(t *testing.T) {
			r := &recorder{TB: t}
			checkPromises(r, toy{flaw: tt.flaw})
			expect(t, r.said, tt.want)
		})
	}
}

func TestGuides(t *testing.T) {
	const good = "1. Enter it:\n\n       {{.NoticeURL}}\n\n   and `confirm = false`."
	tests := []struct{ name, guide, want string }{
		{"as it should be", good, ""},
		{"in a fence", "```\n{{.NoticeURL}}\n```\n`confirm = false`", ""},
		{"the address in a sentence", "Enter {{.NoticeURL}} and `confirm = false`.", "on a line of its own"},
		{"nothing of waiting", "    {{.NoticeURL}}\n", "confirm = false"},
		{"a second path", good + "\n{{.SecondURL}}", "Info has one path only"},
		{"Korean for English", good + "해요", "guide.en.md says 해요"},
		{"asterisks that are printed", good + "**(a)**b", "asterisks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			checkGuides(r, toy{guide: tt.guide})
			expect(t, r.said, tt.want)
		})
	}
}

func TestParseSample(t *testing.T) {
	const request, meant, ack = "-- request --\na=1\n", "-- notice.json --\n{\"order\": \"1\"}\n", "-- ack --\nOK\n"
	tests := []struct{ name, sample, want string }{
		{"a notice", request + meant + ack, ""},
		{"none", request + "-- error --\n", ""},
		{"no request", meant + ack, "none of the sections request"},
		{"neither notice nor error", request + ack, "one of the sections"},
		{"both", request + meant + ack + "-- error --\n", "one of the sections"},
		{"no acknowledgement", request + meant, "no section ack"},
		{"a notice that says nothing", request + "-- notice.json --\n{}\n" + ack, "names no field"},
		{"a section that there is not", request + "-- answer --\n", "section answer"},
		{"base64 that is none", "-- request.b64 --\n!\n-- error --\n", "section request.b64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSample("a.txtar", txtar.Parse([]byte(tt.sample)))
			if err == nil {
				expect(t, nil, tt.want)
			} else {
				expect(t, []string{err.Error()}, tt.want)
			}
		})
	}
}

// expect fails unless something was said, and all of that holds want; or
// nothing if want is empty.
func expect(t *testing.T, said []string, want string) {
	t.Helper()
	if want == "" && len(said) > 0 || want != "" && len(said) == 0 {
		t.Errorf("complaints %q, want %q", said, want)
	}
	for _, s := range said {
		if !strings.Contains(s, want) {
			t.Errorf("complaint %q, want only %q", s, want)
		}
	}
}
