// Package payment holds payments (결제), the money that is reported about them,
// and the money rules: what a PG's report may do to a payment. Everything here
// is a pure function on values; time and new ids come in as parameters.
package payment

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// An ID is the merchant's own name for a payment, unique within a store. It is
// free text: any byte but NUL may be in it.
type ID string

// A Key is our internal name for a payment: a UUID.
type Key string

// A TransactionID names one attempt to pay: a bare UUID.
type TransactionID string

// A State is where a payment, or one attempt at it, stands.
type State string

// The states of a payment, in PortOne V2's words.
const (
	Ready              State = "READY"
	Issued             State = "VIRTUAL_ACCOUNT_ISSUED"
	PayPending         State = "PAY_PENDING"
	Paid               State = "PAID"
	PartiallyCancelled State = "PARTIAL_CANCELLED"
	Cancelled          State = "CANCELLED"
	Failed             State = "FAILED"
)

// An AccountType says how long a virtual account lives.
type AccountType string

// The types of virtual account.
const (
	Normal         AccountType = "NORMAL"          // 회전식: for one payment
	Fixed          AccountType = "FIXED"           // 고정식: one number, many payments
	FixedUnlimited AccountType = "FIXED_UNLIMITED" // 고정식 without an end: every deposit counts
)

// An Account is a virtual account (가상계좌) issued for a transaction.
type Account struct {
	Bank      Bank           `json:"bank,omitempty"`
	Number    secret.Account `json:"number,omitempty"`
	Type      AccountType    `json:"type,omitempty"`
	Holder    string         `json:"holder,omitempty"`
	IssuedAt  time.Time      `json:"issuedAt,omitzero"`
	ExpiresAt time.Time      `json:"expiresAt,omitzero"`
}

// A Transaction is one attempt to pay. A payment may have several; at most one
// of them is paid at a time.
type Transaction struct {
	ID      TransactionID       `json:"id"`
	Channel merchant.ChannelKey `json:"channel"`
	Order   string              `json:"order"` // the PG's order id
	PGTx    string              `json:"pgTx,omitempty"`
	// Secret is what the PG gave for this order alone (Toss). It is kept
	// beside the payment, sealed, and never marshalled with it.
	Secret  secret.Text `json:"-"`
	State   State       `json:"state"`
	Account *Account    `json:"account,omitempty"` // nil if no account was seen yet
	At      time.Time   `json:"at"`                // when the attempt began
	PaidAt  time.Time   `json:"paidAt,omitzero"`   // the PG's time of the money
	Expired bool        `json:"expired,omitempty"` // its deadline passed while the payment waited for it
	Closing time.Time   `json:"closing,omitzero"`  // when the PG was asked to close the account, and has not answered
	// IssueKey is the PG's name for the issue, and IssueToldAt the time it
	// gives, where a PG tells of the issue and of a reversal in one word.
	IssueKey    string    `json:"issueKey,omitempty"`
	IssueToldAt time.Time `json:"issueToldAt,omitzero"`
	// Depositor is who sent the money (입금자), as the bank spelt it.
	Depositor string `json:"depositor,omitempty"`
	// Charge is there if the attempt takes money from a card at once; nil if it waits
	// for money to come to an account.
	Charge *Charge `json:"charge,omitempty"`
	// Checkout is the window in which the attempt is made; empty if the merchant's server
	// made it. Opened says that its buyer has not acted there, or went away: then it is
	// READY or FAILED, and no PG knows of it.
	Checkout CheckoutID `json:"checkout,omitempty"`
	Opened   bool       `json:"opened,omitempty"`
	// Words are those of that window's page, of an attempt that was begun while windows alone
	// had said what the order is; nil of any other.
	Words *Words `json:"words,omitempty"`
}

// A DepositState says what became of a deposit.
type DepositState string

// The states of a deposit.
const (
	DepositApplied  DepositState = "applied"  // it paid the payment
	DepositReversed DepositState = "reversed" // it did, and the bank took it back
	DepositForetold DepositState = "foretold" // the bank took it back before we heard of it
)

