package tosspayments

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	_ provider.Issuer   = Module
	_ provider.Inquirer = Module
	_ provider.Closer   = Module
	_ provider.Refunder = Module
)

// Live and test share a host: the key decides (docs.tosspayments.com, 코어 API).
const host = "https://api.tosspayments.com"

// What the core API takes (docs.tosspayments.com, /reference, 가상계좌 발급 and
// 결제 취소).
const (
	maxName   = 100
	maxReason = 200
	maxHolder = 60
	maxKey    = 13 // of a fixed account
)

// An issueRequest is POST /v1/virtual-accounts.
type issueRequest struct {
	Amount        int64          `json:"amount"`
	OrderID       string         `json:"orderId"`
	OrderName     string         `json:"orderName"`
	CustomerName  string         `json:"customerName"`
	Bank          string         `json:"bank"`
	AccountKey    string         `json:"accountKey,omitempty"`
	DueDate       string         `json:"dueDate,omitempty"`
	CustomerEmail string         `json:"customerEmail,omitempty"`
	CustomerPhone string         `json:"customerMobilePhone,omitempty"`
	TaxFreeAmount int64          `json:"taxFreeAmount,omitempty"`
	UseEscrow     bool           `json:"useEscrow,omitempty"`
	CashReceipt   *receiptWanted `json:"cashReceipt,omitempty"`
}

type receiptWanted struct {
	Type   string `json:"type"`
	Number string `json:"registrationNumber"`
}

// A cancelRequest is POST /v1/payments/{paymentKey}/cancel.
type cancelRequest struct {
	Reason        string         `json:"cancelReason"`
	Amount        int64          `json:"cancelAmount,omitempty"`
	TaxFreeAmount int64          `json:"taxFreeAmount,omitempty"`
	Account       *refundAccount `json:"refundReceiveAccount,omitempty"`
}

type refundAccount struct {
	Bank   string `json:"bank"`
	Number string `json:"accountNumber"`
	Holder string `json:"holderName"`
}

// CheckIssue refuses what the core API has no words for.
func (module) CheckIssue(c merchant.Channel, o provider.Order) error {
	switch {
	case c.Credentials[secretKey] == "":
		return missingKey()
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Toss Payments issues accounts in KRW only")
	case codeOf(o.Bank) == "":
		return fault.Errorf(fault.Invalid, "Toss Payments has no accounts at bank %q", o.Bank)
	case o.Number != "":
		return fault.Errorf(fault.Unsupported, "Toss Payments picks the number of a fixed account itself: name an account id")
	case o.Type == payment.Fixed && (o.AccountID == "" || len(o.AccountID) > maxKey):
		return fault.Errorf(fault.Invalid, "a fixed account of Toss Payments needs an account id of 1 to %d characters", maxKey)
	case utf8.RuneCountInString(o.Name) > maxName:
		return fault.Errorf(fault.Invalid, "the order name is longer than the %d characters that Toss Payments takes", maxName)
	}
	return nil
}

func missingKey() error {
	return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", secretKey)
}

// Issue has Toss issue an account. The Key goes along as Idempotency-Key, which
// Toss remembers for 15 days.
func (module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	q := issueRequest{
		Amount: o.Amount.Amount, OrderID: o.ID, OrderName: o.Name, CustomerName: buyer(o), Bank: codeOf(o.Bank),
		AccountKey: o.AccountID, CustomerEmail: o.Customer.Email, CustomerPhone: wire.Digits(o.Customer.PhoneNumber),
		TaxFreeAmount: o.TaxFree, UseEscrow: o.Escrow,
	}
	if !o.ExpiresAt.IsZero() {
		q.DueDate = o.ExpiresAt.In(wire.Seoul).Format("2006-01-02T15:04:05")
	}
	if o.Receipt != nil {
		q.CashReceipt = &receiptWanted{"소득공제", o.Receipt.Identity.Reveal()}
		if o.Receipt.Business {
			q.CashReceipt.Type = "지출증빙"
		}
	}
	p, err := post(ctx, a, "/v1/virtual-accounts", o.Key, q)
	if err != nil {
		return provider.Issue{}, err
	}
	s, err := standingOf(p)
	switch {
	case err != nil:
		return provider.Issue{}, err
	case s.Account.Number == "" || s.PGTx == "":
		return provider.Issue{}, fault.Errorf(fault.Unclear, "Toss Payments answered without an account")
	}
	s.Account.Type = o.Type
	return provider.Issue{PGTx: s.PGTx, Account: s.Account, Secret: s.Secret, Key: s.Key, At: s.Account.IssuedAt}, nil
}

