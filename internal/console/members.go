package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/people"
)

const membersPath = "/settings/members"

// memberRoutes are the pages about other people.
func (c *Console) memberRoutes() []route {
	const get, post, one = http.MethodGet, http.MethodPost, membersPath + "/{id}"
	return []route{
		{get, membersPath, member.Administer, false, c.members},
		{get, membersPath + "/new", member.Administer, true, c.newMember},
		{post, membersPath + "/new", member.Administer, true, c.invite},
		{get, one, member.Administer, false, c.member},
		{post, one, member.Administer, true, c.changeMember},
		{post, one + "/disable", member.Administer, true, c.disableMember},
		{post, one + "/enable", member.Administer, true, c.enableMember},
		{post, one + "/link", member.Administer, true, c.newLink},
	}
}

// A listedMember is a member with what is shown of it.
type listedMember struct {
	member.Member
	StoreName string
	State     string // see state.member
}

func (v *visit) listedMember(m member.Member) listedMember {
	out := listedMember{Member: m, State: "on"}
	switch {
	case m.Disabled:
		out.State = "off"
	case m.Invited:
		out.State = "invited"
	}
	if s, ok := v.store(m.Store); ok {
		out.StoreName = s.Name
	}
	return out
}

// colleagues are the members of the visitor's merchant.
func (v *visit) colleagues() ([]member.Member, error) {
	return v.c.Store.Members(v.ctx(), v.Member.Merchant)
}

func (c *Console) members(v *visit) error {
	list, err := v.colleagues()
	if err != nil {
		return err
	}
	out := make([]listedMember, len(list))
	for i, m := range list {
		out[i] = v.listedMember(m)
	}
	return v.page("settings_members", out)
}

// A memberPage is a member with the form that changes it; a form for a new one has no
// member.
type memberPage struct {
	listedMember
	Roles, Stores []option
	May           bool // the visitor may change this one
	Confirmed     bool
}

// StoreID is the store that the member is limited to, as the form says it.
func (p memberPage) StoreID() string { return cmp.Or(string(p.Store), allStores) }

// title is whose page it is.
func (p memberPage) title() string { return p.Email }

// A newMemberPage is the form that invites somebody.
type newMemberPage struct{ Roles, Stores []option }

// roleChoices are the roles that the visitor may give.
func (v *visit) roleChoices() (out []option) {
	roles := member.Roles()
	for _, r := range slices.Backward(roles) {

		name, say := "account.role_"+string(r), "account.role_"+string(r)+"_say"
		if v.Member.Role.MayGrant(r) {
			out = append(out, option{Value: string(r), Text: v.t("members.choice", "role", v.t(name), "say", v.t(say))})
		}
	}
	return out
}

// memberStores are the stores that a member may be limited to.
func (v *visit) memberStores() []option {
	out := []option{{Value: allStores, Text: v.t("members.all_stores")}}
	for _, s := range v.stores() {
		out = append(out, option{Value: string(s.ID), Text: s.Name})
	}
	return out
}

func (c *Console) newMember(v *visit) error {
	return v.page("settings_newmember", newMemberPage{v.roleChoices(), v.memberStores()})
}

func (c *Console) invite(v *visit) error {
	link, err := c.People.Invite(v.ctx(), v.acting(), people.Invitation{
		Email: v.value("email"), Name: v.value("name"), Role: member.Role(v.value("role")), Store: merchant.StoreID(chosen(v.value("store"), allStores)),
	})
	if err != nil {
		return v.wrongMember("settings_newmember", newMemberPage{v.roleChoices(), v.memberStores()}, err)
	}
	return v.issuedLink(link)
}

// wrongMember shows the form of a member again, or says why it may not be changed.
func (v *visit) wrongMember(name string, data any, err error) error {
	var may *member.MayNotError
	switch {
	case errors.Is(err, member.ErrConfirm):
		return errConfirm
	case errors.As(err, &may):
		return wantsRightError{may.Right}
	case errors.Is(err, people.ErrLimited):
		return v.mistaken(name, data, []mistake{{Field: "store", Text: v.t("members.not_limited")}})
	case errors.Is(err, people.ErrLastOwner):
		return v.mistaken(name, data, []mistake{{Field: "role", Text: v.t("members.last_owner")}})
	}
	return v.wrong(name, data, err, "email")
}

// issuedLink shows a one-time link, this once: there is no mail.
func (v *visit) issuedLink(link people.Link) error {
	base := v.c.PublicURL
	if base == "" {
		base = "http://" + v.r.Host
	}
	until := page.Clock(link.Until.Truncate(time.Second), v.zone())
	return v.page("issued", issued{
		head: v.t("members.link"), Say: v.t("members.link_say", "email", page.Visible(link.Member.Email), "until", until, "zone", v.zone()),
		Lines: []issuedLine{{Label: v.t("members.link"), Value: base + Prefix + "/link?token=" + url.QueryEscape(link.Token.Reveal())}},
		Next:  v.Scope.Base() + membersPath,
	})
}

// colleague is the member that the path names, if it is of the visitor's merchant.
func (v *visit) colleague() (member.Member, error) {
	list, err := v.colleagues()
	if err != nil {
		return member.Member{}, err
	}
	for _, m := range list {
		if string(m.ID) == v.r.PathValue("id") {
			return m, nil
		}
	}
	return member.Member{}, errNoThing
}

func (c *Console) memberPage(v *visit) (memberPage, error) {
	m, err := v.colleague()
	seen := v.listedMember(m)
	v.stands("member", seen.State, string(m.ID), m.Role, m.Store)
	p := memberPage{listedMember: seen, Roles: v.roleChoices(), Stores: v.memberStores(), May: v.Member.Role.MayGrant(m.Role), Confirmed: v.confirmed()}
	return p, err
}

func (c *Console) member(v *visit) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	return v.page("settings_member", p)
}

// ofMember does something to the member that the path names, and goes back to its page.
func (c *Console) ofMember(v *visit, key string, do func(member.ID) error) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	if err := do(p.ID); err != nil {
		if fault.Is(err, fault.NotFound) {
			return errNoThing
		}
		return v.wrongMember("settings_member", p, err)
	}
	return v.done(membersPath+"/"+string(p.ID), key)
}

func (c *Console) changeMember(v *visit) error {
	return c.ofMember(v, "members.changed", func(id member.ID) error {
		if err := v.unmoved(); err != nil {
			return err
		}
		return c.People.ChangeRole(v.ctx(), v.acting(), id, member.Role(v.value("role")), merchant.StoreID(chosen(v.value("store"), allStores)))
	})
}

func (c *Console) disableMember(v *visit) error {
	return c.ofMember(v, "members.disabled", func(id member.ID) error { return c.People.SetDisabled(v.ctx(), v.acting(), id, true) })
}

func (c *Console) enableMember(v *visit) error {
	return c.ofMember(v, "members.enabled", func(id member.ID) error { return c.People.SetDisabled(v.ctx(), v.acting(), id, false) })
}

func (c *Console) newLink(v *visit) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	link, err := c.People.NewLink(v.ctx(), v.acting(), p.ID)
	if err != nil {
		return v.wrongMember("settings_member", p, err)
	}
	return v.issuedLink(link)
}
