package tosspayments_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestProvider(t *testing.T) { providertest.Run(t, tosspayments.Module) }
func FuzzProvider(f *testing.F) { providertest.Fuzz(f, tosspayments.Module) }

const mine = secret.Text("ps_mine")

// sample is a notice of providertest's with our secret, as it arrives.
func sample(t *testing.T, e payment.Event, form string) (notice.Request, notice.Notice) {
	t.Helper()
	n := providertest.Sample(e)
	n.Proof, n.Form = mine, form
	return roundTrip(t, n, nil)
}

func roundTrip(t *testing.T, n notice.Notice, c merchant.Credentials) (notice.Request, notice.Notice) {
	t.Helper()
	r := tosspayments.Module.Encode(n, c)
	got, err := tosspayments.Module.Decode(r)
	if err != nil {
		t.Fatalf("Decode(Encode): %v\n%s", err, r.Body)
	}
	return r, got
}

func payments(list ...payment.Transaction) payment.Payment {
	return payment.Payment{Transactions: list}
}

func TestVerifySecret(t *testing.T) {
	ours := payment.Transaction{Order: "order-1001", Secret: mine}
	other := payment.Transaction{Order: "order-1001", Secret: "ps_other"}
	unproved, wrong := provider.ErrUnproved, errors.New("wrong")
	for _, c := range []struct {
		name string
		form string
		edit func(*notice.Notice)
		p    payment.Payment
		want error
	}{
		{"right", "", nil, payments(ours), nil},
		{"right, in a payment event", "payment", nil, payments(ours), nil},
		{"right for the second attempt of the order", "", nil, payments(other, ours), nil},
		{"right for the first attempt of the order", "", nil, payments(ours, other), nil},
		{"wrong", "", nil, payments(other), wrong},
		{"wrong, in a payment event", "payment", nil, payments(other), wrong},
		{"right for another order of the payment", "", nil, payments(payment.Transaction{Order: "order-2", Secret: mine}, other), wrong},
		{"known for another order only", "", nil, payments(payment.Transaction{Order: "order-2", Secret: mine}), unproved},
		{"nothing known", "", nil, payments(payment.Transaction{Order: "order-1001"}), unproved},
		{"no payment", "", nil, payment.Payment{}, unproved},
		{"empty in the callback", "", func(n *notice.Notice) { n.Proof = "" }, payments(ours), wrong},
		{"empty on both sides", "", func(n *notice.Notice) { n.Proof = "" }, payments(payment.Transaction{Order: "order-1001"}), unproved},
		{"empty in a payment event", "payment", func(n *notice.Notice) { n.Proof = "" }, payments(ours), unproved},
		{"unknown state, nothing known", "", func(n *notice.Notice) { n.Event = payment.EventOther }, payment.Payment{}, nil},
		{"unknown state, wrong", "", func(n *notice.Notice) { n.Event = payment.EventOther }, payments(other), wrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, n := sample(t, payment.EventDeposited, c.form)
			if c.edit != nil {
				c.edit(&n)
			}
			err := tosspayments.Module.Verify(r, n, merchant.Channel{}, c.p)
			switch {
			case errors.Is(c.want, wrong):
				if !fault.Is(err, fault.Unauthorized) {
					t.Fatalf("Verify = %v, want unauthorized", err)
				}
				if strings.Contains(err.Error(), "ps_") {
					t.Errorf("the error tells the secret: %v", err)
				}
			case !errors.Is(err, c.want):
				t.Fatalf("Verify = %v, want %v", err, c.want)
			}
		})
	}
}

func TestVerifySignature(t *testing.T) {
	const hexKey = secret.Text("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
	keys := merchant.Credentials{"security_key": hexKey}
	event := notice.Notice{Report: payment.Report{Event: payment.EventOther}, Kind: "payout.changed"}
	const header = "tosspayments-webhook-signature"
	for _, c := range []struct {
		name string
		edit func(*notice.Request)
		with merchant.Credentials
		ok   bool
	}{
		{"right, the key as text", nil, keys, true},
		// By openssl: HMAC-SHA256 of `{"eventType":"payout.changed","entityType":"payout"}:2024-09-05T12:19:21+09:00`.
		{"right, the key as bytes", func(r *notice.Request) {
			r.Body = []byte(`{"eventType":"payout.changed","entityType":"payout"}`)
			r.Header.Set("tosspayments-webhook-transmission-time", "2024-09-05T12:19:21+09:00")
			r.Header.Set(header, "v1:AAAA, v1:SzcleCXTL0czBRHiWbkbc2y1LdbkDcgAFcLVaxI5mjs=")
		}, keys, true},
		{"another body", func(r *notice.Request) { r.Body = append(r.Body, ' ') }, keys, false},
		{"another time", func(r *notice.Request) { r.Header.Set("tosspayments-webhook-transmission-time", "2024-09-05") }, keys, false},
		{"none", func(r *notice.Request) { r.Header.Del(header) }, keys, false},
		{"not base64", func(r *notice.Request) { r.Header.Set(header, "v1:*") }, keys, false},
		{"another version", func(r *notice.Request) {
			r.Header.Set(header, strings.ReplaceAll(r.Header.Get(header), "v1:", "v2:"))
		}, keys, false},
		{"no key to check with", func(r *notice.Request) { r.Header.Set(header, "v1:AAAA") }, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, n := roundTrip(t, event, keys)
			if c.edit != nil {
				c.edit(&r)
			}
			err := tosspayments.Module.Verify(r, n, merchant.Channel{Credentials: c.with}, payment.Payment{})
			if c.ok && err != nil || !c.ok && !fault.Is(err, fault.Unauthorized) {
				t.Errorf("Verify = %v, ok = %v wanted", err, c.ok)
			}
		})
	}
}

