// Package books keeps the books of a simulated PG in memory: the accounts that
// its API issued, the money that came in, and what went back. Every module's
// simulated API ([provider.Player]) works on them.
package books

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Ledger is the books of one PG. Its methods are safe for concurrent use.
type Ledger struct {
	// Channels are the PG's merchants, asked whenever a call comes in.
	Channels func() []merchant.Channel
	// Clock is the PG's clock; nil means time.Now.
	Clock func() time.Time

	mu      sync.Mutex
	entries map[merchant.ChannelKey][]*entry
}

// An entry is a provider.Entry with the keys of the refunds made of it.
type entry struct {
	provider.Entry
	refunds map[string]provider.Cancelled
}

var _ provider.Books = (*Ledger)(nil)

// mostEntries is how many payments of a channel are remembered.
const mostEntries = 100_000

// Now is the PG's clock.
func (l *Ledger) Now() time.Time {
	if l.Clock != nil {
		return l.Clock()
	}
	return time.Now()
}

// Merchant returns the first channel for which is true.
func (l *Ledger) Merchant(is func(merchant.Channel) bool) (merchant.Channel, bool) {
	for _, c := range l.Channels() {
		if is(c) {
			return c, true
		}
	}
	return merchant.Channel{}, false
}

// Issue enters an account. The oldest payment of a channel is forgotten when
// there are too many.
func (l *Ledger) Issue(c merchant.Channel, e provider.Entry) (provider.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, err := l.made(c, e); known != nil || err != nil {
		return copied(known), err
	}
	list := l.entries[c.Key]
	number := strconv.Itoa(len(list))
	if e.PGTx == "" {
		e.PGTx = made("issue", string(c.Key), e.Order, number)
	}
	if e.Secret == "" {
		e.Secret = secret.Text(made("secret", string(c.Key), e.Order, number))
	}
	if e.Account.Number == "" {
		e.Account.Number = secret.Account(digits("account", string(c.Key), e.Order, number))
	}
	if e.Account.Type == "" {
		e.Account.Type = payment.Normal
	}
	if e.Account.IssuedAt.IsZero() {
		e.Account.IssuedAt = l.Now()
	}
	e.State = payment.Issued
	l.enter(c, e)
	return e, nil
}

// Take enters money that was taken at once.
func (l *Ledger) Take(c merchant.Channel, e provider.Entry) (provider.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, err := l.made(c, e); known != nil || err != nil {
		return copied(known), err
	}
	e.State, e.PaidAt, e.Deposit = payment.Paid, l.Now(), strings.ToUpper(made("taken", string(c.Key), e.Order)[:32])
	l.enter(c, e)
	return e, nil
}

// made is the entry that was made under the key of e, nil if there is none.
func (l *Ledger) made(c merchant.Channel, e provider.Entry) (*entry, error) {
	for _, known := range slices.Backward(l.entries[c.Key]) {
		switch {
		case e.Key != "" && known.Key == e.Key:
			return known, nil
		case known.Order == e.Order && known.State != payment.Failed:
			return nil, provider.ErrTaken
		}
	}
	return nil, nil
}

// enter appends an entry; the oldest of too many goes.
func (l *Ledger) enter(c merchant.Channel, e provider.Entry) {
	if l.entries == nil {
		l.entries = make(map[merchant.ChannelKey][]*entry)
	}
	list := l.entries[c.Key]
	if len(list) >= mostEntries {
		list = slices.Delete(list, 0, 1)
	}
	l.entries[c.Key] = append(list, &entry{Entry: e})
}

// Find returns the newest payment of a channel for which is true.
func (l *Ledger) Find(c merchant.Channel, is func(provider.Entry) bool) (provider.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.entries[c.Key]) {
		if is(e.Entry) {
			return copied(e), true
		}
	}
	return provider.Entry{}, false
}

// Deposit pays in what an account waits for, now. It reports
// provider.ErrNoEntry, or provider.ErrNotWaiting if it waits for nothing.
func (l *Ledger) Deposit(c merchant.Channel, pgTx, depositor string) (provider.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(c, pgTx)
	switch {
	case e == nil:
		return provider.Entry{}, provider.ErrNoEntry
	case e.State != payment.Issued:
		return copied(e), provider.ErrNotWaiting
	}
	e.State, e.PaidAt, e.Depositor = payment.Paid, l.Now(), depositor
	e.Deposit = strings.ToUpper(made("deposit", pgTx)[:32])
	return copied(e), nil
}

// Close closes an account that waits.
func (l *Ledger) Close(c merchant.Channel, pgTx string) (provider.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(c, pgTx)
	switch {
	case e == nil:
		return provider.Entry{}, provider.ErrNoEntry
	case e.State != payment.Issued:
		return copied(e), provider.ErrNotWaiting
	}
	e.State, e.ClosedAt = payment.Failed, l.Now()
	return copied(e), nil
}

// Refund gives money back, once for each key; without a key each time.
func (l *Ledger) Refund(c merchant.Channel, pgTx, key string, give payment.Money) (provider.Entry, provider.Cancelled, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(c, pgTx)
	if e == nil {
		return provider.Entry{}, provider.Cancelled{}, provider.ErrNoEntry
	}
	if done, again := e.refunds[key]; again && key != "" {
		return copied(e), done, nil
	}
	left := e.Left()
	switch {
	case e.PaidAt.IsZero():
		return copied(e), provider.Cancelled{}, provider.ErrNotPaid
	case give.Amount <= 0 || give.Currency != left.Currency || give.Amount > left.Amount:
		return copied(e), provider.Cancelled{}, provider.ErrTooMuch
	}
	done := provider.Cancelled{
		PGID: strings.ToUpper(made("refund", pgTx, strconv.Itoa(len(e.Cancellations)))[:32]), Amount: give, At: l.Now(),
	}
	e.Cancellations = append(e.Cancellations, done)
	if e.refunds == nil {
		e.refunds = make(map[string]provider.Cancelled)
	}
	e.refunds[key] = done
	e.State = payment.PartiallyCancelled
	if give.Amount == left.Amount {
		e.State = payment.Cancelled
	}
	return copied(e), done, nil
}

func (l *Ledger) find(c merchant.Channel, pgTx string) *entry {
	for _, e := range slices.Backward(l.entries[c.Key]) {
		if e.PGTx == pgTx {
			return e
		}
	}
	return nil
}

// copied is an entry that the caller may keep; the zero one if there is none.
func copied(e *entry) provider.Entry {
	if e == nil {
		return provider.Entry{}
	}
	out := e.Entry
	out.Cancellations = slices.Clone(out.Cancellations)
	return out
}

// made makes up 64 hexadecimal digits, always the same for the same parts.
func made(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:])
}

// digits makes up the 14 digits of an account number.
func digits(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	var b strings.Builder
	for _, c := range sum[:14] {
		b.WriteByte('0' + c%10)
	}
	return b.String()
}
