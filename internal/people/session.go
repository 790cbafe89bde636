package people

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// Why a token does not let somebody in. With ErrCode and ErrEnrol it is known who it
// is; the page of login goes on from there.
var (
	ErrNoSession = fault.Errorf(fault.Unauthorized, "sign in first")
	ErrCode      = fault.Errorf(fault.Unauthorized, "the code of the second factor is awaited")
	ErrEnrol     = fault.Errorf(fault.Unauthorized, "who has this role must have a second factor: set one up first")
)

// How long a session waits for the second factor, and how often it is noted that one
// was seen.
const (
	codeWithin = 10 * time.Minute
	seenEvery  = time.Minute
)

// Session returns who has a token, and the session, as both are now, and notes that a
// person was seen. It reports ErrNoSession, and ErrCode and ErrEnrol with the member and
// the session.
func (p *People) Session(ctx context.Context, token secret.Text) (member.Member, member.Session, error) {
	at := now()
	m, s, err := p.Standing(ctx, token)
	if s.SignedIn() && at.Sub(s.SeenAt) >= seenEvery {
		if err := p.Store.SeeSession(ctx, s.ID, at); err != nil {
			// The session counts, only shorter.
			if p.Log != nil {
				p.Log.WarnContext(ctx, "it could not be noted that a session was seen", "session_id", string(s.ID), "err", err)
			}
		} else {
			s.SeenAt = at
		}
	}
	return m, s, err
}

// Standing is Session for who asks without a person having done anything, such as a page
// that is open: the session goes on being idle.
func (p *People) Standing(ctx context.Context, token secret.Text) (member.Member, member.Session, error) {
	if token == "" {
		return member.Member{}, member.Session{}, ErrNoSession
	}
	at := now()
	m, s, err := p.Store.Session(ctx, hashed(forSession, token))
	switch {
	case fault.Is(err, fault.Unauthorized):
		return member.Member{}, member.Session{}, ErrNoSession
	case err != nil:
		return member.Member{}, member.Session{}, err
	case !s.Alive(at), m.Disabled, m.Invited, !s.SignedIn() && at.Sub(s.CreatedAt) >= codeWithin:
		return member.Member{}, member.Session{}, ErrNoSession
	case !s.SignedIn():
		return m, s, ErrCode
	}
	if p.MustHave(m) && !m.SecondFactor {
		return m, s, ErrEnrol
	}
	return m, s, nil
}

// SignOut ends the session that has a token, if there is one.
func (p *People) SignOut(ctx context.Context, token secret.Text, f From) error {
	m, s, err := p.Store.Session(ctx, hashed(forSession, token))
	if err != nil {
		if fault.Is(err, fault.Unauthorized) {
			err = nil
		}
		return err
	}
	err = p.endSession(ctx, m.ID, s.ID, entry(m.By(f.address()), "member.signed_out", m))
	if fault.Is(err, fault.NotFound) {
		err = nil // it ended meanwhile
	}
	return err
}

// Sessions lists the sessions of somebody that are alive, the newest first.
func (p *People) Sessions(ctx context.Context, who Acting) (out []member.Session, err error) {
	all, err := p.Store.Sessions(ctx, who.Member.ID)
	at := now()
	for _, s := range all {
		if s.Alive(at) && (s.SignedIn() || at.Sub(s.CreatedAt) < codeWithin) {
			out = append(out, s)
		}
	}
	return out, err
}

// EndSession ends one of somebody's sessions. It reports fault.NotFound for that of
// another.
func (p *People) EndSession(ctx context.Context, who Acting, id member.SessionID) error {
	e := entry(who.By(), "member.session_ended", who.Member)
	e.Before = []member.Field{{Name: "session", Text: string(id)}}
	return p.endSession(ctx, who.Member.ID, id, e)
}

// begun makes a session of a member, from where it signs in.
func begun(m member.ID, f From, at, confirmed time.Time) (token secret.Text, s member.NewSession) {
	token, hash := newToken(forSession)
	return token, member.NewSession{Token: hash, Session: member.Session{
		ID: member.SessionID(newID()), Member: m, CreatedAt: at, SeenAt: at, ConfirmedAt: confirmed, Address: f.address(), Agent: f.agent(),
	}}
}

// renewed is a session under a new token and id: it does not live longer by that.
func renewed(s member.Session, at, confirmed time.Time) (token secret.Text, next member.NewSession) {
	token, hash := newToken(forSession)
	s.ID, s.SeenAt, s.ConfirmedAt = member.SessionID(newID()), at, confirmed
	return token, member.NewSession{Token: hash, Session: s}
}
