package inicis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/inicis"
)

func TestIssueChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		"an order id of 41 characters": {func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("x", 41) }, fault.Invalid},
		"an order id in Korean":        {func(_ *merchant.Channel, o *provider.Order) { o.ID = "주문" }, fault.Invalid},
		"an order id with a space":     {func(_ *merchant.Channel, o *provider.Order) { o.ID = "a b" }, fault.Invalid},
		"no order id":                  {func(_ *merchant.Channel, o *provider.Order) { o.ID = "" }, fault.Invalid},
		"no name":                      {func(_ *merchant.Channel, o *provider.Order) { o.Name = "" }, fault.Invalid},
		"no e-mail":                    {func(_ *merchant.Channel, o *provider.Order) { o.Customer.Email = "" }, fault.Invalid},
		"a long e-mail":                {func(_ *merchant.Channel, o *provider.Order) { o.Customer.Email = strings.Repeat("x", 61) }, fault.Invalid},
		"no deadline":                  {func(_ *merchant.Channel, o *provider.Order) { o.ExpiresAt = time.Time{} }, fault.Invalid},
		"an unknown bank":              {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "NOBODY" }, fault.Invalid},
		"securities":                   {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "KB_SECURITIES" }, fault.Invalid},
		"nothing to pay":               {func(_ *merchant.Channel, o *provider.Order) { o.Amount = payment.Won(0) }, fault.Invalid},
		"13 digits":                    {func(_ *merchant.Channel, o *provider.Order) { o.Amount = payment.Won(1_000_000_000_000) }, fault.Invalid},
		"dollars":                      {func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		"a fixed account":              {func(_ *merchant.Channel, o *provider.Order) { o.Type = payment.Fixed }, fault.Unsupported},
		"escrow":                       {func(_ *merchant.Channel, o *provider.Order) { o.Escrow = true }, fault.Unsupported},
		"a receipt for nobody":         {func(_ *merchant.Channel, o *provider.Order) { o.Receipt = &provider.ReceiptOrder{Identity: "-"} }, fault.Invalid},
		"no mid":                       {func(c *merchant.Channel, _ *provider.Order) { c.MID = "" }, fault.Invalid},
		"no key":                       {func(c *merchant.Channel, _ *provider.Order) { c.Credentials["iniapi_key"] = "" }, fault.Invalid},
		"an address that is none":      {func(c *merchant.Channel, _ *provider.Order) { c.Credentials["client_ip"] = "::1" }, fault.Invalid},
		"a long site": {func(c *merchant.Channel, _ *provider.Order) {
			c.Credentials["site_url"] = "https://" + "x" + ".example/" + "0123456789012345678901234567890123"
		}, fault.Invalid},
		"a receipt without a vector": {func(c *merchant.Channel, o *provider.Order) {
			c.Credentials["iniapi_iv"], o.Receipt = "", &provider.ReceiptOrder{Identity: "01012345678"}
		}, fault.Invalid},
	} {
		ch, o := channel(), order()
		if err := inicis.V1.CheckIssue(ch, o); err != nil {
			t.Fatal(err)
		}
		c.edit(&ch, &o)
		if err := inicis.V1.CheckIssue(ch, o); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckIssue = %v, want %v", name, err, c.want)
		}
	}
	ch, o := channel(), order()
	ch.Credentials["site_url"], ch.Credentials["iniapi_iv"] = "", ""
	if err := inicis.V1.CheckIssue(ch, o); err != nil {
		t.Errorf("CheckIssue with the key alone: %v", err)
	}
}

func TestRefundChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Refund)
		want fault.Kind
	}{
		"no id":                  {func(_ *merchant.Channel, q *provider.Refund) { q.PGTx = "" }, fault.Unsupported},
		"escrow":                 {func(_ *merchant.Channel, q *provider.Refund) { q.Escrow = true }, fault.Unsupported},
		"dollars":                {func(_ *merchant.Channel, q *provider.Refund) { q.Give.Currency = "USD" }, fault.Unsupported},
		"no account":             {func(_ *merchant.Channel, q *provider.Refund) { q.Account = nil }, fault.Invalid},
		"an unknown bank":        {func(_ *merchant.Channel, q *provider.Refund) { q.Account.Bank = "NOBODY" }, fault.Invalid},
		"a bank of three digits": {func(_ *merchant.Channel, q *provider.Refund) { q.Account.Bank = "KAKAO_PAY_SECURITIES" }, fault.Invalid},
		"no number":              {func(_ *merchant.Channel, q *provider.Refund) { q.Account.Number = "-" }, fault.Invalid},
		"no holder":              {func(_ *merchant.Channel, q *provider.Refund) { q.Account.Holder = "" }, fault.Invalid},
		"nothing":                {func(_ *merchant.Channel, q *provider.Refund) { q.Give = payment.Won(0) }, fault.Invalid},
		"too much":               {func(_ *merchant.Channel, q *provider.Refund) { q.Give = payment.Won(5001) }, fault.Invalid},
		"a short vector":         {func(ch *merchant.Channel, _ *provider.Refund) { ch.Credentials["iniapi_iv"] = "x" }, fault.Invalid},
		"no key":                 {func(ch *merchant.Channel, _ *provider.Refund) { ch.Credentials["iniapi_key"] = "" }, fault.Invalid},
	} {
		ch := channel()
		q := provider.Refund{Query: provider.Query{PGTx: "t", Amount: payment.Won(9000)}, Give: payment.Won(3000), Rest: payment.Won(5000), Account: refundTo()}
		if err := inicis.V1.CheckRefund(ch, q); err != nil {
			t.Fatal(err)
		}
		c.edit(&ch, &q)
		if err := inicis.V1.CheckRefund(ch, q); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckRefund = %v, want %v", name, err, c.want)
		}
	}
	if err := inicis.V1.CheckClose(channel(), provider.Closing{}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("CheckClose without an id: %v", err)
	}
	if err := inicis.V1.CanInquire(channel(), provider.Query{Deposit: "d"}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("CanInquire without an id: %v", err)
	}
	if err := inicis.V1.CanInquire(merchant.Channel{MID: "m"}, provider.Query{Order: "o"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("CanInquire without a key: %v", err)
	}
}
