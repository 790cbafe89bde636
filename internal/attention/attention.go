// Package attention knows what needs a person (확인 필요): which channels are
// silent, what waits for a decision, what fails and what is about to end. [Desk]
// reads it, for the console and the command line; what it says follows from
// the store at the moment of asking, and from nothing else.
//
// The rules are pure functions on values; only [Desk] reads.
package attention

import (
	"github.com/tongbo/tongbo/internal/merchant"
)

// A Scope is what a person sees of an installation. The zero Scope sees nothing.
type Scope struct {
	Merchant merchant.ID
	Store    merchant.StoreID // empty: all of the merchant's
	Mode     merchant.Mode    // live or test
	// Installation adds what belongs to no merchant, such as a notice of which
	// no channel is known: it is for whoever runs the installation.
	Installation bool
}

// Sees reports whether a thing of a merchant and a store is in the scope, its mode
// aside. A thing of no merchant is seen by whoever runs the installation.
func (s Scope) Sees(m merchant.ID, store merchant.StoreID) bool {
	if m == "" {
		return s.Installation
	}
	return m == s.Merchant && (s.Store == "" || s.Store == store)
}

// holds reports whether a channel is in the scope: that of a store which uses it.
func (s Scope) holds(c merchant.Channel) bool {
	if c.Merchant != s.Merchant || c.Mode != s.Mode {
		return false
	}
	return s.Store == "" || c.UsedBy(s.Store)
}
