package v2

import (
	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A cashReceiptAnswer is PortOne's CashReceipt: the receipt with what it shares
// with its payment.
type cashReceiptAnswer struct {
	Status      string           `json:"status"`
	MerchantID  string           `json:"merchantId"`
	StoreID     string           `json:"storeId"`
	PaymentID   string           `json:"paymentId"`
	Channel     *channelAnswer   `json:"channel"`
	Amount      int64            `json:"amount"`
	TaxFree     int64            `json:"taxFreeAmount"`
	Currency    payment.Currency `json:"currency"`
	OrderName   string           `json:"orderName"`
	IsManual    bool             `json:"isManual"`
	Type        string           `json:"type,omitempty"`
	IssueNumber string           `json:"issueNumber"`
	IssuedAt    string           `json:"issuedAt"`
}

var (
	errNoReceipt = fault.Errorf(fault.NotFound, "no cash receipt of such a payment is known")
	errReceipts  = fault.Errorf(fault.Unsupported,
		"cash receipts are sealed with their payments, so nothing lists them: GET /payments lists payments with their receipts")
	errIssueReceipt = fault.Errorf(fault.Unsupported,
		"no PG here is asked for a cash receipt by itself: ask for it with the account, by method.virtualAccount.cashReceipt, or in the PG's own pages")
	errCancelReceipt = fault.Errorf(fault.Unsupported,
		"no PG here is asked to cancel a cash receipt by itself: cancel it in the PG's own pages")
)

// getCashReceipt answers with the cash receipt (현금영수증) of a payment, as the
// notice of its deposit told it.
func (a *API) getCashReceipt(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	p, out, err := a.paid(c, caller)
	if fault.Is(err, fault.NotFound) || err == nil && out.CashReceipt == nil {
		return nil, named{errNoReceipt, "CASH_RECEIPT_NOT_FOUND"}
	}
	if err != nil {
		return nil, err
	}
	r := out.CashReceipt
	return cashReceiptAnswer{
		Status: r.Status, MerchantID: out.MerchantID, StoreID: out.StoreID, PaymentID: out.ID, Channel: out.Channel,
		Amount: r.TotalAmount, TaxFree: p.TaxFree, Currency: r.Currency, OrderName: out.OrderName, Type: r.Type,
		IssueNumber: r.IssueNumber, IssuedAt: r.IssuedAt,
	}, nil
}

// paid reads a call's payment, and what is answered of it without its webhooks.
func (a *API) paid(c *call, caller action.Caller) (payment.Payment, *paymentAnswer, error) {
	p, err := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode)
	if err != nil {
		return p, nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return p, nil, err
	}
	return p, v.answer(p, nil), nil
}

// cancelCashReceipt answers who wants to cancel a cash receipt by itself. It needs no
// body: the store is named in the query.
func (a *API) cancelCashReceipt(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	_, out, err := a.paid(c, caller)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, named{errNoReceipt, "CASH_RECEIPT_NOT_FOUND"}
	case err != nil:
		return nil, err
	case out.CashReceipt == nil:
		return nil, named{errNoReceipt, "CASH_RECEIPT_NOT_ISSUED"}
	}
	return nil, errCancelReceipt
}

// issueCashReceipt answers who wants a cash receipt by itself.
func (a *API) issueCashReceipt(c *call) (any, error) {
	var in struct {
		StoreID    string              `json:"storeId"`
		PaymentID  payment.ID          `json:"paymentId"`
		ChannelKey merchant.ChannelKey `json:"channelKey"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if err := action.CheckPaymentID(in.PaymentID); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	ch, ok := v.channels[in.ChannelKey]
	if !ok || ch.Merchant != caller.Merchant || !ch.UsedBy(caller.Store) {
		return nil, named{fault.Errorf(fault.NotFound, "the store has no channel %.100q in use", string(in.ChannelKey)), "CHANNEL_NOT_FOUND"}
	}
	c.payment = in.PaymentID
	_, out, err := a.paid(c, caller)
	switch {
	case err != nil && !fault.Is(err, fault.NotFound):
		return nil, err
	case err == nil && out.CashReceipt != nil:
		return nil, named{fault.Errorf(fault.Conflict, "a cash receipt was issued for the payment already"), "CASH_RECEIPT_ALREADY_ISSUED"}
	}
	return nil, errIssueReceipt
}

// getCashReceipts answers who wants cash receipts in a list.
func (a *API) getCashReceipts(*call) (any, error) { return nil, errReceipts }
