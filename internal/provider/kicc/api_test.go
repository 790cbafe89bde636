package kicc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func bench() providertest.Bench {
	return providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "T5102001", Credentials: merchant.Credentials{secretKey: "easypay-secret"}},
		Order:   providertest.Won1000("SHINHAN"),
		Refund:  &provider.RefundAccount{Bank: "SHINHAN", Number: "110-123-456789", Holder: "홍길동"},
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, Module, bench())
}

// TestAuth: the value was made with openssl dgst -sha256 -hmac.
func TestAuth(t *testing.T) {
	t.Parallel()
	const want = "43e0a6ceacb08982608bb88569ea115fcb0e7178ff591eef63cb040d5f9e0313"
	if got := auth("25110509200010000001", "6f3a0f3e-0000-4000-8000-000000000001", "easypay-secret"); got != want {
		t.Errorf("auth = %s, want %s", got, want)
	}
}

func refund(give, rest int64) provider.Refund {
	return provider.Refund{
		Query: provider.Query{Order: "o-1", PGTx: "25110509200010000001", Deposit: "25110509275210000001", Amount: payment.Won(10_000)},
		Give:  payment.Won(give), Rest: payment.Won(rest), Number: 1, Reason: "변심 & <환불>; \"🎁\"", Key: "key-1", Account: bench().Refund,
	}
}

// played is an access to a PG that answers each request with the same, and what
// it was asked.
func played(t *testing.T, status int, answer string) (provider.Access, *map[string]any) {
	t.Helper()
	asked := &map[string]any{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		*asked = nil
		if err != nil || json.Unmarshal(body, asked) != nil {
			t.Errorf("the request is no JSON: %s", body)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	a := provider.Access{HTTP: srv.Client(), Channel: bench().Channel, Now: time.Date(2026, 8, 1, 0, 30, 0, 0, wire.Seoul)}
	a.Channel.BaseURL = srv.URL
	return a, asked
}

const refundedAnswer = `{"resCd":"0000","resMsg":"정상","shopTransactionId":"key-1","oriPgCno":"25110509200010000001","cancelPgCno":"C1","cancelAmount":"%d","transactionDate":"20260801003000","statusCode":"%s"}`

// TestRefundRequest: a whole refund and one of a part are asked for in different
// words, with today's date in Seoul.
func TestRefundRequest(t *testing.T) {
	t.Parallel()
	common := map[string]any{
		"mallId": "T5102001", "shopTransactionId": "key-1", "pgCno": "25110509200010000001", "cancelReqDate": "20260801",
		"msgAuthValue": auth("25110509200010000001", "key-1", "easypay-secret"), "reviseSubTypeCode": "RF01", "reviseMessage": "변심 환불 ?",
		"refundInfo": map[string]any{"refundBankCode": "088", "refundAccountNo": "110123456789", "refundDepositName": "홍길동", "depositPgCno": "25110509275210000001"},
	}
	part, escrow := refund(3000, 10_000), refund(10_000, 10_000)
	part.TaxFree, part.VAT, escrow.Escrow = 1900, 100, true
	for name, c := range map[string]struct {
		r    provider.Refund
		want map[string]any
	}{
		"whole":         {refund(10_000, 10_000), map[string]any{"reviseTypeCode": "60"}},
		"a part":        {part, map[string]any{"reviseTypeCode": "62", "amount": 3000.0, "remainAmount": 10000.0, "taxInfo": map[string]any{"taxationAmount": 1000.0, "taxFreeAmount": 1900.0, "vatAmount": 100.0}}},
		"the last part": {refund(7000, 7000), map[string]any{"reviseTypeCode": "62", "amount": 7000.0, "remainAmount": 7000.0}},
		"escrow":        {escrow, map[string]any{"reviseTypeCode": "61", "reviseSubTypeCode": "ES05"}},
	} {
		a, asked := played(t, http.StatusOK, fmt.Sprintf(refundedAnswer, c.r.Give.Amount, "RF01"))
		done, err := Module.Refund(t.Context(), a, c.r)
		if err != nil || done.PGID != "C1" || done.Transfer != payment.RefundPending || !done.At.Equal(a.Now) {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		want := maps.Clone(common)
		maps.Copy(want, c.want)
		if d := cmp.Diff(want, *asked); d != "" {
			t.Errorf("%s (-want +sent):\n%s", name, d)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf(refundedAnswer, 10_000, "RF02")
	for name, c := range map[string]struct {
		status  int
		answer  string
		refused string // the code, or empty: unclear
	}{
		"refused":           {200, `{"resCd":"R102","resMsg":"거절"}`, "R102"},
		"a bank's time-out": {200, `{"resCd":"VTIM","resMsg":"타임아웃"}`, ""},
		"no code":           {200, `{"resMsg":"정상"}`, ""},
		"a bad request":     {400, good, ""},
		"another request":   {200, strings.Replace(good, "key-1", "key-2", 1), ""},
		"another payment":   {200, strings.Replace(good, "0001\"", "0002\"", 1), ""},
		"no number":         {200, strings.Replace(good, "C1", "", 1), ""},
		"another amount":    {200, strings.Replace(good, "10000", "9000", 1), ""},
	} {
		a, _ := played(t, c.status, c.answer)
		_, err := Module.Refund(t.Context(), a, refund(10_000, 10_000))
		no, ok := errors.AsType[*provider.DeclinedError](err)
		if ok != (c.refused != "") || ok && no.Code != c.refused || !ok && !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, _ := played(t, 200, good)
	if done, err := Module.Refund(t.Context(), a, refund(10_000, 10_000)); err != nil || done.Transfer != payment.RefundCompleted {
		t.Errorf("RF02: %+v, %v, want a transfer that is done", done, err)
	}
}

func TestCheckRefund(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Refund)
		want fault.Kind
	}{
		"no key":           {func(c *merchant.Channel, _ *provider.Refund) { c.Credentials = nil }, fault.Invalid},
		"a long mid":       {func(c *merchant.Channel, _ *provider.Refund) { c.MID = "T51020011" }, fault.Invalid},
		"no issue":         {func(_ *merchant.Channel, r *provider.Refund) { r.PGTx = "" }, fault.Unsupported},
		"no account":       {func(_ *merchant.Channel, r *provider.Refund) { r.Account = nil }, fault.Invalid},
		"no bank":          {func(_ *merchant.Channel, r *provider.Refund) { r.Account.Bank = "" }, fault.Invalid},
		"no holder":        {func(_ *merchant.Channel, r *provider.Refund) { r.Account.Holder = "" }, fault.Invalid},
		"too many digits":  {func(_ *merchant.Channel, r *provider.Refund) { r.Account.Number = "123456789012345" }, fault.Invalid},
		"a part of escrow": {func(_ *merchant.Channel, r *provider.Refund) { r.Escrow, r.Give = true, payment.Won(1) }, fault.Unsupported},
		"dollars":          {func(_ *merchant.Channel, r *provider.Refund) { r.Give.Currency = "USD" }, fault.Unsupported},
	} {
		b, r := bench(), refund(10_000, 10_000)
		c.edit(&b.Channel, &r)
		if err := Module.CheckRefund(b.Channel, r); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	a, asked := played(t, 200, "{}")
	r := refund(10_000, 10_000)
	r.Key = strings.Repeat("k", 61)
	if _, err := Module.Refund(t.Context(), a, r); !fault.Is(err, fault.Invalid) || len(*asked) != 0 {
		t.Errorf("a key that is too long: %v, and %v was sent", err, *asked)
	}
}
