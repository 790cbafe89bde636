package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A standing is how a thing stood when a page about it was made. Forms send it along (the
// part "was"), so that what changed meanwhile can be told.
type standing struct {
	Kind, State string // state.KIND.STATE of the catalogue; the latter may be empty
	Mark        string // of what a form saves as a whole; empty if none does
	At          time.Time
	Object      string // as the audit log calls it; it is not sent along
}

// String is a standing as forms send it.
func (s standing) String() string {
	return strings.Join([]string{s.Kind, s.State, s.Mark, strconv.FormatInt(s.At.UnixMicro(), 10)}, " ")
}

func parseStanding(text string) (s standing, ok bool) {
	parts := strings.Split(text, " ")
	if len(parts) != 4 {
		return s, false
	}
	at, err := strconv.ParseInt(parts[3], 10, 64)
	return standing{Kind: parts[0], State: parts[1], Mark: parts[2], At: time.UnixMicro(at).UTC()}, err == nil
}

// stands notes how the thing is that the page is about. saved is what a form of it saves as
// a whole, if there is one.
func (v *visit) stands(kind, state, object string, saved ...any) {
	v.stand = standing{Kind: kind, State: state, At: v.now(), Object: object}
	if len(saved) > 0 {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", fmt.Sprint(saved...)))
		v.stand.Mark = hex.EncodeToString(sum[:6])
	}
}

// Was is how the page's thing stands, for its forms; empty if it has none.
func (v view) Was() string {
	if v.visit.stand.Kind == "" {
		return ""
	}
	return v.visit.stand.String()
}

// errMoved says that somebody else saved a thing since the page with its form was made.
var errMoved = fault.Errorf(fault.Conflict, "it was changed since the form was shown")

// unmoved reports errMoved if what a form saves as a whole is not what it showed.
func (v *visit) unmoved() error {
	was, ok := parseStanding(v.value("was"))
	if ok && was.Kind == v.stand.Kind && was.Mark != "" && was.Mark != v.stand.Mark {
		return errMoved
	}
	return nil
}

// posted reports whether a form was sent, also while its page is shown again.
func (v *visit) posted() bool { return v.r.Method == http.MethodPost || v.conflict != nil }

// again shows the page of a form that could not be done in the present state of things,
// with what was entered, and what changed since it was shown. It reports false if the form
// has no page, or it cannot be shown.
func (v *visit) again(r route, why error) bool {
	if r.method != http.MethodPost || v.Member.ID == "" || !fault.Is(why, fault.Conflict) && !fault.Is(why, fault.Stale) {
		return false
	}
	page, path, ok := v.formPage(r)
	if !ok {
		return false
	}
	all, err := v.c.settings(v.ctx())
	if err != nil {
		return false
	}
	sent, u := v.r, *v.r.URL
	u.Path, u.RawPath = path, ""
	v.r = v.r.WithContext(v.ctx())
	v.r.Method, v.r.URL = http.MethodGet, &u
	v.All, v.topics, v.conflict = all, nil, why
	if err := page.do(v); err != nil {
		v.r, v.conflict, v.topics = sent, nil, nil
		return false
	}
	return true
}

// formPage finds the page on which a form stands: that of its own path, or of a path above.
func (v *visit) formPage(r route) (page route, path string, ok bool) {
	routes := v.c.routes()
	pattern, path := r.path, v.r.URL.Path
	for pattern != "" {
		for _, x := range routes {
			if x.method == http.MethodGet && x.path == pattern && v.May(x.right) && (!x.confirm || v.confirmed()) {
				return x, path, true
			}
		}
		pattern, path = pattern[:max(0, strings.LastIndexByte(pattern, '/'))], path[:max(0, strings.LastIndexByte(path, '/'))]
	}
	return route{}, "", false
}

// moves says what changed since the form that was sent was shown: in words of states, and,
// of what is saved as a whole, by whom and how.
func (v *visit) moves() (out []mistake) {
	was, ok := parseStanding(v.value("was"))
	is := v.stand
	if !ok || was.Kind != is.Kind {
		return nil
	}
	if from, to := v.stateWord(was), v.stateWord(is); was.State != is.State && from != "" && to != "" {
		out = append(out, mistake{"", v.t("moved.states", "was", from, "is", to)})
	}
	if was.Mark != "" && is.Mark != "" && was.Mark != is.Mark {
		out = append(out, v.changesSince(was.At)...)
	}
	return out
}

// stateWord is the state of a standing in words; empty if it has none.
func (v *visit) stateWord(s standing) string {
	key := "state." + s.Kind + "." + s.State
	if s.State == "" || !words.Has(key) {
		return ""
	}
	return v.t(key)
}

// mostMoves is how many changes are told.
const mostMoves = 5

// changesSince says what people did to the page's thing since a time, the latest first.
func (v *visit) changesSince(at time.Time) []mistake {
	changed := []mistake{{"", v.t("moved.changed")}}
	list, err := v.c.Store.AuditLog(v.ctx(), store.AuditQuery{Merchant: v.Member.Merchant, Object: v.stand.Object, Limit: mostMoves})
	if err != nil {
		v.c.Log.WarnContext(v.ctx(), "who changed a thing is not told", "request_id", v.ID, "err", err)
		return changed
	}
	var out []mistake
	for _, e := range list {
		if !e.At.After(at) {
			continue
		}
		for _, c := range v.auditLine(e).Changes {
			out = append(out, mistake{"", v.t("moved.field", "time", page.Clock(e.At, v.zone()), "who", page.Visible(e.By.Name),
				"field", page.Visible(c.Name), "was", page.Visible(orDash(c.Before)), "is", page.Visible(orDash(c.After)))})
		}
	}
	if len(out) == 0 {
		return changed
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// conflicts are errors of things that are in the wrong state, with their words.
var conflicts = []struct {
	err error
	key string
}{
	{payment.ErrNotPaid, "not_paid"},
	{payment.ErrAllCancelled, "all_cancelled"},
	{payment.ErrOtherRest, "other_rest"},
	{payment.ErrCancelTooMuch, "cancel_too_much"},
	{payment.ErrCancelTaxFree, "cancel_tax"},
	{payment.ErrCancelTaxed, "cancel_tax"},
	{payment.ErrTooManyCancels, "too_many_cancels"},
	{payment.ErrNotPending, "not_pending"},
	{payment.ErrNotWaiting, "not_waiting"},
	{payment.ErrAlreadyPaid, "already_paid"},
	{payment.ErrUnderWay, "under_way"},
	{action.ErrUnderWay, "under_way"},
	{action.ErrPaidTwice, "paid_twice"},
	{action.ErrNotUnmatched, "not_unmatched"},
	{action.ErrNoTrial, "no_trial"},
	{action.ErrOnTrial, "on_trial"},
	{notice.ErrBodyGone, "body_gone"},
	{notice.ErrCasePending, "case_pending"},
	{notice.ErrLinkChannel, "link_channel"},
	{notice.ErrLinkOther, "link_other"},
	{webhook.ErrTooManyResends, "too_many_resends"},
	{people.ErrLastOwner, "last_owner"},
	{errMoved, "moved"},
}

// conflictWords is why something cannot be done in the present state of things. What the
// catalogue has no words for is said as the error does.
func (v *visit) conflictWords(err error) string {
	for _, c := range conflicts {
		if errors.Is(err, c.err) {
			return v.t("conflict." + c.key)
		}
	}
	if fault.Is(err, fault.Stale) {
		return v.t("failed.stale_say")
	}
	return page.Visible(err.Error())
}

// headed is what stands above the form that was sent, and with which status: what changed
// since it was shown, why it could not be done, and what is wrong in it.
func (v *visit) headed(status int, list []mistake) (head string, now int, all []mistake) {
	switch {
	case !v.posted() || v.conflict == nil && len(list) == 0:
		return "", status, list
	case status == http.StatusTooManyRequests:
		return v.t("failed.later"), status, list
	}
	all = v.moves()
	if len(all) > 0 {
		head, status = v.t("moved.head"), http.StatusConflict
	}
	if status == http.StatusConflict && head == "" {
		head = v.t("failed.conflict")
	}
	if v.conflict != nil {
		if status = http.StatusConflict; head == "" {
			head = v.t("failed.conflict")
			if is := v.stateWord(v.stand); is != "" {
				all = append(all, mistake{"", v.t("moved.now", "is", is)})
			}
		}
		all = append(all, mistake{"", v.conflictWords(v.conflict)})
	}
	return head, status, append(all, list...)
}

// onOff is a state of two.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