func TestUnsignedEventsNeedNoKey(t *testing.T) {
	keys := merchant.Credentials{"security_key": "00ff"}
	for _, kind := range []string{"", "BILLING_DELETED", "CANCEL_STATUS_CHANGED", "CUSTOMER_STATUS_CHANGED", "METHOD_UPDATED", "LATER"} {
		r, n := roundTrip(t, notice.Notice{Report: payment.Report{Event: payment.EventOther}, Kind: kind}, keys)
		if n.Event != payment.EventOther || kind != "" && n.Kind != kind {
			t.Errorf("%q decodes as %s %q", kind, n.Event, n.Kind)
		}
		if err := tosspayments.Module.Verify(r, n, merchant.Channel{Credentials: keys}, payment.Payment{}); err != nil {
			t.Errorf("Verify(%s) = %v", n.Kind, err)
		}
	}
}

func TestBothWebhooksOfAChangeAreOneMessage(t *testing.T) {
	for _, e := range []payment.Event{
		payment.EventIssued, payment.EventDeposited, payment.EventReversed, payment.EventCancelled, payment.EventPartiallyCancelled,
	} {
		_, flat := sample(t, e, "")
		_, full := sample(t, e, tosspayments.FormPayment)
		a := []any{flat.Event, flat.Key, flat.Deposit, flat.Reopens, flat.At, flat.PGCancel, flat.AmountEnforced, flat.Order, flat.Proof.Reveal()}
		b := []any{full.Event, full.Key, full.Deposit, full.Reopens, full.At, full.PGCancel, full.AmountEnforced, full.Order, full.Proof.Reveal()}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s (-DEPOSIT_CALLBACK +PAYMENT_STATUS_CHANGED):\n%s", e, d)
		}
		if flat.HasAmount || !full.HasAmount || full.Amount != payment.Won(10000) {
			t.Errorf("%s: amounts %v %v and %v %v", e, flat.HasAmount, flat.Amount, full.HasAmount, full.Amount)
		}
		if full.Account != "56211992494252" || full.Bank != "SHINHAN" || full.BankCode != "88" {
			t.Errorf("%s: account %q at %s (%s)", e, full.Account.Reveal(), full.Bank, full.BankCode)
		}
	}
}

// TestOtherMethodsLeaveKeysAlone: a payment event that shows no account moves
// nothing, and must not make the deposit's own notice look like a resend.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, e := range []payment.Event{payment.EventDeposited, payment.EventCancelled, payment.EventPartiallyCancelled} {
		_, genuine := sample(t, e, "")
		r, _ := sample(t, e, tosspayments.FormPayment)
		r.Body = []byte(strings.Replace(string(r.Body), `"virtualAccount":`, `"virtual":`, 1))
		n, err := tosspayments.Module.Decode(r)
		if err != nil || !n.OtherMethod {
			t.Fatalf("Decode = %+v, %v, want another method\n%s", n, err, r.Body)
		}
		if n.Key == genuine.Key {
			t.Errorf("%s: another method has the account's key %s", e, n.Key)
		}
	}
}

