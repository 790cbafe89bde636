package console

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
)

// accountRoutes are the pages by which somebody becomes somebody.
func (c *Console) accountRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, Prefix + "/login", "", false, c.login},
		{post, Prefix + "/login", "", false, c.signIn},
		{post, Prefix + "/login/code", "", false, c.enterCode},
		{post, Prefix + "/logout", "", false, c.signOut},
		{get, Prefix + "/setup", "", false, c.setup},
		{post, Prefix + "/setup", "", false, c.setUp},
		{get, Prefix + "/link", "", false, c.link},
		{post, Prefix + "/link", "", false, c.takeLink},
		{get, Prefix + "/confirm", member.See, false, c.confirm},
		{post, Prefix + "/confirm", member.See, false, c.confirmed},
		{get, Prefix + "/second", "", false, c.second},
		{post, Prefix + "/second", "", false, c.secondDone},
		{post, Prefix + "/second/begin", "", false, c.secondBegin},
		{get, Prefix + "/second/qr.png", "", false, c.secondPicture},
	}
}

// from is where the visitor comes from.
func (v *visit) from() people.From {
	f := people.From{Agent: v.r.UserAgent(), Browser: browserToken(v.r)}
	if v.c.ClientAddr != nil {
		f.Address = v.c.ClientAddr(v.r)
	}
	return f
}

// acting is the visitor as who does something.
func (v *visit) acting() people.Acting {
	return people.Acting{Member: v.Member, Session: v.Session, From: v.from()}
}

// password is what was posted in a field, with the space around it.
func (v *visit) password(name string) secret.Text { return secret.Text(v.form().Get(name)) }

// back is where the visitor was on the way to.
func (v *visit) back() string {
	named := v.query("back")
	if v.r.Method == http.MethodPost {
		named = v.value("back")
	}
	return back(named, Prefix+"/")
}

// A loginPage is the form by which somebody signs in, or gives a code.
type loginPage struct {
	Back     string
	NotSetUp bool
	Email    string // whose code is awaited
}

// login shows the form for what is missing. It is there before the installation is set up,
// too, and says how that is done.
func (c *Console) login(v *visit) error {
	if v.Member.ID != "" {
		return v.seeOther(v.back())
	}
	_, _, err := c.People.Session(v.ctx(), sessionToken(v.r))
	switch {
	case errors.Is(err, people.ErrEnrol):
		return v.onTo(Prefix + "/second")
	case errors.Is(err, people.ErrCode):
		return v.page("login_code", loginPage{Back: v.back(), Email: v.Half.Email})
	}
	p, err := c.loginPage(v)
	if err != nil {
		return err
	}
	return v.page("login", p)
}

func (c *Console) loginPage(v *visit) (loginPage, error) {
	set, err := c.People.IsSetUp(v.ctx())
	return loginPage{Back: v.back(), NotSetUp: !set}, err
}

// onTo redirects to a page that goes back, in the end, to where the visitor was on the way.
func (v *visit) onTo(path string) error {
	http.Redirect(v.w, v.r, path+"?back="+url.QueryEscape(v.back()), http.StatusSeeOther)
	return nil
}

func (c *Console) signIn(v *visit) error {
	token, err := c.People.SignIn(v.ctx(), v.value("email"), v.password("password"), v.from(), sessionToken(v.r))
	if err != nil {
		p, broken := c.loginPage(v)
		if broken != nil {
			return broken
		}
		return v.wrong("login", p, err, "password")
	}
	return v.signedInAs(token)
}

// signedInAs gives the browser a session, and goes on to what it lacks, or to where the
// visitor was on the way to.
func (v *visit) signedInAs(token secret.Text) error {
	setSession(v.w, v.r, token)
	m, _, err := v.c.People.Session(v.ctx(), token)
	switch {
	case errors.Is(err, people.ErrCode):
		return v.onTo(Prefix + "/login")
	case errors.Is(err, people.ErrEnrol):
		if _, err := v.c.People.BeginSecondFactor(v.ctx(), token); err != nil {
			return err
		}
		return v.onTo(Prefix + "/second")
	case err != nil:
		return err
	}
	setBrowser(v.w, v.r, v.c.People.Browser(m))
	return v.seeOther(v.back())
}

func (c *Console) enterCode(v *visit) error {
	token, err := c.People.EnterCode(v.ctx(), sessionToken(v.r), v.password("code"), v.from())
	switch {
	case errors.Is(err, people.ErrNoSession):
		return v.onTo(Prefix + "/login") // the password is to be given again
	case err != nil:
		return v.wrong("login_code", loginPage{Back: v.back(), Email: v.Half.Email}, err, "code")
	}
	return v.signedInAs(token)
}

func (c *Console) signOut(v *visit) error {
	if err := c.People.SignOut(v.ctx(), sessionToken(v.r), v.from()); err != nil {
		return err
	}
	setSession(v.w, v.r, "")
	return v.done(Prefix+"/login", "account.signed_out")
}

// A setupPage is the form by which the first owner is made.
type setupPage struct{ Token string }

