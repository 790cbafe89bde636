package people

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// LinkFor is how long a link counts by which somebody chooses a password.
const LinkFor = 72 * time.Hour

// ErrLink says that a link does not count, or not any more.
var ErrLink = fault.Errorf(fault.Forbidden, "the link does not count any more: ask for a new one")

// ErrLastOwner says that a merchant would be left without an owner.
var ErrLastOwner = fault.Errorf(fault.Conflict, "this is the last owner: make somebody else an owner first")

// A Link is a one-time link by which somebody chooses a password. There is no mail:
// whoever asked for it hands it over.
type Link struct {
	Member member.Member
	Token  secret.Text
	Until  time.Time
}

// ErrLimited says that members of a role are never limited to a store.
var ErrLimited = fault.Errorf(fault.Invalid, "owners and admins are not limited to a store")

// An Invitation is who is to be a member.
type Invitation struct {
	Email, Name string
	Role        member.Role
	Store       merchant.StoreID // empty: all of the merchant
}

// administers checks that somebody may act on members of a role, by what is true of
// it in the transaction.
func administers(who Acting, all []member.Member, roles ...member.Role) error {
	i := slices.IndexFunc(all, func(m member.Member) bool { return m.ID == who.Member.ID })
	if i < 0 || !all[i].May(member.Administer) {
		return &member.MayNotError{Right: member.Administer}
	}
	for _, r := range roles {
		if !all[i].Role.MayGrant(r) {
			return &member.MayNotError{Right: member.Own}
		}
	}
	return nil
}

// checkPlace reports fault.Invalid for a role that is none, or cannot be limited to
// one store, or for a store that is not the merchant's.
func (p *People) checkPlace(ctx context.Context, m merchant.ID, r member.Role, s merchant.StoreID) error {
	if _, err := member.ParseRole(string(r)); err != nil {
		return err
	}
	if s == "" {
		return nil
	}
	if !r.MayBeLimited() {
		return ErrLimited
	}
	known, err := p.Store.Settings(ctx)
	if err != nil {
		return err
	}
	if st, ok := known.Directory().Store(s); !ok || st.Merchant != m {
		return invalid("the merchant has no store %q", string(s))
	}
	return nil
}

// Invite makes a member who is to choose a password by the link. It needs
// member.Administer, and member.Own to make an owner, said again lately; else it
// reports *member.MayNotError or member.ErrConfirm. It reports fault.Invalid for what
// cannot be, and fault.Conflict if somebody has the e-mail address.
func (p *People) Invite(ctx context.Context, who Acting, x Invitation) (Link, error) {
	if err := first(administers(who, []member.Member{who.Member}, x.Role), confirmed(who), p.checkPlace(ctx, who.Merchant, x.Role, x.Store)); err != nil {
		return Link{}, err
	}
	a, link, err := invited(who.Merchant, x)
	if err != nil {
		return Link{}, err
	}
	e := entry(who.By(), "member.invited", a.Member)
	e.After = fields(a.Member)
	return link, p.Store.AddMember(ctx, a, e)
}

// invited is a new member with a link.
func invited(m merchant.ID, x Invitation) (member.Account, Link, error) {
	email, err := member.CleanEmail(x.Email)
	if err != nil {
		return member.Account{}, Link{}, err
	}
	name, err := member.CleanName(x.Name)
	if err != nil {
		return member.Account{}, Link{}, err
	}
	at := now()
	a := member.Account{Member: member.Member{
		ID: member.ID(newID()), Merchant: m, Store: x.Store, Email: email, Name: name, Role: x.Role, Invited: true, Shortcuts: true, CreatedAt: at,
	}}
	return a, linked(&a, at), nil
}

// linked gives an account a link.
func linked(a *member.Account, at time.Time) Link {
	token, hash := newToken(forLink)
	a.Link, a.LinkUntil = hash, at.Add(LinkFor)
	return Link{Member: a.Member, Token: token, Until: a.LinkUntil}
}

// fields are what the audit log has of a member.
func fields(m member.Member) []member.Field {
	out := []member.Field{{Name: "email", Text: m.Email}, {Name: "role", Text: string(m.Role)}}
	if m.Store != "" {
		out = append(out, member.Field{Name: "store", Text: string(m.Store)})
	}
	if m.Disabled {
		out = append(out, member.Field{Name: "disabled", Text: "true"})
	}
	return out
}

