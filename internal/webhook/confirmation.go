package webhook

import (
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// Confirm is the type of the message by which a shop is asked whether a payment may go
// on. It is no event: the shop answers it, and nobody hears of it but by that.
const Confirm Type = "Transaction.Confirm"

// A Confirmation is what a shop is asked before the PG is (컨펌 프로세스).
type Confirmation struct {
	Store       merchant.StoreID
	Payment     payment.ID
	Transaction payment.TransactionID
	Amount      payment.Money
	At          time.Time
}

type confirmData struct {
	StoreID       string `json:"storeId"`
	PaymentID     string `json:"paymentId"`
	TransactionID string `json:"transactionId"`
	TotalAmount   int64  `json:"totalAmount"`
}

type confirmFirst struct {
	PaymentID   string `json:"payment_id"`
	TxID        string `json:"tx_id"`
	TotalAmount int64  `json:"total_amount"`
}

type confirmV1 struct {
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
	Amount      int64  `json:"amount"`
}

// Render writes the question's body in a version (PortOne's guide of the confirm process,
// 2026-08).
func (q Confirmation) Render(v Version, c ContentType) ([]byte, error) {
	amount := strconv.FormatInt(q.Amount.Amount, 10)
	switch v {
	case V20240425:
		return marshal(payloadV2{Confirm, Timestamp(q.At), confirmData{string(q.Store), string(q.Payment), string(q.Transaction), q.Amount.Amount}})
	case V20240101:
		if c == Form {
			return form("payment_id", string(q.Payment), "tx_id", string(q.Transaction), "total_amount", amount), nil
		}
		return marshal(confirmFirst{string(q.Payment), string(q.Transaction), q.Amount.Amount})
	case V1:
		if c == Form {
			return form("imp_uid", string(q.Transaction), "merchant_uid", string(q.Payment), "amount", amount), nil
		}
		return marshal(confirmV1{string(q.Transaction), string(q.Payment), q.Amount.Amount})
	}
	return nil, fault.Errorf(fault.Invalid, "payload version %q is unknown", v)
}

// Like is how what goes to no endpoint of a store is written and signed: as for its
// oldest endpoint in use, as notice URLs are.
func (pl Planner) Like(m merchant.ID, s merchant.StoreID, mode merchant.Mode, now time.Time) (Version, ContentType, []secret.Text) {
	rep, _ := pl.Merchants.Representative(m)
	like := likeEndpoint(pl.Endpoints.Of(s, rep.ID, mode))
	d, _ := pl.Destination(Delivery{Merchant: m, Store: s, Mode: mode}, now)
	return like.Version, like.ContentType, d.Secrets
}