// buyer is who the account is for: Toss wants a name.
func buyer(o provider.Order) string {
	name := o.Holder
	if name == "" {
		name = o.Customer.Name
	}
	if name == "" {
		name = "구매자"
	}
	return wire.Shorten(name, maxName)
}

// CanInquire is always true: an order's id is enough.
func (module) CanInquire(c merchant.Channel, q provider.Query) error {
	switch {
	case c.Credentials[secretKey] == "":
		return missingKey()
	case q.PGTx == "" && q.Order == "":
		return fault.Errorf(fault.Unsupported, "neither paymentKey nor orderId is known")
	}
	return nil
}

// Inquire asks by paymentKey, else by orderId.
func (module) Inquire(ctx context.Context, a provider.Access, q provider.Query) (provider.Standing, error) {
	path := "/v1/payments/orders/" + url.PathEscape(q.Order)
	if q.PGTx != "" {
		path = "/v1/payments/" + url.PathEscape(q.PGTx)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, wire.Join(a.Base(host, host), path), http.NoBody)
	if err != nil {
		return provider.Standing{}, fault.Errorf(fault.Invalid, "the PG's address is none")
	}
	r.Header = authorization(a.Channel)
	answer, err := wire.Call(a.HTTP, r)
	if err != nil {
		return provider.Standing{}, err
	}
	if answer.Status == http.StatusNotFound && said(answer).Code == "NOT_FOUND_PAYMENT" {
		return provider.Standing{}, nil
	}
	p, err := payments(answer)
	if err != nil {
		return provider.Standing{}, err
	}
	return standingOf(p)
}

// CheckClose needs a paymentKey.
func (module) CheckClose(c merchant.Channel, q provider.Closing) error {
	return cancellable(c, q.Query)
}

// Close cancels what waits for its deposit.
func (module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	p, err := post(ctx, a, "/v1/payments/"+url.PathEscape(q.PGTx)+"/cancel", q.Key, cancelRequest{Reason: reason(q.Reason)})
	if err != nil {
		return time.Time{}, err
	}
	return isoTime(p.lastCancel().text("canceledAt")), nil
}

// CheckRefund wants the account that the money goes to: a deposited virtual
// account takes no other refund (docs, 결제 취소), and a card needs none.
func (module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	if err := cancellable(c, q.Query); err != nil {
		return err
	}
	switch {
	case q.Card:
		return nil
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case codeOf(q.Account.Bank) == "":
		return fault.Errorf(fault.Invalid, "Toss Payments does not transfer to bank %q", q.Account.Bank)
	case wire.Digits(q.Account.Number.Reveal()) == "" || q.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of digits and the holder's name")
	}
	return nil
}

func cancellable(c merchant.Channel, q provider.Query) error {
	switch {
	case c.Credentials[secretKey] == "":
		return missingKey()
	case q.PGTx == "":
		return fault.Errorf(fault.Unsupported, "the paymentKey of the payment is not known, without which Toss Payments cancels nothing")
	}
	return nil
}

// Refund cancels a deposited account, in whole or in part.
func (module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	body := cancelRequest{Reason: reason(q.Reason), TaxFreeAmount: q.TaxFree}
	if q.Account != nil {
		body.Account = &refundAccount{
			codeOf(q.Account.Bank), wire.Digits(q.Account.Number.Reveal()), wire.Shorten(q.Account.Holder, maxHolder),
		}
	}
	if !q.Whole() {
		body.Amount = q.Give.Amount
	}
	p, err := post(ctx, a, "/v1/payments/"+url.PathEscape(q.PGTx)+"/cancel", q.Key, body)
	if err != nil {
		return provider.Refunded{}, err
	}
	last := p.lastCancel()
	if last == nil {
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "Toss Payments answered without a cancellation")
	}
	return provider.Refunded{
		PGID: last.text("transactionKey"), At: isoTime(last.text("canceledAt")), Transfer: transferOf(p.object("virtualAccount")),
	}, nil
}

func reason(s string) string {
	if s == "" {
		s = "취소"
	}
	return wire.Shorten(s, maxReason)
}

// authorization is Basic with the secret key for a user and no password.
func authorization(c merchant.Channel) http.Header {
	key := base64.StdEncoding.EncodeToString([]byte(c.Credentials[secretKey].Reveal() + ":"))
	return http.Header{"Authorization": {"Basic " + key}}
}

// post makes a call that changes something.
func post(ctx context.Context, a provider.Access, path, key string, body any) (object, error) {
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(host, host), path), withKey(a.Channel, key), body)
	if err != nil {
		return nil, err
	}
	return payments(answer)
}

func withKey(c merchant.Channel, key string) http.Header {
	h := authorization(c)
	h.Set("Idempotency-Key", key)
	return h
}

// payments reads an answer that should be a Payment.
func payments(a wire.Answer) (object, error) { return answered(a, "paymentKey", "status") }

