package tosspayments

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	_ provider.Charger   = Module
	_ provider.KeyIssuer = Module
)

// A chargeRequest is POST /v1/billing/{billingKey} (docs.tosspayments.com, /reference,
// 카드 자동결제 승인).
type chargeRequest struct {
	Amount        int64  `json:"amount"`
	CustomerKey   string `json:"customerKey"`
	OrderID       string `json:"orderId"`
	OrderName     string `json:"orderName"`
	CustomerEmail string `json:"customerEmail,omitempty"`
	CustomerName  string `json:"customerName,omitempty"`
	TaxFreeAmount int64  `json:"taxFreeAmount,omitempty"`
	Months        int    `json:"cardInstallmentPlan,omitempty"` // not seen in the pages above
}

// A keyRequest is POST /v1/billing/authorizations/card (/guides/v2/billing/integration-api,
// which new contracts do not get). Its fields are a card's: it is encoded, and no more.
type keyRequest struct {
	Number      string `json:"cardNumber"`
	Year        string `json:"cardExpirationYear"`
	Month       string `json:"cardExpirationMonth"`
	Password    string `json:"cardPassword,omitempty"`
	Identity    string `json:"customerIdentityNumber,omitempty"`
	CustomerKey string `json:"customerKey"`
}

// CheckCharge takes billing keys alone: charging a card's number needs a contract of
// its own.
func (module) CheckCharge(c merchant.Channel, q provider.Charge) error {
	switch {
	case c.Credentials[secretKey] == "":
		return missingKey()
	case q.Wallet != nil:
		return fault.Errorf(fault.Unsupported, "Toss Payments is paid by wallets in its own window")
	case q.BillingKey == nil:
		return fault.Errorf(fault.Unsupported, "Toss Payments is charged by billing keys here, not by card numbers")
	case q.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Toss Payments charges billing keys in KRW only")
	case q.Terms.FreeInterest || q.Terms.CardPoint:
		return fault.Errorf(fault.Unsupported, "Toss Payments has no word for interest or points in a charge by billing key")
	case utf8.RuneCountInString(q.Name) > maxName:
		return fault.Errorf(fault.Invalid, "the order name is longer than the %d characters that Toss Payments takes", maxName)
	}
	return nil
}

// Charge charges a billing key. The Key goes along as Idempotency-Key.
func (module) Charge(ctx context.Context, a provider.Access, q provider.Charge) (provider.Charged, error) {
	body := chargeRequest{
		Amount: q.Amount.Amount, CustomerKey: q.BillingKey.Customer, OrderID: q.ID, OrderName: q.Name, CustomerEmail: q.Customer.Email,
		CustomerName: wire.Shorten(q.Customer.Name, maxName), TaxFreeAmount: q.TaxFree,
	}
	if q.Terms.Months > 1 {
		body.Months = q.Terms.Months
	}
	p, err := post(ctx, a, "/v1/billing/"+url.PathEscape(q.BillingKey.Key.Reveal()), q.Key, body)
	if err != nil {
		return provider.Charged{}, err
	}
	s, err := standingOf(p)
	switch {
	case err != nil:
		return provider.Charged{}, err
	case s.State == payment.Failed && s.Failure != nil:
		return provider.Charged{}, &provider.DeclinedError{Code: s.Failure.PGCode, Message: s.Failure.PGMessage}
	case s.State != payment.Paid || s.Amount != q.Amount:
		return provider.Charged{PGTx: s.PGTx}, fault.Errorf(fault.Unclear, "Toss Payments answered that the charge is %q", p.text("status"))
	}
	return provider.Charged{PGTx: s.PGTx, Card: s.Card, Receipt: s.Receipt, At: s.PaidAt}, nil
}

// CheckIssueKey wants the channel's key.
func (module) CheckIssueKey(c merchant.Channel, _ provider.KeyOrder) error {
	if c.Credentials[secretKey] == "" {
		return missingKey()
	}
	return nil
}

// IssueKey has Toss issue a billing key for a card. The Key is the customer's name there.
func (module) IssueKey(ctx context.Context, a provider.Access, o provider.KeyOrder) (provider.KeyIssued, error) {
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(host, host), "/v1/billing/authorizations/card"), withKey(a.Channel, o.Key), keyRequest{
		Number: o.Card.Number.Reveal(), Year: o.Card.ExpiryYear.Reveal(), Month: o.Card.ExpiryMonth.Reveal(),
		Password: o.Card.Password.Reveal(), Identity: o.Card.Identity.Reveal(), CustomerKey: o.Key,
	})
	if err != nil {
		return provider.KeyIssued{}, err
	}
	b, err := answered(answer, "billingKey")
	if err != nil {
		return provider.KeyIssued{}, err
	}
	return provider.KeyIssued{Key: secret.Text(b.text("billingKey")), Card: cardOf(b.object("card")), At: isoTime(b.text("authenticatedAt"))}, nil
}

// DeleteKey is fault.Unsupported: Toss publishes no call that deletes a billing key.
func (module) DeleteKey(context.Context, provider.Access, provider.BillingKey) (time.Time, error) {
	return time.Time{}, fault.Errorf(fault.Unsupported, "Toss Payments publishes no call that deletes a billing key")
}

// cardOf reads a Payment's card, or a Billing's. Since API version 2022-11-16 the
// issuer is a code.
func cardOf(o object) payment.Card {
	c := payment.Card{
		Number: o.text("number"), Issuer: cmp.Or(o.text("company"), o.text("issuerCode")), Approval: o.text("approveNo"),
		Type:  map[string]string{"신용": "CREDIT", "체크": "DEBIT", "기프트": "GIFT"}[o.text("cardType")],
		Owner: map[string]string{"개인": "PERSONAL", "법인": "CORPORATE"}[o.text("ownerType")],
	}
	c.Months, _ = strconv.Atoi(o.text("installmentPlanMonths")) // none is 0
	c.InterestFree, _ = o["isInterestFree"].(bool)
	return c
}

// failureOf is why a Payment came to nothing; nil if it does not say.
func failureOf(o object) *payment.Failure {
	if o.text("code") == "" {
		return nil
	}
	return &payment.Failure{Reason: o.text("message"), PGCode: o.text("code"), PGMessage: o.text("message")}
}
