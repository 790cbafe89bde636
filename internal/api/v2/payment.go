package v2

import (
	"cmp"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A paymentAnswer is PortOne's Payment: all variants of the union in one, told
// apart by status. What a variant does not have is left empty.
type paymentAnswer struct {
	Status          payment.State    `json:"status"`
	ID              string           `json:"id"`
	TransactionID   string           `json:"transactionId"`
	MerchantID      string           `json:"merchantId"`
	StoreID         string           `json:"storeId"`
	Method          any              `json:"method,omitempty"`
	Channel         *channelAnswer   `json:"channel,omitempty"`
	Version         string           `json:"version"`
	ScheduleID      string           `json:"scheduleId,omitempty"`
	BillingKey      string           `json:"billingKey,omitempty"`
	Webhooks        []webhookAnswer  `json:"webhooks,omitempty"`
	RequestedAt     string           `json:"requestedAt"`
	UpdatedAt       string           `json:"updatedAt"`
	StatusChangedAt string           `json:"statusChangedAt"`
	OrderName       string           `json:"orderName"`
	Amount          amountAnswer     `json:"amount"`
	Currency        payment.Currency `json:"currency"`
	Customer        payment.Customer `json:"customer"`
	Origin          originAnswer     `json:"origin"`
	CustomData      string           `json:"customData,omitempty"`
	PGTxID          string           `json:"pgTxId,omitempty"`
	PaidAt          string           `json:"paidAt,omitempty"`
	ReceiptURL      string           `json:"receiptUrl,omitempty"`
	CashReceipt     *receiptAnswer   `json:"cashReceipt,omitempty"`
	ReceiptStatus   string           `json:"cashReceiptIssuanceStatus,omitempty"`
	// Lists that a variant requires are written even if they are empty.
	Disputes      []disputeAnswer      `json:"disputes,omitzero"`
	Cancellations []cancellationAnswer `json:"cancellations,omitzero"`
	CancelledAt   string               `json:"cancelledAt,omitempty"`
	FailedAt      string               `json:"failedAt,omitempty"`
	Failure       *failureAnswer       `json:"failure,omitempty"`
}

type amountAnswer struct {
	Total            int64 `json:"total"`
	TaxFree          int64 `json:"taxFree"`
	Discount         int64 `json:"discount"`
	Paid             int64 `json:"paid"`
	Cancelled        int64 `json:"cancelled"`
	CancelledTaxFree int64 `json:"cancelledTaxFree"`
}

type methodAnswer struct {
	Type          string              `json:"type"`
	Bank          payment.Bank        `json:"bank,omitempty"`
	AccountNumber string              `json:"accountNumber"`
	AccountType   payment.AccountType `json:"accountType,omitempty"`
	RemitteeName  string              `json:"remitteeName,omitempty"`
	RemitterName  string              `json:"remitterName,omitempty"`
	ExpiredAt     string              `json:"expiredAt,omitempty"`
	IssuedAt      string              `json:"issuedAt,omitempty"`
	RefundStatus  string              `json:"refundStatus,omitempty"`
}

type channelAnswer struct {
	Type         string `json:"type"`
	Key          string `json:"key,omitempty"`
	Name         string `json:"name,omitempty"`
	PGProvider   string `json:"pgProvider"`
	PGMerchantID string `json:"pgMerchantId"`
}

type originAnswer struct {
	PlatformType string `json:"platformType"`
	IPAddress    string `json:"ipAddress"`
}

type receiptAnswer struct {
	Status      string           `json:"status"`
	Type        string           `json:"type,omitempty"`
	IssueNumber string           `json:"issueNumber"`
	TotalAmount int64            `json:"totalAmount"`
	Currency    payment.Currency `json:"currency"`
	IssuedAt    string           `json:"issuedAt"`
}

type disputeAnswer struct{} // no PG of ours tells of disputes

type cancellationAnswer struct {
	Status           payment.CancellationState `json:"status"`
	ID               string                    `json:"id"`
	PGCancellationID string                    `json:"pgCancellationId,omitempty"`
	TotalAmount      int64                     `json:"totalAmount"`
	TaxFreeAmount    int64                     `json:"taxFreeAmount"`
	VATAmount        int64                     `json:"vatAmount"`
	Reason           string                    `json:"reason"`
	CancelledAt      string                    `json:"cancelledAt,omitempty"`
	RequestedAt      string                    `json:"requestedAt"`
	Trigger          payment.Trigger           `json:"trigger,omitempty"`
}

type failureAnswer struct {
	Reason    string `json:"reason,omitempty"`
	PGCode    string `json:"pgCode,omitempty"`
	PGMessage string `json:"pgMessage,omitempty"`
}

// unknownOrigin stands where an address is required and none is known.
const unknownOrigin = "0.0.0.0"

// getPayment answers with one payment.
func (a *API) getPayment(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode)
	if err != nil {
		return nil, noPayment(err)
	}
	return a.render(c, p)
}

