// Package people is the engine behind who uses the console: how somebody signs in
// and stays signed in, and how members come, change and go. [People] has the verbs;
// what they change is written with its entries in the audit log, and what was tried
// in vain is there too.
//
// A browser is somebody by a token of 256 random bits, of which the database has a
// hash. A new token is given whenever what it may do grows: at sign-in, after the
// second factor, when somebody says again who it is. What a session may do is never
// kept between requests, so that a right that was taken, a member that was disabled
// and a session that was ended count at once, on every node.
//
// Passwords are hashed with argon2id, at so many at a time as there are processors.
// An e-mail address that nobody has costs the same time as one that somebody has,
// and is slowed down the same. Who guesses is slowed down by account and by network, and
// cannot keep a member out of a browser in which the member signed in before.
package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
)

// A Store is where members and sessions are kept. Its methods are safe for
// concurrent use; they report fault.NotFound for who is not there.
type Store interface {
	Account(ctx context.Context, id member.ID) (member.Account, error)
	AccountByEmail(ctx context.Context, email string) (member.Account, error)
	AccountByLink(ctx context.Context, hash string) (member.Account, error)
	// AddMember reports member.ErrSameEmail. So does AddOwner, which saves settings with
	// the member's merchant beside it, and reports fault.Stale if others changed meanwhile.
	AddMember(ctx context.Context, a member.Account, entries ...member.Entry) error
	AddOwner(ctx context.Context, next settings.All, now time.Time, a member.Account, entries ...member.Entry) error
	// ChangeMember changes an account as do says, which must be pure.
	ChangeMember(ctx context.Context, id member.ID, do func(a member.Account, all []member.Member) (member.Change, error)) (member.Account, error)
	AnyMember(ctx context.Context) (bool, error)

	// Session reports fault.Unauthorized if no session has the hash.
	Session(ctx context.Context, token string) (member.Member, member.Session, error)
	Sessions(ctx context.Context, of member.ID) ([]member.Session, error)
	SeeSession(ctx context.Context, id member.SessionID, now time.Time) error
	EndSession(ctx context.Context, of member.ID, id member.SessionID, entries ...member.Entry) error

	// Try and Succeed count what may be guessed; see the store's.
	Try(ctx context.Context, names []member.Guessed, now time.Time) (until time.Time, counts []int, err error)
	Succeed(ctx context.Context, names []member.Guessed) error

	// SetUp makes the first member, and AddSetup what allows it; see the store's.
	SetUp(ctx context.Context, next settings.All, f member.Founding) error
	AddSetup(ctx context.Context, token string, now, until time.Time) (added bool, err error)
	SetupCounts(ctx context.Context, token string, now time.Time) (bool, error)

	Audit(ctx context.Context, entries ...member.Entry) error
	Settings(ctx context.Context) (settings.All, error)
}

// People does the verbs. Store is required; the fields must not change once it is in
// use. Its methods are safe for concurrent use.
type People struct {
	Store Store
	// Loopback says that the console is reached from its own machine alone: then
	// nobody has to have a second factor.
	Loopback bool
	// Issuer is what authenticators call the installation; empty is "Tongbo".
	Issuer string
	// Hash, if set, is the installation's keyed hash, by which a browser is known again.
	Hash func(purpose, value string) string
	// Log, if set, hears what goes wrong without anybody asking for it.
	Log *slog.Logger
	// Changed, if set, is told whose account or sessions were written just now, so that
	// what is open in a member's name can be looked at again. It must not block. What
	// another process writes it does not hear of.
	Changed func(member.ID)
}

// change changes an account, and says that it did.
func (p *People) change(ctx context.Context, id member.ID, do func(a member.Account, all []member.Member) (member.Change, error)) (member.Account, error) {
	a, err := p.Store.ChangeMember(ctx, id, do)
	if err == nil {
		p.tell(id)
	}
	return a, err
}

