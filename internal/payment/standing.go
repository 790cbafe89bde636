package payment

import (
	"time"

	"github.com/tongbo/tongbo/internal/secret"
)

// A Standing is where a payment stands at the PG. What the PG does not tell is
// empty.
type Standing struct {
	// State is Issued (waiting for money), Paid, PartiallyCancelled, Cancelled or
	// Failed; Ready if the PG knows of the order, but issued and took nothing yet;
	// PayPending if nothing follows from where it stands. It is empty if the PG knows
	// no such payment.
	State     State
	Order     string
	PGTx      string
	Amount    Money // asked for; HasAmount says that the PG told it
	HasAmount bool
	Account   Account
	Expired   bool // the account takes no money any more
	// Deposit names the money as the PG's notices do; Key and Secret are those
	// of the issue.
	Deposit, Key  string
	Depositor     string
	PaidAt        time.Time
	Secret        secret.Text
	Cancellations []CancelRecord
	// Lists says that Cancellations are all that there are: one that is not among
	// them was not made.
	Lists  bool
	Refund RefundStatus
	// AskedAt is when the PG was asked, and Final says that what a notice told
	// longer ago and the PG denies is not just news to it. Who asks sets them.
	AskedAt     time.Time
	Final       bool
	CashReceipt *CashReceipt
	// Card and Receipt are what it was charged to, and Failure why it was not.
	Card    Card
	Receipt string
	Failure *Failure
}

// A CancelRecord is one cancellation that the PG knows of.
type CancelRecord struct {
	PGID   string
	Amount Money
	At     time.Time
}
