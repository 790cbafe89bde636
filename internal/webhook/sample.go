package webhook

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// The ids in a sample. They name nothing: a receiver that reads the payment is
// told that there is none.
const (
	SamplePayment      = "sample-payment"
	sampleTransaction  = "00000000-0000-7000-8000-000000000001"
	sampleCancellation = "00000000-0000-7000-8000-000000000002"
	sampleBillingKey   = "billing-key-00000000-0000-4000-8000-000000000003"
	sampleNotice       = "00000000-0000-7000-8000-000000000004"
)

// Sample is an event of a type as a store might be told of it, at a time: what a
// test call sends.
func Sample(t Type, store merchant.Store, mode merchant.Mode, id string, at time.Time) Event {
	e := Event{
		ID: EventID(id), Type: t, At: at, Merchant: store.Merchant, Store: store.ID, Mode: mode,
		PaymentID: SamplePayment, Transaction: sampleTransaction,
	}
	switch t {
	case PartialCancelled, Cancelled, CancelPending:
		e.Cancellation = sampleCancellation
	case BillingKeyReady, BillingKeyIssued, BillingKeyFailed, BillingKeyDeleted, BillingKeyUpdated:
		e.PaymentID, e.Transaction, e.BillingKey = "", "", payment.BillingKeyID(sampleBillingKey)
	case Attention:
		e.Transaction = ""
		e.Concern = &Concern{Kind: "unmatched", Reason: "unknown_order", Subject: sampleNotice}
	case Ready, Paid, VirtualAccountIssued, Failed, PayPending, VirtualAccountExpired, Confirm:
	}
	return e
}
