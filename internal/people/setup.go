package people

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// SetupFor is how long a set-up token counts.
const SetupFor = 30 * time.Minute

// NewSetup makes a token by which the first member may be made once, while there is
// none; empty if there is one. Those that other nodes made count on.
func (p *People) NewSetup(ctx context.Context) (secret.Text, error) {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	code := base32s.EncodeToString(b[:])
	at := now()
	added, err := p.Store.AddSetup(ctx, hashed(forSetup, secret.Text(code)), at, at.Add(SetupFor))
	if err != nil || !added {
		return "", err
	}
	return secret.Text(grouped(code)), nil
}

// SetupCounts reports whether a set-up token may be used.
func (p *People) SetupCounts(ctx context.Context, token secret.Text) (bool, error) {
	return p.Store.SetupCounts(ctx, hashed(forSetup, secret.Text(typed(token))), now())
}

// IsSetUp reports whether the installation has a member.
func (p *People) IsSetUp(ctx context.Context) (bool, error) { return p.Store.AnyMember(ctx) }

// A Setup is who the first member is to be.
type Setup struct {
	Token       secret.Text
	Email, Name string
	Password    secret.Text
	Merchant    string // by name: one that is there, or a new one
}

// SetUp makes the first member, an owner who operates the installation, and begins a
// session. It reports ErrSetup, ErrIsSetUp, ErrMerchantName, and what
// member.CheckPassword, CleanEmail and CleanName do.
func (p *People) SetUp(ctx context.Context, x Setup, f From) (secret.Text, error) {
	hash := hashed(forSetup, secret.Text(typed(x.Token)))
	counts, err := p.Store.SetupCounts(ctx, hash, now())
	switch {
	case err != nil:
		return "", err
	case !counts:
		return "", ErrSetup
	}
	a, _, err := invited("", Invitation{Email: x.Email, Name: x.Name, Role: member.Owner})
	if err != nil {
		return "", err
	}
	if err := member.CheckPassword(x.Password, a.Member); err != nil {
		return "", err
	}
	at := now()
	a.Invited, a.Operator, a.Link, a.LinkUntil, a.SignedInAt = false, true, "", time.Time{}, at
	a.Proof.Password = hashPassword(x.Password)
	by := a.By(f.address())
	token, begin := begun(a.ID, f, at, at)
	err = p.inMerchant(ctx, by, x.Merchant, func(in place) error {
		a.Merchant = in.merchant
		e := entry(by, "installation.set_up", a.Member)
		e.After = fields(a.Member)
		return p.Store.SetUp(ctx, in.next, member.Founding{Token: hash, At: in.at, Account: a, Begin: begin, Entries: append(in.made, e)})
	})
	switch {
	case fault.Is(err, fault.Conflict):
		return "", ErrIsSetUp
	case fault.Is(err, fault.Forbidden):
		return "", ErrSetup // another was quicker with it, or it ended meanwhile
	case err != nil:
		return "", err
	}
	return token, nil
}

// ErrIsSetUp says that there is a member already.
var ErrIsSetUp = fault.Errorf(fault.Conflict, "this installation is set up")

// ErrSetup says that a set-up token does not count.
var ErrSetup = fault.Errorf(fault.Forbidden, "the set-up link does not count any more: tongbo serve prints a new one when it starts")

// CreateOwner makes an owner of a merchant, which is made if there is none of the
// name, who is to choose a password by the link. It needs member.Operate.
func (p *People) CreateOwner(ctx context.Context, who Acting, merchantName, email, name string) (Link, error) {
	if err := first(who.Require(member.Operate), confirmed(who)); err != nil {
		return Link{}, err
	}
	return p.owner(ctx, who.By(), merchantName, Invitation{Email: email, Name: name, Role: member.Owner}, false)
}

func (p *People) owner(ctx context.Context, by member.By, merchantName string, x Invitation, operator bool) (Link, error) {
	a, link, err := invited("", x)
	if err != nil {
		return Link{}, err
	}
	if _, err := p.Store.AccountByEmail(ctx, a.Email); err == nil {
		return Link{}, member.ErrSameEmail
	}
	a.Operator = operator
	err = p.inMerchant(ctx, by, merchantName, func(in place) error {
		a.Merchant = in.merchant
		e := entry(by, "member.invited", a.Member)
		e.After = fields(a.Member)
		return p.Store.AddOwner(ctx, in.next, in.at, a, append(in.made, e)...)
	})
	if err != nil {
		return Link{}, err
	}
	link.Member = a.Member
	return link, nil
}

// OwnerLink is for who has the machine (tongbo admin owner): it makes an owner of a
// merchant, or has somebody who is there choose a password anew, as an owner. The
// first member of an installation operates it. Without the name of a merchant there
// must be one alone, else it is fault.Invalid.
func (p *People) OwnerLink(ctx context.Context, by member.By, email, merchantName string) (Link, error) {
	email, err := member.CleanEmail(email)
	if err != nil {
		return Link{}, err
	}
	known, err := p.Store.AccountByEmail(ctx, email)
	switch {
	case err == nil:
		return p.ownerAgain(ctx, by, known, merchantName)
	case !fault.Is(err, fault.NotFound):
		return Link{}, err
	}
	if merchantName == "" {
		if merchantName, err = p.onlyMerchant(ctx); err != nil {
			return Link{}, err
		}
	}
	some, err := p.Store.AnyMember(ctx)
	if err != nil {
		return Link{}, err
	}
	account, _, _ := strings.Cut(email, "@")
	return p.owner(ctx, by, merchantName, Invitation{Email: email, Name: account, Role: member.Owner}, !some)
}

// ownerAgain gives somebody who is there a link, and the role.
func (p *People) ownerAgain(ctx context.Context, by member.By, known member.Account, merchantName string) (link Link, err error) {
	if merchantName != "" {
		if id, err := p.merchantOf(ctx, merchantName); err != nil || id != known.Merchant {
			return Link{}, first(err, fault.Errorf(fault.Conflict, "%s is a member of another merchant", known.Email))
		}
	}
	_, err = p.change(ctx, known.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		before := a.Member
		a.Role, a.Store, a.Disabled = member.Owner, "", false
		link = linked(&a, now())
		e := entry(by, "member.link_made", a.Member)
		e.Before, e.After = member.Differences(fields(before), fields(a.Member))
		return member.Change{Account: a, Entries: []member.Entry{e}, EndSessions: a.Role != before.Role}, nil
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// merchantOf is the merchant of a name, or empty.
func (p *People) merchantOf(ctx context.Context, name string) (merchant.ID, error) {
	known, err := p.Store.Settings(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range known.Merchants {
		if m.Name == name {
			return m.ID, nil
		}
	}
	return "", nil
}

// onlyMerchant is the name of the only merchant.
func (p *People) onlyMerchant(ctx context.Context) (string, error) {
	known, err := p.Store.Settings(ctx)
	if err != nil {
		return "", err
	}
	if len(known.Merchants) != 1 {
		return "", invalid("there are %d merchants: name one", len(known.Merchants))
	}
	return known.Merchants[0].Name, nil
}
