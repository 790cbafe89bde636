package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
)

var errNoSession = fault.Errorf(fault.Unauthorized, "there is no such session")

func (t *tx) addSession(s member.NewSession) error {
	return t.must(`insert into session (id, token, member_id, created_at, seen_at, confirmed_at, address, agent)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, string(s.ID), s.Token, string(s.Member), micros(s.CreatedAt), micros(s.SeenAt),
		microsOrNull(s.ConfirmedAt), s.Address, text(s.Agent))
}

const sessionColumns = `s.id, s.member_id, s.created_at, s.seen_at, s.confirmed_at, s.address, s.agent`

// A sessionRow is a session as it is scanned.
type sessionRow struct {
	member.Session
	created, seen int64
	confirmed     sql.NullInt64
}

func (s *sessionRow) dest() []any {
	return []any{&s.ID, &s.Member, &s.created, &s.seen, &s.confirmed, &s.Address, &s.Agent}
}

func (s *sessionRow) session() member.Session {
	s.CreatedAt, s.SeenAt, s.ConfirmedAt = moment(s.created), moment(s.seen), momentOrZero(s.confirmed)
	return s.Session
}

// Session returns the session whose token has a hash, and its member, as both are
// now: nothing of it is kept between calls. Whether it is alive is for the caller to
// see. It reports fault.Unauthorized if there is none.
func (r *Reader) Session(ctx context.Context, token string) (member.Member, member.Session, error) {
	var s sessionRow
	// Index: session_token_key, member_pkey.
	a, err := r.scanMember(r.db.QueryRowContext(ctx, `select `+memberColumns+`, `+sessionColumns+` from session s join member m on m.id = s.member_id
		where s.token = $1`, token), s.dest()...)
	if isNoRows(err) {
		err = errNoSession
	}
	if err != nil {
		return member.Member{}, member.Session{}, away(err)
	}
	return a.Member, s.session(), nil
}

// Sessions lists the sessions of a member, the newest first, whether or not they are
// alive. Index: session_by_member.
func (r *Reader) Sessions(ctx context.Context, of member.ID) (out []member.Session, err error) {
	if !isID(string(of)) {
		return nil, nil
	}
	err = each(ctx, over(r.db), `select `+sessionColumns+` from session s where s.member_id = $1 order by s.id desc`, []any{string(of)}, func(rows rowSet) error {
		var s sessionRow
		err := rows.Scan(s.dest()...)
		out = append(out, s.session())
		return err
	})
	return out, away(err)
}

// SeeSession notes that a session was seen. One that ended meanwhile stays ended.
func (s *Store) SeeSession(ctx context.Context, id member.SessionID, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		return t.must(`update session set seen_at = $2 where id = $1`, string(id), micros(now))
	})
}

// EndSession ends a session of a member, and writes entries if it did. It reports
// fault.NotFound if the member has no such session.
func (s *Store) EndSession(ctx context.Context, of member.ID, id member.SessionID, entries ...member.Entry) error {
	if !isID(string(id)) {
		return fault.Errorf(fault.NotFound, "there is no such session")
	}
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`delete from session where id = $1 and member_id = $2`, string(id), string(of))
		switch {
		case err != nil:
			return err
		case n == 0:
			return fault.Errorf(fault.NotFound, "there is no such session")
		}
		return t.audit(entries)
	})
}
