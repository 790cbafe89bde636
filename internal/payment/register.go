package payment

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Registration is an account that the merchant issued through the PG
// itself, told to us so that its deposit notice finds it.
type Registration struct {
	Merchant   merchant.ID
	Store      merchant.StoreID
	Channel    merchant.ChannelKey
	Mode       merchant.Mode
	ID         ID
	Order      string // the PG's order id; empty means the payment's ID
	OrderName  string
	Amount     Money
	TaxFree    int64  // of Amount, in its minor units
	VAT        *int64 // likewise; nil: an eleventh of what is taxed
	Account    Account
	PGTx       string
	Secret     secret.Text // the PG's secret for this order alone
	Customer   Customer
	CustomData string
	NoticeURLs []string
	// Attempt is the id that Begin gives the attempt; empty: a new one. Checkout is the
	// window in which a buyer began it; empty: the merchant's server did.
	Attempt  TransactionID
	Checkout CheckoutID
}

// Register makes a payment from a registration, or adds it to the payment
// that has its id (known; nil if none). The same registration again changes
// nothing; another account is a new transaction. It reports fault.Conflict if
// the amount or the mode differs, or if the payment was paid already, and
// ErrUnderWay for another account while a charge of it has not ended. A payment of
// which no more is known than windows becomes what the registration says.
func Register(known *Payment, g Registration, e Env) (p Payment, changed bool, err error) {
	if g.Order == "" {
		g.Order = string(g.ID)
	}
	if g.Account.Type == "" {
		g.Account.Type = Normal
	}
	if known == nil {
		p = Payment{
			Key: Key(e.NewID()), Merchant: g.Merchant, Store: g.Store, ID: g.ID, Mode: g.Mode,
			Amount: g.Amount, RequestedAt: e.Now,
		}
		p.describe(g)
		p.begin(g, e)
		return p, true, nil
	}
	p = known.clone()
	p.yield(g)
	switch {
	case p.Mode != g.Mode:
		return p, false, fault.Errorf(fault.Conflict, "payment %q exists in %s mode; the channel is %s", g.ID, p.Mode, g.Mode)
	case p.Amount != g.Amount:
		return p, false, fault.Errorf(fault.Conflict, "payment %q is registered with %v, not %v", g.ID, p.Amount, g.Amount)
	}
	if i := p.find(g); i >= 0 {
		return p, p.attach(i, g, e), nil
	}
	switch p.State {
	case Paid, PartiallyCancelled, Cancelled:
		return p, false, fault.Errorf(fault.Conflict, "payment %q is %s: it takes no other account", g.ID, p.State)
	case Ready, Issued, PayPending, Failed:
	}
	if p.charging() {
		return p, false, ErrUnderWay
	}
	if len(p.Transactions) >= MaxTransactions {
		return p, false, ErrTooManyTransactions
	}
	switch {
	case known.OnlyOpened():
		p.describe(g)
	case known.ByWindows():
		p.say(g.words()) // the server's from now on
	}
	p.begin(g, e)
	return p, true, nil
}

// yield has a payment of which no more is known than windows give way to what the
// merchant's server says: who has nothing but public ids must not bind the merchant.
func (p *Payment) yield(g Registration) {
	if g.Checkout == "" && p.OnlyOpened() {
		p.Mode, p.Amount = g.Mode, g.Amount
	}
}

// MaxTransactions is how many attempts one payment may have. Each is read
// whenever a notice speaks of the payment.
const MaxTransactions = 50

// ErrTooManyTransactions says that a payment takes no further attempt.
var ErrTooManyTransactions = fault.Errorf(fault.Invalid, "the payment has had as many attempts as it may, which is %d and of these %d in payment windows: begin another payment", MaxTransactions, MaxWindowAttempts)

