package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/words"
)

// A visit is one request on its way through a handler.
type visit struct {
	c *Console
	w http.ResponseWriter
	r *http.Request

	ID      string // of the request, for people to name
	Lang    words.Lang
	Member  member.Member // the zero Member if nobody is signed in
	Half    member.Member // who has given a password, and owes the second factor
	Session member.Session
	Scope   scope
	All     *settings.All // as they are; nil where nobody is signed in

	began  time.Time // before anything was read
	topics []string
	refuse bool // the page of an error: it reads nothing more

	stand    standing // of the page's thing
	conflict error    // why the form that was sent could not be done; its page is shown again
}

// A scope is what a page is about: a store of a merchant, or all of them, in one mode.
type scope struct {
	Merchant merchant.ID
	Store    merchant.StoreID // empty: all that the member may see
	Mode     merchant.Mode
}

// all is the store's part of a path that stands for all stores.
const allStores = "all"

// Base is where the paths of a scope begin, such as /console/all/test.
func (s scope) Base() string {
	store := string(s.Store)
	if store == "" {
		store = allStores
	}
	return Prefix + "/" + store + "/" + string(s.Mode)
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// now is the time to the precision at which it is stored.
func (v *visit) now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// t is a text in the visitor's language.
func (v *visit) t(key string, args ...any) string { return words.Text(v.Lang, key, args...) }

// May reports whether the visitor has a right.
func (v *visit) May(r member.Right) bool { return v.Member.May(r) }

// confirmed reports whether the password was given within the last ten minutes.
func (v *visit) confirmed() bool { return v.Session.Confirmed(v.now()) }

// by is who does what this visit does.
func (v *visit) by() member.By {
	return v.Member.By(v.address())
}

// address is the IP address that the visitor comes from; empty if that cannot be told.
func (v *visit) address() string {
	if v.c.ClientAddr == nil {
		return ""
	}
	if a := v.c.ClientAddr(v.r); a.IsValid() {
		return a.String()
	}
	return ""
}

// caller is on whose behalf a verb about a store is done: the visitor's, for a thing of
// that store.
func (v *visit) caller(s merchant.StoreID) action.Caller {
	return action.Caller{Merchant: v.Member.Merchant, Store: s, Mode: v.Scope.Mode, By: v.by()}
}

// sees reports whether the visitor may see what belongs to a store of a merchant: every
// object that is found by an id from outside is asked for by this.
func (v *visit) sees(m merchant.ID, s merchant.StoreID) bool {
	return v.Member.Sees(m, s)
}

// stores are the stores that the visitor may see, the representative one first.
func (v *visit) stores() []settings.Store {
	var out []settings.Store
	if v.All == nil {
		return nil
	}
	for _, s := range v.All.Stores {
		switch {
		case !v.sees(s.Merchant, s.ID):
		case s.Representative:
			out = append([]settings.Store{s}, out...)
		default:
			out = append(out, s)
		}
	}
	return out
}

// store is the settings of a store that the visitor may see.
func (v *visit) store(id merchant.StoreID) (settings.Store, bool) {
	for _, s := range v.stores() {
		if s.ID == id {
			return s, true
		}
	}
	return settings.Store{}, false
}

// Errors that are pages of their own.
var (
	errNoPage      = fault.Errorf(fault.NotFound, "there is no such page")
	errNoThing     = fault.Errorf(fault.NotFound, "there is no such thing in this store and mode")
	errCrossOrigin = fault.Errorf(fault.Forbidden, "the form was sent by another site")
)

// A wantsRightError says that the visitor's role is too little.
type wantsRightError struct{ right member.Right }

func (e wantsRightError) Error() string { return "the role has no right to " + string(e.right) }

// handle makes a handler of a route: it finds out who comes, checks that they may, and
// shows what goes wrong.
func (c *Console) handle(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := &visit{c: c, w: w, r: req, ID: uuid.NewString(), Lang: langOf(req), began: time.Now()}
		guardHeaders(w.Header())
		w.Header().Set("X-Request-Id", v.ID)
		req.Body = http.MaxBytesReader(w, req.Body, mostForm)
		err := v.arrive(r)
		if err == nil {
			err = v.readable()
		}
		if err == nil {
			err = r.do(v)
		}
		if err != nil && !v.again(r, err) {
			v.failed(err)
		}
	})
}

// mostForm bounds what a form may send.
const mostForm = 1 << 20

// guardHeaders says what a browser may do with a page.
func guardHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// errSignIn sends the visitor to the page where one signs in.
var errSignIn = errors.New("nobody is signed in")

