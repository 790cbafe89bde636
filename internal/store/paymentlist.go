package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// MostListed is how many payments a list reaches: the first so many in its
// order.
const MostListed = 60_000

// errTooMany says that a list would have to go through more payments than it
// may, to be right.
var errTooMany = fault.Errorf(fault.Invalid,
	"more than %d payments are in this time, and no index tells which of them are asked for: narrow from and until", MostListed)

// A PaymentList says which payments are listed, in which order, and which part
// of that.
type PaymentList struct {
	Stores []merchant.StoreID // none: nothing is listed
	Modes  []merchant.Mode    // live, test or both; none: nothing is listed
	States []payment.State    // none: any
	// From and Until, both included, bound when a payment was asked for; with
	// Changed, when it came into its state.
	From, Until time.Time
	Changed     bool

	// What no index tells. Where one of these is given, and Stores, Modes, States
	// and the times leave more than MostListed payments, a list is
	// fault.Invalid if the first so many of them do not fill it.
	Currency payment.Currency      // empty: any
	Methods  []payment.Method      // none: any
	Channels []merchant.ChannelKey // none: any

	// Names are all borne by what is listed. The names that PGs give are looked
	// up in the channels of Within.
	Names  []PaymentName
	Within []merchant.ChannelKey

	ByChange     bool // ordered by when the state was come into; else by when it was asked for
	Ascending    bool // the oldest first
	Offset, Size int  // what is listed of the whole
}

// A NameKind is a way in which people name a payment.
type NameKind int

// The ways. Names are compared as a whole.
const (
	AnyName       NameKind = iota // one of the following
	PaymentIDName                 // the merchant's id
	PGTxName                      // the PG's id of the transaction
	AccountName                   // the number of a virtual account; blanks and dashes do not matter
	AttemptName                   // our own id of an attempt
)

// A PaymentName is a name that a payment may bear.
type PaymentName struct {
	Kind  NameKind
	Value string
}

// A listedPayment is what a list knows of a payment without opening it.
type listedPayment struct {
	key                payment.Key
	requested, changed int64
	store              merchant.StoreID // this and the next three only of what was found by a name
	mode               merchant.Mode
	state              payment.State
	amount             int64
	currency           payment.Currency
	method             payment.Method
	channel            merchant.ChannelKey
}

// at is the time by which payments are ordered.
func (p listedPayment) at(byChange bool) int64 {
	if byChange {
		return p.changed
	}
	return p.requested
}

// narrow reports whether something is asked for that no index tells.
func (l PaymentList) narrow() bool {
	return l.Currency != "" || len(l.Methods) > 0 || len(l.Channels) > 0
}

// takes reports whether a payment is asked for, as far as no index tells.
func (l PaymentList) takes(p listedPayment) bool {
	return (l.Currency == "" || p.currency == l.Currency) && (len(l.Methods) == 0 || slices.Contains(l.Methods, p.method)) &&
		(len(l.Channels) == 0 || slices.Contains(l.Channels, p.channel))
}

// holds reports whether a payment that was found by its name is asked for.
func (l PaymentList) holds(p listedPayment) bool {
	at := p.at(l.Changed)
	return slices.Contains(l.Stores, p.store) && slices.Contains(l.Modes, p.mode) &&
		(len(l.States) == 0 || slices.Contains(l.States, p.state)) &&
		at >= micros(l.From) && at <= micros(l.Until) && l.takes(p)
}

// Payments returns the keys of the payments that are asked for, in their
// order, and how many there are in all, counted up to MostListed. It reports
// fault.Invalid where only going through more payments than that would tell.
//
// Two payments of one time are in the order of their keys. What becomes of
// payments between two pages may move others from one to the other.
func (r *Reader) Payments(ctx context.Context, l PaymentList) (keys []payment.Key, total int, err error) {
	switch {
	case len(l.Names) > 0:
		keys, total, err = r.namedList(ctx, l)
	case l.narrow() || l.Changed != l.ByChange:
		keys, total, err = r.chosenList(ctx, l)
	default:
		keys, total, err = r.plainList(ctx, l)
	}
	return keys, total, away(err)
}

