// Package checkout is the face that buyers meet: the two scripts that a shop's page loads
// (scripts.go, assets/*.js), what they call, and the page in which a buyer pays (결제창).
//
// The scripts are plain JavaScript for browsers of 2020 and later, served as they are
// written: browser-sdk.js and iamport.js, each in a function of its own together with
// window.js, the part they share. They set one global each, PortOne and IMP.
//
// A shop's page asks for a window (open.go); askv2.go and askv1.go read what the two SDKs
// are given. The window is named by a token (token.go), which is all that its page needs:
// there are no cookies. The page (page.go, pages/) works as plain forms; every POST
// answers with 303. What came of the window the script reads from result.go, by another
// token that can do nothing else. docs/checkout.md says all of it for shops.
//
// What may be done is decided by package action: nothing here reads a payment but through
// [action.Actions.Checkout], which shows what the window may show. Everything is safe for
// concurrent use.
package checkout

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// Prefix is where the paths of windows begin.
const Prefix = "/checkout"

// A Checkout answers below Prefix and serves the scripts. All fields but PublicURL and Ends are
// required, and must not change once it is in use.
type Checkout struct {
	Actions *action.Actions
	// Settings are those of now.
	Settings func(context.Context) (settings.All, error)
	// ClientAddr finds who sent a request; the invalid address if that cannot be told.
	ClientAddr func(*http.Request) netip.Addr
	// PublicURL is how browsers reach this server, without a slash at the end; empty if
	// nobody said: then it is what each request was sent to.
	PublicURL string
	// Hash is the installation's keyed hash, in hex: it makes tokens that nobody else can
	// make, and every node takes.
	Hash func(purpose, value string) string
	Log  *slog.Logger
	// Ends, if set, ends when requests that wait for something are to wait no longer: the
	// server stops.
	Ends context.Context
}

// Limits of what is read and waited for.
const (
	mostRequest = 64 << 10
	mostForm    = 16 << 10
	longestWait = 25 * time.Second
	// shortRead is how long a window without an account can be read, after it was opened.
	shortRead = 2 * payment.CheckoutLife
)

var assets = page.NewAssets(assetFiles, "assets", Prefix+"/assets/")

// Routes serves the scripts and everything below Prefix.
func (c *Checkout) Routes() http.Handler {
	mux := http.NewServeMux()
	scripts := Scripts(c.PublicURL)
	mux.Handle(ScriptV2, scripts)
	mux.Handle(ScriptV1, scripts)
	mux.Handle("GET "+Prefix+"/assets/{file}", assets)
	mux.HandleFunc("OPTIONS "+Prefix+"/requests", preflight)
	mux.HandleFunc("POST "+Prefix+"/requests", c.open)
	mux.HandleFunc("GET "+Prefix+"/result/{token}", c.result)
	mux.HandleFunc("GET "+Prefix+"/{token}", c.visit(c.show))
	mux.HandleFunc("GET "+Prefix+"/{token}/{state}", c.state) // not "state": that would be ambiguous beside the assets
	mux.HandleFunc("POST "+Prefix+"/{token}/pay", c.visit(c.pay))
	mux.HandleFunc("POST "+Prefix+"/{token}/leave", c.visit(c.leave))
	mux.HandleFunc("POST "+Prefix+"/{token}/deposit", c.visit(c.deposit))
	mux.HandleFunc("POST "+Prefix+"/{token}/done", c.visit(c.done))
	mux.HandleFunc(Prefix+"/", c.visit(func(*visit) error { return errOver }))
	return mux
}

// Serves reports whether a path is one of this package's.
func Serves(path string) bool {
	return path == ScriptV2 || path == ScriptV1 || len(path) > len(Prefix) && path[:len(Prefix)+1] == Prefix+"/"
}

// waits is how long a request waits for something, at most.
func (c *Checkout) waits(r *http.Request, most time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(r.Context(), most)
	if c.Ends == nil {
		return ctx, cancel
	}
	forget := context.AfterFunc(c.Ends, cancel)
	return ctx, func() { forget(); cancel() }
}

// base is where browsers reach this server.
func (c *Checkout) base(r *http.Request) (string, bool) { return scriptOrigin(c.PublicURL, r) }
