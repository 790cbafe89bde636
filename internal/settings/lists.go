package settings

import (
	"math/big"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
)

// A Range is what a line of an address list opens.
type Range struct {
	First, Last netip.Addr
	Count       *big.Int // addresses in it
}

// Opens is what a block of addresses holds, from its first to its last.
func Opens(p netip.Prefix) Range {
	p = p.Masked()
	last := p.Addr().AsSlice()
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		last[bit/8] |= 1 << (7 - bit%8)
	}
	to, _ := netip.AddrFromSlice(last)
	return Range{p.Addr(), to, new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))}
}

// The shortest prefixes that nobody needs to be asked about twice.
const (
	wide4 = 16
	wide6 = 48
)

// Wide reports whether a block opens so much that whoever adds it should say so
// twice: more than a /16 of IPv4, or a /48 of IPv6.
func Wide(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < wide4
	}
	return p.Bits() < wide6
}

// List is a store's address list of a scope as it is in force at a time. An empty
// one admits everyone.
func (a All) List(s merchant.StoreID, scope merchant.AllowScope, now time.Time) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range a.Allows {
		if w.Store == s && w.Scope == scope && w.InForce(now) {
			out = append(out, w.CIDR)
		}
	}
	return out
}

// Trials are the lines of a store's list that wait at a time for their change to be
// confirmed.
func (a All) Trials(s merchant.StoreID, scope merchant.AllowScope, now time.Time) []merchant.Allow {
	return slices.DeleteFunc(slices.Clone(a.Allows), func(w merchant.Allow) bool {
		return w.Store != s || w.Scope != scope || !w.OnTrial(now)
	})
}

// An Admission says whether an address may open the console.
type Admission struct {
	OK bool
	// Until, if it is not OK, is when it will be again because a change of the list
	// undoes itself; zero if that is not so.
	Until time.Time
}

// ConsoleList is the store whose address list somebody is held to in the console:
// a member who is limited to a store, to that store's, if it has one; everyone else,
// to that of the merchant's representative store. s is empty for all of the merchant.
func (a All) ConsoleList(m merchant.ID, s merchant.StoreID, now time.Time) merchant.StoreID {
	if s != "" && len(a.List(s, merchant.AllowConsole, now)) > 0 {
		return s
	}
	for _, o := range a.Stores {
		if o.Merchant == m && o.Representative {
			return o.ID
		}
	}
	return s
}

// OpensConsole reports whether an address may open the console of a merchant, for
// somebody who is limited to a store or, if s is empty, to none. An invalid address
// is in no list.
func (a All) OpensConsole(m merchant.ID, s merchant.StoreID, from netip.Addr, now time.Time) Admission {
	if a.consoleAdmits(m, s, from, now) {
		return Admission{OK: true}
	}
	var next Admission
	for _, w := range a.Allows {
		if w.Scope != merchant.AllowConsole || !w.OnTrial(now) || !next.Until.IsZero() && !w.Until.Before(next.Until) {
			continue
		}
		if a.consoleAdmits(m, s, from, w.Until) {
			next.Until = w.Until
		}
	}
	return next
}

func (a All) consoleAdmits(m merchant.ID, s merchant.StoreID, from netip.Addr, now time.Time) bool {
	list := a.List(a.ConsoleList(m, s, now), merchant.AllowConsole, now)
	return len(list) == 0 || from.IsValid() && provider.Admits(list, from)
}

// Settled is what the settings are once the trials are undone that are over at a
// time. next is when the next one is, zero if none is left.
func (a All) Settled(now time.Time) (out All, undone bool, next time.Time) {
	out = a
	out.Allows = nil
	for _, w := range a.Allows {
		switch {
		case w.OnTrial(now):
			if next.IsZero() || w.Until.Before(next) {
				next = w.Until
			}
		case w.Trial == merchant.Coming:
			undone = true
			continue
		case w.Trial == merchant.Going:
			undone = true
			w.Trial, w.Until = "", time.Time{}
		}
		out.Allows = append(out.Allows, w)
	}
	return out, undone, next
}

// Undone tells the audit log what Settled did.
func Undone(before, after All, hash func(purpose, value string) string) []member.Entry {
	out := Entries(before, after, member.By{Kind: member.System}, "", hash)
	for i := range out {
		out[i].Action = "allow.undone"
	}
	return out
}
