package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
)

var errNoMember = fault.Errorf(fault.NotFound, "there is no such member")

// A memberDoc is the part of a member that is sealed. Secrets are revealed here
// alone.
type memberDoc struct {
	Lang      string   `json:"lang,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Theme     string   `json:"theme,omitempty"`
	Shortcuts bool     `json:"shortcuts,omitempty"`
	Password  string   `json:"password,omitempty"`
	OTP       string   `json:"otp,omitempty"`
	Pending   string   `json:"pending,omitempty"`
	Step      int64    `json:"step,omitempty"`
	Recovery  []string `json:"recovery,omitempty"`
}

func memberContext(id member.ID) string { return "member/" + string(id) }

func (r *Reader) sealMember(a member.Account) ([]byte, error) {
	b, err := json.Marshal(memberDoc{ //nolint:gosec // it is sealed below
		a.Lang, a.Zone, a.Theme, a.Shortcuts, a.Proof.Password.Reveal(), a.Proof.OTP.Reveal(), a.Proof.Pending.Reveal(),
		a.Proof.Step, a.Proof.Recovery,
	})
	if err != nil {
		return nil, &programError{err}
	}
	sealed, err := r.key.Seal(b, memberContext(a.ID))
	if err != nil {
		return nil, &programError{err}
	}
	return sealed, nil
}

const memberColumns = `m.id, m.merchant_id, m.store_id, m.email, m.name, m.role, m.operator, m.disabled, m.link, m.link_until, m.created_at,
	m.signed_in_at, m.doc`

// scanMember reads memberColumns, and more after them.
func (r *Reader) scanMember(row scanner, more ...any) (a member.Account, err error) {
	var link sql.NullString
	var until, signedIn sql.NullInt64
	var created int64
	var sealed []byte
	if err := row.Scan(append([]any{
		&a.ID, &a.Merchant, &a.Store, &a.Email, &a.Name, &a.Role, &a.Operator, &a.Disabled, &link, &until, &created, &signedIn, &sealed,
	}, more...)...); err != nil {
		return a, err
	}
	b, err := r.key.Open(sealed, memberContext(a.ID))
	var doc memberDoc
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		return member.Account{}, &programError{fmt.Errorf("member %s: %w", a.ID, err)}
	}
	a.Link, a.LinkUntil, a.CreatedAt, a.SignedInAt = link.String, momentOrZero(until), moment(created), momentOrZero(signedIn)
	a.Lang, a.Zone, a.Theme, a.Shortcuts = doc.Lang, doc.Zone, doc.Theme, doc.Shortcuts
	a.Proof = member.Proof{Password: secret.Text(doc.Password), OTP: secret.Text(doc.OTP), Pending: secret.Text(doc.Pending), Step: doc.Step, Recovery: doc.Recovery}
	a.Invited, a.SecondFactor = doc.Password == "", doc.OTP != ""
	return a, nil
}

// Members lists the members of a merchant, those that are invited and disabled
// among them, in the order in which they came. Index: member_by_merchant.
func (r *Reader) Members(ctx context.Context, m merchant.ID) ([]member.Member, error) {
	return r.members(ctx, over(r.db), m)
}

func (r *Reader) members(ctx context.Context, q querier, m merchant.ID) (out []member.Member, err error) {
	err = each(ctx, q, `select `+memberColumns+` from member m where m.merchant_id = $1 order by m.id`, []any{string(m)}, func(rows rowSet) error {
		a, err := r.scanMember(rows)
		out = append(out, a.Member)
		return err
	})
	return out, away(err)
}

// AnyMember reports whether the installation has a member.
func (r *Reader) AnyMember(ctx context.Context) (bool, error) {
	var some bool
	err := r.db.QueryRowContext(ctx, `select exists (select 1 from member)`).Scan(&some)
	return some, away(err)
}

// Account returns a member with what it proves itself by. It reports fault.NotFound
// if there is none.
func (s *Store) Account(ctx context.Context, id member.ID) (member.Account, error) {
	if !isID(string(id)) {
		return member.Account{}, errNoMember
	}
	return s.account(ctx, `id = $1`, string(id))
}

// AccountByEmail is Account by an e-mail address, in the form of member.CleanEmail.
func (s *Store) AccountByEmail(ctx context.Context, email string) (member.Account, error) {
	return s.account(ctx, `email = $1`, text(email)) // index: member_email_key
}

// AccountByLink is Account by the hash of a link, whether or not the link still
// counts.
func (s *Store) AccountByLink(ctx context.Context, hash string) (member.Account, error) {
	return s.account(ctx, `link = $1`, hash) // index: member_link_key
}

func (s *Store) account(ctx context.Context, where string, arg any) (member.Account, error) {
	a, err := s.scanMember(s.db.QueryRowContext(ctx, `select `+memberColumns+` from member m where m.`+where, arg))
	if isNoRows(err) {
		err = errNoMember
	}
	return a, away(err)
}

// AddMember writes a new member and its entries in the audit log. It reports
// member.ErrSameEmail.
func (s *Store) AddMember(ctx context.Context, a member.Account, entries ...member.Entry) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.lock([]string{allMembers, membersLock(a.Merchant)}); err != nil {
			return err
		}
		return t.addMember(a, entries)
	})
}

// allMembers is locked by whoever adds one, membersLock by whoever changes one: how
// many owners there are must not change meanwhile.
const allMembers = "members"

func membersLock(m merchant.ID) string { return "members\x1f" + string(m) }

func (t *tx) addMember(a member.Account, entries []member.Entry) error {
	var other string
	// Index: member_email_key.
	taken, err := t.has(`select id from member where email = $1`, []any{a.Email}, &other)
	switch {
	case err != nil:
		return err
	case taken:
		return member.ErrSameEmail
	}
	doc, err := t.s.sealMember(a)
	if err != nil {
		return err
	}
	if err := t.must(`insert into member (id, merchant_id, store_id, email, name, role, operator, disabled, link, link_until, created_at,
		signed_in_at, doc) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, append(memberCells(a), micros(a.CreatedAt), microsOrNull(a.SignedInAt), doc)...); err != nil {
		return err
	}
	return t.audit(entries)
}

