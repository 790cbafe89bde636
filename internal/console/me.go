package console

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/people"
)

// meRoutes are the page of one's own account.
func (c *Console) meRoutes() []route {
	const me = Prefix + "/me"
	return []route{
		{http.MethodGet, me, member.See, false, c.me},
		{http.MethodPost, me, member.See, false, c.prefer},
		{http.MethodGet, me + "/password", member.See, false, c.password},
		{http.MethodPost, me + "/password", member.See, false, c.changePassword},
		{http.MethodPost, me + "/sessions", member.See, false, c.endSession},
		{http.MethodPost, me + "/recovery", member.See, true, c.newRecovery},
		{http.MethodPost, me + "/second/drop", member.See, true, c.dropSecond},
	}
}

// A mePage is one's own account.
type mePage struct {
	Langs, Zones, Themes []option
	Sessions             []mySession
	Confirmed            bool
	Must                 bool // there is no way around a second factor
}

// system stands in a form for a choice that is left to the browser: a browser takes an
// empty choice of a field that is required for none.
const system = "system"

// chosen is what was chosen in a form, empty where a value stands for nothing.
func chosen(value, nothing string) string {
	if value == nothing {
		return ""
	}
	return value
}

// Or is a value of a form, or what stands for nothing.
func (mePage) Or(value, nothing string) string { return cmp.Or(value, nothing) }

// A mySession is a session of the visitor's.
type mySession struct {
	member.Session
	Here bool // this one
}

// Tick is the value of a checkbox that is set or not.
func (mePage) Tick(on bool) string {
	if on {
		return "on"
	}
	return ""
}

func (c *Console) mePage(v *visit) (mePage, error) {
	choices := func(key string, values ...string) (out []option) {
		for _, x := range values {
			text := "account." + key + "_" + x
			out = append(out, option{Value: x, Text: v.t(text)})
		}
		return out
	}
	p := mePage{
		Langs: choices("lang", system, "ko", "en"), Zones: choices("zone", "KST", "UTC"), Themes: choices("theme", system, "light", "dark"),
		Confirmed: v.confirmed(), Must: c.People.MustHave(v.Member),
	}
	list, err := c.People.Sessions(v.ctx(), v.acting())
	for _, s := range list {
		p.Sessions = append(p.Sessions, mySession{s, s.ID == v.Session.ID})
	}
	return p, err
}

func (c *Console) me(v *visit) error {
	p, err := c.mePage(v)
	if err != nil {
		return err
	}
	return v.page("me", p)
}

func (c *Console) prefer(v *visit) error {
	x := people.Preferences{
		Name: v.value("name"), Lang: chosen(v.value("lang"), system), Zone: v.value("zone"), Theme: chosen(v.value("theme"), system), Shortcuts: v.value("shortcuts") == "on",
	}
	if err := c.People.Prefer(v.ctx(), v.acting(), x); err != nil {
		if !errors.Is(err, member.ErrName) {
			return err
		}
		p, broken := c.mePage(v)
		if broken != nil {
			return broken
		}
		return v.wrong("me", p, err, "name")
	}
	// For the pages before one is signed in.
	preference(v.w, v.r, langCookie, x.Lang)
	preference(v.w, v.r, themeCookie, x.Theme)
	return v.done(Prefix+"/me", "account.saved")
}

func (c *Console) password(v *visit) error { return v.page("password", nil) }

func (c *Console) changePassword(v *visit) error {
	token, err := c.People.ChangePassword(v.ctx(), sessionToken(v.r), v.password("old"), v.password("password"), v.from())
	if err != nil {
		return v.wrong("password", nil, err, "old")
	}
	setSession(v.w, v.r, token)
	return v.done(Prefix+"/me", "account.password_changed")
}

func (c *Console) endSession(v *visit) error {
	err := c.People.EndSession(v.ctx(), v.acting(), member.SessionID(v.value("session")))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return v.done(Prefix+"/me", "account.session_ended")
}

func (c *Console) newRecovery(v *visit) error {
	codes, err := c.People.NewRecoveryCodes(v.ctx(), v.acting())
	if err != nil {
		return err
	}
	return v.recoveryCodes(codes, Prefix+"/me")
}

func (c *Console) dropSecond(v *visit) error {
	if err := c.People.DropSecondFactor(v.ctx(), v.acting()); err != nil {
		return err
	}
	return v.done(Prefix+"/me", "account.second_dropped")
}
