package console

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/words"
)

func (c *Console) accessRoutes() []route {
	const access = "/settings/access"
	return []route{
		{http.MethodGet, access, member.Administer, false, c.access},
		{http.MethodPost, access + "/{list}/add", member.Administer, true, c.addAccess},
		{http.MethodPost, access + "/{list}/remove", member.Administer, true, c.removeAccess},
		// Who made a change that is on trial has been confirmed; who ends it has two minutes.
		{http.MethodPost, access + "/{list}/keep", member.Administer, false, c.keepAccess},
		{http.MethodPost, access + "/{list}/undo", member.Administer, false, c.undoAccess},
	}
}

// accessPage is the address lists of a store.
type accessPage struct {
	Store settings.Store
	Whole bool   // its list is that of all who belong to the merchant
	Mine  string // the visitor's address; empty if it cannot be told
	Lists []accessList
	Ask   *accessAsk
}

// An accessList is one list, as it is in force.
type accessList struct {
	Scope merchant.AllowScope
	Lines []accessLine
	Empty bool      // it admits everybody
	Until time.Time // when what is on trial undoes itself; zero: nothing is
	HasMe bool      // it admits the visitor's address, or everybody
	Wide  string    // a block that has to be typed once more, since it was entered
}

// An accessLine is a line of a list with what it opens.
type accessLine struct {
	CIDR, First, Last, Count string
	Trial                    merchant.Trial // while it is on trial
	Mine                     bool           // the visitor's address is in it
}

// An accessAsk asks whether a change is meant that shuts out whoever makes it, or leaves
// nothing on a list, which opens it to everybody.
type accessAsk struct {
	Open        bool // the latter
	Scope       merchant.AllowScope
	Verb        string // add or remove
	CIDR, Typed string
	Minutes     int
}

// accessStore is whose lists the page shows: the scope's store, or the representative one.
func (v *visit) accessStore() (settings.Store, error) {
	id := v.Scope.Store
	if id == "" {
		for _, s := range v.stores() {
			if s.Representative {
				return s, nil
			}
		}
	}
	s, ok := v.store(id)
	if !ok {
		return s, errNoThing
	}
	return s, nil
}

func (v *visit) accessPage() (accessPage, error) {
	s, err := v.accessStore()
	p := accessPage{Store: s, Whole: s.Representative, Mine: v.address()}
	if err != nil {
		return p, err
	}
	for _, scope := range []merchant.AllowScope{merchant.AllowAPI, merchant.AllowConsole} {
		p.Lists = append(p.Lists, v.accessList(s.ID, scope))
	}
	return p, nil
}

