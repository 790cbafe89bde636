package nice

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// Manual, common/test.md (2025-07): the sandbox refunds no parts.
const (
	startHost   = "https://api.nicepay.co.kr"
	sandboxHost = "https://sandbox-api.nicepay.co.kr"
)

// A start is the API of start.nicepay.co.kr, for one channel.
type start struct{ provider.Access }

func (s start) key() secret.Text { return s.Channel.Credentials[secretKey] }

// A startCancel is POST /v1/payments/{tid}/cancel.
type startCancel struct {
	Reason   string `json:"reason"`
	OrderID  string `json:"orderId"`
	Amount   int64  `json:"cancelAmt,omitempty"`
	TaxFree  int64  `json:"taxFreeAmt,omitempty"`
	EdiDate  string `json:"ediDate"`
	SignData string `json:"signData"`
	Account  string `json:"refundAccount,omitempty"`
	Bank     string `json:"refundBankCode,omitempty"`
	Holder   string `json:"refundHolder,omitempty"`
}

// call makes a call, with a body if there is one, and reads the answer, whose
// fields are a webhook's.
func (s start) call(ctx context.Context, method, path string, body []byte) (webhook, error) {
	r, err := http.NewRequestWithContext(ctx, method, wire.Join(s.Base(startHost, sandboxHost), path), bytes.NewReader(body))
	if err != nil {
		return webhook{}, fault.Errorf(fault.Invalid, "the PG's address is none")
	}
	keys := s.Channel.Credentials[clientKey].Reveal() + ":" + s.key().Reveal()
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(keys)))
	r.Header.Set("Content-Type", "application/json;charset=utf-8")
	got, err := wire.Call(s.HTTP, r)
	if err != nil {
		return webhook{}, err
	}
	o, err := wire.ParseObject(got.Body)
	code, message := "", ""
	if err == nil && got.Status < http.StatusInternalServerError {
		code, err = o.Take("resultCode")
		message, _ = o.Take("resultMsg")
	}
	if err != nil || code == "" {
		return webhook{}, odd("with status " + strconv.Itoa(got.Status) + " and what is no answer of its API")
	}
	if err := refusal(code, message, "0000"); err != nil {
		return webhook{}, err
	}
	w, err := parseWebhook(got.Body)
	if err != nil {
		return webhook{}, odd("with a success that tells of no payment")
	}
	if err := w.verify(s.key()); err != nil && !errors.Is(err, provider.ErrUnproved) {
		return webhook{}, odd("with a signature that is not made with the channel's secret key")
	}
	return w, nil
}

func (s start) inquire(ctx context.Context, q provider.Query) (provider.Standing, error) {
	path := "/v1/payments/" + url.PathEscape(q.PGTx)
	if q.PGTx == "" {
		path = "/v1/payments/find/" + url.PathEscape(q.Order) + "?orderDate=" + q.At.In(wire.Seoul).Format("20060102")
	}
	w, err := s.call(ctx, http.MethodGet, path, nil)
	switch {
	case absent(err):
		return provider.Standing{}, nil
	case err != nil:
		return provider.Standing{}, err
	case q.PGTx != "" && w.tid != q.PGTx || q.PGTx == "" && w.orderID != q.Order:
		return provider.Standing{}, odd("about another transaction")
	}
	return w.standing()
}

