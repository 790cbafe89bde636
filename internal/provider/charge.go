package provider

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Charger takes money at once: by a billing key (빌링키 결제), by a card's number
// (수기결제), or from a wallet whose buyer approved it (간편결제).
type Charger interface {
	// CheckCharge reports fault.Invalid or fault.Unsupported if the PG cannot
	// charge that, before anything is sent. It is pure.
	CheckCharge(merchant.Channel, Charge) error
	// Charge has the PG take the money. Where the PG's id of it is known although its
	// answer is not, that is in the Charged also beside fault.Unclear.
	Charge(context.Context, Access, Charge) (Charged, error)
}

// A Charge is money to be taken. Exactly one of Card, BillingKey and Wallet is set.
type Charge struct {
	ID     string // at the PG
	Name   string
	Amount payment.Money
	// TaxFree and VAT are parts of Amount, in its minor units.
	TaxFree, VAT int64
	Customer     payment.Customer
	Card         *Card
	BillingKey   *BillingKey
	Wallet       *WalletPay
	Terms        payment.Terms
	Key          string // as an Order's
}

// A Card is a card as its holder wrote it down. It is passed on, and neither stored
// nor logged: all of it is of types that do not print.
type Card struct {
	Number      secret.Text // digits
	ExpiryYear  secret.Text // two digits
	ExpiryMonth secret.Text // likewise
	// Identity is the holder's date of birth (six digits) or business registration
	// number (ten); Password the first two digits of the card's. Both may be empty.
	Identity, Password secret.Text
}

// A WalletPay is a payment from a wallet that is played: how it ends whoever pays chose in
// the window, as the number of a test card says it of a card. Whatever calls a real wallet
// refuses it.
type WalletPay struct {
	Name   payment.Wallet
	Ending Ending
}

// An Ending is how a charge ends that the PG which is played here makes.
type Ending string

// The endings.
const (
	Approves Ending = "approve"
	Declines Ending = "decline"
	TimesOut Ending = "timeout" // the money is taken, and the answer lost
)

// Endings lists the endings, in the order in which windows offer them.
func Endings() []Ending { return []Ending{Approves, Declines, TimesOut} }

// A BillingKey is a PG's own key of a card.
type BillingKey struct {
	Key secret.Text
	// Customer is the name of the card's holder under which the key was issued, for a
	// PG that wants it again: a UUID.
	Customer string
}

// A Charged is money that a PG took.
type Charged = payment.Taken

// A KeyIssuer issues billing keys (빌링키 발급) for cards by API.
type KeyIssuer interface {
	// CheckIssueKey reports fault.Invalid or fault.Unsupported if the PG cannot
	// issue that, before anything is sent. It is pure.
	CheckIssueKey(merchant.Channel, KeyOrder) error
	IssueKey(context.Context, Access, KeyOrder) (KeyIssued, error)
	// DeleteKey ends a key, and returns the PG's time; zero if it told none. It
	// reports fault.Unsupported if the PG has no such call: its key is then forgotten
	// here, and nobody has it any more.
	DeleteKey(context.Context, Access, BillingKey) (time.Time, error)
}

// A KeyOrder is what a billing key is to be issued for.
type KeyOrder struct {
	Card     Card
	Customer payment.Customer
	Key      string // as an Order's; it is also the Customer of the BillingKey
}

// A KeyIssued is a billing key that the PG issued.
type KeyIssued struct {
	Key  secret.Text
	Card payment.Card
	At   time.Time // the PG's time; zero if it told none
}