// answered reads an answer that should have some members. A request that Toss is
// still at, or that its machines broke over, may be done yet.
func answered(a wire.Answer, members ...string) (object, error) {
	e := said(a)
	switch {
	case a.Status == http.StatusOK:
		p, err := parse(a.Body)
		if err != nil || slices.ContainsFunc(members, func(m string) bool { return p.text(m) == "" }) {
			return nil, fault.Errorf(fault.Unclear, "Toss Payments answered with what is not its answer")
		}
		return p, nil
	case a.Status >= http.StatusInternalServerError, e.Code == "", e.Code == "IDEMPOTENT_REQUEST_PROCESSING":
		return nil, fault.Errorf(fault.Unclear, "Toss Payments answered with status %d", a.Status)
	case a.Status == http.StatusTooManyRequests:
		return nil, fault.Errorf(fault.Unavailable, "Toss Payments has too much to do")
	}
	return nil, &e
}

// said is the error that an answer holds; zero if it holds none.
func said(a wire.Answer) provider.DeclinedError {
	o, err := parse(a.Body)
	if err != nil || a.Status < http.StatusBadRequest {
		return provider.DeclinedError{}
	}
	return provider.DeclinedError{Code: o.text("code"), Message: o.text("message")}
}

// standingOf reads a Payment.
func standingOf(p object) (provider.Standing, error) {
	s := provider.Standing{
		Order: p.text("orderId"), PGTx: p.text("paymentKey"), Key: p.transactionKey(),
		PaidAt: isoTime(p.text("approvedAt")), Secret: secret.Text(p.text("secret")),
	}
	currency := p.text("currency")
	if currency == "" {
		currency = string(payment.KRW)
	}
	var err error
	if s.Amount, s.HasAmount, err = p.money("totalAmount", currency); err != nil {
		return provider.Standing{}, fault.Errorf(fault.Unclear, "Toss Payments tells an amount that is none")
	}
	account := p.object("virtualAccount")
	s.Account = payment.Account{
		Bank: bankOf(account.text("bankCode"), account.text("bank")), Number: secret.Account(account.text("accountNumber")),
		Type: typeOf(account.text("accountType")), Holder: account.text("customerName"),
		IssuedAt: isoTime(p.text("requestedAt")), ExpiresAt: isoTime(account.text("dueDate")),
	}
	s.Expired, _ = account["expired"].(bool)
	s.Card, s.Receipt, s.Failure = cardOf(p.object("card")), p.object("receipt").text("url"), failureOf(p.object("failure"))
	s.Lists = true
	s.Depositor, s.Refund = account.text("depositorName"), transferOf(account)
	if number := p.object("cashReceipt").text("issueNumber"); number != "" {
		s.CashReceipt = &payment.CashReceipt{Number: number, Type: p.object("cashReceipt").text("type")}
	}
	for _, c := range p.objects("cancels") {
		amount, _, err := c.money("cancelAmount", currency)
		if err != nil {
			return provider.Standing{}, fault.Errorf(fault.Unclear, "Toss Payments tells a cancellation without an amount")
		}
		s.Cancellations = append(s.Cancellations, provider.Cancelled{PGID: c.text("transactionKey"), Amount: amount, At: isoTime(c.text("canceledAt"))})
	}
	s.State = stateOf(p.text("status"), !s.PaidAt.IsZero())
	if s.State == payment.Paid {
		s.Deposit = s.Key // the last change was the deposit
	}
	return s, nil
}

// stateOf is a Payment's status. What was cancelled before any money came is an
// account that was closed. Of a state that Toss did not have when this was written
// nothing follows.
func stateOf(status string, paid bool) payment.State {
	switch status {
	case statusWaiting:
		return payment.Issued
	case statusDone:
		return payment.Paid
	case statusPartialCanceled:
		return payment.PartiallyCancelled
	case statusCanceled:
		if paid {
			return payment.Cancelled
		}
		return payment.Failed
	case statusAborted, statusExpired:
		return payment.Failed
	case statusReady, statusInProgress:
		return payment.Ready
	}
	return payment.PayPending
}

func typeOf(s string) payment.AccountType {
	if strings.Contains(s, "고정") {
		return payment.Fixed
	}
	return payment.Normal
}

// transferOf is the refund's transfer to the buyer. Toss says NONE where there
// is none, and PARTIAL_FAILED where some of several went wrong.
func transferOf(account object) payment.RefundStatus {
	switch account.text("refundStatus") {
	case "PENDING":
		return payment.RefundPending
	case "FAILED", "PARTIAL_FAILED":
		return payment.RefundFailed
	case "COMPLETED":
		return payment.RefundCompleted
	}
	return ""
}
