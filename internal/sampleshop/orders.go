package sampleshop

import (
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// A State is how far an order is. The catalogue has its words under shop.state.
type State string

// The states.
const (
	New      State = "new"      // nothing was paid
	Awaiting State = "awaiting" // an account was issued; money has yet to come
	Paid     State = "paid"     // the whole amount is here: ship it
	Failed   State = "failed"   // the payment failed; the buyer may try again
	Refunded State = "refunded" // some or all of it was given back
	Held     State = "held"     // another amount than the order's: a person has to look
)

// An Order is what somebody buys.
type Order struct {
	ID      string // the paymentId, too
	Product string
	Amount  payment.Money
	State   State
	Account *Account // to which the buyer pays; nil if there is none
	Steps   []Step   // what the server did, the newest last
	At      time.Time
	// Version counts the changes, for pages that look on.
	Version int
}

// Open reports whether there is something to pay.
func (o Order) Open() bool { return o.State == New || o.State == Failed }

// An Account is where a buyer has to pay to.
type Account struct {
	Bank      payment.Bank
	Number    string
	ExpiresAt time.Time
}

// A Step is one time that the shop's server read the payment, and why.
type Step struct {
	At      time.Time
	Event   string // of the webhook; empty if a page asked
	Status  string // of the payment; empty if it was not read
	Total   payment.Money
	Differs bool // the payment is not what was ordered
}

// How much is remembered.
const (
	mostOrders = 500
	mostSteps  = 20
)

// orders are all orders, in memory. A real shop has a database here.
type orders struct {
	mu   sync.Mutex
	byID map[string]*entry
	ids  []string // the oldest first
}

// An entry is an order with what is not shown of it.
type entry struct {
	Order
	// reading is held while the payment is read and the order changed: of two that read at
	// once, the one with the older answer could come last.
	reading sync.Mutex
	heard   map[string]bool // the webhooks that were dealt with, by webhook-id
	changed chan struct{}   // closed at the next change
}

// add takes an order in, and forgets the oldest if there are too many.
func (l *orders) add(o Order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = make(map[string]*entry)
	}
	if len(l.ids) >= mostOrders {
		delete(l.byID, l.ids[0])
		l.ids = slices.Delete(l.ids, 0, 1)
	}
	l.byID[o.ID] = &entry{Order: o, heard: make(map[string]bool), changed: make(chan struct{})}
	l.ids = append(l.ids, o.ID)
}

// find returns an order's entry; nil if there is none.
func (l *orders) find(id string) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

// watch returns an order as it is now, and what is closed when it changes.
func (l *orders) watch(id string) (o Order, changed <-chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byID[id]
	if e == nil {
		return Order{}, nil, false
	}
	o = e.Order
	o.Steps = slices.Clone(e.Steps)
	return o, e.changed, true
}

// change changes an order, tells whoever looks on, and returns it as it is then.
func (l *orders) change(e *entry, do func(*Order)) Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	do(&e.Order)
	if n := len(e.Steps) - mostSteps; n > 0 {
		e.Steps = slices.Delete(e.Steps, 0, n)
	}
	e.Version++
	close(e.changed)
	e.changed = make(chan struct{})
	o := e.Order
	o.Steps = slices.Clone(e.Steps)
	return o
}