// A Deposit (입금) is money that a PG reported for a payment.
type Deposit struct {
	Key         string         `json:"key,omitempty"` // the PG's id of the deposit; may be empty
	State       DepositState   `json:"state"`
	Transaction TransactionID  `json:"transaction,omitempty"` // the attempt it paid, or that its reversal named
	Amount      Money          `json:"amount,omitzero"`
	Account     secret.Account `json:"account,omitempty"`
	Depositor   string         `json:"depositor,omitempty"`
	At          time.Time      `json:"at,omitzero"`          // the PG's time
	Untimed     bool           `json:"untimed,omitempty"`    // the PG told no time: At is when it was heard of
	Learnt      bool           `json:"learnt,omitempty"`     // by asking the PG; its notice may come yet
	ByHand      *HandDeposit   `json:"byHand,omitempty"`     // nil: the PG told of it first
	ReversedAt  time.Time      `json:"reversedAt,omitzero"`  // the PG's time of the reversal
	ReversedBy  string         `json:"reversedBy,omitempty"` // the PG's id of the reversal, if it has one of its own
}

// Counted reports whether the deposit paid the payment at some time, even if
// the bank took it back since. A deposit whose reversal was told first never
// did.
func (d Deposit) Counted() bool { return d.State != DepositForetold && d.Transaction != "" }

// A CancellationState is PortOne's: REQUESTED, SUCCEEDED or FAILED.
type CancellationState string

// The states of a cancellation.
const (
	CancelRequested CancellationState = "REQUESTED"
	CancelSucceeded CancellationState = "SUCCEEDED"
	CancelFailed    CancellationState = "FAILED"
)

// A RefundStatus follows the transfer that gives money back; empty when none
// is made.
type RefundStatus string

// The states of a refund transfer (환불이체).
const (
	RefundPending   RefundStatus = "PENDING"
	RefundFailed    RefundStatus = "FAILED"
	RefundCompleted RefundStatus = "COMPLETED"
)

// A Trigger is who asked for a cancellation, in PortOne's words; empty if the PG
// told of it by itself.
type Trigger string

// The triggers of a cancellation.
const (
	TriggerAPI     Trigger = "API"
	TriggerConsole Trigger = "CONSOLE"
)

// ReversalReason is the reason that a cancellation by the bank carries.
const ReversalReason = "은행 입금취소"

// A Cancellation (취소) takes a payment back, in whole or in part.
type Cancellation struct {
	ID     string            `json:"id"` // a bare UUID
	State  CancellationState `json:"state"`
	PGID   string            `json:"pgId,omitempty"`
	Amount Money             `json:"amount"`
	// TaxFree and VAT are parts of Amount; VAT is nil if nobody told.
	TaxFree     int64        `json:"taxFree,omitempty"`
	VAT         *int64       `json:"vat,omitempty"`
	Reason      string       `json:"reason"`
	Trigger     Trigger      `json:"trigger,omitempty"`
	Unclear     bool         `json:"unclear,omitempty"`  // the PG's answer was lost, and merchants were told
	Quiet       bool         `json:"quiet,omitempty"`    // its success is told to no endpoint
	Guessed     bool         `json:"guessed,omitempty"`  // a notice of a booking was taken for it; its own answer is yet to come
	Told        bool         `json:"told,omitempty"`     // a notice told of its success
	Reversal    bool         `json:"reversal,omitempty"` // the bank took the deposit back; refunds nothing
	Refund      RefundStatus `json:"refund,omitempty"`
	RequestedAt time.Time    `json:"requestedAt"`
	CancelledAt time.Time    `json:"cancelledAt,omitzero"`
	ByHand      *ByHand      `json:"byHand,omitempty"` // nil: the PG said how it ended
}