func confirmed(who Acting) error {
	if !who.Confirmed(now()) {
		return member.ErrConfirm
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// changeOther changes another member of somebody's merchant. do returns what is
// changed, without entries but with what the audit log calls it.
func (p *People) changeOther(ctx context.Context, who Acting, id member.ID, what string, roles []member.Role, do func(a *member.Account, c *member.Change) error) error {
	if err := first(confirmed(who)); err != nil {
		return err
	}
	_, err := p.change(ctx, id, func(a member.Account, all []member.Member) (member.Change, error) {
		if a.Merchant != who.Merchant {
			return member.Change{}, fault.Errorf(fault.NotFound, "there is no such member")
		}
		if err := administers(who, all, append(roles, a.Role)...); err != nil {
			return member.Change{}, err
		}
		before := a.Member
		var c member.Change
		if err := do(&a, &c); err != nil {
			return member.Change{}, err
		}
		if a.Role != member.Owner || a.Disabled {
			if err := leavesAnOwner(before, all); err != nil {
				return member.Change{}, err
			}
		}
		e := entry(who.By(), what, a.Member)
		e.Before, e.After = member.Differences(fields(before), fields(a.Member))
		e.After = append(e.After, member.Field{Name: "email", Text: a.Email})
		c.Account, c.Entries = a, []member.Entry{e}
		return c, nil
	})
	return err
}

// leavesAnOwner reports ErrLastOwner if nobody but m, who is an owner until now,
// owns the merchant.
func leavesAnOwner(m member.Member, all []member.Member) error {
	if !m.May(member.Own) {
		return nil
	}
	if slices.ContainsFunc(all, func(o member.Member) bool { return o.ID != m.ID && o.May(member.Own) }) {
		return nil
	}
	return ErrLastOwner
}

// ChangeRole gives a member of somebody's merchant another role, or limits it to a
// store. It counts at once; who gains a right by it signs in anew. It needs and
// reports what Invite does, fault.NotFound, and ErrLastOwner.
func (p *People) ChangeRole(ctx context.Context, who Acting, id member.ID, r member.Role, s merchant.StoreID) error {
	if err := p.checkPlace(ctx, who.Merchant, r, s); err != nil {
		return err
	}
	err := p.changeOther(ctx, who, id, "member.role_changed", []member.Role{r}, func(a *member.Account, c *member.Change) error {
		c.EndSessions = r.Exceeds(a.Role) || s != a.Store && a.Store != ""
		a.Role, a.Store = r, s
		return nil
	})
	return err
}

// SetDisabled has a member of somebody's merchant sign in no more, which ends its
// sessions and its link, or again. It needs and reports what ChangeRole does.
func (p *People) SetDisabled(ctx context.Context, who Acting, id member.ID, disabled bool) error {
	what := "member.enabled"
	if disabled {
		what = "member.disabled"
	}
	err := p.changeOther(ctx, who, id, what, nil, func(a *member.Account, c *member.Change) error {
		a.Disabled, c.EndSessions = disabled, disabled
		if disabled {
			a.Link, a.LinkUntil = "", time.Time{}
		}
		return nil
	})
	return err
}

// NewLink makes a link by which a member of somebody's merchant chooses a password:
// one who was invited for the first time, another anew, without its second factor.
// The link before it counts no more. It needs and reports what ChangeRole does, for a
// member who operates the installation also member.Operate, and fault.Conflict if the
// member is disabled.
func (p *People) NewLink(ctx context.Context, who Acting, id member.ID) (link Link, err error) {
	err = p.changeOther(ctx, who, id, "member.link_made", nil, func(a *member.Account, _ *member.Change) error {
		switch {
		case a.Disabled:
			return fault.Errorf(fault.Conflict, "the member is disabled: enable it first")
		case a.Operator && !who.May(member.Operate):
			// Whoever takes the link is the member, with what no role gives.
			return &member.MayNotError{Right: member.Operate}
		}
		link = linked(a, now())
		return nil
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// LinkOf returns who a link is for. It reports ErrLink.
func (p *People) LinkOf(ctx context.Context, token secret.Text) (member.Member, error) {
	a, err := p.byLink(ctx, token)
	return a.Member, err
}

func (p *People) byLink(ctx context.Context, token secret.Text) (member.Account, error) {
	a, err := p.Store.AccountByLink(ctx, hashed(forLink, token))
	if fault.Is(err, fault.NotFound) {
		return member.Account{}, ErrLink
	}
	if err == nil && !counts(a, now()) {
		return member.Account{}, ErrLink
	}
	return a, err
}

// counts reports whether the account's link counts.
func counts(a member.Account, at time.Time) bool {
	return a.Link != "" && at.Before(a.LinkUntil) && !a.Disabled
}

// TakeLink chooses the password of who a link is for, and begins a session of it. The
// link counts no more, the second factor is gone, and other sessions end. An empty
// name leaves the one that is there. It reports ErrLink, what member.CheckPassword
// does, and fault.Invalid for what is no name.
func (p *People) TakeLink(ctx context.Context, link secret.Text, name string, password secret.Text, f From) (secret.Text, error) {
	known, err := p.byLink(ctx, link)
	if err != nil {
		return "", err
	}
	if name == "" {
		name = known.Name
	}
	if name, err = member.CleanName(name); err != nil {
		return "", err
	}
	m := known.Member
	m.Name = name
	if err := member.CheckPassword(password, m); err != nil {
		return "", err
	}
	hash, at := hashPassword(password), now()
	token, begin := begun(known.ID, f, at, at)
	_, err = p.change(ctx, known.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if a.Link != known.Link || !counts(a, at) {
			return member.Change{}, ErrLink // it was taken meanwhile
		}
		what := "member.password_reset"
		if a.Invited {
			what = "member.joined"
		}
		a.Name, a.Proof, a.Link, a.LinkUntil, a.SignedInAt = name, member.Proof{Password: hash}, "", time.Time{}, at
		return member.Change{Account: a, EndSessions: true, Begin: &begin, Entries: []member.Entry{entry(a.By(f.address()), what, a.Member)}}, nil
	})
	if err != nil {
		return "", err
	}
	return token, nil
}
