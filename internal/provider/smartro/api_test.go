package smartro

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func bench() providertest.Bench {
	test := V2.Info().TestMIDs[0]
	o := providertest.Won1000("SHINHAN")
	o.ID = "order1"
	return providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: test.MID, Credentials: merchant.Credentials{
			merchantKey: test.Credentials[merchantKey], cancelPassword: "123456",
		}},
		Order: o,
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, V2, bench())
}

func TestFixedAccount(t *testing.T) {
	t.Parallel()
	b := bench()
	b.Order.Type, b.Order.Number, b.Order.TaxFree = payment.Fixed, "5621-1100-000000", 0
	b.Order.Receipt = &provider.ReceiptOrder{Business: true, Identity: "123-45-67890"}
	providertest.Calls(t, V2, b)
}

// played is an access to a PG that answers each request with the same, and what
// it was asked.
func played(t *testing.T, status int, answer string) (provider.Access, *map[string]string) {
	t.Helper()
	asked := &map[string]string{}
	b := bench()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e envelope
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &e) != nil || e.MID != b.Channel.MID {
			t.Errorf("the request is no envelope: %s", body)
		}
		q, ok := opened(b.Channel.Credentials[merchantKey], e.Sealed)
		if !ok {
			t.Error("the request is not sealed with the key")
		}
		*asked = q
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	a := provider.Access{HTTP: srv.Client(), Channel: b.Channel, Now: time.Date(2026, 8, 1, 12, 0, 0, 0, wire.Seoul)}
	a.Channel.BaseURL = srv.URL
	return a, asked
}

// TestIssueRequest: texts are cut to the API's characters, the deadline is a day.
func TestIssueRequest(t *testing.T) {
	t.Parallel()
	a, asked := played(t, http.StatusOK, `{"ResultCode":"4100","ResultMsg":"성공","Tid":"T1","Moid":"order1","VbankName":"신한은행","VbankNum":"562-11100000000"}`)
	o := bench().Order
	o.Name, o.Customer.PhoneNumber, o.ExpiresAt = strings.Repeat("상품", 30), "010-1234-5678", time.Date(2026, 8, 3, 9, 30, 0, 0, wire.Seoul)
	i, err := V2.Issue(t.Context(), a, o)
	if err != nil || i.PGTx != "T1" || i.Account.Number != "56211100000000" || i.Account.Bank != "SHINHAN" {
		t.Errorf("Issue = %+v, %v", i, err)
	}
	if want := time.Date(2026, 8, 3, 23, 59, 59, 0, wire.Seoul); !i.Account.ExpiresAt.Equal(want) {
		t.Errorf("the account ends at %v, want %v", i.Account.ExpiresAt, want)
	}
	for name, want := range map[string]string{
		"GoodsName": strings.Repeat("상품", 20), "BuyerTel": "01012345678", "VbankExpDate": "20260803", "VbankBankCode": "088",
		"TransType": "00", "EdiDate": "20260801120000", "CashReceiptType": "0", "Amt": "10000",
	} {
		if (*asked)[name] != want {
			t.Errorf("%s = %q, want %q", name, (*asked)[name], want)
		}
	}
}