func (v *visit) accessList(s merchant.StoreID, scope merchant.AllowScope) accessList {
	at, out := v.now(), accessList{Scope: scope}
	me, _ := netip.ParseAddr(v.address()) // what is none is in no list
	inForce := v.All.List(s, scope, at)
	out.Empty = len(inForce) == 0
	out.HasMe = out.Empty || me.IsValid() && provider.Admits(inForce, me)
	for _, w := range v.All.Allows {
		if w.Store != s || w.Scope != scope || !w.InForce(at) && !w.OnTrial(at) {
			continue
		}
		r := settings.Opens(w.CIDR)
		line := accessLine{CIDR: w.CIDR.String(), First: r.First.String(), Last: r.Last.String(), Count: addresses(w.CIDR), Mine: me.IsValid() && provider.Admits([]netip.Prefix{w.CIDR}, me)}
		if w.OnTrial(at) {
			line.Trial, out.Until = w.Trial, w.Until
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// addresses is how many addresses a block has, for people: a power of two where the number
// says nothing any more.
func addresses(p netip.Prefix) string {
	n := settings.Opens(p).Count
	const most = 1 << 32
	if n.IsInt64() && n.Int64() <= most {
		return words.Count(n.Int64())
	}
	return "2^" + strconv.Itoa(p.Addr().BitLen()-p.Bits())
}

func (c *Console) access(v *visit) error {
	p, err := v.accessPage()
	if err != nil {
		return err
	}
	return v.page("settings_access", p)
}

// accessScope is the list that a path names.
func (v *visit) accessScope() (merchant.AllowScope, error) {
	switch scope := merchant.AllowScope(v.r.PathValue("list")); scope {
	case merchant.AllowAPI, merchant.AllowConsole:
		return scope, nil
	}
	return "", errNoPage
}

func (c *Console) addAccess(v *visit) error { return v.editAccess("add") }

func (c *Console) removeAccess(v *visit) error { return v.editAccess("remove") }

// editAccess adds or removes a line. What it opens that is wide, or whom it shuts out, is
// asked about first.
func (v *visit) editAccess(verb string) error {
	scope, err := v.accessScope()
	if err != nil {
		return err
	}
	p, err := v.accessPage()
	if err != nil {
		return err
	}
	field := "cidr_" + string(scope)
	text, typed := v.value(field), v.value("typed_"+string(scope))
	e := action.AccessEdit{Store: p.Store.ID, Scope: scope, Typed: typed, Anyway: v.value("anyway") == "on"}
	switch {
	case text == "":
		return v.mistaken("settings_access", p, []mistake{{field, v.t("form.missing")}})
	case verb == "add":
		e.Add = []string{text}
	default:
		e.Remove = []string{text}
	}
	if verb == "remove" && v.value("open") != "on" && v.isLast(e) {
		p.Ask = &accessAsk{Open: true, Scope: scope, Verb: verb, CIDR: text}
		return v.show(http.StatusConflict, "settings_access", p, nil)
	}
	until, err := v.c.Actions.EditAccess(v.ctx(), v.caller(v.Member.Store), e, v.value("reason"))
	var wide action.WideError
	switch {
	case errors.As(err, &wide):
		return v.askWide(p, scope, wide.Block, typed)
	case errors.Is(err, action.ErrShutsOut):
		p.Ask = &accessAsk{Scope: scope, Verb: verb, CIDR: text, Typed: typed, Minutes: int(action.AccessTrial / time.Minute)}
		return v.show(http.StatusConflict, "settings_access", p, nil)
	case errors.Is(err, action.ErrOnTrial):
		return v.show(http.StatusConflict, "settings_access", p, []mistake{{"", v.t("access.on_trial")}})
	case fault.Is(err, fault.Invalid):
		return v.mistaken("settings_access", p, []mistake{{field, v.blockMistake(text)}})
	case err != nil:
		return err
	case !until.IsZero():
		return v.done("/settings/access", "access.tried")
	case verb == "add":
		return v.done("/settings/access", "access.added", "cidr", text)
	}
	return v.done("/settings/access", "access.removed", "cidr", text)
}

// isLast reports whether an edit removes the last line of a list that is in force.
func (v *visit) isLast(e action.AccessEdit) bool {
	list := v.All.List(e.Store, e.Scope, v.now())
	block, err := settings.ParseBlock(e.Remove[0])
	return err == nil && len(list) == 1 && list[0] == block
}

// askWide asks for a block once more that opens so much.
func (v *visit) askWide(p accessPage, scope merchant.AllowScope, block netip.Prefix, typed string) error {
	for i := range p.Lists {
		if p.Lists[i].Scope == scope {
			p.Lists[i].Wide = block.String()
		}
	}
	r := settings.Opens(block)
	key, at := "access.wide", "cidr_"+string(scope)
	if typed != "" {
		key, at = "access.wide_other", "typed_"+string(scope)
	}
	return v.mistaken("settings_access", p, []mistake{{at, v.t(key, "cidr", block.String(), "first", r.First.String(), "last", r.Last.String(), "n", addresses(block))}})
}

// blockMistake says why a text is no line of a list.
func (v *visit) blockMistake(text string) string {
	if p, err := netip.ParsePrefix(text); err == nil && p != p.Masked() && !p.Addr().Is4In6() {
		r := settings.Opens(p)
		return v.t("access.host_bits", "cidr", text, "block", p.Masked().String(), "n", addresses(p), "first", r.First.String(), "last", r.Last.String(), "address", p.Addr().String())
	}
	return v.t("access.no_block")
}

func (c *Console) keepAccess(v *visit) error {
	return v.endTrial("access.kept", c.Actions.ConfirmAccess)
}

func (c *Console) undoAccess(v *visit) error {
	return v.endTrial("access.undone", c.Actions.UndoAccess)
}

// endTrial ends what is on trial of a list, as end does.
func (v *visit) endTrial(key string, end accessEnd) error {
	scope, err := v.accessScope()
	if err != nil {
		return err
	}
	s, err := v.accessStore()
	if err != nil {
		return err
	}
	err = end(v.ctx(), v.caller(v.Member.Store), s.ID, scope)
	switch {
	case errors.Is(err, action.ErrNoTrial):
		return v.done("/settings/access", "access.no_trial")
	case err != nil:
		return err
	}
	return v.done("/settings/access", key)
}

// An accessEnd confirms what is on trial of a list, or undoes it.
type accessEnd func(context.Context, action.Caller, merchant.StoreID, merchant.AllowScope) error