// find is the index of the transaction that a registration speaks of, or -1.
// Another order at the PG is another transaction, also on the same account:
// its notices are found by that order. A charge never becomes an account.
func (p Payment) find(g Registration) int {
	for i, t := range slices.Backward(p.Transactions) {
		if t.Charge != nil || t.Opened || t.Channel != g.Channel || t.Order != g.Order {
			continue
		}
		if t.Account == nil || t.Account.Number == "" || sameAccount(t.Account.Number, g.Account.Number) {
			return i
		}
	}
	return -1
}

// attach fills transaction i with what the registration adds and reports
// whether anything was new. An adopted payment becomes a registered one.
func (p *Payment) attach(i int, g Registration, e Env) bool {
	t := &p.Transactions[i]
	changed := false
	if p.Adopted {
		p.Adopted, changed = false, true
		p.describe(g)
		if t.Account != nil {
			t.Account.complete(g.Account)
		}
	}
	if t.Secret == "" && g.Secret != "" {
		t.Secret, changed = g.Secret, true
	}
	if t.PGTx == "" && g.PGTx != "" {
		t.PGTx, changed = g.PGTx, true
	}
	if t.Account == nil || t.Account.Number == "" {
		a := g.Account
		a.IssuedAt = issuedAt(a, e)
		t.Account, changed = &a, true
		if p.State == Ready {
			t.State = Issued
			if !p.charging() { // else the charge is shown until it ends
				p.show(i)
				p.State, p.StatusChangedAt = Issued, e.Now
			}
		}
	}
	if changed {
		p.UpdatedAt = e.Now
	}
	return changed
}

// complete takes what a notice could not tell of an adopted account from its
// registration: how long it lives, and whatever else was missing.
func (a *Account) complete(g Account) {
	a.Type = g.Type
	if a.Bank == "" {
		a.Bank = g.Bank
	}
	if a.Holder == "" {
		a.Holder = g.Holder
	}
	if a.ExpiresAt.IsZero() {
		a.ExpiresAt = g.ExpiresAt
	}
}

// describe takes over how the merchant describes the order.
func (p *Payment) describe(g Registration) {
	p.OrderName, p.Customer, p.CustomData, p.NoticeURLs = g.OrderName, g.Customer, g.CustomData, g.NoticeURLs
	p.TaxFree, p.VAT = g.TaxFree, g.VAT
}

// begin adds a transaction that waits for its deposit.
func (p *Payment) begin(g Registration, e Env) {
	a := g.Account
	a.IssuedAt = issuedAt(a, e)
	p.Transactions = append(p.Transactions, Transaction{
		ID: TransactionID(e.NewID()), Channel: g.Channel, Order: g.Order, PGTx: g.PGTx,
		Secret: g.Secret, State: Issued, Account: &a, At: e.Now,
	})
	p.Current = len(p.Transactions) - 1
	p.overtake("")
	p.State, p.UpdatedAt, p.StatusChangedAt = Issued, e.Now, e.Now
	p.Expired = false
}

func issuedAt(a Account, e Env) time.Time {
	if a.IssuedAt.IsZero() {
		return e.Now
	}
	return a.IssuedAt
}

// Adopt makes a payment from a report for an order that nobody registered. It
// reports fault.Invalid if the report does not carry enough: an order, an
// amount, and an event that says an account was issued or money came in.
func Adopt(r Report, g Registration, e Env) (Payment, error) {
	switch {
	case r.Event != EventIssued && r.Event != EventDeposited:
		return Payment{}, fault.Errorf(fault.Invalid, "a %s report is not adopted", r.Event)
	case !r.HasAmount || r.Amount.Amount <= 0:
		return Payment{}, fault.Errorf(fault.Invalid, "a report without an amount is not adopted")
	case g.Order == "" || g.ID == "":
		return Payment{}, fault.Errorf(fault.Invalid, "a report without an order id is not adopted")
	}
	g.Amount, g.PGTx = r.Amount, r.PGTx
	g.Account = Account{Bank: r.Bank, Number: r.Account, Type: Normal, Holder: r.Holder, ExpiresAt: r.ExpiresAt, IssuedAt: r.At}
	p, _, err := Register(nil, g, e)
	p.Adopted = true
	return p, err
}