// TestReversal walks the way that Toss documents for a deposit error: paid,
// waiting again, paid again.
func TestReversal(t *testing.T) {
	at := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	p := payment.Payment{
		ID: "order-1001", State: payment.Issued, Amount: payment.Won(10000),
		Transactions: []payment.Transaction{{Order: "order-1001", State: payment.Issued}},
	}
	step := func(e payment.Event, deposit string, after time.Duration, verdict payment.Verdict, state payment.State) {
		t.Helper()
		_, n := roundTrip(t, notice.Notice{Report: payment.Report{Event: e, Deposit: deposit, At: at.Add(after)}, Order: "order-1001"}, nil)
		d := p.Decide(n.Report, payment.Env{Now: at, NewID: func() string { return "id" }})
		if d.Verdict != verdict || d.Payment.State != state {
			t.Fatalf("%s %s: %s, %s; want %s, %s", e, deposit, d.Verdict, d.Payment.State, verdict, state)
		}
		p = d.Payment
	}
	step(payment.EventDeposited, "TX2", time.Hour, payment.Applied, payment.Paid)
	step(payment.EventIssued, "TX1", 0, payment.Recorded, payment.Paid) // a late copy of the issue
	step(payment.EventDeposited, "TX2", time.Hour, payment.Duplicate, payment.Paid)
	step(payment.EventReversed, "TX2", 2*time.Hour, payment.Applied, payment.Cancelled)
	step(payment.EventDeposited, "TX3", 3*time.Hour, payment.Applied, payment.Paid)
}

func TestReversalOfOldVersions(t *testing.T) {
	n := providertest.Sample(payment.EventReversed)
	n.Kind = "CANCELED"
	if _, got := roundTrip(t, n, nil); got.Event != payment.EventCancelled || got.Deposit == n.Deposit {
		t.Errorf("event %s of %q, want cancelled under a key of its own", got.Event, got.Deposit)
	}
}

// TestNothingPrivateInFields puts a mark into every member that must not be
// shown and looks for it in what is.
func TestNothingPrivateInFields(t *testing.T) {
	const mark = "PRIVATE-MARK"
	body := `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"o","status":"DONE","lastTransactionKey":"k","secret":"` + mark + `",
		"card":{"number":"` + mark + `"},"virtualAccount":{"refundReceiveAccount":{"accountNumber":"` + mark + `","holderName":"` + mark + `"}},
		"mobilePhone":{"customerMobilePhone":{"plain":"` + mark + `"}},"cashReceipts":[{"customerIdentityNumber":"` + mark + `"}],
		"metadata":{"k":"` + mark + `"},"nested":[{"secret":"` + mark + `"}],"billingKey":"` + mark + `"}}`
	for _, b := range []string{body, strings.Replace(body, "PAYMENT_STATUS_CHANGED", "BILLING_DELETED", 1)} {
		n, err := tosspayments.Module.Decode(notice.Request{Body: []byte(b), Header: http.Header{}})
		if err != nil {
			t.Fatal(err)
		}
		shown, err := json.Marshal(n)
		if err != nil || strings.Contains(string(shown), mark) {
			t.Errorf("the notice shows it (%v): %s", err, shown)
		}
	}
	for _, damage := range []string{"", "}", "\x00", "\xff"} {
		b := strings.Replace(body, `"status":"DONE"`, `"status":"DONE","totalAmount":"`+mark+`"`, 1) + damage
		_, err := tosspayments.Module.Decode(notice.Request{Body: []byte(b)})
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), mark) {
			t.Errorf("Decode = %v, want an invalid that does not quote the body", err)
		}
	}
}

// TestUnprovedKeysStandApart: an event that anyone may send must not occupy
// the key of a deposit.
func TestUnprovedKeysStandApart(t *testing.T) {
	_, deposit := sample(t, payment.EventDeposited, "")
	transaction, status, _ := strings.Cut(deposit.Key, "/")
	for _, body := range []string{
		`{"eventType":"` + transaction + `","entityType":"x","eventId":"` + status + `"}`,
		`{"eventType":"` + transaction + `","data":{}}`,
	} {
		r := notice.Request{Body: []byte(body), Header: http.Header{}}
		r.Header.Set("tosspayments-webhook-transmission-id", status)
		n, err := tosspayments.Module.Decode(r)
		if err != nil || n.Key == deposit.Key {
			t.Errorf("%s has the deposit's key %q (%v)", body, n.Key, err)
		}
	}
}

// TestListed: states that nobody knew of may be money, so a person sees them;
// what Toss documents as no payment's is nobody's business.
func TestListed(t *testing.T) {
	for body, want := range map[string]bool{
		`{"secret":"s","transactionKey":"k","status":"ON_HOLD"}`:                      true,
		`{"secret":"s","transactionKey":"k","status":"DONE"}`:                         false,
		`{"eventType":"PAYMENT_STATUS_CHANGED","data":{"status":"ON_HOLD"}}`:          true,
		`{"eventType":"DEPOSIT_CALLBACK","data":{"secret":"s","transactionKey":"k"}}`: true,
		`{"eventType":"BILLING_DELETED","data":{}}`:                                   false,
	} {
		n, err := tosspayments.Module.Decode(notice.Request{Body: []byte(body)})
		if err != nil || n.Listed != want {
			t.Errorf("%s: listed = %v, want %v (%v)", body, n.Listed, want, err)
		}
	}
}