// render makes the answer of a payment with the history of its webhooks.
func (a *API) render(c *call, p payment.Payment) (any, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	history, err := a.Store.Webhooks(c.ctx(), p.Key)
	if err != nil {
		return nil, err
	}
	return v.answer(p, history), nil
}

// answer is a payment with the history of its webhooks.
func (v *view) answer(p payment.Payment, history []webhook.History) *paymentAnswer {
	t, known := p.Transaction()
	out := &paymentAnswer{
		Status: p.State, ID: string(p.ID), TransactionID: cmp.Or(string(t.ID), string(p.Key)), MerchantID: string(p.Merchant),
		StoreID: string(p.Store), Version: "V2", RequestedAt: at(p.RequestedAt), UpdatedAt: at(p.UpdatedAt),
		StatusChangedAt: at(p.StatusChangedAt), OrderName: p.OrderName, Amount: amountOf(p), Currency: p.Amount.Currency,
		Customer: p.Customer, Origin: originAnswer{"API", unknownOrigin}, CustomData: p.CustomData,
	}
	if known {
		out.Channel = channelOf(v.channels[t.Channel], t.Channel, p.Mode)
		out.Method = methodOf(p, t)
		if t.Charge != nil {
			out.ScheduleID, out.BillingKey = string(t.Charge.Schedule), string(t.Charge.BillingKey)
		}
	}
	for _, h := range history {
		out.Webhooks = append(out.Webhooks, webhookOf(h))
	}
	out.variant(p, t)
	return out
}

// variant fills in what only some variants of the union have.
func (out *paymentAnswer) variant(p payment.Payment, t payment.Transaction) {
	switch p.State {
	case payment.Ready:
	case payment.Issued, payment.PayPending:
		out.PGTxID = t.PGTx
	case payment.Paid:
		out.paid(p, t)
		out.PaidAt = at(orTime(p.PaidAt, p.StatusChangedAt))
		out.Disputes = []disputeAnswer{}
		if len(p.Cancellations) > 0 {
			out.Cancellations = cancellationsOf(p)
		}
	case payment.PartiallyCancelled, payment.Cancelled:
		out.paid(p, t)
		out.Cancellations = cancellationsOf(p)
		out.CancelledAt = at(orTime(p.CancelledAt, p.StatusChangedAt))
	case payment.Failed:
		out.FailedAt = at(orTime(p.FailedAt, p.StatusChangedAt))
		out.Failure = &failureAnswer{Reason: p.FailureReason}
		if t.Charge != nil && t.Charge.Failure != nil {
			out.Failure = &failureAnswer{t.Charge.Failure.Reason, t.Charge.Failure.PGCode, t.Charge.Failure.PGMessage}
		}
	}
}

// paid fills in what a payment has from when it was paid.
func (out *paymentAnswer) paid(p payment.Payment, t payment.Transaction) {
	out.PGTxID, out.PaidAt = t.PGTx, at(p.PaidAt)
	if t.Charge != nil {
		out.ReceiptURL = t.Charge.Receipt
	}
	r := p.CashReceipt
	if r == nil || r.Number == "" {
		return
	}
	out.ReceiptStatus = "ISSUED"
	out.CashReceipt = &receiptAnswer{
		Status: "ISSUED", Type: receiptTypes[r.Type], IssueNumber: r.Number, TotalAmount: out.Amount.Paid,
		Currency: p.Amount.Currency, IssuedAt: at(orTime(orTime(r.At, p.PaidAt), p.UpdatedAt)),
	}
}

