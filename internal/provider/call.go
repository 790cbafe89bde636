package provider

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// What follows is what only some PGs can do: each is an optional interface of a
// Provider. All calls go out by the client that they are given, at most one
// request that changes something each, and are never repeated here: an issue,
// a refund or a charge sent twice may happen twice.
//
// A call's error says what the caller may believe:
//
//   - *DeclinedError: the PG said no, and did nothing.
//   - fault.Unavailable: the PG was not reached, and did nothing.
//   - fault.Invalid or fault.Unsupported: nothing was sent.
//   - fault.Unclear: the PG may have done it, or not. Only an inquiry tells.
//
// Errors quote nothing that is secret or belongs to a buyer.

// An Access is how a PG's API is called for one channel.
type Access struct {
	HTTP *http.Client // waits for as long as the caller means to, and follows no redirect
	// Channel tells credentials and mode. Its BaseURL, if set, stands in for all
	// of the PG's own hosts.
	Channel merchant.Channel
	Now     time.Time
}

// A DeclinedError is a PG's no, in the PG's words.
type DeclinedError struct {
	Code, Message string
}

// Error says what the PG said.
func (d *DeclinedError) Error() string {
	return fmt.Sprintf("the PG declined: %s (%s)", d.Message, d.Code)
}

// An Issuer issues virtual accounts (가상계좌 채번) by API.
type Issuer interface {
	// CheckIssue reports fault.Invalid or fault.Unsupported if the PG cannot
	// issue that, before anything is sent. It is pure.
	CheckIssue(merchant.Channel, Order) error
	// Issue has the PG issue an account. Where the caller makes the PG's id of it,
	// that is in the Issue also beside fault.Unclear.
	Issue(context.Context, Access, Order) (Issue, error)
}

// An Order is what a virtual account is to be issued for.
type Order struct {
	ID     string // at the PG
	Name   string
	Amount payment.Money
	// TaxFree and VAT are parts of Amount, in its minor units.
	TaxFree, VAT int64
	Bank         payment.Bank
	Type         payment.AccountType // Normal or Fixed
	// A Fixed account is either a number that the PG handed over, or whatever
	// number the PG keeps for an id. Both are empty for a Normal one.
	Number    secret.Account
	AccountID string
	Holder    string // the name shown as the account's (예금주); may be empty
	Customer  payment.Customer
	ExpiresAt time.Time
	Receipt   *ReceiptOrder // nil: no cash receipt
	Escrow    bool
	// NoticeURL is where notices go, for a PG that takes it with each order.
	NoticeURL string
	// Key is the same whenever the same attempt is made, and differs for any
	// other: a UUID.
	Key string
}

// A ReceiptOrder asks for a cash receipt (현금영수증) with the deposit.
type ReceiptOrder struct {
	Business bool        // 지출증빙, else 소득공제
	Identity secret.Text // a phone, card or business registration number; never stored
}

// An Issue is an account that the PG issued.
type Issue struct {
	PGTx    string // the PG's id of it
	Account payment.Account
	Secret  secret.Text // the PG's secret for this order alone, if it gives one
	Key     string      // the PG's name for this change, where its notices bear it
	At      time.Time   // the PG's time; zero if it told none
}

// An Inquirer asks where a payment stands (거래조회).
type Inquirer interface {
	// CanInquire reports whether the PG can be asked with what is known:
	// fault.Unsupported if an id is missing that its call needs. It is pure.
	CanInquire(merchant.Channel, Query) error
	// Inquire changes nothing at the PG, so it may be repeated at will.
	Inquire(context.Context, Access, Query) (Standing, error)
}

// A Query names a payment for a PG. What is not known is empty.
type Query struct {
	Order   string
	PGTx    string // of the issue
	Deposit string // the PG's id of the deposit
	Account secret.Account
	Amount  payment.Money
	At      time.Time // when it was ordered
}

// A Standing is where a payment stands at the PG.
type Standing = payment.Standing

// A Cancelled is one cancellation that the PG knows of.
type Cancelled = payment.CancelRecord

// A Closer closes a virtual account that waits for its deposit (말소).
type Closer interface {
	// CheckClose reports fault.Unsupported if the PG cannot close that one. It
	// is pure.
	CheckClose(merchant.Channel, Closing) error
	// Close returns the PG's time; zero if it told none.
	Close(context.Context, Access, Closing) (time.Time, error)
}

// A Closing names the account to be closed.
type Closing struct {
	Query
	Bank   payment.Bank
	Reason string
	Key    string // as an Order's
}

// A Refunder gives the money of a deposit back (환불), in whole or in part.
type Refunder interface {
	// CheckRefund reports fault.Invalid if something is missing that the PG
	// needs, as the refund account, and fault.Unsupported if the PG cannot do
	// it. It is pure.
	CheckRefund(merchant.Channel, Refund) error
	Refund(context.Context, Access, Refund) (Refunded, error)
}

// A Refund is money to be given back.
type Refund struct {
	Query                // Amount is what was paid
	Give   payment.Money // what is to be given back
	Rest   payment.Money // what could be given back before
	Number int           // of this cancellation of the payment, from 1
	// TaxFree and VAT are parts of Give, in its minor units.
	TaxFree, VAT int64
	Reason       string
	Account      *RefundAccount // nil if the merchant named none
	// Card says that the money came from a card: it goes back there, and Account is
	// nil.
	Card   bool
	Escrow bool
	Key    string // as an Order's
}

// Whole reports whether the refund gives back all that was paid, at once.
func (r Refund) Whole() bool { return r.Give == r.Amount && r.Rest == r.Amount }

// A RefundAccount is where the money goes.
type RefundAccount struct {
	Bank   payment.Bank
	Number secret.Account
	Holder string
	Phone  string
}

// A Refunded is a refund that the PG booked.
type Refunded struct {
	PGID string    // the PG's id of the cancellation
	At   time.Time // the PG's time; zero if it told none
	// Transfer is how far the transfer to the buyer is: Pending unless the PG
	// said that it is done.
	Transfer payment.RefundStatus
}

// A Player has the PG's API for the simulator: what the calls above meet.
type Player interface {
	// API serves the PG's calls, with their signatures checked, on the books.
	API(Books) http.Handler
}

// Base returns the address of the PG's API: the channel's own if it has one, else
// that of its mode.
func (a Access) Base(live, test string) string {
	switch {
	case a.Channel.BaseURL != "":
		return a.Channel.BaseURL
	case a.Channel.Mode == merchant.Live:
		return live
	}
	return test
}