func TestKeyWithoutTransaction(t *testing.T) {
	r := notice.Request{Body: []byte(`{"secret":"s","transactionKey":"","status":"WAITING_FOR_DEPOSIT","orderId":"o"}`), Header: http.Header{}}
	n, err := tosspayments.Module.Decode(r)
	if err != nil || n.Key == "" || n.Reopens {
		t.Errorf("key %q, reopens %v (%v); without a transaction key nothing is new", n.Key, n.Reopens, err)
	}
	r.Header.Set("tosspayments-webhook-transmission-id", "id\xff\n")
	if again, err := tosspayments.Module.Decode(r); err != nil || again.Key != n.Key || len(again.Fields) != 0 {
		t.Errorf("an odd header is used: key %q, fields %v (%v)", again.Key, again.Fields, err)
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		amount, currency string
		want             int64
		has, bad         bool
	}{
		{`10000`, "KRW", 10000, true, false},
		{`"10000"`, "KRW", 10000, true, false},
		{`"10,000"`, "KRW", 10000, true, false},
		{`10000.00`, "KRW", 10000, true, false},
		{`1E+4`, "KRW", 10000, true, false},
		{`100000e-1`, "KRW", 10000, true, false},
		{`0`, "KRW", 0, true, false},
		{`0.0`, "KRW", 0, true, false},
		{`10.5`, "USD", 1050, true, false},
		{`10`, "EUR", 0, false, false},
		{`null`, "KRW", 0, false, false},
		{`""`, "KRW", 0, false, false},
		{`0.5`, "KRW", 0, false, true},
		{`10.555`, "USD", 0, false, true},
		{`-1`, "KRW", 0, false, true},
		{`1e999999999`, "KRW", 0, false, true},
		{`1234567890123456`, "KRW", 0, false, true},
		{`"."`, "KRW", 0, false, true},
		{`true`, "KRW", 0, false, true},
		{`{}`, "KRW", 0, false, true},
	} {
		body := `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"o","status":"DONE","lastTransactionKey":"k","virtualAccount":{},"currency":"` +
			c.currency + `","totalAmount":` + c.amount + `}}`
		n, err := tosspayments.Module.Decode(notice.Request{Body: []byte(body)})
		if c.bad != fault.Is(err, fault.Invalid) || n.HasAmount != c.has || n.Amount.Amount != c.want {
			t.Errorf("%s %s: %v %v (%v)", c.amount, c.currency, n.HasAmount, n.Amount, err)
		}
		if err == nil && n.AmountEnforced != (c.currency == "KRW") {
			t.Errorf("%s %s: enforced = %v", c.amount, c.currency, n.AmountEnforced)
		}
	}
}

func TestBanks(t *testing.T) {
	for _, c := range []struct {
		code, name string
		want       payment.Bank
	}{
		{"06", "", "KOOKMIN"}, {"88", "", "SHINHAN"}, {"12", "", "LOCAL_NONGHYUP"}, {"092", "", "TOSS"}, {"SA", "", "HYUNDAI_MOTOR_SECURITIES"},
		{"04", "", ""}, {"26", "", ""}, {"", "", ""},
		{"", "우리", "WOORI"}, {"", "국민은행", "KOOKMIN"}, {"", "카카오뱅크", "KAKAO"}, {"", "새마을금고", "KFCC"}, {"", "없는은행", ""}, {"", "은행", ""},
	} {
		body := `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"status":"DONE","virtualAccount":{"bankCode":"` + c.code + `","bank":"` + c.name + `"}}}`
		n, err := tosspayments.Module.Decode(notice.Request{Body: []byte(body)})
		if err != nil || n.Bank != c.want || n.BankCode != c.code || n.BankName != c.name {
			t.Errorf("bank %q %q = %q, want %q (%v)", c.code, c.name, n.Bank, c.want, err)
		}
		if c.want != "" && !c.want.Known() {
			t.Errorf("%s is no bank", c.want)
		}
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"ko", "en"} {
		g := tosspayments.Module.Guide(lang)
		for _, want := range []string{"{{.NoticeURL}}", "DEPOSIT_CALLBACK", "웹훅 등록하기", "secret_key", "115.92.221.127"} {
			if !strings.Contains(g, want) {
				t.Errorf("the guide in %s lacks %q", lang, want)
			}
		}
		if strings.Count(g, "{{") != 1 {
			t.Errorf("the guide in %s has other placeholders", lang)
		}
	}
}
