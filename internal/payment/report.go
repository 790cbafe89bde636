package payment

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// An Event is what a PG says happened.
type Event string

// The events.
const (
	EventIssued             Event = "issued"              // 발급: an account was issued
	EventDeposited          Event = "deposited"           // 입금: money came in
	EventReversed           Event = "reversed"            // 입금취소: the bank took a deposit back
	EventApproved           Event = "approved"            // another method was approved
	EventCancelled          Event = "cancelled"           // 취소: all of it
	EventPartiallyCancelled Event = "partially_cancelled" // 부분취소: Amount is the part cancelled
	EventRefunded           Event = "refunded"            // 환불이체: the refund transfer is done
	EventRefundFailed       Event = "refund_failed"
	EventFailed             Event = "failed"
	EventExpired            Event = "expired"
	EventOther              Event = "other" // understood, and moves nothing
)

// Events lists every event.
func Events() []Event {
	return []Event{
		EventIssued, EventDeposited, EventReversed, EventApproved, EventCancelled,
		EventPartiallyCancelled, EventRefunded, EventRefundFailed, EventFailed, EventExpired, EventOther,
	}
}

// A Report is what a PG told us about a payment, in our words.
type Report struct {
	Event Event
	// Key names this message: a resend of it has the same Key, and nothing
	// else does. It never depends on the time of sending.
	Key string
	// Deposit names the money that a deposited or reversed report speaks of.
	// Empty if the PG gives deposits no id: then account, amount and time
	// tell deposits apart.
	Deposit string
	// Amount is the money reported. HasAmount is false if the PG sent none.
	Amount    Money
	HasAmount bool
	// AmountEnforced says that the bank refuses any other amount, so that an
	// absent amount counts as exact.
	AmountEnforced bool
	Account        secret.Account
	Bank           Bank
	Depositor      string
	Holder         string
	At             time.Time // the PG's time of the event; zero if it sent none
	ExpiresAt      time.Time // the deadline of an issued account
	// PGOrder is the PG's order id, and Channel the channel that the report
	// came for. They tell a payment's attempts apart where the PG names no
	// account, or one account serves several. No decoder sets them: who meets
	// report and payment does.
	PGOrder     string
	Channel     merchant.ChannelKey
	PGTx        string // the PG's transaction id of the issue
	PGCancel    string // the PG's id of a cancellation
	CancelAlias bool   // PGCancel is what notices alone call it: answers to our calls have another id
	CashReceipt *CashReceipt
	// Reopens marks an issued report that, after a deposit, means that the
	// bank took the deposit back (Toss's WAITING_FOR_DEPOSIT after DONE).
	Reopens bool
	// Closes marks a cancelled report that says only that the account was
	// closed: it ends what waits, and takes nothing back that was paid.
	Closes bool
	// OtherMethod marks a report about a card, a transfer or any method but a
	// virtual account: unless the payment was started here it is only kept.
	OtherMethod bool
	// Learnt marks a deposit that no notice told of, but the PG when it was asked.
	Learnt bool
	// ByHand is there if a person says that the money came: Deposit is then its
	// Number. Nil: the PG says so.
	ByHand *HandDeposit
	// Listed marks a report that a person should see, whatever it does.
	Listed bool
}
