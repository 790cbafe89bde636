package store

import (
	"hash/maphash"
	"sync/atomic"
)

// An idSet is a set of ids, told from each other by hashes of 64 bits.
type idSet struct {
	seed  maphash.Seed
	slots []uint64 // a power of two
	n     int

	over  bool          // not all ids are in it
	ready chan struct{} // closed once nothing is added any more
}

func newIDSet() *idSet {
	return &idSet{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<10), ready: make(chan struct{})}
}

func (k *idSet) hash(id []byte) uint64 { return max(maphash.Bytes(k.seed, id), 1) }

// place is where a hash is, or would be.
func (k *idSet) place(hash uint64) *uint64 {
	for at := hash; ; at++ {
		if s := &k.slots[at&uint64(len(k.slots)-1)]; *s == hash || *s == 0 { //nolint:gosec // a power of two
			return s
		}
	}
}

func (k *idSet) add(id []byte) {
	if k.n++; k.n*4 > len(k.slots)*3 {
		old := k.slots
		k.slots = make([]uint64, 2*len(old))
		for _, hash := range old {
			if hash != 0 {
				*k.place(hash) = hash
			}
		}
	}
	hash := k.hash(id)
	*k.place(hash) = hash
}

// has reports whether an id was added. Many may ask at once.
func (k *idSet) has(id []byte) bool { return *k.place(k.hash(id)) != 0 }

// A ledger holds two tables against each other, of which each has rows for the
// same things: what one has is added to the account of the thing, what the other
// has is taken from it. There are fewer accounts than things, so memory does not
// grow; an account that is not zero at the end says that something is wrong
// with one of its things, and one that is says that nothing is, but for a
// chance of one in 2⁶⁴.
type ledger struct {
	thing, entry maphash.Seed
	accounts     []atomic.Uint64
}

// ledgerSize is such that the accounts fit into a processor's cache: they are
// looked up in no order. To look at eight payments again for the sake of one
// costs little.
const ledgerSize = 1 << 17

func newLedger() *ledger {
	return &ledger{maphash.MakeSeed(), maphash.MakeSeed(), make([]atomic.Uint64, ledgerSize)}
}

func (l *ledger) account(thing []byte) *atomic.Uint64 {
	return &l.accounts[maphash.Bytes(l.thing, thing)%ledgerSize]
}

// add enters so many times what a thing has, in words that others' entries do
// not have.
func (l *ledger) add(times int64, thing, entry []byte) {
	l.account(thing).Add(uint64(times) * maphash.Bytes(l.entry, entry)) //nolint:gosec // sums wrap around
}

// even reports whether the tables agree on a thing, and on those that share its
// account.
func (l *ledger) even(thing []byte) bool { return l.account(thing).Load() == 0 }

// allEven reports whether the tables agree on everything.
func (l *ledger) allEven() bool {
	for i := range l.accounts {
		if l.accounts[i].Load() != 0 {
			return false
		}
	}
	return true
}
