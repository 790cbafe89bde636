// Package webhook holds what merchants are told and how: events, the
// endpoints (웹훅 주소) that want them, deliveries and their attempts, retry
// schedules, payload formats and signatures. Pure values and functions.
package webhook

import (
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A Type names a kind of event, in PortOne's spelling.
type Type string

// The types of events. A billing key is Ready while its window is open, and
// Updated by its PG: neither comes about in this release.
const (
	Paid                 Type = "Transaction.Paid"
	VirtualAccountIssued Type = "Transaction.VirtualAccountIssued"
	PartialCancelled     Type = "Transaction.PartialCancelled"
	Cancelled            Type = "Transaction.Cancelled"
	CancelPending        Type = "Transaction.CancelPending"
	Failed               Type = "Transaction.Failed"
	PayPending           Type = "Transaction.PayPending"
	Ready                Type = "Transaction.Ready"
	BillingKeyReady      Type = "BillingKey.Ready"
	BillingKeyIssued     Type = "BillingKey.Issued"
	BillingKeyFailed     Type = "BillingKey.Failed"
	BillingKeyDeleted    Type = "BillingKey.Deleted"
	BillingKeyUpdated    Type = "BillingKey.Updated"
	// Ours: sent only to endpoints that name them.
	VirtualAccountExpired Type = "Transaction.VirtualAccountExpired"
	Attention             Type = "tongbo.attention"
)

// PortOneTypes are the types that "*" stands for.
func PortOneTypes() []Type {
	return []Type{
		Ready, Paid, VirtualAccountIssued, PartialCancelled, Cancelled, CancelPending, Failed, PayPending,
		BillingKeyReady, BillingKeyIssued, BillingKeyFailed, BillingKeyDeleted, BillingKeyUpdated,
	}
}

// OwnTypes are Tongbo's own types; "*" does not include them.
func OwnTypes() []Type { return []Type{VirtualAccountExpired, Attention} }

// TypeOf returns the type of the event that a change of a payment makes.
func TypeOf(c payment.Change) Type { return Type("Transaction." + string(c)) }

// An EventID names an event: a UUIDv7.
type EventID string

// An Event is one fact for merchants: exactly one per transition.
type Event struct {
	ID           EventID
	Type         Type
	At           time.Time // when it happened; the same in every payload and retry
	Merchant     merchant.ID
	Store        merchant.StoreID
	Mode         merchant.Mode
	Payment      payment.Key // empty for tongbo.attention without a payment
	PaymentID    payment.ID
	Channel      merchant.ChannelKey // of the transaction; empty without one
	Transaction  payment.TransactionID
	Cancellation string
	BillingKey   payment.BillingKeyID // only of an event of a billing key, which has no payment
	State        payment.State        // of the payment when it happened
	// Deposited says that a deposit notice made the event; PortOne shows it
	// as the webhook's trigger.
	Deposited bool
	Concern   *Concern // only of tongbo.attention
}

// A Concern is what tongbo.attention asks a person to look at.
type Concern struct {
	Kind    string              // unmatched, conflict, refused, delivery_failed, listed, silent
	Reason  string              // a stable code
	Channel merchant.ChannelKey // empty if unknown
	Subject string              // id of the notice or webhook
}

// Wants reports whether a list of subscribed types includes t. "*" stands for
// PortOne's types; "Transaction.*" for those of PortOne's that begin so.
func Wants(list []string, t Type) bool {
	if slices.Contains(list, string(t)) {
		return true
	}
	if !slices.Contains(PortOneTypes(), t) {
		return false
	}
	return slices.ContainsFunc(list, func(want string) bool {
		prefix, wild := strings.CutSuffix(want, "*")
		return wild && strings.HasPrefix(string(t), prefix)
	})
}

// EventOf is the event that a transition of a payment makes.
func EventOf(p payment.Payment, tr payment.Transition, at time.Time, id string) Event {
	e := Event{
		ID: EventID(id), Type: TypeOf(tr.Change), At: at, Merchant: p.Merchant, Store: p.Store,
		Mode: p.Mode, Payment: p.Key, PaymentID: p.ID, Transaction: tr.Transaction, Cancellation: tr.Cancellation,
		State: p.State,
	}
	for _, attempt := range p.Transactions {
		if attempt.ID == tr.Transaction {
			e.Channel = attempt.Channel
		}
	}
	return e
}

// KeyEventOf is the event that a billing key came into its state.
func KeyEventOf(k payment.BillingKey, t Type, at time.Time, id string) Event {
	return Event{
		ID: EventID(id), Type: t, At: at, Merchant: k.Merchant, Store: k.Store, Mode: k.Mode, Channel: k.Channel, BillingKey: k.ID,
	}
}
