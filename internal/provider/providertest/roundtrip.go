package providertest

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// Sample is a notice with every field that a PG may tell, as the simulator
// would ask for it. The name holds syllables that only CP949 has.
func Sample(e payment.Event) notice.Notice {
	n := notice.Notice{
		Report: payment.Report{
			Event: e, Amount: payment.Won(10000), HasAmount: true, Account: "56211992494252",
			Bank: "SHINHAN", Depositor: "똠방각하", At: time.Date(2026, 8, 1, 12, 30, 15, 0, wire.Seoul),
		},
		Order: "order-1001",
	}
	n.Deposit = "20260801123015000001"
	return n
}

// Random is a notice whose fields fit every PG: orders of up to 20 letters and
// digits, names of up to five syllables, accounts of 10 to 14 digits.
func Random(r *rand.Rand, e payment.Event) notice.Notice {
	banks := slices.DeleteFunc(payment.Banks(), func(b payment.BankInfo) bool { return b.Code == "" })
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, wire.Seoul).Add(time.Duration(r.Int64N(15*365*24*3600)) * time.Second)
	n := notice.Notice{
		Report: payment.Report{
			Event: e, Amount: payment.Won(1 + r.Int64N(99_999_999)), HasAmount: true,
			Account: secret.Account(pick(r, "0123456789", 10+r.IntN(5))), Bank: banks[r.IntN(len(banks))].Bank,
			At: at, Deposit: at.Format("20060102") + pick(r, "0123456789", 12),
		},
		Order: pick(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", 1+r.IntN(20)),
	}
	const syllables = '힣' - '가' + 1 // CP949 has every one
	for range 1 + r.IntN(5) {
		n.Depositor += string('가' + rune(r.IntN(syllables)))
	}
	return n
}

func pick(r *rand.Rand, from string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(from[r.IntN(len(from))])
	}
	return b.String()
}

// checkRoundTrip encodes notices of each event that the module can tell, in
// each of its wire formats, and decodes them again: what a format carries must
// come back, our answer must be one that the PG takes, and our refusal none.
func checkRoundTrip(t *testing.T, p provider.Provider) {
	i := p.Info()
	for _, e := range i.Events {
		t.Run(string(e), func(t *testing.T) {
			said := false
			for _, form := range forms(p) {
				said = checkTrip(t, p, Sample(e), form) || said
				r := rand.New(rand.NewPCG(1, uint64(len(form)))) // the same notices on every run
				for range 100 {
					checkTrip(t, p, Random(r, e), form)
					if t.Failed() {
						return
					}
				}
			}
			if !said {
				t.Error("no wire format tells it")
			}
		})
	}
	for _, form := range i.Forms {
		if n, err := p.Decode(p.Encode(notice.Notice{Form: form, Report: payment.Report{Event: i.Events[0]}}, nil)); err != nil || n.Form != form {
			t.Errorf("form %q decodes as form %q, %v", form, n.Form, err)
		}
	}
}

// checkTrip is one trip, and reports whether the wire format can tell the
// event.
func checkTrip(t *testing.T, p provider.Provider, n notice.Notice, form string) bool {
	t.Helper()
	got, ok := tell(t, p, n, form)
	if !ok {
		if form == "" {
			t.Errorf("event = %s, want %s", got.Event, n.Event)
		}
		return false // this form has no word for it
	}
	checkNames(t, got.Notice)
	n.Merchant = merchantOf(p)
	for _, f := range []struct{ what, got, want string }{
		{"order", got.Order, n.Order},
		{"amount", amount(got.Notice), amount(n)},
		{"merchant", got.Merchant, n.Merchant},
		{"depositor", got.Depositor, n.Depositor},
		{"account", got.Account.Reveal(), n.Account.Reveal()},
		{"bank", string(got.Bank), string(n.Bank)},
		{"time", clock(got.At), clock(n.At)},
	} {
		absent := f.got == "" && (f.what != "order" || form != "")
		if f.got != f.want && !absent {
			t.Errorf("%s in form %q = %q, want %q\n%q", f.what, form, f.got, f.want, payload(got.request))
		}
	}
	if again, _ := tell(t, p, n, form); again.Key != got.Key {
		t.Errorf("the same notice again has key %q, was %q", again.Key, got.Key)
	}
	checkAnswers(t, p, got.request)
	return true
}

func amount(n notice.Notice) string {
	if !n.HasAmount {
		return ""
	}
	return n.Amount.String()
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}

// checkAnswers sees that the PG would stop after our acknowledgement, and
// after nothing else.
func checkAnswers(t *testing.T, p provider.Provider, req notice.Request) {
	t.Helper()
	yes, no := p.Ack(req, provider.Received), p.Ack(req, provider.Refused)
	if yes.Status != http.StatusOK || !p.Acked(yes) {
		t.Errorf("the PG would resend after %d %q", yes.Status, yes.Body)
	}
	if p.Acked(no) {
		t.Errorf("the PG would stop after the refusal %d %q", no.Status, no.Body)
	}
	if p.Acked(provider.Reply{Status: http.StatusServiceUnavailable}) {
		t.Error("the PG would stop after a 503")
	}
}
