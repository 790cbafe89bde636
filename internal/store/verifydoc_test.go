package store

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
)

// summarized are payments of many kinds, some with words that look like what a
// summary is read from.
func summarized(t *testing.T) (list []payment.Payment) {
	t.Helper()
	at := time.Date(2026, 8, 1, 3, 0, 0, 0, time.UTC)
	n := 0
	env := payment.Env{Now: at, NewID: func() string { n++; return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }}
	for i, odd := range []string{"plain", `a"b\`, `{"payment":{"state":"X"}}`, "줄\n바꿈<>&\u2028", `\\"`, ""} {
		for _, kind := range []payment.AccountType{payment.Normal, payment.FixedUnlimited} {
			order := fmt.Sprintf("o%d%s", i, odd)
			p, _, err := payment.Register(nil, payment.Registration{
				Merchant: "m", Store: "s", Channel: "c", Mode: merchant.Test, ID: payment.ID(order), OrderName: odd, CustomData: odd,
				Customer: payment.Customer{Name: odd, Address: json.RawMessage(`{"type":"ONE_LINE","one":["a,b",{"x":-1.5e3}],"none":null}`)},
				Amount:   payment.Won(1000), Account: payment.Account{Bank: "SHINHAN", Number: "110123", Type: kind, ExpiresAt: at.Add(time.Hour)},
			}, env)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
			for step, r := range []payment.Report{
				{Event: payment.EventReversed, Key: "R0", Deposit: "D0"},
				{Event: payment.EventDeposited, Key: "M1", Deposit: "D1" + odd},
				{Event: payment.EventDeposited, Key: "M2", Deposit: "D2"},
				{Event: payment.EventReversed, Key: "R1", Deposit: "D1" + odd},
			} {
				r.Amount, r.HasAmount, r.Account, r.Depositor = payment.Won(1000), true, "110123", odd
				r.At, r.PGOrder, r.Channel = at.Add(time.Duration(step)*time.Minute), order, "c"
				p = p.Decide(r, env).Payment
				list = append(list, p)
			}
		}
	}
	return list
}

func TestSummary(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	r := &Reader{key: key}
	plain := 0
	for _, p := range summarized(t) {
		doc, err := r.sealPayment(p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := key.Open(doc, docContext(p.Key))
		if err != nil {
			t.Fatal(err)
		}
		want := summaryOf(p)
		got, err := r.openSummary(p.Key, doc)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(summary{}, keptDeposit{})); d != "" || err != nil {
			t.Fatalf("%s\n%s%v", b, d, err)
		}
		if s, ok := readSummary(b); ok {
			plain++
			if d := cmp.Diff(want, s, cmp.AllowUnexported(summary{}, keptDeposit{})); d != "" {
				t.Fatalf("%s\n%s", b, d)
			}
		}
		for n := range b {
			if s, ok := readSummary(b[:n]); ok {
				t.Fatalf("a summary %+v of half a payment: %s", s, b[:n])
			}
		}
	}
	if plain < 20 {
		t.Errorf("only %d payments are read the short way", plain)
	}
}

func TestOpenSaid(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	r := &Reader{key: key}
	for _, deposit := range []string{"", "D1", `a"b\`, `,"said":{"deposit":"X"}}`, "입금"} {
		b, err := json.Marshal(keptRequest{Method: `,"said":{`, Header: map[string][]string{`,"said":{"deposit":"Y"}}`: {"v"}}, Said: keptWords{Deposit: deposit, Account: "110"}})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := key.Seal(b, "notice_body/n")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.openSaid("n", sealed); got != deposit || err != nil {
			t.Errorf("openSaid = %q, %v, want %q", got, err, deposit)
		}
		if _, err := r.openSaid("another", sealed); err == nil {
			t.Error("a request opens as another notice's")
		}
		if k, err := r.openRequest(notice.ID("n"), sealed); err != nil || k.Said.Deposit != deposit {
			t.Errorf("openRequest = %+v, %v", k, err)
		}
	}
}