// memberCells are the columns that an insert and an update begin with.
func memberCells(a member.Account) []any {
	return []any{
		string(a.ID), string(a.Merchant), string(a.Store), a.Email, a.Name, string(a.Role), a.Operator, a.Disabled,
		orNull(a.Link), microsOrNull(a.LinkUntil),
	}
}

// ChangeMember changes an account as do says, given all members of its merchant,
// which nobody else changes meanwhile; its sessions and the audit log follow in the
// same transaction. It reports what do does, and fault.NotFound if there is no such
// member. do must be pure: it may be called more than once.
func (s *Store) ChangeMember(ctx context.Context, id member.ID, do func(a member.Account, all []member.Member) (member.Change, error)) (a member.Account, err error) {
	known, err := s.Account(ctx, id)
	if err != nil {
		return known, err
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.lock([]string{membersLock(known.Merchant)}); err != nil { // a member stays with its merchant
			return err
		}
		now, err := s.scanMember(t.row(`select `+memberColumns+` from member m where m.id = $1`+t.d.forUpdate, string(id)))
		if isNoRows(err) {
			return errNoMember
		}
		if err != nil {
			return err
		}
		all, err := s.members(t.ctx, t.q, now.Merchant)
		if err != nil {
			return err
		}
		c, err := do(now, all)
		if err != nil {
			return err
		}
		a = c.Account
		return t.putMember(c)
	})
	return a, err
}

