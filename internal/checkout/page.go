package checkout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// errOver is for an address that opens nothing, or not any more.
var errOver = fault.Errorf(fault.NotFound, "there is no such window, or its time is over")

// A visit is one request of a buyer's browser about a window.
type visit struct {
	c      *Checkout
	w      http.ResponseWriter
	r      *http.Request
	token  string
	lang   words.Lang
	id     payment.CheckoutID
	window payment.Checkout
	seen   payment.Payment // what the window may show
	offer  action.Offer
}

// visit finds the window of a request's token, and shows what goes wrong as a page.
func (c *Checkout) visit(do func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{c: c, w: w, r: r, token: r.PathValue("token")}
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		v.speak()
		v.guard()
		err := v.arrive()
		if err == nil {
			err = do(v)
		}
		if err != nil {
			v.failed(err)
		}
	}
}

func (v *visit) arrive() error {
	var ok bool
	if v.id, ok = v.c.window(v.token, forPage, time.Now()); !ok {
		return errOver
	}
	return v.read()
}

// read looks at the window as it stands now.
func (v *visit) read() (err error) {
	if v.window, v.seen, err = v.c.Actions.Checkout(v.r.Context(), v.id); err != nil {
		return err
	}
	v.offer, err = v.c.Actions.CheckoutOffer(v.r.Context(), v.id)
	chosen := !v.window.EndedAt.IsZero() || len(v.seen.Transactions) > 0
	gone := fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unsupported)
	if err != nil && (!chosen || !gone) {
		return err // an account that was issued takes money also once its channel issues no others
	}
	v.speak()
	v.guard()
	return nil
}

// speak settles the language: what the buyer chose on the page, else that of the window.
func (v *visit) speak() {
	if l, ok := words.ParseLang(v.r.URL.Query().Get("lang")); ok {
		v.lang = l
		return
	}
	v.lang = langOf(v.window, v.r)
}

// langOf is the language of a window: what the shop's page asked for, else what the browser
// prefers.
func langOf(x payment.Checkout, r *http.Request) words.Lang {
	if x.Locale == "" {
		return words.Accepted(r.Header.Get("Accept-Language"))
	}
	if l, ok := words.ParseLang(x.Locale); ok {
		return l
	}
	return words.En // who asks for French reads English rather than Korean
}

func (v *visit) t(key string, args ...any) string { return words.Text(v.lang, key, args...) }

// guard says what a browser may do with the page: only the shop's page that opened the
// window may frame it, and its forms lead nowhere but here.
func (v *visit) guard() {
	frame, form := "'none'", " form-action 'self';"
	switch {
	case v.window.Origin != "":
		frame = v.window.Origin
	case v.id != "" && v.window.ID == "":
		frame = "http: https:" // it could not be read: the page that says so is for all to see
	}
	if v.window.Window == redirect {
		// Here a form is answered with the shop's address, and that may lead on to any other:
		// another host of the shop, an app. Browsers hold each step against the policy, and
		// who has paid would stay on the form.
		form = ""
	}
	h := v.w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors "+frame+"; base-uri 'none';"+form+" object-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	// The address is all that one needs to see the page. Under no-referrer its own forms would
	// come from the origin "null", and be refused of browsers that do not send Sec-Fetch-Site.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Permissions-Policy", "clipboard-write=(self)")
}

// showNow shows the window as it stands, with what is wrong with its form if something is.
func (v *visit) showNow(list []mistake) error {
	w := v.view()
	w.Mistakes = list
	status := http.StatusOK
	if list != nil {
		status = http.StatusUnprocessableEntity
	}
	t, begun := v.seen.Transaction()
	var name string
	switch {
	case v.window.Outcome.Code != "":
		return v.ended(w)
	case begun && t.Account != nil && t.Account.Number != "", begun && !t.PaidAt.IsZero():
		name = v.issued(&w, t)
	case begun:
		name = "over"
		w.Version = v.mark()
		w.Headline, w.Says = v.t("checkout.unclear"), v.t("checkout.unclear_says")
	case v.window.Method == payment.VirtualAccount:
		name = "account"
		w.Banks, w.Due = v.offer.Banks, v.offer.Due
	default:
		name = v.endings(&w)
	}
	return v.write(status, name, w)
}

// issued fills in what is shown of an account, or of money that came.
func (v *visit) issued(w *view, t payment.Transaction) string {
	w.Version = v.mark()
	w.Title = v.t("checkout.title_issued")
	if t.Account != nil {
		w.Account, w.Number, w.Expired = t.Account, t.Account.Number.Reveal(), v.seen.Expired
	}
	switch v.seen.State {
	case payment.Paid:
		w.Title, w.Paid, w.PaidAt = v.t("checkout.title_paid"), true, v.seen.PaidAt
	case payment.PartiallyCancelled, payment.Cancelled:
		w.Headline, w.Says = v.t("checkout.title_ended"), v.t("checkout.taken_back")
		return "over"
	case payment.Failed:
		w.Headline, w.Says, w.Bad = v.t("checkout.failed"), v.t("checkout.failed_says"), true
		return "over"
	case payment.Ready, payment.Issued, payment.PayPending:
	}
	return "issued"
}

