package tosspayments_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestCalls(t *testing.T) {
	t.Parallel()
	bench := providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "tvivarepublica", Credentials: merchant.Credentials{
			"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		}},
		Order:  providertest.Won1000("SHINHAN"),
		Refund: &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"},
	}
	providertest.Calls(t, tosspayments.Module, bench)
	t.Run("charges", func(t *testing.T) {
		card := func(number secret.Text) provider.Card {
			return provider.Card{Number: number, ExpiryYear: "30", ExpiryMonth: "12", Identity: "881212", Password: "12"}
		}
		providertest.Charges(t, tosspayments.Module, bench, card("4330123412341234"), card("4330123412340002"))
	})
}

func TestCheckCharge(t *testing.T) {
	t.Parallel()
	c := merchant.Channel{Credentials: merchant.Credentials{"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"}}
	good := provider.Charge{Name: "책", Amount: payment.Won(1), BillingKey: &provider.BillingKey{}}
	if err := tosspayments.Module.CheckCharge(c, good); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*provider.Charge){
		"a card's number": func(q *provider.Charge) { q.BillingKey, q.Card = nil, &provider.Card{} },
		"dollars":         func(q *provider.Charge) { q.Amount.Currency = "USD" },
		"points":          func(q *provider.Charge) { q.Terms.CardPoint = true },
		"a long name":     func(q *provider.Charge) { q.Name = strings.Repeat("책", 101) },
	} {
		q := good
		edit(&q)
		if err := tosspayments.Module.CheckCharge(c, q); !fault.Is(err, fault.Unsupported) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Credentials = nil
	if err := tosspayments.Module.CheckCharge(c, good); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a secret key: %v", err)
	}
	if err := tosspayments.Module.CheckIssueKey(c, provider.KeyOrder{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key without a secret key: %v", err)
	}
}

// played answers every call with one body.
type played string

func (p played) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(p)))}, nil
}

// TestStates is where a payment stands by each status that Toss has: what it has begun
// is no failure, and nothing follows from a status that nobody knows.
func TestStates(t *testing.T) {
	t.Parallel()
	c := merchant.Channel{Credentials: merchant.Credentials{"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"}}
	for status, want := range map[string]payment.State{
		"READY": payment.Ready, "IN_PROGRESS": payment.Ready, "WAITING_FOR_DEPOSIT": payment.Issued, "DONE": payment.Paid,
		"CANCELED": payment.Failed, "PARTIAL_CANCELED": payment.PartiallyCancelled, "ABORTED": payment.Failed, "EXPIRED": payment.Failed,
		"SOMETHING_NEW": payment.PayPending,
	} {
		body := played(`{"paymentKey": "pk-1", "orderId": "o-1", "status": "` + status + `", "totalAmount": 1000, "currency": "KRW"}`)
		s, err := tosspayments.Module.Inquire(t.Context(), provider.Access{Channel: c, HTTP: &http.Client{Transport: body}}, provider.Query{Order: "o-1"})
		if err != nil || s.State != want {
			t.Errorf("%s: %q, %v, want %q", status, s.State, err, want)
		}
	}
}
