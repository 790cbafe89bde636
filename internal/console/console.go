// Package console is the face that people look at: pages below /console, made on the
// server, that work as plain forms and links. Scripts of ours add live updates, keys and
// copy buttons, and nothing that a page needs.
//
// # A page
//
// A page is a Go file with its handlers and a list of routes (a method of Console, named
// in routes), a template in pages/, and its texts in the catalogue of package words. A
// handler gets a visit: who asks (Member), in which language, and, below
// /console/{store}/{mode}, the scope: merchant, store ("" is all of them) and mode. It
// reads through Store, changes things through Actions only, and ends with
//
//	return v.page("payments", data)   // pages/payments.html, titled by the text page.payments
//	return v.done("/payments", "payments.resent", "n", 3)   // after a change: 303, and the text once
//	return err                        // a page of its kind: 403, 404, 409, 500 …
//
// Who may come is in the route: the least right, whether the session must have been
// confirmed within ten minutes (confirm). The frame checks both before the handler runs;
// what the page shows beyond that asks v.May. A person without a right sees the button
// disabled with the reason beside it: {{template "button" …}}.
//
// A form with mistakes is shown again with status 422: v.mistaken(name, data, mistakes).
// One that meets another state of things returns the error (fault.Conflict): the page on
// which it stands is shown again with status 409, what was entered, and what changed. For
// that, whoever loads a thing notes how it stands (v.stands), and its forms send that along:
// {{template "was" $}}. A form that saves a thing as a whole asks v.unmoved first.
//
// # Templates
//
// pages/frame.html surrounds all. A page's template defines "content", and "actions" if
// there is something to do beside the title. Its data is the view; what the handler gave is
// .Data. The functions are in functions.go: t (a text), time, ago, money, state (a chip),
// outside (text from outside, with control characters visible), bank, count. Everything is
// escaped by html/template; there is no inline script or style, the policy forbids both.
//
// # Live
//
// An element with an id and the attribute data-live is brought up to date when something
// of the page's topics happens (v.topics): the script asks for the page's content again and
// replaces what differs. In a table with data-rows, rows are matched by id: those that are
// there change in place, and new ones wait behind a button.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// Prefix is where the console's paths begin.
const Prefix = "/console"

// A Console answers below Prefix. Store, Actions, Sessions, People, Tester, Listen and Log are required. The
// fields must not change once it is in use.
type Console struct {
	Store   *store.Reader
	Actions *action.Actions
	// Sessions knows who is signed in, and People changes who is.
	Sessions Sessions
	People   *people.People
	Log      *slog.Logger
	// ClientAddr finds who sent a request, behind any trusted proxies; the invalid
	// address if that cannot be told.
	ClientAddr func(*http.Request) netip.Addr
	// PublicURL is how PGs and people reach this server, without a slash at the end;
	// empty if nobody said.
	PublicURL string
	// Egress are the addresses from which webhooks leave, for shops to allow; they are
	// only shown.
	Egress []netip.Addr
	// Desk knows what needs a person.
	Desk *attention.Desk
	// Dropped, if set, is how many calls of the APIs this server could not keep.
	Dropped func() int64
	// Receiving, if set, reports whether notices are received now, for people who find
	// the console in trouble.
	Receiving func(context.Context) bool
	// AllowPrivate says that webhooks may go to private addresses.
	AllowPrivate bool
	// Tester calls addresses as webhooks would be sent there.
	Tester *delivery.CallTester
	// Listen has the sessions of developers' machines.
	Listen *listen.Sessions
	// PathTests runs tests of channels' paths.
	PathTests *action.PathTests
	// Flags are what this node was told when it was started; they are only shown.
	Flags []settings.Flag

	// Doctor examines the installation, for who operates it.
	Doctor *doctor.Doctor

	views   settings.Cache[settings.All]
	hub     hub
	checkup checkup
	front   homeFigures
}

// Sessions is what the frame asks about who is signed in.
type Sessions interface {
	// Session returns the session of a token, and whose it is. It reports
	// fault.Unauthorized if there is none, or it has ended; and, with whose it is, while
	// the second factor is owed.
	Session(ctx context.Context, token secret.Text) (member.Member, member.Session, error)
	// Standing is Session for what a page does by itself: nobody is seen by it, so that a
	// session of which nothing but an open page is left ends as an idle one.
	Standing(ctx context.Context, token secret.Text) (member.Member, member.Session, error)
}

// A route is a page or a verb.
type route struct {
	method string
	// path is below /console/{store}/{mode}, or, if it begins with Prefix, by itself.
	path string
	// right is the least that whoever comes must have; empty is for everybody, signed in
	// or not.
	right member.Right
	// confirm asks for a session that was confirmed within ten minutes.
	confirm bool
	do      func(*visit) error
}

// routes lists every page of the console.
func (c *Console) routes() []route {
	return slices.Concat(
		c.frameRoutes(),
		c.accountRoutes(), c.meRoutes(), c.memberRoutes(), c.auditRoutes(),
		c.keyRoutes(),
		c.eventRoutes(), c.signatureRoutes(), c.simulatorRoutes(), c.listenRoutes(),
		c.accessRoutes(),
		c.noticeRoutes(),
		c.paymentRoutes(), c.onePaymentRoutes(), c.searchRoutes(),
		c.channelRoutes(), c.integrationRoutes(), c.systemRoutes(),
		c.storeRoutes(),
		c.limitRoutes(),
		c.homeRoutes(), c.attentionRoutes(), c.requestRoutes(),
		c.deliveryRoutes(), c.endpointRoutes(),
	)
}

// Routes serves every page, the assets and the stream.
func (c *Console) Routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range c.routes() {
		path := r.path
		if !strings.HasPrefix(path, Prefix) {
			path = Prefix + "/{store}/{mode}" + path
		}
		mux.Handle(r.method+" "+path, c.handle(r))
	}
	mux.Handle("GET "+Prefix+"/assets/{file}", assets)
	noPage := func(*visit) error { return errNoPage }
	mux.Handle(Prefix+"/{store}/{mode}/{rest...}", c.handle(route{right: member.See, do: noPage}))
	mux.Handle(Prefix+"/", c.handle(route{do: noPage}))
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(c.handle(route{do: func(*visit) error { return errCrossOrigin }}))
	return guard.Handler(mux)
}

// Refresh makes the next page see the settings as they are then. It does not block.
func (c *Console) Refresh() { c.views.Refresh() }

// MemberChanged has the streams of a member's open pages end at once, unless the member is
// still signed in there, with what it had. It does not block. See people.People's Changed.
func (c *Console) MemberChanged(m member.ID) { c.hub.doubt(m) }

// End ends the streams of open pages, for a server that stops: they ask again, and find the
// next one.
func (c *Console) End() { c.hub.end() }

// settings returns the settings in use, loading them if need be.
func (c *Console) settings(ctx context.Context) (*settings.All, error) {
	return c.views.Get(ctx, func(ctx context.Context) (*settings.All, error) {
		all, err := c.Store.Settings(ctx)
		return &all, err
	})
}

// frameRoutes are the pages that belong to no section.
func (c *Console) frameRoutes() []route {
	return []route{
		{http.MethodGet, Prefix, "", false, c.enter},
		{http.MethodGet, Prefix + "/{$}", "", false, c.enter},
		{http.MethodGet, Prefix + "/stream", member.See, false, c.stream},
	}
}