// errConfirm sends the visitor to the page where the password is given again.
var errConfirm = errors.New("the password was given too long ago")

// arrive finds out who comes and what about, and whether they may.
func (v *visit) arrive(r route) error {
	if err := v.signedIn(); err != nil {
		return err
	}
	if r.right == "" {
		return nil
	}
	if v.Member.ID == "" {
		return errSignIn
	}
	var err error
	if v.All, err = v.c.settings(v.ctx()); err != nil {
		return err
	}
	if err := v.admitted(); err != nil {
		return err
	}
	if err := v.scoped(); err != nil {
		return err
	}
	switch {
	case !v.May(r.right):
		return wantsRightError{r.right}
	case r.confirm && !v.confirmed():
		return errConfirm
	}
	return nil
}

// byItself reports whether an open page asks, and no person: it begins to be told of news,
// or fetches what they are about.
func (v *visit) byItself() bool {
	return v.r.URL.Path == Prefix+"/stream" || v.r.Header.Get("Fragment") != ""
}

// signedIn finds the session of the visitor's cookie, if there is one.
func (v *visit) signedIn() error {
	token := sessionToken(v.r)
	if token == "" {
		return nil
	}
	session := v.c.Sessions.Session
	if v.byItself() {
		session = v.c.Sessions.Standing
	}
	m, s, err := session(v.ctx(), token)
	switch {
	case fault.Is(err, fault.Unauthorized):
		v.Half = m
		return nil
	case err != nil:
		return err
	}
	v.Member, v.Session = m, s
	if l, ok := words.ParseLang(m.Lang); ok {
		v.Lang = l
	}
	return nil
}

// scoped reads the scope from the path, or, where it has none, takes what the member sees.
func (v *visit) scoped() error {
	store, mode := v.r.PathValue("store"), v.r.PathValue("mode")
	if store == "" {
		store, mode = v.r.URL.Query().Get("store"), v.r.URL.Query().Get("mode")
	}
	if store == "" {
		store = allStores
	}
	if mode == "" {
		mode = string(v.usualMode())
	}
	m, err := merchant.ParseMode(mode)
	if err != nil {
		return errNoPage
	}
	v.Scope = scope{Merchant: v.Member.Merchant, Store: v.Member.Store, Mode: m}
	if store == allStores {
		return nil
	}
	s, ok := v.store(merchant.StoreID(store))
	if !ok {
		return errNoThing
	}
	v.Scope.Store = s.ID
	return nil
}

// usualMode is live if the visitor's stores have a live channel.
func (v *visit) usualMode() merchant.Mode {
	for _, c := range v.All.Channels {
		if v.sees(c.Merchant, c.Store) && c.Mode == merchant.Live && !c.Disabled {
			return merchant.Live
		}
	}
	return merchant.Test
}

// enter sends whoever comes to the front door where they belong.
func (c *Console) enter(v *visit) error {
	if v.Member.ID == "" {
		return errSignIn
	}
	var err error
	if v.All, err = c.settings(v.ctx()); err != nil {
		return err
	}
	if err := v.scoped(); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, v.Scope.Base()+"/", http.StatusSeeOther)
	return nil
}

// done sends the visitor on after a change, to a page of the scope (or of the console, if
// the path begins with Prefix), where a text says once what was done.
func (v *visit) done(path, key string, args ...any) error {
	setFlash(v.w, v.r, key, args)
	return v.seeOther(path)
}

// seeOther redirects to a page of the scope, or of the console.
func (v *visit) seeOther(path string) error {
	if !strings.HasPrefix(path, Prefix) {
		path = v.Scope.Base() + path
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// back is a path of the console that a form named as where to go on, or else fallback.
// What a browser or a proxy may read as a way out of the console is none: dots as parts of
// the path, however they are spelt, and backslashes, which browsers take for slashes.
func back(named, fallback string) string {
	u, err := url.Parse(named)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.ContainsFunc(named, outOfPath) ||
		!strings.HasPrefix(u.EscapedPath(), Prefix+"/") || strings.ContainsFunc(u.Path, outOfPath) {
		return fallback
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		// Some servers cut a part's parameters off before they look at it.
		if name, _, _ := strings.Cut(part, ";"); name == "." || name == ".." {
			return fallback
		}
	}
	return u.EscapedPath() + query(u.RawQuery)
}

// outOfPath are runes that stand in no path of the console.
func outOfPath(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }

func query(raw string) string {
	if raw == "" {
		return ""
	}
	return "?" + raw
}