// standing is where the payment of an answer stands.
func (w webhook) standing() (provider.Standing, error) {
	s := provider.Standing{
		Order: w.orderID, PGTx: w.tid, Account: payment.Account{
			Bank: payment.BankByCode(w.account.code), Number: secret.Account(wire.PlainAccount(w.account.number)),
			Holder: w.account.holder, ExpiresAt: due(w.account.due),
		},
	}
	if at, err := wire.ISOTime(w.paidAt); err == nil {
		s.PaidAt = at
	}
	if err := w.standingState(&s); err != nil {
		return provider.Standing{}, err
	}
	if s.Amount, s.HasAmount = w.money(w.amount); !s.HasAmount {
		return provider.Standing{}, odd("without an amount")
	}
	list, err := parseObjects(w.rest.Object["cancels"])
	if err != nil {
		return provider.Standing{}, odd("with a list of cancels that is none")
	}
	for _, o := range list {
		c, err := w.cancelled(o)
		if err != nil {
			return provider.Standing{}, err
		}
		s.Cancellations = append(s.Cancellations, c)
	}
	var n notice.Notice
	if err := w.takeReceipt(&n); err == nil {
		s.CashReceipt = n.CashReceipt
	}
	return s, nil
}

// standingState reads the status. paidAt counts only where the status says that
// there was money: NICE's own test body has one while it is only ready.
func (w webhook) standingState(s *provider.Standing) error {
	switch w.status {
	case "ready":
		s.State = payment.Issued
	case "expired":
		s.State, s.Expired = payment.Issued, true
	case "paid":
		s.State = payment.Paid
	case "partialCancelled":
		s.State = payment.PartiallyCancelled
	case "cancelled":
		s.State = payment.Cancelled
		if s.PaidAt.IsZero() { // closed before money came
			s.State = payment.Failed
		}
	case "failed":
		s.State = payment.Failed
	default:
		return odd("with a status that is not known")
	}
	switch s.State {
	case payment.Paid, payment.PartiallyCancelled, payment.Cancelled:
		s.Deposit = w.tid // as the webhook of the deposit names it
	default:
		s.PaidAt = time.Time{}
	}
	return nil
}

func (w webhook) money(text string) (payment.Money, bool) {
	minor, err := wire.Amount(text)
	if err != nil {
		return payment.Money{}, false
	}
	m := payment.Won(minor)
	if w.currency != "" {
		m.Currency = payment.Currency(strings.ToUpper(w.currency))
	}
	return m, true
}

func (w webhook) cancelled(o object) (provider.Cancelled, error) {
	var c cancel
	if err := o.texts(map[string]*string{"tid": &c.tid, "amount": &c.amount, "cancelledAt": &c.at}); err != nil {
		return provider.Cancelled{}, odd("with a cancel that is none")
	}
	amount, ok := w.money(c.amount)
	if !ok {
		return provider.Cancelled{}, odd("with a cancel without an amount")
	}
	at, _ := wire.ISOTime(c.at)
	return provider.Cancelled{PGID: c.tid, Amount: amount, At: at}, nil
}

// cancel cancels or refunds. The order id is a new one for each: NICE refuses
// one that it has seen.
func (s start) cancel(ctx context.Context, x cancellation) (provider.Refunded, error) {
	q := startCancel{Reason: x.reason, OrderID: x.key, EdiDate: s.Now.In(wire.Seoul).Format(isoForm)}
	q.SignData = wire.SHA256Hex(x.PGTx, q.EdiDate, s.key().Reveal())
	if x.part {
		q.Amount, q.TaxFree = x.give.Amount, x.taxFree
	}
	if to := x.account; to != nil {
		q.Account, q.Bank = wire.Digits(to.Number.Reveal()), to.Bank.Code()
		q.Holder = wire.Fit(to.Holder, wire.EUCKR, maxHolder, "")
	}
	body, err := wire.MarshalJSON(q)
	if err != nil {
		return provider.Refunded{}, err
	}
	w, err := s.call(ctx, http.MethodPost, "/v1/payments/"+url.PathEscape(x.PGTx)+"/cancel", body)
	switch {
	case err != nil:
		return provider.Refunded{}, err
	case w.tid != x.PGTx || w.status != "cancelled" && w.status != "partialCancelled":
		return provider.Refunded{}, odd("with a success that tells of no cancel of the payment")
	}
	return provider.Refunded{PGID: w.cancelID(), At: w.at(payment.EventCancelled), Transfer: payment.RefundPending}, nil
}
