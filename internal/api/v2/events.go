package v2

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An eventAnswer is PortOne's PaymentEvent: what came in or went back, with
// what it shares with its payment. Money that went back is below zero.
type eventAnswer struct {
	Type          string              `json:"type"`
	ID            string              `json:"id"`
	PaymentID     string              `json:"paymentId"`
	TransactionID string              `json:"transactionId"`
	MerchantID    string              `json:"merchantId"`
	StoreID       string              `json:"storeId"`
	Method        any                 `json:"method,omitempty"`
	ScheduleID    string              `json:"scheduleId,omitempty"`
	ReceiptURL    string              `json:"receiptUrl,omitempty"`
	Channel       *channelAnswer      `json:"channel"`
	Version       string              `json:"version"`
	RequestedAt   string              `json:"requestedAt"`
	CreatedAt     string              `json:"createdAt"`
	OrderName     string              `json:"orderName"`
	TotalAmount   amountAnswer        `json:"totalAmount"`
	Currency      payment.Currency    `json:"currency"`
	Customer      payment.Customer    `json:"customer"`
	CustomData    string              `json:"customData,omitempty"`
	PGTxID        string              `json:"pgTxId,omitempty"`
	CashReceipt   *receiptAnswer      `json:"cashReceipt,omitempty"`
	ReceiptStatus string              `json:"cashReceiptIssuanceStatus,omitempty"`
	Disputes      []disputeAnswer     `json:"disputes"`
	EventAmount   int64               `json:"eventAmount"`
	Cancellation  *cancellationAnswer `json:"cancellation,omitempty"`
	Origin        originAnswer        `json:"origin"`
}

// eventTypes are the types of events by what made them.
var eventTypes = map[webhook.Type]string{
	webhook.Paid: "PAID", webhook.PartialCancelled: "PARTIAL_CANCELLED", webhook.Cancelled: "CANCELLED",
}

// getEventsByCursor answers with what came in and went back, in the order in
// which it became known here.
func (a *API) getEventsByCursor(c *call) (any, error) {
	var in cursorInput
	if err := c.input(&in); err != nil {
		return nil, err
	}
	from, until, left, err := in.read(time.Now())
	if err != nil {
		return nil, err
	}
	covered, err := a.reach(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	scan := store.EventScan{
		Stores: covered.stores, Modes: covered.modes, From: from, Until: until, After: webhook.EventID(in.Cursor),
	}
	return a.list(nil, func() ([]any, bool, error) {
		scan.Size = min(left, batchSize)
		events, err := a.Store.ScanEvents(c.ctx(), scan)
		if err != nil || len(events) == 0 {
			return nil, false, err
		}
		items, err := a.eventItems(c, events)
		left, scan.After = left-len(items), events[len(events)-1].ID
		return items, left > 0 && len(events) == scan.Size, err
	})
}

// eventItems are events as lists have them, each with its cursor, which is its
// id. Those of payments that are gone are left out.
func (a *API) eventItems(c *call, events []store.ScannedEvent) (items []any, err error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	keys := make([]payment.Key, 0, len(events))
	for _, e := range events {
		if e.Payment != "" && !slices.Contains(keys, e.Payment) {
			keys = append(keys, e.Payment)
		}
	}
	list, err := a.Store.OpenPayments(c.ctx(), keys)
	if err != nil {
		return nil, err
	}
	payments := make(map[payment.Key]payment.Payment, len(list))
	for _, p := range list {
		payments[p.Key] = p
	}
	for _, e := range events {
		if p, ok := payments[e.Payment]; ok {
			items = append(items, struct {
				Event  eventAnswer `json:"paymentEvent"`
				Cursor string      `json:"cursor"`
			}{v.event(e, p), string(e.ID)})
		}
	}
	return items, nil
}

// event is an event with what its payment is now.
func (v *view) event(e store.ScannedEvent, p payment.Payment) eventAnswer {
	if i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == e.Transaction }); i >= 0 {
		p.Current = i
	}
	now := v.answer(p, nil)
	out := eventAnswer{
		Type: eventTypes[e.Type], ID: string(e.ID), PaymentID: now.ID, TransactionID: now.TransactionID, MerchantID: now.MerchantID,
		StoreID: now.StoreID, Method: now.Method, ScheduleID: now.ScheduleID, ReceiptURL: now.ReceiptURL, Channel: now.Channel, Version: now.Version, RequestedAt: now.RequestedAt,
		CreatedAt: at(e.At), OrderName: now.OrderName, TotalAmount: now.Amount, Currency: now.Currency, Customer: now.Customer,
		CustomData: now.CustomData, PGTxID: now.PGTxID, CashReceipt: now.CashReceipt, ReceiptStatus: now.ReceiptStatus,
		Disputes: []disputeAnswer{}, Origin: now.Origin,
	}
	if e.Type == webhook.Paid {
		out.EventAmount = paidBy(e, p)
		return out
	}
	for _, c := range p.Cancellations {
		if c.ID == e.Cancellation {
			one := cancellationOf(c)
			out.Cancellation, out.EventAmount = &one, -c.Amount.Amount
		}
	}
	return out
}

// paidBy is what came in with an event. Only an account that takes any number
// of deposits takes another amount than the payment's: then its notice tells.
func paidBy(e store.ScannedEvent, p payment.Payment) int64 {
	t, _ := p.Transaction()
	unlimited := t.Account != nil && t.Account.Type == payment.FixedUnlimited
	if unlimited && e.Amount != nil {
		return *e.Amount
	}
	return p.Amount.Amount
}
