package api

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
)

// RequestID is the header by which each answer names its call.
const RequestID = "X-Request-Id"

// Watched is an answer on its way out, with what the log keeps of its call. Error
// may be set until Note.
type Watched struct {
	http.ResponseWriter
	Error string // the type of the error that is answered

	id     string
	at     time.Time
	status int
}

// Watch begins to watch an answer, and has it bear the id of its call.
func Watch(w http.ResponseWriter) *Watched {
	id := uuid.Must(uuid.NewV7()).String()
	w.Header().Set(RequestID, id)
	return &Watched{ResponseWriter: w, id: id, at: time.Now()}
}

// ID names the call.
func (w *Watched) ID() string { return w.id }

// WriteHeader notes the status.
func (w *Watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes that the answer has begun.
func (w *Watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *Watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A Caller is what is known of who makes a call.
type Caller struct {
	Merchant   merchant.ID
	Store      merchant.StoreID
	Mode       merchant.Mode
	Credential string
	By         string
	Client     netip.Addr
}

// Note gives a call to the log, if there is one and it is known whose call it was.
func (w *Watched) Note(to func(merchant.Call), c Caller, r *http.Request, route string) {
	if to == nil || c.Merchant == "" {
		return
	}
	to(merchant.Call{
		ID: w.id, At: w.at, Merchant: c.Merchant, Store: c.Store, Mode: c.Mode, Credential: c.Credential, By: c.By,
		Method: r.Method, Route: route, Path: shownPath(r.URL.EscapedPath(), route), Status: w.status, Took: time.Since(w.at), Client: c.Client, Error: w.Error,
	})
}

// mostPath bounds how much of a path is kept.
const mostPath = 300

// shownPath is a path as it may be kept: what names a billing key, by which money is
// charged, is left out but for its end.
func shownPath(path, route string) string {
	pattern, got := strings.Split(strings.TrimSuffix(route, "?"), "/"), strings.Split(path, "/")
	for i := range min(len(pattern), len(got)) {
		if pattern[i] == "{billingKey}" {
			got[i] = "…" + got[i][max(0, len(got[i])-4):]
		}
	}
	path = strings.Join(got, "/")
	if len(path) > mostPath {
		path = strings.ToValidUTF8(path[:mostPath], "") + "…"
	}
	return path
}
