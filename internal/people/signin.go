package people

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// ErrSignIn says that an e-mail address or a password is wrong, and not which.
var ErrSignIn = fault.Errorf(fault.Unauthorized, "the e-mail address or the password is wrong")

// A WaitError says that it was tried too often: nothing is tried before Until. It is
// fault.Unavailable.
type WaitError struct{ Until time.Time }

// Error says when.
func (e *WaitError) Error() string {
	return "it was tried too often: try again at " + e.Until.UTC().Format(time.RFC3339)
}

// Unwrap gives the error its kind.
func (e *WaitError) Unwrap() error { return errWait }

var errWait = fault.Errorf(fault.Unavailable, "tried too often")

// byAccount and byCode are what tries are counted under, beside byNetwork and byBrowser. Who
// guesses passwords must not keep the owner out for long, so an account waits for a minute at
// most, which leaves 1,440 guesses a day; who guesses codes has the password already, or a
// session.
func byAccount(email string) member.Guessed {
	return member.Guessed{Name: "account/" + email, Free: 5, Longest: time.Minute, Own: true}
}

func byCode(id member.ID) member.Guessed {
	return member.Guessed{Name: "code/" + string(id), Free: 5, Longest: 15 * time.Minute, Own: true}
}

// mostCodes is how many codes may be tried in one session before the password is to
// be given again.
const mostCodes = 5

// try counts a try under some names, and returns how often each was tried. It reports
// *WaitError.
func (p *People) try(ctx context.Context, names []member.Guessed) (tries []int, err error) {
	until, counts, err := p.Store.Try(ctx, names, now())
	switch {
	case err != nil:
		return nil, err
	case !until.IsZero():
		return nil, &WaitError{until}
	}
	return counts, nil
}

// failed writes into the audit log that something was tried in vain, and returns why:
// the first three tries and then each that doubles their number, so that a guesser
// does not fill it. They are those of the first name, an account's; of who is not known
// those of the last. Of such there is no name: what was typed may be a password.
func (p *People) failed(ctx context.Context, why error, m member.Member, f From, what string, counts []int) error {
	tries := counts[0]
	if m.ID == "" {
		tries = counts[len(counts)-1]
	}
	if !fault.Is(why, fault.Unauthorized) || tries > 3 && tries&(tries-1) != 0 {
		return why
	}
	e := entry(member.By{Kind: member.Person, ID: string(m.ID), Name: m.Email, Address: f.address()}, what, m)
	e.After = []member.Field{{Name: "tries", Text: strconv.Itoa(tries)}}
	if err := p.Store.Audit(ctx, e); err != nil {
		return err
	}
	return why
}

// SignIn begins a session for who has an e-mail address and a password, and returns
// its token. old is the token that the browser had, or empty: it ends. What Session
// says of the new one is what comes next.
//
// It reports ErrSignIn, *WaitError, and fault.Invalid for what is no address.
func (p *People) SignIn(ctx context.Context, email string, password secret.Text, f From, old secret.Text) (secret.Text, error) {
	email, err := member.CleanEmail(email)
	if err != nil {
		return "", err
	}
	names := p.guessing(email, f)
	tries, err := p.try(ctx, names)
	if err != nil {
		return "", err
	}
	a, err := p.Store.AccountByEmail(ctx, email)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	right, again := checkPassword(password, a.Proof.Password)
	if !right || a.Disabled {
		return "", p.failed(ctx, ErrSignIn, a.Member, f, "member.sign_in_failed", tries)
	}
	var rehashed secret.Text
	if again {
		rehashed = hashPassword(password)
	}
	token, err := p.signedIn(ctx, a, rehashed, f, old)
	if err != nil {
		return "", err
	}
	return token, p.Store.Succeed(ctx, names)
}

// signedIn begins the session of who gave the right password.
func (p *People) signedIn(ctx context.Context, known member.Account, rehashed secret.Text, f From, old secret.Text) (secret.Text, error) {
	at := now()
	ends, err := p.idOf(ctx, old)
	if err != nil {
		return "", err
	}
	token, begin := begun(known.ID, f, at, at)
	_, err = p.change(ctx, known.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if a.Proof.Password != known.Proof.Password || a.Disabled {
			return member.Change{}, ErrSignIn // it was changed meanwhile
		}
		if rehashed != "" {
			a.Proof.Password = rehashed
		}
		begin := begin
		c := member.Change{Account: a, Begin: &begin, Replaces: ends}
		if a.SecondFactor {
			begin.ConfirmedAt = time.Time{}
			return c, nil
		}
		c.Account.SignedInAt = at
		c.Entries = []member.Entry{entry(a.By(f.address()), "member.signed_in", a.Member)}
		return c, nil
	})
	return token, err
}

// idOf is the session that has a token; empty if there is none.
func (p *People) idOf(ctx context.Context, token secret.Text) (member.SessionID, error) {
	if token == "" {
		return "", nil
	}
	_, s, err := p.Store.Session(ctx, hashed(forSession, token))
	if fault.Is(err, fault.Unauthorized) {
		return "", nil
	}
	return s.ID, err
}