// TestAnswers: which answers are the PG's no, and which say nothing.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		answer  string
		refused string // the code, or empty: unclear
	}{
		"refused":             {200, `{"ResultCode":"4101","ResultMsg":"거절"}`, "4101"},
		"a system's error":    {200, `{"ResultMsg":"시스템에러 잠시후 재 거래","ResultCode":"9999"}`, ""},
		"no code":             {200, `{"ResultMsg":"성공"}`, ""},
		"another status":      {502, `{"ResultCode":"4101"}`, ""},
		"no account":          {200, `{"ResultCode":"4100","Tid":"T1"}`, ""},
		"no transaction":      {200, `{"ResultCode":"4100","VbankNum":"1"}`, ""},
		"another order":       {200, `{"ResultCode":"4100","Tid":"T1","VbankNum":"1","Moid":"order2"}`, ""},
		"another's SignValue": {200, `{"ResultCode":"4100","Tid":"SMTPAY001m03012601021530451234","VbankNum":"1","Moid":"order1","SignValue":"AAAA"}`, ""},
	} {
		a, _ := played(t, c.status, c.answer)
		_, err := V2.Issue(t.Context(), a, bench().Order)
		no, ok := errors.AsType[*provider.DeclinedError](err)
		if ok != (c.refused != "") || ok && no.Code != c.refused || !ok && !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckIssue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		"no key": {func(c *merchant.Channel, _ *provider.Order) { c.Credentials = nil }, fault.Invalid},
		"a short key": {func(c *merchant.Channel, _ *provider.Order) {
			c.Credentials = merchant.Credentials{merchantKey: "short"}
		}, fault.Invalid},
		"a long mid":           {func(c *merchant.Channel, _ *provider.Order) { c.MID = "SMTPAY001mm" }, fault.Invalid},
		"dollars":              {func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		"signs in the order":   {func(_ *merchant.Channel, o *provider.Order) { o.ID = "order-1" }, fault.Invalid},
		"a long order":         {func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("o", 41) }, fault.Invalid},
		"no bank":              {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "" }, fault.Invalid},
		"escrow":               {func(_ *merchant.Channel, o *provider.Order) { o.Escrow = true }, fault.Unsupported},
		"no deadline":          {func(_ *merchant.Channel, o *provider.Order) { o.ExpiresAt = time.Time{} }, fault.Invalid},
		"no phone number":      {func(_ *merchant.Channel, o *provider.Order) { o.Customer.PhoneNumber = "" }, fault.Invalid},
		"no e-mail":            {func(_ *merchant.Channel, o *provider.Order) { o.Customer.Email = "" }, fault.Invalid},
		"no buyer":             {func(_ *merchant.Channel, o *provider.Order) { o.Customer.Name = "" }, fault.Invalid},
		"no name":              {func(_ *merchant.Channel, o *provider.Order) { o.Name = "" }, fault.Invalid},
		"fixed without number": {func(_ *merchant.Channel, o *provider.Order) { o.Type = payment.Fixed }, fault.Invalid},
		"fixed by an id":       {func(_ *merchant.Channel, o *provider.Order) { o.AccountID = "id" }, fault.Unsupported},
		"a receipt for nobody": {func(_ *merchant.Channel, o *provider.Order) { o.TaxFree, o.Receipt = 0, &provider.ReceiptOrder{} }, fault.Invalid},
		"a receipt in parts": {func(_ *merchant.Channel, o *provider.Order) {
			o.Receipt = &provider.ReceiptOrder{Identity: "01012345678"}
		}, fault.Unsupported},
		"no amount": {func(_ *merchant.Channel, o *provider.Order) { o.Amount = payment.Won(0) }, fault.Invalid},
	} {
		b := bench()
		c.edit(&b.Channel, &b.Order)
		if err := V2.CheckIssue(b.Channel, b.Order); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestCheckClose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Closing)
		want fault.Kind
	}{
		"no password": {func(c *merchant.Channel, _ *provider.Closing) { delete(c.Credentials, cancelPassword) }, fault.Invalid},
		"no key":      {func(c *merchant.Channel, _ *provider.Closing) { delete(c.Credentials, merchantKey) }, fault.Invalid},
		"no issue":    {func(_ *merchant.Channel, q *provider.Closing) { q.PGTx = "" }, fault.Unsupported},
		"no amount":   {func(_ *merchant.Channel, q *provider.Closing) { q.Amount = payment.Money{} }, fault.Unsupported},
	} {
		b, q := bench(), provider.Closing{Query: provider.Query{PGTx: "T1", Amount: payment.Won(1000)}}
		c.edit(&b.Channel, &q)
		if err := V2.CheckClose(b.Channel, q); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestCloseOfDeposited: money that came in is not given back by closing.
func TestCloseOfDeposited(t *testing.T) {
	t.Parallel()
	b := bench()
	ledger := &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{b.Channel} }}
	srv := httptest.NewServer(V2.API(ledger))
	defer srv.Close()
	a := provider.Access{HTTP: srv.Client(), Channel: b.Channel, Now: time.Now()}
	a.Channel.BaseURL = srv.URL
	i, err := V2.Issue(t.Context(), a, b.Order)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Deposit(b.Channel, i.PGTx, "홍길동"); err != nil {
		t.Fatal(err)
	}
	_, err = V2.Close(t.Context(), a, provider.Closing{Query: provider.Query{PGTx: i.PGTx, Amount: b.Order.Amount}})
	if _, ok := errors.AsType[*provider.DeclinedError](err); !ok {
		t.Errorf("Close of a deposited account: %v, want the PG's no", err)
	}
	if e, _ := ledger.Find(b.Channel, func(provider.Entry) bool { return true }); e.State != payment.Paid || len(i.PGTx) != maxTID {
		t.Errorf("the PG has %s under %s", e.State, i.PGTx)
	}
}
