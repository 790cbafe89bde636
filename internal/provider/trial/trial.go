// Package trial plays PGs inside the program, for test channels that have nothing
// to call theirs by (provider.OnTrial): accounts are issued, asked about, closed and
// paid back, money is paid into them, test cards are charged and billing keys issued
// for them, without any PG. It knows no PG's API. What a PG sends is its module's
// Encode, so that a deposit's notice is the PG's own, and
// ids look as they do in it.
//
// The books are in the database, a row for each order of a channel, so that they
// outlast the process and all nodes share them. A row is changed by one transaction.
package trial

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Ledger keeps the books. It is safe for concurrent use.
type Ledger interface {
	// Trial changes what is kept of a channel under an id: change gets it, nil if
	// nothing is, and returns what is kept from then on, nil to leave it. It may be
	// called more than once, and nobody else changes the same meanwhile. Its error
	// is returned as it is, and changes nothing.
	Trial(ctx context.Context, c merchant.ChannelKey, id string, at time.Time, change func(known []byte) ([]byte, error)) error
}

// A PG is a module whose PG is played here. It is safe for concurrent use, and its
// calls reach no network.
type PG struct {
	provider.Provider
	Ledger Ledger
}

var (
	_ provider.Issuer     = PG{}
	_ provider.Inquirer   = PG{}
	_ provider.Closer     = PG{}
	_ provider.Refunder   = PG{}
	_ provider.Depositary = PG{}
)

// An entry is what the books have of one order. Its zero value is none. Secrets and
// numbers are plain texts, since their types do not marshal: it is sealed as a whole.
type entry struct {
	Order     string          `json:"order"`
	Key       string          `json:"key,omitempty"` // of the request that made it
	PGTx      string          `json:"pgTx,omitempty"`
	Secret    string          `json:"secret,omitempty"`
	Number    string          `json:"number"`
	Account   payment.Account `json:"account"` // without its number
	Amount    payment.Money   `json:"amount"`
	State     payment.State   `json:"state"` // Issued, Paid or Failed; refunds tell the rest
	ClosedAt  time.Time       `json:"closedAt,omitzero"`
	Paid      payment.Money   `json:"paid,omitzero"`
	PaidAt    time.Time       `json:"paidAt,omitzero"`
	Deposit   string          `json:"deposit,omitempty"` // as the PG's notices name the money
	Depositor string          `json:"depositor,omitempty"`
	Refunds   []refund        `json:"refunds,omitempty"`
	Told      []happening     `json:"told,omitempty"` // since the latest deposit, by Tell
	// Of what was charged to a card; the number is masked.
	Card    *payment.Card    `json:"card,omitempty"`
	Wallet  payment.Wallet   `json:"wallet,omitempty"` // or to this
	Receipt string           `json:"receipt,omitempty"`
	Failure *payment.Failure `json:"failure,omitempty"`
}

// A refund is money that was given back.
type refund struct {
	Key      string               `json:"key,omitempty"` // of the request that made it
	Done     payment.CancelRecord `json:"done"`
	Transfer payment.RefundStatus `json:"transfer,omitempty"` // empty while it is under way
}

// A happening is what happened to an entry at the PG's side, as its notice tells.
type happening struct {
	Event     payment.Event `json:"event"`
	Amount    payment.Money `json:"amount"`
	At        time.Time     `json:"at"`
	Deposit   string        `json:"deposit,omitempty"`
	Depositor string        `json:"depositor,omitempty"`
	PGCancel  string        `json:"pgCancel,omitempty"`
}

func (x entry) account() payment.Account {
	a := x.Account
	a.Number = secret.Account(x.Number)
	return a
}

func (x *entry) setAccount(a payment.Account) {
	x.Number, a.Number = a.Number.Reveal(), ""
	x.Account = a
}

// expired reports whether the account takes no money any more.
func (x entry) expired(now time.Time) bool {
	return x.State == payment.Issued && !x.Account.ExpiresAt.IsZero() && now.After(x.Account.ExpiresAt)
}

// left is what can still be given back.
func (x entry) left() int64 {
	left := x.Paid.Amount
	for _, r := range x.Refunds {
		left -= r.Done.Amount.Amount
	}
	return left
}

// state is where the payment stands, refunds included.
func (x entry) state() payment.State {
	switch {
	case x.State != payment.Paid || len(x.Refunds) == 0:
		return x.State
	case x.left() == 0:
		return payment.Cancelled
	}
	return payment.PartiallyCancelled
}

// errKept ends a change that leaves the books as they are.
var errKept = errors.New("the books stay as they are")

// change does something to the entry of an order, and returns it afterwards. What do
// reports is returned as it is, and changes nothing.
func (g PG) change(ctx context.Context, a provider.Access, order string, do func(*entry) error) (entry, error) {
	var out entry
	err := g.Ledger.Trial(ctx, a.Channel.Key, order, a.Now, func(known []byte) ([]byte, error) {
		out = entry{}
		if known != nil {
			if err := json.Unmarshal(known, &out); err != nil {
				return nil, fmt.Errorf("the books of order %q: %w", order, err)
			}
		}
		switch err := do(&out); {
		case errors.Is(err, errKept):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return json.Marshal(out) //nolint:gosec // the ledger seals it
	})
	return out, err
}

// unclear is the error of a call as its caller may believe it: what became of a
// transaction that the database did not confirm is not known.
func unclear(err error) error {
	switch _, declined := errors.AsType[*provider.DeclinedError](err); {
	case err == nil, declined, fault.Is(err, fault.Invalid), fault.Is(err, fault.Unsupported):
		return err
	}
	return fault.Errorf(fault.Unclear, "the books of the PG that is played here: %w", err)
}

func declined(code, format string, args ...any) error {
	return &provider.DeclinedError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// What the PG that is played here says no by.
const (
	codeTaken  = "TRIAL_ORDER_TAKEN"
	codeClosed = "TRIAL_NOT_WAITING"
	codeUnpaid = "TRIAL_NOT_PAID"
	codeOver   = "TRIAL_REFUND_TOO_MUCH"
)

// made makes up 64 hexadecimal digits, always the same for the same parts.
func made(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:])
}

// digits makes up the digits of an account number. It does not begin with a zero.
func digits(n int, parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	var b strings.Builder
	b.WriteByte('1' + sum[n]%9)
	for _, c := range sum[1:n] {
		b.WriteByte('0' + c%10)
	}
	return b.String()
}
