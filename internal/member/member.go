// Package member holds the people of the console (구성원) and what they may do:
// a [Member] with a [Role], the [Right] that each role gives, the [Session] by
// which a browser is somebody, the rules for passwords, and the audit log (감사
// 로그) as values: [By] says who does something, [Entry] what was done.
//
// Pure values and functions: no I/O, clock or log.
package member

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// An ID names a member: a UUIDv7.
type ID string

// A Member is a person who may sign in to the console, or was invited to. A
// member belongs to one merchant.
type Member struct {
	ID       ID
	Merchant merchant.ID
	// Store limits the member to one store of the merchant: it sees and touches
	// nothing of the others. Empty is all of the merchant. Roles that administer
	// are never limited; see Role.MayBeLimited.
	Store merchant.StoreID
	Email string // in the form of CleanEmail; unique on an installation
	Name  string
	Role  Role
	// Operator says that the member looks after the installation, beside what the
	// role gives.
	Operator bool
	// Disabled members cannot sign in, and their sessions do nothing more.
	Disabled bool
	// Invited says that the invitation was not taken up yet: there is no password.
	Invited bool
	// SecondFactor says that codes of an authenticator are asked for at sign-in.
	SecondFactor bool

	// Lang is "ko" or "en", Zone "KST" or "UTC", Theme "light" or "dark"; empty is
	// what the browser says.
	Lang, Zone, Theme string
	Shortcuts         bool // keys of the console do something

	CreatedAt  time.Time
	SignedInAt time.Time // the last time; zero: never
}

// Sees reports whether the member may know of things of a store of a merchant.
func (m Member) Sees(of merchant.ID, s merchant.StoreID) bool {
	return m.ID != "" && m.Merchant == of && (m.Store == "" || m.Store == s)
}

// May reports whether the member has a right. One who is disabled, or has not
// taken up the invitation, has none.
func (m Member) May(r Right) bool {
	if m.ID == "" || m.Disabled || m.Invited {
		return false
	}
	if r == Operate {
		return m.Operator
	}
	return m.Role.Gives(r)
}

// By is the member as who does something, from an address.
func (m Member) By(address string) By {
	return By{Kind: Person, ID: string(m.ID), Name: m.Email, Address: address}
}

// A SessionID names a session to its owner: a UUIDv7. It is not the token, and
// proves nothing.
type SessionID string

// A Session is a browser in which somebody signed in. Its token is nowhere but
// in the browser.
type Session struct {
	ID        SessionID
	Member    ID
	CreatedAt time.Time
	SeenAt    time.Time // to a minute
	// ConfirmedAt is when password, and second factor if there is one, were last
	// given; zero while the second factor is awaited.
	ConfirmedAt time.Time
	Address     string // from which it was begun
	Agent       string // what the browser called itself
}

// How long sessions live, and how long what was confirmed counts.
const (
	SessionIdle  = 12 * time.Hour     // since it was seen last
	SessionLife  = 7 * 24 * time.Hour // since sign-in, whatever happens
	ConfirmedFor = 10 * time.Minute
)

// Alive reports whether the session still counts at a time.
func (s Session) Alive(now time.Time) bool {
	return now.Sub(s.SeenAt) < SessionIdle && now.Sub(s.CreatedAt) < SessionLife
}

// SignedIn reports whether sign-in was completed: the second factor, if there
// is one, was given.
func (s Session) SignedIn() bool { return !s.ConfirmedAt.IsZero() }

// Confirmed reports whether whoever has the browser proved lately who it is, as
// is asked before secrets are issued, addresses trusted and the like.
func (s Session) Confirmed(now time.Time) bool {
	return s.SignedIn() && now.Sub(s.ConfirmedAt) < ConfirmedFor
}
