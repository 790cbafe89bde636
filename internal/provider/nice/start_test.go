package nice

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func startChannel() merchant.Channel {
	return merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, Credentials: merchant.Credentials{
		clientKey: "58e3b578555e45738d6b569e53d5ae54", secretKey: "9a7c1ffe0d1f4d6d8b6a2f0c5e3d7b21",
	}}
}

func TestCallsOfStart(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, V2, providertest.Bench{Channel: startChannel(), Order: order(), Refund: refundTo, WindowOnly: true})
}

func TestStartRequest(t *testing.T) {
	a, asked := answering(t, startChannel(), `{"resultCode":"U122","resultMsg":"취소 해당거래 없음"}`)
	q := provider.Refund{
		Query: provider.Query{PGTx: "t-1", Order: "order-1", Amount: payment.Won(10_000)}, Give: payment.Won(3000), Rest: payment.Won(10_000), TaxFree: 500,
		Account: &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "남궁선우가나"}, Reason: `a & "b" <c>`, Key: "key-1",
	}
	_, err := V2.Refund(t.Context(), a, q)
	if d, ok := errors.AsType[*provider.DeclinedError](err); !ok || d.Code != "U122" {
		t.Fatalf("Refund: %v, want the PG's no", err)
	}
	// printf 't-12019-12-19T14:04:04.000+09009a7c1ffe0d1f4d6d8b6a2f0c5e3d7b21' | sha256sum
	want := `{"reason":"a & \"b\" <c>","orderId":"key-1","cancelAmt":3000,"taxFreeAmt":500,"ediDate":"2019-12-19T14:04:04.000+0900",` +
		`"signData":"f4167206c174812dfa39e531befdf4cf8bec988891628efc5e0a6a7585676d9f","refundAccount":"123456789012","refundBankCode":"004","refundHolder":"남궁선우가"}`
	if string(*asked) != want {
		t.Errorf("the PG was asked\n%s, want\n%s", *asked, want)
	}
}

// TestStartAnswers reads answers of the start API.
func TestStartAnswers(t *testing.T) {
	const edi, sk = "2026-07-10T16:00:01.000+0900", "9a7c1ffe0d1f4d6d8b6a2f0c5e3d7b21"
	body := func(status, paidAt, sign string) string {
		return `{"resultCode":"0000","resultMsg":"ok","tid":"t-1","orderId":"order-1","ediDate":"` + edi + `","signature":"` + sign + `","status":"` + status +
			`","paidAt":"` + paidAt + `","payMethod":"vbank","amount":10000,"balanceAmt":0,"vbank":{"vbankCode":"88","vbankName":"신한은행","vbankNumber":"560-1","vbankExpDate":"2026-07-12T23:59:59.000+0900","vbankHolder":"통보"},` +
			`"cancels":[{"tid":"c-1","amount":3000,"cancelledAt":"` + edi + `","reason":"","receiptUrl":""}],"cashReceipts":[{"receiptTid":"r-1","issueNo":"123456789","receiptType":"individual"}]}`
	}
	good := wire.SHA256Hex("t-1", "10000", edi, sk)
	for _, c := range []struct {
		name, body string
		want       payment.State
		deposit    string
		expired    bool
	}{
		{"ready", body("ready", edi, good), payment.Issued, "", false},
		{"paid", body("paid", edi, good), payment.Paid, "t-1", false},
		{"part given back", body("partialCancelled", edi, good), payment.PartiallyCancelled, "t-1", false},
		{"given back", body("cancelled", edi, good), payment.Cancelled, "t-1", false},
		{"closed", body("cancelled", "0", good), payment.Failed, "", false},
		{"expired, unsigned", body("expired", "0", ""), payment.Issued, "", true},
		{"failed, unsigned", body("failed", "0", ""), payment.Failed, "", false},
	} {
		a, _ := answering(t, startChannel(), c.body)
		s, err := V2.Inquire(t.Context(), a, provider.Query{PGTx: "t-1"})
		if err != nil || s.State != c.want || s.Deposit != c.deposit || s.Expired != c.expired || s.Amount != payment.Won(10_000) || !s.HasAmount ||
			s.Account.Bank != "SHINHAN" || s.Account.Number != "5601" || len(s.Cancellations) != 1 || s.Cancellations[0].Amount != payment.Won(3000) ||
			s.CashReceipt == nil || s.CashReceipt.Number != "123456789" || s.PaidAt.IsZero() != (c.deposit == "") {
			t.Errorf("%s: %+v, %v, want %s", c.name, s, err, c.want)
		}
	}
	for name, bad := range map[string]string{
		"unsigned":                body("paid", edi, ""),
		"signed with another key": body("paid", edi, wire.SHA256Hex("t-1", "10000", edi, "other")),
		"another transaction":     strings.Replace(body("expired", "0", ""), `"t-1"`, `"t-2"`, 1),
		"a status nobody knows":   body("sleeping", edi, good),
		"no amount":               strings.Replace(body("failed", "0", ""), `"amount":10000,`, "", 1),
	} {
		a, _ := answering(t, startChannel(), bad)
		if s, err := V2.Inquire(t.Context(), a, provider.Query{PGTx: "t-1"}); !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %+v, %v, want unclear", name, s, err)
		}
	}
}

func TestStartByOrder(t *testing.T) {
	a, l := played(t, V2, startChannel())
	e, err := l.Issue(a.Channel, provider.Entry{Order: "주문/1", Amount: payment.Won(1000), PGTx: "t-1"})
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[time.Duration]payment.State{0: payment.Issued, -72 * time.Hour: ""} {
		s, err := V2.Inquire(t.Context(), a, provider.Query{Order: e.Order, At: time.Now().Add(day)})
		if err != nil || s.State != want {
			t.Errorf("by order, %v: %+v, %v, want %q", day, s, err, want)
		}
	}
}

func TestSandboxRefundsNoParts(t *testing.T) {
	q := provider.Refund{Query: provider.Query{PGTx: "t", Amount: payment.Won(10)}, Give: payment.Won(1), Rest: payment.Won(10), Account: refundTo}
	c := startChannel()
	if err := V2.CheckRefund(c, q); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a part in the sandbox: %v, want unsupported", err)
	}
	c.Mode = merchant.Live
	if err := V2.CheckRefund(c, q); err != nil {
		t.Errorf("a part, live: %v", err)
	}
	for name, edit := range map[string]func(*provider.Refund){
		"no account": func(q *provider.Refund) { q.Account = nil },
		"no holder":  func(q *provider.Refund) { q.Account = &provider.RefundAccount{Bank: "KOOKMIN", Number: "1"} },
		"no bank":    func(q *provider.Refund) { q.Account = &provider.RefundAccount{Number: "1", Holder: "a"} },
		"a long number": func(q *provider.Refund) {
			q.Account = &provider.RefundAccount{Bank: "KOOKMIN", Number: secret.Account(strings.Repeat("1", 17)), Holder: "a"}
		},
	} {
		bad := q
		edit(&bad)
		if err := V2.CheckRefund(c, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestBasicAuthorization(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer srv.Close()
	c := startChannel()
	c.BaseURL = srv.URL + "/"
	_, _ = V2.Inquire(t.Context(), provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Now()}, provider.Query{PGTx: "t"})
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("58e3b578555e45738d6b569e53d5ae54:9a7c1ffe0d1f4d6d8b6a2f0c5e3d7b21")); got != want {
		t.Errorf("Authorization = %q, want %q", got, want)
	}
}