func (t *tx) putMember(c member.Change) error {
	doc, err := t.s.sealMember(c.Account)
	if err != nil {
		return err
	}
	if err := t.must(`update member set merchant_id = $2, store_id = $3, email = $4, name = $5, role = $6, operator = $7, disabled = $8,
		link = $9, link_until = $10, signed_in_at = $11, doc = $12 where id = $1`,
		append(memberCells(c.Account), microsOrNull(c.Account.SignedInAt), doc)...); err != nil {
		return err
	}
	if c.EndSessions {
		keep := string(c.Keep)
		if keep == "" {
			keep = firstID
		}
		if err := t.must(`delete from session where member_id = $1 and id <> $2`, string(c.Account.ID), keep); err != nil {
			return err
		}
	}
	if c.Replaces != "" {
		if err := t.must(`delete from session where id = $1`, string(c.Replaces)); err != nil {
			return err
		}
	}
	if c.Begin != nil {
		if err := t.addSession(*c.Begin); err != nil {
			return err
		}
	}
	return t.audit(c.Entries)
}

// AddOwner is AddMember of somebody whose merchant is in next, which becomes the settings
// in the same transaction: a merchant that comes with its first owner comes with it or not
// at all. It reports what AddMember and SaveSettings do.
func (s *Store) AddOwner(ctx context.Context, next settings.All, now time.Time, a member.Account, entries ...member.Entry) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.withSettings(next, now); err != nil {
			return err
		}
		if err := t.lock([]string{allMembers, membersLock(a.Merchant)}); err != nil {
			return err
		}
		return t.addMember(a, entries)
	})
}

// withSettings saves settings that have a merchant more than before, for what is written
// beside them. Those who lock other names lock the settings with them, for less: so this
// comes first.
func (t *tx) withSettings(next settings.All, now time.Time) error {
	_, err := t.saveSettings(next, now, nil) // a merchant ends no pause
	return err
}

// SetUp makes the first member of an installation by a set-up token, and ends all such
// tokens. The member's merchant is in next, which becomes the settings in the same
// transaction: whoever comes too late leaves nothing. It reports fault.Forbidden if the
// token does not count at the time of the founding, fault.Conflict if there is a member, and
// what SaveSettings does.
func (s *Store) SetUp(ctx context.Context, next settings.All, f member.Founding) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.withSettings(next, f.At); err != nil {
			return err
		}
		if err := t.lock([]string{allMembers}); err != nil {
			return err
		}
		var one string
		if some, err := t.has(`select id from member limit 1`, nil, &one); err != nil {
			return err
		} else if some {
			return fault.Errorf(fault.Conflict, "this installation is set up")
		}
		if counts, err := t.has(`select token from setup where token = $1 and until > $2`, []any{f.Token, micros(f.At)}, &one); err != nil {
			return err
		} else if !counts {
			return fault.Errorf(fault.Forbidden, "the set-up link does not count any more: tongbo serve prints a new one when it starts")
		}
		if err := t.addMember(f.Account, f.Entries); err != nil {
			return err
		}
		if err := t.must(`delete from setup`); err != nil {
			return err
		}
		return t.addSession(f.Begin)
	})
}

// AddSetup keeps the hash of a set-up token until a time, unless there is a member,
// and forgets those that have ended.
func (s *Store) AddSetup(ctx context.Context, token string, now, until time.Time) (added bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.must(`delete from setup where until <= $1`, micros(now)); err != nil {
			return err
		}
		n, err := t.exec(`insert into setup (token, until) select cast($1 as text), cast($2 as bigint) where not exists (select 1 from member)`, token, micros(until))
		added = n > 0
		return err
	})
	return added, err
}

// SetupCounts reports whether a set-up token counts at a time.
func (r *Reader) SetupCounts(ctx context.Context, token string, now time.Time) (counts bool, err error) {
	err = r.db.QueryRowContext(ctx, `select exists (select 1 from setup where token = $1 and until > $2) and not exists (select 1 from member)`,
		token, micros(now)).Scan(&counts)
	return counts, away(err)
}