// endSession ends a session of a member, and says that it did.
func (p *People) endSession(ctx context.Context, of member.ID, id member.SessionID, entries ...member.Entry) error {
	err := p.Store.EndSession(ctx, of, id, entries...)
	if err == nil {
		p.tell(of)
	}
	return err
}

func (p *People) tell(id member.ID) {
	if p.Changed != nil {
		p.Changed(id)
	}
}

// A From is where a request comes from.
type From struct {
	Address netip.Addr
	Agent   string // the browser's User-Agent
	// Browser is what the browser was given when somebody signed in in it (People.Browser);
	// empty if it brings nothing.
	Browser secret.Text
}

func (f From) address() string {
	if !f.Address.IsValid() {
		return ""
	}
	return f.Address.Unmap().String()
}

const mostAgent = 200

// agent is what the browser calls itself, as it may be shown.
func (f From) agent() string {
	s := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, f.Agent)
	if len(s) > mostAgent {
		s = strings.ToValidUTF8(s[:mostAgent], "")
	}
	return s
}

// An Acting is somebody who is signed in and does something.
type Acting struct {
	member.Member
	member.Session
	From From
}

// By is who it is, for the audit log.
func (a Acting) By() member.By { return a.Member.By(a.From.address()) }

// entry is what the audit log gets of something done to a member.
func entry(by member.By, what string, of member.Member) member.Entry {
	return member.Entry{Merchant: of.Merchant, Store: of.Store, By: by, Action: what, Kind: "member", Object: string(of.ID)}
}

// What random things are for: a hash of one is never that of another.
const (
	forSession  = "session"
	forLink     = "link"
	forSetup    = "setup"
	forRecovery = "recovery"
)

// newToken makes a token of 256 random bits, and the hash of it.
func newToken(purpose string) (token secret.Text, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	token = secret.Text(base64.RawURLEncoding.EncodeToString(b[:]))
	return token, hashed(purpose, token)
}

// hashed is what is stored of something random. It has enough bits that nobody finds
// it from its hash, so no key and no salt is needed.
func hashed(purpose string, token secret.Text) string {
	sum := sha256.Sum256([]byte("tongbo " + purpose + "\x00" + token.Reveal()))
	return hex.EncodeToString(sum[:])
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// now is the time to the precision at which it is stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func invalid(format string, args ...any) error { return fault.Errorf(fault.Invalid, format, args...) }

// ErrMerchantName says that a merchant cannot be called so.
var ErrMerchantName = fault.Errorf(fault.Invalid, "a merchant's name has 1 to 80 characters that can be seen")

// A place is a merchant for a new owner, in settings that are to be saved with the owner:
// the merchant may be there, or be made by that.
type place struct {
	merchant merchant.ID
	next     settings.All
	at       time.Time
	made     []member.Entry // that it is made; empty if it is there
}

// inMerchant writes an owner of the merchant of a name with write, again if the settings
// changed meanwhile. A merchant that is made is written with its owner or not at all. It
// reports ErrMerchantName and what write does.
func (p *People) inMerchant(ctx context.Context, by member.By, name string, write func(place) error) error {
	name, err := member.CleanName(name)
	if err != nil {
		return ErrMerchantName
	}
	for {
		known, err := p.Store.Settings(ctx)
		if err != nil {
			return err
		}
		at := now()
		next, changes, err := settings.Declare(known, settings.File{Merchants: []settings.MerchantFile{{Name: name}}}, settings.Env{
			Now: at, NewID: newID, NewUUID4: uuid.NewString, NewSecret: settings.NewSecret,
		})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(next.Merchants, func(m merchant.Merchant) bool { return m.Name == name })
		if i < 0 {
			return invalid("there is no merchant %q", name)
		}
		x := place{merchant: next.Merchants[i].ID, next: next, at: at}
		if len(changes) > 0 {
			x.made = []member.Entry{{
				Merchant: x.merchant, By: by, Action: "merchant.made", Kind: "merchant", Object: string(x.merchant), After: []member.Field{{Name: "name", Text: name}},
			}}
		}
		if err := write(x); !fault.Is(err, fault.Stale) {
			return err
		}
	}
}