func (c *Console) setup(v *visit) error {
	ok, err := c.People.SetupCounts(v.ctx(), secret.Text(v.query("token")))
	if err != nil {
		return err
	}
	if !ok {
		return c.noSetup(v)
	}
	return v.page("setup", setupPage{v.query("token")})
}

// noSetup is the page for who comes by a link that does not count.
func (c *Console) noSetup(v *visit) error {
	set, err := c.People.IsSetUp(v.ctx())
	if err != nil {
		return err
	}
	f := failure{Status: http.StatusForbidden, Head: v.t("account.setup_over"), Say: v.t("account.setup_again")}
	if set {
		f.Say = v.t("account.setup_done")
	}
	v.showFailure(f)
	return nil
}

func (c *Console) setUp(v *visit) error {
	x := people.Setup{
		Token: secret.Text(v.value("token")), Email: v.value("email"), Name: v.value("name"), Password: v.password("password"), Merchant: v.value("merchant"),
	}
	token, err := c.People.SetUp(v.ctx(), x, v.from())
	switch {
	case errors.Is(err, people.ErrSetup), errors.Is(err, people.ErrIsSetUp):
		return c.noSetup(v)
	case errors.Is(err, people.ErrMerchantName):
		return v.wrong("setup", setupPage{x.Token.Reveal()}, err, "merchant")
	case err != nil:
		return v.wrong("setup", setupPage{x.Token.Reveal()}, err, "password")
	}
	return v.signedInAs(token)
}

// A linkPage is the form by which somebody who was invited chooses a password.
type linkPage struct {
	Token string
	Who   member.Member
}

// Reset says that there was a password before.
func (p linkPage) Reset() bool { return !p.Who.Invited }

func (c *Console) link(v *visit) error {
	m, err := c.People.LinkOf(v.ctx(), secret.Text(v.query("token")))
	if err != nil {
		return v.noLink(err)
	}
	return v.page("link", linkPage{v.query("token"), m})
}

// noLink is the page for who comes by a link that does not count.
func (v *visit) noLink(err error) error {
	if !errors.Is(err, people.ErrLink) {
		return err
	}
	v.showFailure(failure{Status: http.StatusForbidden, Head: v.t("account.link_over"), Say: v.t("account.link_again")})
	return nil
}

func (c *Console) takeLink(v *visit) error {
	link := secret.Text(v.value("token"))
	m, err := c.People.LinkOf(v.ctx(), link)
	if err != nil {
		return v.noLink(err)
	}
	token, err := c.People.TakeLink(v.ctx(), link, v.value("name"), v.password("password"), v.from())
	switch {
	case errors.Is(err, people.ErrLink):
		return v.noLink(err)
	case err != nil:
		return v.wrong("link", linkPage{link.Reveal(), m}, err, "password")
	}
	return v.signedInAs(token)
}

// A confirmPage is the form by which somebody says again who it is.
type confirmPage struct {
	Back string
	Code bool
}

func (c *Console) confirm(v *visit) error {
	return v.page("confirm", confirmPage{v.back(), v.Member.SecondFactor})
}

func (c *Console) confirmed(v *visit) error {
	token, err := c.People.Confirm(v.ctx(), sessionToken(v.r), v.password("password"), v.password("code"), v.from())
	if err != nil {
		return v.wrong("confirm", confirmPage{v.back(), v.Member.SecondFactor}, err, "password")
	}
	setSession(v.w, v.r, token)
	return v.seeOther(v.back())
}

// accountMistakes are the errors that a form tells of: the field, "" being the one that
// the form says, and the text.
var accountMistakes = []struct {
	err        error
	field, key string
}{
	{people.ErrSignIn, "", "account.wrong"},
	{people.ErrWrongCode, "code", "account.wrong_code"},
	{member.ErrEmail, "email", "account.no_email"},
	{member.ErrName, "name", "account.no_name"},
	{people.ErrMerchantName, "merchant", "account.no_name"},
	{member.ErrSameEmail, "email", "account.same_email"},
	{member.ErrPasswordShort, "password", "account.password_short"},
	{member.ErrPasswordLong, "password", "account.password_long"},
	{member.ErrPasswordCommon, "password", "account.password_common"},
	{member.ErrPasswordNamed, "password", "account.password_named"},
}

// retryAfter says in the answer's header when to try again, and returns in how many seconds
// that is.
func (v *visit) retryAfter(at time.Time) int {
	seconds := max(int(math.Ceil(time.Until(at).Seconds())), 1)
	v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return seconds
}

// wrong shows a form again with what is wrong in it, or when to try again; an error that
// is of no field is returned.
func (v *visit) wrong(name string, data any, err error, field string) error {
	if wait, ok := errors.AsType[*people.WaitError](err); ok {
		v.retryAfter(wait.Until)
		return v.show(http.StatusTooManyRequests, name, data, []mistake{{Text: v.t("account.wait", "time", page.Clock(wait.Until, v.zone()), "zone", v.zone())}})
	}
	for _, m := range accountMistakes {
		if !errors.Is(err, m.err) {
			continue
		}
		if m.field != "" {
			field = m.field
		}
		return v.mistaken(name, data, []mistake{{Field: field, Text: v.t(m.key)}})
	}
	return err
}
