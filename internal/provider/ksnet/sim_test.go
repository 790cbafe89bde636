package ksnet_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/ksnet"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestPublishedComesBack: what the published sample says is written again byte
// for byte, escapes included.
func TestPublishedComesBack(t *testing.T) {
	r := ksnet.Module.Encode(decode(t, sample(t)), nil)
	if d := cmp.Diff(published, string(r.Body)); d != "" {
		t.Errorf("(-published +encoded):\n%s", d)
	}
	if r.Method != http.MethodPost || r.Path != "/ksnet_payments/notice_vbank" || r.Query != "" ||
		r.ContentType() != "application/x-www-form-urlencoded" {
		t.Errorf("request line %s %s?%s, type %q", r.Method, r.Path, r.Query, r.ContentType())
	}
	for _, name := range []string{"deposit_new", "deposit_new_61", "deposit_new_resent", "reversal_new", "reversal_old", "deposit_old_resent"} {
		want := section(t, name, "request")
		n, err := ksnet.Module.Decode(post(want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// Spaces in front of a text are not kept, and numbers are padded with zeros.
		want = strings.NewReplacer("+++0000000000200505131040030500", "0000000000200505131040030500+++", "2100001++++", "20000100001").Replace(want)
		if d := cmp.Diff(want, string(ksnet.Module.Encode(n, nil).Body)); d != "" {
			t.Errorf("%s (-sample +encoded):\n%s", name, d)
		}
	}
}

// TestForms: one notice has one name in both forms, and both carry what they
// have columns for.
func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7)) // the same notices on every run
	for _, e := range ksnet.Module.Info().Events {
		for range 200 {
			n := providertest.Random(r, e)
			n.PGTx, n.Merchant = fmt.Sprintf("%012d", 1+r.Int64N(999_999_999_999)), "2999199990"
			trip(t, n)
			if t.Failed() {
				return
			}
		}
	}
}

func trip(t *testing.T, n notice.Notice) {
	t.Helper()
	n.Form = "old"
	older := again(t, n)
	n.Form = "new"
	newer := again(t, n)
	if older.Key != newer.Key || older.Deposit != newer.Deposit {
		t.Errorf("keys %q and %q, deposits %q and %q", older.Key, newer.Key, older.Deposit, newer.Deposit)
	}
	if older.Order != "" || newer.Order != n.Order || older.Form != "old" || newer.Form != "new" {
		t.Errorf("orders %q and %q of forms %q and %q", older.Order, newer.Order, older.Form, newer.Form)
	}
	if (newer.Deposit != "") != (n.Event == payment.EventDeposited) {
		t.Errorf("%s has deposit %q", n.Event, newer.Deposit)
	}
	if len(n.Bank.Code()) == 3 && newer.Bank != n.Bank || older.Bank != n.Bank && n.Bank.Code() < "100" {
		t.Errorf("bank %s is %q in the old form and %q in the new", n.Bank, older.Bank, newer.Bank)
	}
	for _, got := range []notice.Notice{older, newer} {
		if got.Event != n.Event || got.PGTx != n.PGTx || got.Merchant != n.Merchant || got.Amount != n.Amount ||
			got.Account != n.Account || got.Depositor != n.Depositor || !got.At.Equal(n.At) {
			t.Errorf("%+v\ncomes back as %+v", n, got)
		}
		back := again(t, got)
		if back.Key != got.Key || back.Deposit != got.Deposit {
			t.Errorf("%s told again has key %q, was %q, and deposit %q, was %q", n.Event, back.Key, got.Key, back.Deposit, got.Deposit)
		}
		got.Fields = nil // a notice by its deposit's name alone
		if back = again(t, got); back.Deposit != got.Deposit {
			t.Errorf("without fields the deposit is %q, was %q", back.Deposit, got.Deposit)
		}
	}
}

func again(t *testing.T, n notice.Notice) notice.Notice {
	t.Helper()
	r := ksnet.Module.Encode(n, nil)
	got, err := ksnet.Module.Decode(r)
	if err != nil {
		t.Fatalf("Decode(Encode(%+v)): %v\n%s", n, err, r.Body)
	}
	// The same by GET.
	r.Method, r.Query, r.Body = http.MethodGet, string(r.Body), nil
	if other, err := ksnet.Module.Decode(r); err != nil || !cmp.Equal(got, other) {
		t.Errorf("by GET: %+v, %v\nwant %+v", other, err, got)
	}
	return got
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, form := range []string{"", "new", "old", "OLD"} {
		for _, e := range ksnet.Module.Info().Events {
			n := notice.Notice{Report: payment.Report{Event: e}, Form: form}
			a, b := ksnet.Module.Encode(n, nil), ksnet.Module.Encode(n, nil)
			if string(a.Body) != string(b.Body) {
				t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Body, b.Body)
			}
			got := again(t, n)
			if got.Event != e || got.Merchant == "" || len(got.PGTx) != 12 || got.At.IsZero() || got.Account == "" ||
				!got.HasAmount || got.Bank == "" || got.Depositor == "" || (got.Order == "") != strings.EqualFold(form, "old") {
				t.Errorf("%s in form %q decodes as %+v", e, form, got)
			}
		}
	}
}