// receiptTypes are the kinds of cash receipt that PortOne names, by what PGs
// call them. Toss tells them in Korean.
var receiptTypes = map[string]string{
	"PERSONAL": "PERSONAL", "CORPORATE": "CORPORATE", "소득공제": "PERSONAL", "지출증빙": "CORPORATE",
}

// at is a time as answers have it; empty if there is none.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return webhook.Timestamp(t)
}

func orTime(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

// amountOf counts what came in and what went back.
func amountOf(p payment.Payment) amountAnswer {
	out := amountAnswer{Total: p.Amount.Amount, TaxFree: p.TaxFree, Cancelled: p.GivenBack()}
	for _, c := range p.Cancellations {
		if c.State == payment.CancelSucceeded {
			out.CancelledTaxFree += c.TaxFree
		}
	}
	if !p.PaidAt.IsZero() {
		out.Paid = p.Remaining().Amount + out.Cancelled
	}
	return out
}

// methodOf is what an attempt is paid by; nil before that is known.
func methodOf(p payment.Payment, t payment.Transaction) any {
	switch {
	case t.Charge != nil && t.Charge.Wallet != "":
		return walletMethod{"PaymentMethodEasyPay", t.Charge.Wallet}
	case t.Charge != nil:
		return cardMethodOf(t.Charge.Card)
	case t.Account == nil:
		return nil
	}
	kind := t.Account.Type
	if kind == payment.FixedUnlimited {
		kind = payment.Fixed // PortOne has no word of its own for it
	}
	return &methodAnswer{
		Type: "PaymentMethodVirtualAccount", Bank: t.Account.Bank, AccountNumber: t.Account.Number.Reveal(),
		AccountType: kind, RemitteeName: t.Account.Holder, RemitterName: t.Depositor,
		ExpiredAt: at(t.Account.ExpiresAt), IssuedAt: at(t.Account.IssuedAt), RefundStatus: refundOf(p),
	}
}

// refundOf sums up the transfers that give money back.
func refundOf(p payment.Payment) string {
	var pending, failed, completed bool
	for _, c := range p.Cancellations {
		pending = pending || c.Refund == payment.RefundPending
		failed = failed || c.Refund == payment.RefundFailed
		completed = completed || c.Refund == payment.RefundCompleted
	}
	switch {
	case pending:
		return string(payment.RefundPending)
	case failed && completed:
		return "PARTIAL_REFUND_FAILED"
	case failed:
		return string(payment.RefundFailed)
	case completed:
		return string(payment.RefundCompleted)
	}
	return ""
}

// channelOf describes the channel of a payment. One that was deleted since has
// no more than its key and mode.
func channelOf(c merchant.Channel, key merchant.ChannelKey, mode merchant.Mode) *channelAnswer {
	out := &channelAnswer{
		Type: "TEST", Key: string(key), Name: c.Name,
		PGProvider: cmp.Or(strings.ToUpper(c.Provider), "UNKNOWN"), PGMerchantID: c.MID,
	}
	if mode == merchant.Live {
		out.Type = "LIVE"
	}
	return out
}

func cancellationsOf(p payment.Payment) []cancellationAnswer {
	out := make([]cancellationAnswer, len(p.Cancellations))
	for i, c := range p.Cancellations {
		out[i] = cancellationOf(c)
	}
	return out
}

func cancellationOf(c payment.Cancellation) cancellationAnswer {
	out := cancellationAnswer{
		Status: c.State, ID: c.ID, PGCancellationID: c.PGID, TotalAmount: c.Amount.Amount, TaxFreeAmount: c.TaxFree,
		Reason: c.Reason, CancelledAt: at(c.CancelledAt), RequestedAt: at(c.RequestedAt), Trigger: c.Trigger,
	}
	if c.VAT != nil {
		out.VATAmount = *c.VAT
	}
	return out
}
