package merchant

import (
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
)

// Credentials are what a PG gave the merchant for one channel, by the
// provider's own field names. Values never print.
type Credentials map[string]secret.Text

// An APISecret lets a merchant's server call API V2. Only a keyed hash of its
// value is stored.
type APISecret struct {
	ID       string
	Merchant ID
	Store    StoreID
	Name     string
	Mode     Mode
	// ExpiresAt is when it stops opening anything, with its tokens; zero: never.
	ExpiresAt time.Time
	// Generation rises with each login and refresh; refresh tokens of an
	// earlier generation are dead.
	Generation int64
}

// An APIKey lets a merchant's server call API V1.
type APIKey struct {
	ID       string
	Merchant ID
	Store    StoreID
	Key      string
	Mode     Mode
	// ExpiresAt is when it stops opening anything, with its token; zero: never.
	ExpiresAt time.Time
	// Token is what the key was given last; it is no setting.
	Token KeyToken
}

// Expired reports whether a credential that expires at a time has done so at now;
// one whose time is zero never does.
func Expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// How long a token lives, what is too little of it to hand out again, and what it
// is then given on top.
const (
	tokenLife  = 30 * time.Minute
	tokenEnd   = time.Minute
	tokenGrace = 5 * time.Minute
)

// A KeyToken is from when until when a token of an APIKey opens something. The
// zero KeyToken is none. A key has one at a time.
type KeyToken struct{ From, Until time.Time }

// Alive reports whether the token opens something at now.
func (t KeyToken) Alive(now time.Time) bool { return now.Before(t.Until) }

// Renew is the token of a key that asks for one at now: the one that it has while
// that lives, five minutes longer if it ends within one, else a new one for thirty
// minutes. changed is false if it is the same until the same time.
func (t KeyToken) Renew(now time.Time) (next KeyToken, changed bool) {
	now = now.UTC().Truncate(time.Second) // as it is told
	switch {
	case !t.Alive(now):
		return KeyToken{From: now, Until: now.Add(tokenLife)}, true
	case t.Until.Sub(now) < tokenEnd:
		return KeyToken{From: t.From, Until: t.Until.Add(tokenGrace)}, true
	}
	return t, false
}

// An AllowScope is what an address list opens.
type AllowScope string

// The scopes of an address list.
const (
	AllowAPI     AllowScope = "api"
	AllowConsole AllowScope = "console"
)

// An Allow admits addresses to a face of a store. A store without any Allow of
// a scope that is in force admits everyone who has the key.
type Allow struct {
	Store StoreID
	Scope AllowScope
	CIDR  netip.Prefix
	// Trial, unless it is empty, ends at Until by itself: what was done to the line
	// is then undone. It is a time in UTC, to the microsecond.
	Trial Trial
	Until time.Time
}

// A Trial is a change of an address list that undoes itself unless it is confirmed.
type Trial string

// The trials.
const (
	Coming Trial = "coming" // the line is in force until then, and gone afterwards
	Going  Trial = "going"  // the line is out of force until then, and back afterwards
)

// InForce reports whether the line counts at a time.
func (a Allow) InForce(now time.Time) bool {
	switch a.Trial {
	case Coming:
		return now.Before(a.Until)
	case Going:
		return !now.Before(a.Until)
	}
	return true
}

// OnTrial reports whether the line waits at a time for its change to be confirmed.
func (a Allow) OnTrial(now time.Time) bool { return a.Trial != "" && now.Before(a.Until) }