// TestEncodeOther: what KSNET does not tell is never taken for money.
func TestEncodeOther(t *testing.T) {
	for _, e := range payment.Events() {
		if e == payment.EventDeposited || e == payment.EventReversed {
			continue
		}
		for _, form := range []string{"new", "old"} {
			n := providertest.Sample(e)
			n.Form = form
			if got, err := ksnet.Module.Decode(ksnet.Module.Encode(n, nil)); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s in form %s decodes as %+v, %v", e, form, got, err)
			}
		}
	}
}

// TestEncodeReversal: a reversal is of the same transaction, order, account and
// amount, and a telegram of its own.
func TestEncodeReversal(t *testing.T) {
	for _, form := range []string{"new", "old"} {
		n := providertest.Sample(payment.EventDeposited)
		n.Form, n.Account = form, ""
		in := again(t, n)
		n.Event = payment.EventReversed
		out := again(t, n)
		if out.PGTx != in.PGTx || out.Order != in.Order || out.Account != in.Account || out.Amount != in.Amount {
			t.Errorf("reversal %+v\nof deposit %+v", out, in)
		}
		if out.Key == in.Key || out.Fields["seq_no"] == in.Fields["seq_no"] || out.Kind != "51" || in.Kind != "20" {
			t.Errorf("keys %q and %q", out.Key, in.Key)
		}
	}
}

// TestEncodeTells: deposits with names of their own stay apart in one second.
func TestEncodeTells(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	a := again(t, n)
	n.Deposit += "2"
	if b := again(t, n); b.Deposit == a.Deposit || b.Key == a.Key {
		t.Errorf("two deposits are %q and %q", a.Deposit, b.Deposit)
	}
	n = notice.Notice{Report: payment.Report{Event: payment.EventDeposited, Deposit: a.Deposit, Account: a.Account}, Merchant: a.Merchant}
	if b := again(t, n); b.Deposit != a.Deposit || !b.At.Equal(a.At) {
		t.Errorf("deposit %q told by its name is %q", a.Deposit, b.Deposit)
	}
}

// TestEncodeCuts: KSNET cuts text at its column's bytes, through characters
// too, and no column moves another.
func TestEncodeCuts(t *testing.T) {
	tests := []struct{ sent, want string }{
		{"가나다라마바사아자", "가나다라마바사"},
		{"A가나다라마바사아자", "A가나다라마바"},
		{"홍길동😀", "홍길동?"},
		{"(주)통보", "(주)통보"},
		{"100% 원+&=", "100% 원+&="},
		{"a\x00b", "a?b"},
	}
	for _, tt := range tests {
		for _, form := range []string{"new", "old"} {
			n := providertest.Sample(payment.EventDeposited)
			n.Form, n.Depositor, n.Order = form, tt.sent, strings.Repeat("o", 60)
			n.Fields = map[string]string{"GoodName": strings.Repeat("상품 A", 20), "rApprovalType": "1000", "in_bank_cd": "088"}
			got := again(t, n)
			if got.Depositor != tt.want || got.Account != n.Account || !got.At.Equal(n.At.Truncate(time.Second)) || got.Amount != n.Amount {
				t.Errorf("%q in form %s comes back as %+v", tt.sent, form, got)
			}
			if form == "new" && got.Order != strings.Repeat("o", 50) {
				t.Errorf("order = %q", got.Order)
			}
			if form == "old" && got.Fields["in_bank_cd"] != "88" {
				t.Errorf("sender's bank = %q", got.Fields["in_bank_cd"])
			}
		}
	}
}

// TestLength: the new form says how long it is.
func TestLength(t *testing.T) {
	body := string(ksnet.Module.Encode(providertest.Sample(payment.EventDeposited), nil).Body)
	telegram := wire.Unescape([]byte(strings.TrimPrefix(body, "data=")))
	if want := fmt.Sprintf("%04d", len(telegram)-4); string(telegram[:4]) != want {
		t.Errorf("length = %s, want %s", telegram[:4], want)
	}
}

func TestAcked(t *testing.T) {
	tests := []struct {
		body   string
		status int
		want   bool
	}{
		{"result=OK", 200, true},
		{"result=OK\n", 200, false},
		{" result=OK", 200, false},
		{"result=ok", 200, false},
		{"result=false", 200, false},
		{"OK", 200, false},
		{"", 200, false},
		{"result=OK", 201, false},
		{"result=OK", 500, false},
	}
	for _, tt := range tests {
		if got := ksnet.Module.Acked(provider.Reply{Status: tt.status, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("Acked(%d %q) = %t, want %t", tt.status, tt.body, got, tt.want)
		}
	}
}