// plainList is a list that an index has in its order.
func (r *Reader) plainList(ctx context.Context, l PaymentList) ([]payment.Key, int, error) {
	total, err := r.countListed(ctx, l)
	if err != nil || l.Offset >= total || l.Size == 0 {
		return nil, total, err
	}
	list, err := r.walk(ctx, l, min(l.Offset+l.Size, MostListed), false)
	return l.part(list), total, err
}

// chosenList is a list that is chosen from, or ordered, here: no index has it.
func (r *Reader) chosenList(ctx context.Context, l PaymentList) ([]payment.Key, int, error) {
	list, err := r.walk(ctx, l, MostListed+1, true)
	if err != nil {
		return nil, 0, err
	}
	over := len(list) > MostListed
	if over && l.Changed != l.ByChange {
		return nil, 0, errTooMany
	}
	list = slices.DeleteFunc(list[:min(len(list), MostListed)], func(p listedPayment) bool { return !l.takes(p) })
	if over && len(list) < l.Offset+l.Size {
		return nil, 0, errTooMany
	}
	l.sort(list)
	return l.part(list), len(list), nil
}

// sort brings payments into the order of the list.
func (l PaymentList) sort(list []listedPayment) {
	slices.SortFunc(list, func(a, b listedPayment) int {
		order := cmp.Or(cmp.Compare(a.at(l.ByChange), b.at(l.ByChange)), cmp.Compare(a.key, b.key))
		if l.Ascending {
			return order
		}
		return -order
	})
}

// part are the keys of the part that is asked for.
func (l PaymentList) part(list []listedPayment) []payment.Key {
	var keys []payment.Key
	for _, p := range list[min(l.Offset, len(list)):min(l.Offset+l.Size, len(list))] {
		keys = append(keys, p.key)
	}
	return keys
}

// errCursor says that what a scan is to go on behind is nothing of its list.
var errCursor = fault.Errorf(fault.Invalid, "the cursor is none of this list")

// isID reports whether a text is a UUID as both engines write it.
func isID(text string) bool {
	u, err := uuid.Parse(text)
	return err == nil && u.String() == text
}

// A Place is where a payment stands in the order in which payments were asked
// for. The zero Place is before all of them.
type Place struct {
	At  time.Time
	Key payment.Key
}

// A PaymentScan goes over payments in the order in which they were asked for,
// the oldest first.
type PaymentScan struct {
	Stores      []merchant.StoreID
	Modes       []merchant.Mode
	From, Until time.Time // both included
	After       Place     // only what stands behind it
	Size        int       // at most
}

// ScanPayments returns where the next payments of a scan stand. What is made
// meanwhile comes at the end; one that another node made at the same time may
// stand before what was read.
func (r *Reader) ScanPayments(ctx context.Context, s PaymentScan) ([]Place, error) {
	if s.After.Key != "" && !isID(string(s.After.Key)) {
		return nil, errCursor
	}
	if s.After.Key == "" || s.After.At.Before(s.From) {
		s.After = Place{s.From, firstID} // which no payment has: From is included
	}
	l := PaymentList{Stores: s.Stores, Modes: s.Modes}
	var out []Place
	stretches := l.stretches()
	for some := range slices.Chunk(stretches, mostStretches) {
		query, args := r.scanning(some, s)
		if err := each(ctx, over(r.db), query, args, func(rows rowSet) error {
			var p Place
			var at int64
			err := rows.Scan(&p.Key, &at)
			p.At = moment(at)
			out = append(out, p)
			return err
		}); err != nil {
			return nil, away(err)
		}
	}
	if len(stretches) > mostStretches {
		slices.SortFunc(out, func(a, b Place) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
		out = out[:min(len(out), s.Size)]
	}
	return out, nil
}