// EnterCode ends signing in where a second factor is awaited (ErrCode), by a code of
// the authenticator or a recovery code, and returns the session's new token. After
// five wrong ones the session ends. It reports ErrWrongCode, ErrNoSession and
// *WaitError.
func (p *People) EnterCode(ctx context.Context, token, code secret.Text, f From) (secret.Text, error) {
	m, s, err := p.Session(ctx, token)
	if err == nil {
		return "", fault.Errorf(fault.Conflict, "no code is awaited")
	}
	if !errors.Is(err, ErrCode) {
		return "", err
	}
	names := append([]member.Guessed{byCode(m.ID)}, byNetwork(f)...)
	if _, known := p.knows(f.Browser, m.Email); known {
		names = names[:1]
	}
	tries, err := p.try(ctx, names)
	if err != nil {
		return "", err
	}
	at := now()
	next, begin := begun(m.ID, f, at, at)
	begin.CreatedAt = s.CreatedAt
	_, err = p.change(ctx, m.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		recovery, err := take(&a.Proof, code, at)
		if err != nil || a.Disabled {
			return member.Change{}, ErrWrongCode
		}
		a.SignedInAt = at
		e := entry(a.By(f.address()), "member.signed_in", a.Member)
		e.After = []member.Field{{Name: "second_factor", Text: "code"}}
		if recovery {
			e.After = []member.Field{{Name: "second_factor", Text: "recovery code"}, {Name: "recovery_codes_left", Text: strconv.Itoa(len(a.Proof.Recovery))}}
		}
		return member.Change{Account: a, Begin: &begin, Replaces: s.ID, Entries: []member.Entry{e}}, nil
	})
	if err != nil {
		err = p.failed(ctx, err, m, f, "member.second_factor_failed", tries)
		if tries[0] >= mostCodes {
			if ended := p.endSession(ctx, m.ID, s.ID); ended != nil && !fault.Is(ended, fault.NotFound) {
				return "", ended
			}
		}
		return "", err
	}
	return next, p.Store.Succeed(ctx, names)
}

// Confirm has somebody say again who it is, by the password and, with a second
// factor, a code, and returns the session's new token: for ten minutes what asks for
// it may be done. It reports ErrSignIn, ErrWrongCode, what Session does, and
// *WaitError.
func (p *People) Confirm(ctx context.Context, token, password, code secret.Text, f From) (secret.Text, error) {
	m, s, err := p.Session(ctx, token)
	if err != nil {
		return "", err
	}
	names := []member.Guessed{byCode(m.ID)} // others, who have no session, do not keep them from it
	tries, err := p.try(ctx, names)
	if err != nil {
		return "", err
	}
	known, err := p.Store.Account(ctx, m.ID)
	if err != nil {
		return "", err
	}
	if right, _ := checkPassword(password, known.Proof.Password); !right {
		return "", p.failed(ctx, ErrSignIn, m, f, "member.confirm_failed", tries)
	}
	at := now()
	next, begin := renewed(s, at, at)
	_, err = p.change(ctx, m.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if a.SecondFactor {
			if _, err := take(&a.Proof, code, at); err != nil {
				return member.Change{}, err
			}
		}
		if a.Proof.Password != known.Proof.Password || a.Disabled {
			return member.Change{}, ErrSignIn
		}
		return member.Change{Account: a, Begin: &begin, Replaces: s.ID, Entries: []member.Entry{entry(a.By(f.address()), "member.confirmed", a.Member)}}, nil
	})
	if err != nil {
		return "", p.failed(ctx, err, m, f, "member.confirm_failed", tries)
	}
	return next, p.Store.Succeed(ctx, names)
}

// ChangePassword gives somebody another password, ends the other sessions, and returns
// the session's new token. It reports ErrSignIn if the old one is wrong, what
// member.CheckPassword does of the new one, what Session does, and *WaitError.
func (p *People) ChangePassword(ctx context.Context, token, old, password secret.Text, f From) (secret.Text, error) {
	m, s, err := p.Session(ctx, token)
	if err != nil {
		return "", err
	}
	if err := member.CheckPassword(password, m); err != nil {
		return "", err
	}
	names := []member.Guessed{byCode(m.ID)}
	tries, err := p.try(ctx, names)
	if err != nil {
		return "", err
	}
	known, err := p.Store.Account(ctx, m.ID)
	if err != nil {
		return "", err
	}
	if right, _ := checkPassword(old, known.Proof.Password); !right {
		return "", p.failed(ctx, ErrSignIn, m, f, "member.confirm_failed", tries)
	}
	hash := hashPassword(password)
	next, begin := renewed(s, now(), s.ConfirmedAt)
	_, err = p.change(ctx, m.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if a.Proof.Password != known.Proof.Password || a.Disabled {
			return member.Change{}, ErrSignIn
		}
		// What was begun may have been begun by whoever knew the old one.
		a.Proof.Password, a.Proof.Pending, a.Link, a.LinkUntil = hash, "", "", time.Time{}
		return member.Change{
			Account: a, Begin: &begin, EndSessions: true, Entries: []member.Entry{entry(a.By(f.address()), "member.password_changed", a.Member)},
		}, nil
	})
	if err != nil {
		return "", err
	}
	return next, p.Store.Succeed(ctx, names)
}

// Preferences are how somebody likes the console.
type Preferences struct {
	Name, Lang, Zone, Theme string
	Shortcuts               bool
}

// Prefer changes how somebody likes the console. It reports fault.Invalid for what
// there is not.
func (p *People) Prefer(ctx context.Context, who Acting, x Preferences) error {
	name, err := member.CleanName(x.Name)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		value string
		known []string
	}{{x.Lang, []string{"", "ko", "en"}}, {x.Zone, []string{"", "KST", "UTC"}}, {x.Theme, []string{"", "light", "dark"}}} {
		if !slices.Contains(c.known, c.value) {
			return invalid("%q is not one of %q", c.value, c.known[1:])
		}
	}
	_, err = p.change(ctx, who.Member.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		a.Name, a.Lang, a.Zone, a.Theme, a.Shortcuts = name, x.Lang, x.Zone, x.Theme, x.Shortcuts
		return member.Change{Account: a}, nil
	})
	return err
}
