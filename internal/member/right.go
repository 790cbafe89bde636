package member

import (
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Role is what somebody is at a merchant.
type Role string

// The roles.
const (
	Owner    Role = "owner"     // 소유자
	Admin    Role = "admin"     // 관리자
	Manager  Role = "manager"   // 매니저: payments
	Dev      Role = "dev"       // 개발자: integration
	ReadOnly Role = "read_only" // 읽기 전용
)

// Roles lists every role, the one with the most rights first.
func Roles() []Role { return []Role{Owner, Admin, Manager, Dev, ReadOnly} }

// ParseRole reads a role, and reports fault.Invalid for anything else.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fault.Errorf(fault.Invalid, "role %q: want owner, admin, manager, dev or read_only", s)
}

// A Right is something that not everybody may do.
type Right string

// The rights.
const (
	See        Right = "see"        // all that is no secret, masked as the page says
	Resend     Right = "resend"     // send webhooks again, or stop their retries
	Pay        Right = "pay"        // act on payments, cases and cancellations
	Integrate  Right = "integrate"  // channels, endpoints, keys, raw bytes, replay
	Administer Right = "administer" // stores, members, address lists, retention
	Own        Right = "own"        // the audit log, and who owns
	Operate    Right = "operate"    // the installation: the system page
)

// Rights lists every right.
func Rights() []Right { return []Right{See, Resend, Pay, Integrate, Administer, Own, Operate} }

// gives are the roles that give each right. No role gives Operate.
var gives = map[Right][]Role{
	See:        {Owner, Admin, Manager, Dev, ReadOnly},
	Resend:     {Owner, Admin, Manager, Dev},
	Pay:        {Owner, Admin, Manager},
	Integrate:  {Owner, Admin, Dev},
	Administer: {Owner, Admin},
	Own:        {Owner},
}

// Gives reports whether the role gives a right.
func (r Role) Gives(right Right) bool { return slices.Contains(gives[right], r) }

// Least lists the roles that give a right, the one with the most rights first:
// what a person without it is told to ask for. Of Operate there is none.
func (r Right) Least() []Role { return slices.Clone(gives[r]) }

// MayBeLimited reports whether members of the role may be limited to one store.
func (r Role) MayBeLimited() bool { return r == Manager || r == Dev || r == ReadOnly }

// MayGrant reports whether members of the role may give others a role, or take
// it from them: only owners make and unmake owners.
func (r Role) MayGrant(other Role) bool {
	return r.Gives(Administer) && (other != Owner || r.Gives(Own))
}

// NeedsSecondFactor reports whether members of the role must have a second
// factor, unless the console is reached from its own machine alone.
func (r Role) NeedsSecondFactor() bool { return r == Owner || r == Admin }

// Exceeds reports whether the role gives a right that another does not give.
func (r Role) Exceeds(other Role) bool {
	return slices.ContainsFunc(Rights(), func(x Right) bool { return r.Gives(x) && !other.Gives(x) })
}
