package provider

import (
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// Books are the simulated PG's own: who its merchants are, which accounts it
// issued and what came in. Its methods are safe for concurrent use; each is
// done whole or not at all.
type Books interface {
	// Merchant returns the channel of this module for which is true.
	Merchant(is func(merchant.Channel) bool) (merchant.Channel, bool)
	// Now is the PG's clock.
	Now() time.Time
	// Issue enters an account, or returns the one that was issued under the same
	// Key. What e leaves empty of PGTx, Account, Secret and IssuedAt is made up. It
	// reports ErrTaken if the order has an account that was not closed.
	Issue(merchant.Channel, Entry) (Entry, error)
	// Take enters money that was taken from a card at once, or returns what was taken
	// under the same Key. It reports ErrTaken if the order has an entry that did not
	// fail.
	Take(merchant.Channel, Entry) (Entry, error)
	// Find returns the newest entry of a channel for which is true.
	Find(c merchant.Channel, is func(Entry) bool) (Entry, bool)
	// Close closes the waiting account of a PGTx. It reports ErrNoEntry, or
	// ErrNotWaiting if money came in or it was closed.
	Close(c merchant.Channel, pgTx string) (Entry, error)
	// Refund gives back money of a PGTx, once for each key. It reports ErrNoEntry,
	// ErrNotPaid, or ErrTooMuch if less is left.
	Refund(c merchant.Channel, pgTx, key string, give payment.Money) (Entry, Cancelled, error)
}

// Why the books refuse an entry.
var (
	ErrTaken      = errors.New("the order has an account already")
	ErrNoEntry    = errors.New("there is no such transaction")
	ErrNotWaiting = errors.New("the account does not wait for money")
	ErrNotPaid    = errors.New("no money came in")
	ErrTooMuch    = errors.New("less is left than that")
)

// An Entry is one payment in a PG's books.
type Entry struct {
	Order, Name   string
	PGTx          string
	Key           string // of the request that made it
	Amount        payment.Money
	Account       payment.Account
	State         payment.State // Issued, Paid, PartiallyCancelled, Cancelled, or Failed when closed
	Secret        secret.Text
	Buyer         payment.Customer
	NoticeURL     string
	Depositor     string
	Deposit       string        // the PG's id of the money
	Card          *payment.Card // that it was taken from; nil if it came to an account
	PaidAt        time.Time
	ClosedAt      time.Time
	Cancellations []Cancelled
}

// Left is what can still be given back.
func (e Entry) Left() payment.Money {
	if e.State != payment.Paid && e.State != payment.PartiallyCancelled {
		return payment.Money{Currency: e.Amount.Currency}
	}
	left := e.Amount
	for _, c := range e.Cancellations {
		left.Amount -= c.Amount.Amount
	}
	return left
}
