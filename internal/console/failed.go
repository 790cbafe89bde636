package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
)

// A failure is the page of an error.
type failure struct {
	Status int
	// What happened, and what to do.
	Head, Say string
	// Reason is the error's own text, where it is one for people.
	Reason string
	Retry  bool
	// Receiving says whether notices are received meanwhile; empty if that is not the question.
	Receiving string
	// Elsewhere is what has the id of the path in another store or mode.
	Elsewhere []foundThing
}

func (f failure) title() string { return f.Head }

// failures says for each kind of fault which status and text it has.
var failures = map[fault.Kind]struct {
	status int
	key    string
	reason bool // the error's text is shown
}{
	fault.Internal:     {http.StatusInternalServerError, "internal", false},
	fault.Invalid:      {http.StatusUnprocessableEntity, "invalid", true},
	fault.NotFound:     {http.StatusNotFound, "not_found", false},
	fault.Conflict:     {http.StatusConflict, "conflict", true},
	fault.Unauthorized: {http.StatusUnauthorized, "unauthorized", false},
	fault.Forbidden:    {http.StatusForbidden, "forbidden", true},
	fault.Unavailable:  {http.StatusServiceUnavailable, "unavailable", false},
	fault.TooLarge:     {http.StatusRequestEntityTooLarge, "too_large", true},
	fault.Unsupported:  {http.StatusUnprocessableEntity, "unsupported", true},
	fault.Stale:        {http.StatusConflict, "stale", false},
	fault.Unclear:      {http.StatusBadGateway, "unclear", true},
}

// failed shows an error as a page, or goes where it can be mended.
func (v *visit) failed(err error) {
	v.topics = nil
	var right wantsRightError
	var out shutOutError
	switch {
	case errors.Is(err, errSignIn):
		v.goTo(Prefix + "/login")
		return
	case errors.Is(err, errConfirm):
		v.goTo(Prefix + "/confirm")
		return
	case errors.As(err, &out):
		v.showFailure(out.failure(v))
		return
	case errors.As(err, &right):
		f := failure{Status: http.StatusForbidden, Head: v.t("failed.forbidden"), Say: v.reasonWhy(right.right)}
		v.showFailure(f)
		return
	}
	kind := fault.KindOf(err)
	x := failures[kind]
	if kind == fault.Internal {
		v.c.Log.ErrorContext(v.ctx(), "page failed", "request_id", v.ID, "path", v.r.URL.Path, "err", err)
	}
	f := failure{Status: x.status, Head: v.t("failed." + x.key), Say: v.t("failed." + x.key + "_say"), Retry: kind == fault.Unavailable || kind == fault.Internal}
	if x.reason {
		f.Reason = page.Visible(err.Error())
	}
	switch {
	case kind == fault.NotFound:
		f.Elsewhere = v.elsewhere()
	case f.Retry && v.c.Receiving != nil && v.c.Receiving(v.ctx()):
		f.Receiving = v.t("failed.receiving")
	case f.Retry && v.c.Receiving != nil:
		f.Receiving = v.t("failed.not_receiving")
	}
	v.showFailure(f)
}

// elsewhere is what has the id of a page that is not there, where the visitor may see it:
// addresses are copied, and stores and modes are switched. It is a service: without an
// answer there is none.
func (v *visit) elsewhere() []foundThing {
	id := v.r.PathValue("id")
	if _, rest, ok := strings.Cut(v.r.PathValue("rest"), "/"); id == "" && ok {
		id, _, _ = strings.Cut(rest, "/")
	}
	if id == "" || v.r.Method != http.MethodGet || v.Member.ID == "" || v.All == nil {
		return nil
	}
	found, err := v.c.Store.Find(v.ctx(), v.Member.Merchant, v.Member.Store, id, v.Member.Operator)
	if err != nil {
		v.c.Log.WarnContext(v.ctx(), "what is not here is not looked for elsewhere", "request_id", v.ID, "err", err)
		return nil
	}
	return slices.DeleteFunc(v.foundThings(found), func(f foundThing) bool { return f.Path == v.r.URL.EscapedPath() })
}

// showFailure shows the page of an error with as much of the frame as needs no reading.
func (v *visit) showFailure(f failure) {
	v.refuse = true
	if err := v.show(f.Status, "failed", f, nil); err != nil {
		v.c.Log.ErrorContext(v.ctx(), "the page of an error failed", "request_id", v.ID, "err", err)
		http.Error(v.w, f.Head, f.Status)
	}
}

// goTo sends the visitor where they prove who they are, and from there back to this page; a
// form that was sent goes back to the page that it stood on.
func (v *visit) goTo(path string) {
	from := v.r.URL.RequestURI()
	if v.r.Method != http.MethodGet {
		from = Prefix + "/"
		if u, err := url.Parse(v.r.Referer()); err == nil && strings.EqualFold(u.Host, v.r.Host) {
			from = u.RequestURI()
		}
	}
	to := path
	if from = back(from, ""); from != "" {
		to += "?back=" + url.QueryEscape(from)
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

// reasonWhy says which role a right needs, in the words that stand beside a button that
// is disabled for want of it.
func (v *visit) reasonWhy(r member.Right) string { return v.t("right." + string(r)) }
