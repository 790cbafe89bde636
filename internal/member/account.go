package member

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// An Account is a member with what the member proves that it is by. It never goes to
// a page.
type Account struct {
	Member
	Proof Proof
	// Link is the hash of a link by which the password is chosen, and LinkUntil its
	// end; empty if there is none.
	Link      string
	LinkUntil time.Time
}

// A Proof is what somebody proves who it is by. It is sealed at rest.
type Proof struct {
	Password secret.Text // its hash, in the PHC form; empty before the invitation is taken up
	OTP      secret.Text // the authenticator's secret, in base 32; empty without one
	Pending  secret.Text // one that is being set up, and does not count yet
	Step     int64       // the last step of time of which a code was taken
	Recovery []string    // hashes of the recovery codes that are left
}

// A Change is what becomes of an account, in one transaction.
type Change struct {
	Account Account
	Entries []Entry
	// EndSessions ends the member's sessions, but for Keep.
	EndSessions bool
	Keep        SessionID
	// Begin, if it is set, is a session that begins, and Replaces the one that ends by
	// it.
	Begin    *NewSession
	Replaces SessionID
}

// A Founding is what the first member of an installation is made by and of, in one
// transaction.
type Founding struct {
	Token   string // the hash of the one that allows it
	At      time.Time
	Account Account
	Begin   NewSession
	Entries []Entry
}

// A NewSession is a session with the hash of its token.
type NewSession struct {
	Session
	Token string
}

// ErrSameEmail says that an e-mail address is another member's.
var ErrSameEmail = fault.Errorf(fault.Conflict, "somebody has this e-mail address on this installation")

// ErrConfirm says that somebody must say again who it is before this is done. See
// Session.Confirmed.
var ErrConfirm = fault.Errorf(fault.Forbidden, "say first that it is you: give your password again")

// A MayNotError says that somebody has not the right to do something. It is
// fault.Forbidden.
type MayNotError struct{ Right Right }

// Error names the right.
func (e *MayNotError) Error() string { return "this needs the right to " + string(e.Right) }

// Unwrap gives the error its kind.
func (e *MayNotError) Unwrap() error { return errMayNot }

var errMayNot = fault.Errorf(fault.Forbidden, "not allowed")

// Require reports *MayNotError unless the member has a right.
func (m Member) Require(r Right) error {
	if m.May(r) {
		return nil
	}
	return &MayNotError{r}
}

// A Guessed is a name under which tries are counted: an account, or an address.
type Guessed struct {
	Name string
	// Free is how many tries there are before each is followed by a wait, which begins
	// with a second and doubles up to Longest.
	Free    int
	Longest time.Duration
	// Own says that a success forgets the failures before it: it is the account's own,
	// and not shared with others.
	Own bool
}

// TriesKept is how long tries count.
const TriesKept = time.Hour

// Wait is how long nothing may be tried after so many tries.
func (g Guessed) Wait(tries int) time.Duration {
	over := tries - g.Free
	if over < 0 {
		return 0
	}
	return min(time.Second<<min(over, 20), g.Longest)
}