// endings fills in how a payment that is played can end, and names its page.
func (v *visit) endings(w *view) (name string) {
	name = "card"
	if v.offer.Wallet != "" {
		name, w.Wallet = "wallet", v.t("wallet."+string(v.offer.Wallet))
		w.Title = v.t("checkout.wallet", "name", w.Wallet)
	}
	for _, e := range v.offer.Endings {
		w.Endings = append(w.Endings, ending{e, v.t("checkout." + name + "_" + string(e))})
	}
	return name
}

// ended shows a window that came to nothing.
func (v *visit) ended(w view) error {
	key, bad := "failed", true
	switch v.window.Outcome.Code {
	case payment.CodeCancelled:
		key, bad = "left", false
		w.End = "left"
	case payment.CodeExpired:
		key, bad = "over", false
	case payment.CodeUnclear:
		key, bad = "unclear", false
	case payment.CodeAlreadyPaid:
		key, bad = "already", false
	case payment.CodeOvertaken:
		key, bad = "elsewhere", false
	case payment.CodeConfirm:
		key = "confirm_no"
	case payment.CodePG:
		w.Why = v.window.Outcome.PGMessage
	case payment.CodeOtherAmount:
		key = "other_amount"
	}
	w.Title, w.Bad, w.Says = v.t("checkout.title_ended"), bad, v.t("checkout."+key+"_says")
	w.Headline = v.t("checkout.title_ended")
	if key != "left" {
		w.Headline = v.t("checkout." + key)
	}
	return v.write(http.StatusOK, "over", w)
}

// failed shows what went wrong. The window stays what it is.
func (v *visit) failed(err error) {
	v.guard()
	w := v.view()
	status, key, args := http.StatusInternalServerError, "trouble", []any{}
	switch {
	case errors.Is(err, payment.ErrTooManyAccounts): // of which there are some again within the hour
		status, key = http.StatusTooManyRequests, "full"
		v.w.Header().Set("Retry-After", "600")
	case errors.Is(err, payment.ErrTooManyWindows):
		status, key, args = http.StatusTooManyRequests, "busy", []any{"n", 10}
		v.w.Header().Set("Retry-After", "10")
	case fault.Is(err, fault.NotFound), errors.Is(err, payment.ErrCheckoutExpired), errors.Is(err, payment.ErrCheckoutEnded):
		status, key = http.StatusNotFound, "over"
	case fault.Is(err, fault.Unsupported):
		status, key = http.StatusNotImplemented, "cannot"
	case fault.Is(err, fault.Conflict):
		status, key = http.StatusConflict, "elsewhere"
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Stale):
		status = http.StatusServiceUnavailable
		v.w.Header().Set("Retry-After", "2")
	}
	if key == "trouble" {
		w.RequestID = uuid.NewString()
		args = []any{"id", w.RequestID}
		if !wentAway(v.r) {
			v.c.Log.ErrorContext(v.r.Context(), "a payment page failed", "checkout", v.id, "request", w.RequestID, "error", err)
		}
	}
	w.Again = slices.Contains([]string{"trouble", "busy", "full"}, key) && v.id != ""
	w.TxID = "" // there is nothing more to press
	w.Headline, w.Says, w.Bad = v.t("checkout."+key), v.t("checkout."+key+"_says", args...), status >= 500
	if err := v.write(status, "over", w); err != nil {
		http.Error(v.w, v.t("checkout.trouble"), http.StatusInternalServerError)
	}
}

// wentAway reports whether a request's browser is gone. What fails then is no error of this
// side, and anybody can have it fail as often as they like.
func wentAway(r *http.Request) bool { return r.Context().Err() != nil }

// write makes a page and sends it whole.
func (v *visit) write(status int, name string, w view) error {
	t, err := templates(v.lang, name)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "checkout.html", w); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(out.Bytes()) // whoever asked may be gone
	return nil
}

// show shows the window.
func (c *Checkout) show(v *visit) error { return v.showNow(nil) }

// mark is the version of what the page shows.
func (v *visit) mark() string {
	m, err := v.c.Actions.WatchCheckout(v.r.Context(), v.id, "")
	if err != nil {
		return "" // the page looks again by itself
	}
	return m
}

// verbs are what forms of a page are sent to, below it.
var verbs = []string{"pay", "leave", "deposit", "done"}

// state answers with the version of what the page shows: at once if it is not the one that
// the page has, else when it changes or a while has passed.
func (c *Checkout) state(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	id, ok := c.window(r.PathValue("token"), forPage, time.Now())
	switch verb := r.PathValue("state"); {
	case ok && slices.Contains(verbs, verb):
		// A browser that opens a tab anew asks by GET for where a form was sent.
		w.Header().Set("Location", Prefix+"/"+r.PathValue("token"))
		w.WriteHeader(http.StatusSeeOther)
		return
	case !ok, verb != "state":
		http.NotFound(w, r)
		return
	}
	ctx, cancel := c.waits(r, longestWait)
	defer cancel()
	seen := r.URL.Query().Get("seen")
	mark, err := c.Actions.WatchCheckout(ctx, id, seen)
	switch {
	case ctx.Err() != nil:
		mark = seen
	case fault.Is(err, fault.NotFound):
		http.NotFound(w, r)
		return
	case err != nil:
		h.Set("Retry-After", "2")
		http.Error(w, "the server cannot say just now", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, mark) //nolint:gosec // a hash, or what the page itself sent, as plain text
}