// A CashReceipt (현금영수증) is the receipt a PG issued with a deposit.
type CashReceipt struct {
	Number string    `json:"number,omitempty"`
	Type   string    `json:"type,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// A Customer is the buyer, as the merchant described them. All fields are
// optional.
type Customer struct {
	ID          string          `json:"id,omitempty"`
	Name        string          `json:"name,omitempty"`
	Email       string          `json:"email,omitempty"`
	PhoneNumber string          `json:"phoneNumber,omitempty"`
	Zipcode     string          `json:"zipcode,omitempty"`
	BirthYear   string          `json:"birthYear,omitempty"`
	BirthMonth  string          `json:"birthMonth,omitempty"`
	BirthDay    string          `json:"birthDay,omitempty"`
	Gender      string          `json:"gender,omitempty"`
	Address     json.RawMessage `json:"address,omitempty"` // PortOne's Address object, as output
}

// A Payment is one thing to be paid for.
type Payment struct {
	Key      Key              `json:"key"`
	Merchant merchant.ID      `json:"merchant"`
	Store    merchant.StoreID `json:"store"`
	ID       ID               `json:"id"`
	Mode     merchant.Mode    `json:"mode"`
	State    State            `json:"state"`
	Amount   Money            `json:"amount"`
	// TaxFree (면세) and VAT (부가세) are parts of Amount, in its minor units; VAT
	// is nil if nobody told: then it is an eleventh of what is taxed.
	TaxFree    int64    `json:"taxFree,omitempty"`
	VAT        *int64   `json:"vat,omitempty"`
	OrderName  string   `json:"orderName"`
	Customer   Customer `json:"customer"`
	CustomData string   `json:"customData,omitempty"`
	NoticeURLs []string `json:"noticeUrls,omitempty"`
	// Transactions are in the order they began. Current is the index of the
	// one that faces show: the paid one, else the latest.
	Transactions  []Transaction  `json:"transactions"`
	Current       int            `json:"current"`
	Deposits      []Deposit      `json:"deposits,omitempty"`
	Cancellations []Cancellation `json:"cancellations,omitempty"`
	CashReceipt   *CashReceipt   `json:"cashReceipt,omitempty"`
	Adopted       bool           `json:"adopted,omitempty"` // made from a notice, not yet registered
	Late          bool           `json:"late,omitempty"`    // paid after its deadline
	Expired       bool           `json:"expired,omitempty"` // its deadline passed unpaid

	RequestedAt     time.Time `json:"requestedAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
	StatusChangedAt time.Time `json:"statusChangedAt"`
	PaidAt          time.Time `json:"paidAt,omitzero"`
	CancelledAt     time.Time `json:"cancelledAt,omitzero"`
	FailedAt        time.Time `json:"failedAt,omitzero"`
	FailureReason   string    `json:"failureReason,omitempty"`
}

// Transaction returns the attempt that faces show, and false if there is none.
func (p Payment) Transaction() (Transaction, bool) {
	if p.Current < 0 || p.Current >= len(p.Transactions) {
		return Transaction{}, false
	}
	return p.Transactions[p.Current], true
}

// CancelledAmount is the sum of the cancellations that succeeded, in minor
// units of the payment's currency.
func (p Payment) CancelledAmount() int64 {
	var sum int64
	for _, c := range p.Cancellations {
		if c.State == CancelSucceeded {
			sum += c.Amount.Amount
		}
	}
	return sum
}

// GivenBack is what of the money that is here, or was here last, went back, in
// minor units. Where the bank took back an earlier deposit and another came, what
// it took back is no part of that money.
func (p Payment) GivenBack() int64 {
	sum := p.CancelledAmount()
	paid := slices.ContainsFunc(p.Deposits, func(d Deposit) bool { return d.State == DepositApplied })
	if p.unlimited() || !paid {
		return sum
	}
	for _, c := range p.Cancellations {
		if c.Reversal && c.State == CancelSucceeded {
			sum -= c.Amount.Amount
		}
	}
	return sum
}

// Remaining is what can still be cancelled.
func (p Payment) Remaining() Money {
	return Money{p.paidAmount() - p.CancelledAmount(), p.Amount.Currency}
}

// paidAmount is what came in, in minor units: the sum of the deposits that
// were applied, those that the bank took back since included, else the
// payment's amount.
func (p Payment) paidAmount() int64 {
	var sum int64
	applied := p.unlimited()
	for _, d := range p.Deposits {
		if d.Counted() {
			sum, applied = sum+d.Amount.Amount, true
		}
	}
	if !applied {
		return p.Amount.Amount
	}
	return sum
}

// Deadline is when the waiting account closes; zero if it has no deadline or
// nothing waits.
func (p Payment) Deadline() time.Time {
	t, ok := p.Transaction()
	if p.State != Issued || !ok || t.Account == nil {
		return time.Time{}
	}
	return t.Account.ExpiresAt
}

func (p Payment) unlimited() bool {
	t, ok := p.Transaction()
	return ok && t.unlimited()
}

func (t Transaction) unlimited() bool {
	return t.Account != nil && t.Account.Type == FixedUnlimited
}

// clone copies what a decision may change, so that the caller's value stays as
// it was.
func (p Payment) clone() Payment {
	p.Transactions = append([]Transaction(nil), p.Transactions...)
	for i, t := range p.Transactions {
		if t.Account != nil {
			a := *t.Account
			p.Transactions[i].Account = &a
		}
		if t.Charge != nil {
			c := *t.Charge
			p.Transactions[i].Charge = &c
		}
	}
	p.Deposits = append([]Deposit(nil), p.Deposits...)
	for i, k := range p.Deposits {
		if k.ByHand != nil {
			h := *k.ByHand
			p.Deposits[i].ByHand = &h
		}
	}
	p.Cancellations = append([]Cancellation(nil), p.Cancellations...)
	return p
}
