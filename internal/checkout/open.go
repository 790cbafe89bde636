package checkout

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// A wish is what a script asks for.
type wish struct {
	SDK      payment.SDK     `json:"sdk"`
	Window   string          `json:"window"` // what the script is about to open
	UserCode string          `json:"userCode"`
	TierCode string          `json:"tierCode"`
	Request  json.RawMessage `json:"request"`
}

// An opened is the answer: where the window is, and where what came of it is read.
type opened struct {
	PaymentID string `json:"paymentId"`
	TxID      string `json:"txId"`
	Window    string `json:"window"`
	Page      string `json:"page"`
	Result    string `json:"result"`
	ExpiresIn int    `json:"expiresIn"` // in seconds
}

// The kinds of window.
const (
	inFrame  = "IFRAME"
	inPopup  = "POPUP"
	redirect = "REDIRECTION"
	inUI     = "UI"
)

// preflight lets browsers ask. Which pages may, only the request itself can tell.
func preflight(w http.ResponseWriter, r *http.Request) {
	cors(w, r)
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "content-type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// cors lets the page that asks read the answer.
func cors(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
	}
}

// open makes a window.
func (c *Checkout) open(w http.ResponseWriter, r *http.Request) {
	cors(w, r)
	at, got, err := c.opened(w, r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	now := time.Now()
	page := at + Prefix + "/" + c.token(got.ID, forPage, readableUntil(got))
	writeJSON(w, http.StatusOK, opened{
		PaymentID: string(got.PaymentID), TxID: string(got.Transaction), Window: got.Window, Page: page,
		Result: at + Prefix + "/result/" + c.token(got.ID, forResult, got.CreatedAt.Add(shortRead)),
		// The script keeps the page for as long, though no account may be issued in it any
		// more: one that was is to be seen beyond its deadline.
		ExpiresIn: int(got.CreatedAt.Add(payment.CheckoutLife).Sub(now) / time.Second),
	})
}

// readableUntil is how long the page of a window can be read: an account's until some time
// after the latest deadline that it can have.
func readableUntil(w payment.Checkout) time.Time {
	if w.Method != payment.VirtualAccount {
		return w.CreatedAt.Add(shortRead)
	}
	return action.CheckoutDue(w, w.ExpiresAt).Add(payment.CheckoutReadable)
}

func (c *Checkout) opened(w http.ResponseWriter, r *http.Request) (at string, got payment.Checkout, err error) {
	at, ok := c.base(r)
	if !ok {
		return at, got, fault.Errorf(fault.Invalid, "the request names no host")
	}
	var x wish
	if err := readJSON(http.MaxBytesReader(w, r.Body, mostRequest), &x); err != nil {
		return at, got, err
	}
	ask, err := c.asked(r, x)
	if err != nil {
		return at, got, err
	}
	ask.Origin, ask.Address = r.Header.Get("Origin"), c.ClientAddr(r)
	ask.Near = ask.Address.Unmap().IsLoopback() && r.Header["X-Forwarded-For"] == nil && r.Header["Forwarded"] == nil
	switch x.Window {
	case inFrame, inPopup, redirect, inUI:
		ask.Window = x.Window
	default:
		return at, got, fault.Errorf(fault.Invalid, "window %.20q: want IFRAME, POPUP, REDIRECTION or UI", x.Window)
	}
	got, err = c.Actions.OpenCheckout(r.Context(), ask)
	return at, got, err
}

func (c *Checkout) asked(r *http.Request, x wish) (action.CheckoutRequest, error) {
	switch x.SDK {
	case payment.SDKV2:
		var in requestV2
		if err := readJSON(strings.NewReader(string(x.Request)), &in); err != nil {
			return action.CheckoutRequest{}, err
		}
		return in.asked(time.Now())
	case payment.SDKV1:
		var in requestV1
		if err := readJSON(strings.NewReader(string(x.Request)), &in); err != nil {
			return action.CheckoutRequest{}, err
		}
		all, err := c.Settings(r.Context())
		if err != nil {
			return action.CheckoutRequest{}, err
		}
		return in.asked(all, x.UserCode, x.TierCode)
	}
	return action.CheckoutRequest{}, fault.Errorf(fault.Invalid, "sdk %.20q: want v2 or v1", string(x.SDK))
}

// readJSON reads one value, whose unknown fields mean nothing here.
func readJSON(from io.Reader, into any) error {
	d := json.NewDecoder(from)
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows the value")
	}
	var size *http.MaxBytesError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &size):
		return fault.Errorf(fault.Invalid, "the request is longer than %d bytes", size.Limit)
	case errors.As(err, &kind):
		return fault.Errorf(fault.Invalid, "%s must not be a %s", kind.Field, kind.Value)
	}
	return fault.Errorf(fault.Invalid, "the request is not valid JSON: %v", err)
}

// refuse answers a script with a code of the SDK and a sentence for the shop's developer.
func (c *Checkout) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, status := action.CheckoutCode(err), http.StatusInternalServerError
	switch {
	case errors.Is(err, payment.ErrTooManyWindows):
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "10")
	case fault.Is(err, fault.Invalid):
		status = http.StatusBadRequest
	case fault.Is(err, fault.NotFound):
		status = http.StatusNotFound
	case fault.Is(err, fault.Forbidden):
		status = http.StatusForbidden
	case fault.Is(err, fault.Conflict):
		status = http.StatusConflict
	case fault.Is(err, fault.Unsupported):
		status = http.StatusNotImplemented
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Stale):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	says := err.Error()
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		// What the database says of itself, where it is above all, is for the operator alone.
		if !wentAway(r) {
			c.Log.ErrorContext(r.Context(), "a script was told nothing of a payment window", "error", err)
		}
		says = "something went wrong on this side: try again"
	}
	writeJSON(w, status, map[string]string{"code": code, "message": says})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}
