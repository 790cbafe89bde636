package kpn_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/kpn"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// hashOf is the hash of a request, made by hand with the test key.
func hashOf(order, date, amount string) string {
	sum := sha256.Sum256([]byte("testcorp" + testOTP + order + date + amount + "KRW"))
	return hex.EncodeToString(sum[:])
}

// telling is the body of a deposit notice with those fields.
func telling(order, date, amount, hash string) string {
	return url.Values{
		"MxIssueNO": {order}, "MxIssueDate": {date}, "Amount": {amount}, "MxHASH256": {hash}, "ReplyCode": {"00003000"},
	}.Encode()
}

// proves verifies a body; one that is no notice proves nothing.
func proves(t *testing.T, body string, c merchant.Channel, p payment.Payment) error {
	t.Helper()
	n, err := kpn.Module.Decode(request(body))
	if err != nil {
		return err
	}
	return kpn.Module.Verify(request(body), n, c, p)
}

// proved are the requests that a notice with the hash of this one can prove,
// wherever the text is parted and however the amount is written.
func proved(t *testing.T, order, date, amount string) []string {
	t.Helper()
	text, hash := order+date+amount, hashOf(order, date, amount)
	found := map[string]bool{}
	for i := 0; i <= len(text); i++ {
		for j := i; j <= len(text); j++ {
			for _, told := range []string{text[j:], "0" + text[j:], text[j:] + ".00", text[j:] + "원", "+" + text[j:], grouped(text[j:])} {
				if proves(t, telling(text[:i], text[i:j], told, hash), keys, payment.Payment{}) == nil {
					won, err := wire.Amount(told)
					if err != nil {
						t.Fatalf("an amount %q is proved", told)
					}
					found[fmt.Sprint(text[:i], " ", text[i:j], " ", won)] = true
				}
			}
		}
	}
	var out []string
	for f := range found {
		out = append(out, f)
	}
	return out
}

// grouped puts commas where thousands end.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// TestNoShift: the hash joins order, date and amount without separators, and
// yet one hash proves one request at most, however its text is parted.
func TestNoShift(t *testing.T) {
	tests := []struct {
		name, order, date, amount string
		holds                     bool
	}{
		{"a common order", "KPN20260105000001", "20260105101530", "15000", true},
		{"an order that is a time", "20260115101530", "20260115101530", "15000", true},
		{"an order that ends in a time", "KPN20260115101530", "20260115101531", "1000", true},
		{"the smallest amount", "A1", "20260105101530", "1", true},
		{"the largest amount", "A1", "20260105101530", "999999999999", true},
		// The text may also be read as order KPN, 2026-01-15 20:26:01 and
		// 151,015,301,000 won.
		{"an order that ends in a date", "KPN20260115", "20260115101530", "1000", false},
		// Or S, 2032-03-11 02:51:12 and 3,451,000 won.
		{"an order that ends in a year", "S203", "20311025112345", "1000", false},
		// Or A202601, 2020-11-30 12:34:56 and 7 won.
		{"an amount that ends in a time", "A", "20260120201130", "1234567", false},
		{"zeros in front of the amount", "A1", "20260105101530", "015000", false},
		{"no amount", "A1", "20260105101530", "0", false},
		{"more than any amount", "A1", "20260105101530", "1000000000000", false},
		{"a date without seconds", "A1", "202601051015", "15000", false},
		{"a date alone", "A1", "20260105", "15000", false},
		{"no date", "A1", "", "15000", false},
		{"no such date", "A1", "20261305101530", "15000", false},
		{"no such century", "A1", "10260105101530", "15000", false},
		{"no order", "", "20260105101530", "15000", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := proved(t, tt.order, tt.date, tt.amount)
			if len(got) > 1 {
				t.Fatalf("one hash proves several requests: %q", got)
			}
			own := proves(t, telling(tt.order, tt.date, tt.amount, hashOf(tt.order, tt.date, tt.amount)), keys, payment.Payment{})
			if (own == nil) != tt.holds {
				t.Errorf("its own notice: %v, want it to hold: %t", own, tt.holds)
			}
			if tt.holds && len(got) != 1 {
				t.Errorf("proves %q", got)
			}
		})
	}
}

// TestNoShiftAtRandom tries requests that are as easily confused as can be:
// orders of digits, and dates that read as other dates when shifted.
func TestNoShiftAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(20260105, 4))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0122"[r.IntN(4)]
		}
		return string(b)
	}
	date := func() string {
		return time.Date(2000+r.IntN(40), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 0, wire.Seoul).Format(wire.Stamp)
	}
	for range 60 {
		order := "A" + digits(r.IntN(4))
		if r.IntN(2) == 0 {
			order += date()[:4+r.IntN(11)]
		}
		amount := "1" + digits(r.IntN(8))
		if got := proved(t, order, date(), amount); len(got) > 1 {
			t.Fatalf("one hash proves several requests: %q", got)
		}
	}
}

// TestRegisteredHash: a hash that was registered with an order is checked by
// itself, whatever the notice's date. It counts once all the same.
func TestRegisteredHash(t *testing.T) {
	const order = "KPN20260105000001"
	known := registered(order + "=" + hash)
	replay := with("20260105101530", "20260105101531")
	if err := proves(t, replay, merchant.Channel{}, known); err != nil {
		t.Errorf("a registered hash under another date: %v", err)
	}
	for name, body := range map[string]string{
		"no date":             with("20260105101530", ""),
		"a date alone":        with("20260105101530", "20260105"),
		"no amount":           with("Amount=15000&", ""),
		"an order left out":   with(order, "") + "&TxNO=1",
		"another one's order": with(order, "KPN2"),
	} {
		if err := proves(t, body, keys, known); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%s: %v, want Unauthorized", name, err)
		}
	}
	for _, body := range []string{replay, with("20260105101530", "20270105101530"), with(hash, strings.ToUpper(hash))} {
		if a, b := decode(t, deposit), decode(t, body); a.Deposit != b.Deposit {
			t.Errorf("one hash is of the deposits %q and %q", a.Deposit, b.Deposit)
		}
	}
	env := payment.Env{Now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), NewID: func() string { return "id" }}
	for _, kind := range []payment.AccountType{payment.Normal, payment.FixedUnlimited} {
		p := payment.Payment{
			ID: order, State: payment.Issued, Amount: payment.Won(15000),
			Transactions: []payment.Transaction{{Order: order, State: payment.Issued, Account: &payment.Account{Number: "1", Type: kind}}},
		}
		d := p.Decide(decode(t, deposit).Report, env)
		if again := d.Payment.Decide(decode(t, replay).Report, env); again.Verdict != payment.Duplicate {
			t.Errorf("%s: a replay under another date is %s (%s)", kind, again.Verdict, again.Reason)
		}
	}
}

// TestTransactionNumber: TxNO is not hashed, so it names a payment only where
// no order does.
func TestTransactionNumber(t *testing.T) {
	n := decode(t, deposit+"&TxNO=106709")
	if n.PGTx != "" || n.Fields["TxNO"] != "106709" {
		t.Errorf("with an order: transaction %q, field %q", n.PGTx, n.Fields["TxNO"])
	}
	n = decode(t, with("KPN20260105000001", "")+"&TxNO=106709")
	if n.PGTx != "106709" || n.Order != "" || n.Deposit != "" {
		t.Errorf("without one: transaction %q, order %q, deposit %q", n.PGTx, n.Order, n.Deposit)
	}
}
