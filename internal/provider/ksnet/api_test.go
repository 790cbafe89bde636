package ksnet

import (
	"encoding/json"
	"errors"
	"io"
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
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func bench() providertest.Bench {
	test := Module.Info().TestMIDs[0]
	o := providertest.Won1000("NONGHYUP")
	o.Type, o.Number = payment.Fixed, "10185164017326"
	return providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: test.MID, Credentials: merchant.Credentials{apiKey: test.Credentials[apiKey]}},
		Order:   o,
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, Module, bench())
}

func TestNormalAccounts(t *testing.T) {
	t.Parallel()
	for bank := range bankTypes {
		b := bench()
		b.Order.Type, b.Order.Number, b.Order.Bank = payment.Normal, "", bank
		providertest.Calls(t, Module, b)
	}
}

// The answers are those of the document, but for the payload.
const (
	goodAnswer = `{"aid":"WFVVPSI00000000003100223","code":"A0200","message":"Success","data":{"payload":"","tid":"689449000007","tradeDateTime":"20240624094405",` +
		`"totalAmount":"1004","respCode":"0000","respMessage":"계좌요청완료","bankType":"NONGHYUP","bankName":"농협중앙","virtualAccountNumb":"10185164017326","accountHolder":"(T)우체국쇼핑"}}`
	refusedAnswer = `{"aid":"WFVVPSI00000000003100222","code":"A0201","message":"Fail","data":{"payload":"","tid":"689449000006","tradeDateTime":"20240624094116",` +
		`"totalAmount":"1004","respCode":"B013","respMessage":"발급거절/마감일자정보없음","bankType":"NONGHYUP","bankName":"농협중앙","virtualAccountNumb":"","accountHolder":""}}`
)

// ask has an account of 1,004 won issued by a PG that answers as told.
func ask(t *testing.T, status int, answer string) (issue provider.Issue, asked map[string]any, err error) {
	t.Helper()
	b := bench()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &asked) != nil {
			t.Errorf("the request is no JSON: %s", body)
		}
		if got, want := r.Header.Get("Authorization"), "pgapi "+b.Channel.Credentials[apiKey].Reveal(); got != want || r.URL.Path != issuePath {
			t.Errorf("asked %s as %q, want %q", r.URL.Path, got, want)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer srv.Close()
	b.Channel.BaseURL = srv.URL
	b.Order.ID, b.Order.Amount, b.Order.Escrow = "carrot12212", payment.Won(1004), true
	b.Order.Name, b.Order.Customer.Name = strings.Repeat("당근", 20), "김토끼🐰"
	b.Order.ExpiresAt = time.Date(2024, 6, 24, 10, 0, 0, 0, wire.Seoul)
	issue, err = Module.Issue(t.Context(), provider.Access{HTTP: srv.Client(), Channel: b.Channel, Now: time.Now()}, b.Order)
	return issue, asked, err
}

func TestIssueRequest(t *testing.T) {
	t.Parallel()
	i, asked, err := ask(t, http.StatusOK, goodAnswer)
	want := map[string]any{
		"mid": "2999199999", "orderNumb": "carrot12212", "userName": "김토끼?", "productName": strings.Repeat("당근", 12) + "당",
		"totalAmount": "1004", "payload": "6f3a0f3e-0000-4000-8000-000000000001", "bankType": "NONGHYUP", "virtAccountType": "2",
		"escrowType": "1", "closeDateTime": "20240624100000", "virtAccountNumb": "10185164017326",
	}
	if d := cmp.Diff(want, asked); d != "" {
		t.Errorf("(-want +sent):\n%s", d)
	}
	at := time.Date(2024, 6, 24, 9, 44, 5, 0, wire.Seoul)
	if err != nil || i.PGTx != "689449000007" || i.Account.Number != "10185164017326" || i.Account.Bank != "NONGHYUP" ||
		i.Account.Holder != "(T)우체국쇼핑" || !i.At.Equal(at) {
		t.Errorf("Issue = %+v, %v", i, err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		answer  string
		refused string // the code, or empty: unclear
	}{
		"refused":             {200, refusedAnswer, "B013"},
		"refused, no reason":  {200, `{"code":"A0201","message":"Fail","data":null}`, ""},
		"a wrong request":     {200, `{"code":"A0400","message":"x","data":null}`, "A0400"},
		"a wrong key":         {200, `{"code":"A0401","message":"x"}`, "A0401"},
		"a broken server":     {200, `{"code":"A0500","message":"x"}`, ""},
		"another error":       {200, `{"code":"A0999","message":"x"}`, ""},
		"success, no data":    {200, `{"code":"A0200","message":"Success"}`, ""},
		"success and failure": {200, strings.Replace(goodAnswer, `"0000"`, `"B013"`, 1), ""},
		"no account":          {200, strings.Replace(goodAnswer, `"10185164017326"`, `""`, 1), ""},
		"another account":     {200, strings.Replace(goodAnswer, `"10185164017326"`, `"1"`, 1), ""},
		"no transaction":      {200, strings.Replace(goodAnswer, `"689449000007"`, `""`, 1), ""},
		"another amount":      {200, strings.Replace(goodAnswer, `"1004"`, `"1005"`, 1), ""},
		"another payload":     {200, strings.Replace(goodAnswer, `"payload":""`, `"payload":"x"`, 1), ""},
		"another status":      {503, goodAnswer, ""},
	} {
		_, _, err := ask(t, c.status, c.answer)
		no, ok := errors.AsType[*provider.DeclinedError](err)
		if ok != (c.refused != "") || ok && no.Code != c.refused || !ok && !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoDeadline: the PG's own refusal comes through.
func TestNoDeadline(t *testing.T) {
	t.Parallel()
	b := bench()
	srv := httptest.NewServer(Module.API(&books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{b.Channel} }}))
	defer srv.Close()
	b.Order.ExpiresAt = time.Time{}
	a := provider.Access{HTTP: srv.Client(), Channel: b.Channel, Now: time.Now()}
	a.Channel.BaseURL = srv.URL
	_, err := Module.Issue(t.Context(), a, b.Order)
	if no, ok := errors.AsType[*provider.DeclinedError](err); !ok || no.Code != "B013" {
		t.Errorf("Issue without a deadline: %v, want B013", err)
	}
}

func TestCheckIssue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		"no key":               {func(c *merchant.Channel, _ *provider.Order) { c.Credentials = nil }, fault.Invalid},
		"no mid":               {func(c *merchant.Channel, _ *provider.Order) { c.MID = "" }, fault.Invalid},
		"dollars":              {func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		"ten digits":           {func(_ *merchant.Channel, o *provider.Order) { o.Amount = payment.Won(1_000_000_000) }, fault.Invalid},
		"a long order":         {func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("o", 51) }, fault.Invalid},
		"a bank without":       {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "KAKAO" }, fault.Invalid},
		"no name":              {func(_ *merchant.Channel, o *provider.Order) { o.Name = "" }, fault.Invalid},
		"a receipt":            {func(_ *merchant.Channel, o *provider.Order) { o.Receipt = &provider.ReceiptOrder{} }, fault.Unsupported},
		"fixed by an id":       {func(_ *merchant.Channel, o *provider.Order) { o.AccountID = "id" }, fault.Unsupported},
		"fixed without number": {func(_ *merchant.Channel, o *provider.Order) { o.Number = "" }, fault.Invalid},
		"a long number":        {func(_ *merchant.Channel, o *provider.Order) { o.Number = "1234567890123456" }, fault.Invalid},
	} {
		b := bench()
		c.edit(&b.Channel, &b.Order)
		if err := Module.CheckIssue(b.Channel, b.Order); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
