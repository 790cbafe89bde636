// Package server builds the parts of Tongbo, runs them and stops them. It is
// the only package that knows them all.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/api/openapi"
	"github.com/tongbo/tongbo/internal/api/v2"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/checkout"
	"github.com/tongbo/tongbo/internal/console"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Config is everything a server needs to be told.
type Config struct {
	Database       string
	Key            KeySource
	TrustedProxies []netip.Prefix
	// AllowPrivate lets webhooks go to private and loopback addresses.
	AllowPrivate bool
	// Bind is the source address of webhooks; the zero Addr leaves it to the
	// system.
	Bind   netip.Addr
	Random webhook.Random // nil: nominal delays
	Grace  time.Duration  // for tries in hand when stopping; 0 means 20 s
	// Drain is how long a server that is told to stop goes on listening while
	// /readyz says that it stops, so that load balancers look elsewhere first.
	Drain time.Duration
	// Keep is how long things are kept; its zero value keeps all for ever.
	Keep settings.Retention
	// APIRate is how many calls of the API one API secret may make in a second;
	// 0 bounds nothing. See v2.API.Limit.
	APIRate int
	// PublicURL is how PGs reach this server, such as https://pay.example.kr: PGs
	// that take the address of notices with each order are told it. Empty if that
	// is not known.
	PublicURL string
	// Flags are what the server was told and by what, for people to see.
	Flags []settings.Flag
	// Unknown are names in the environment that look like ours and are not.
	Unknown []string
	// Egress are the addresses from which webhooks leave, where the operator knows
	// them: people are told which ones shops must allow.
	Egress []netip.Addr
	// LoopbackConsole says that the console is reached from this machine alone: then
	// nobody has to have a second factor.
	LoopbackConsole bool
	Log             *slog.Logger
}

// A Server is built from a Config and serves on a listener.
type Server struct {
	Store *store.Store
	// V1, if set before Serve, is where API V1 is served; Serve closes it.
	V1 net.Listener
	// Console, if set before Serve, is where the console is served, and then nowhere
	// else; Serve closes it.
	Console net.Listener
	// People knows who may use the console.
	People *people.People

	cfg        Config
	ingress    *ingress.Ingress
	dispatcher *delivery.Dispatcher
	deadlines  *action.Deadlines
	inquiries  *action.Inquiries
	sweeps     *action.Sweeps
	schedules  *action.Schedules
	silence    *action.Silence
	desk       *attention.Desk
	journal    *action.Journal
	resends    *action.Resends
	history    *action.History
	trials     *action.Trials
	pathTests  *action.PathTests
	actions    *action.Actions
	searchable *action.Searchable
	api, v1    http.Handler
	pages      *console.Console
	console    http.Handler
	checkout   http.Handler
	loopback   *http.Client
	listener   atomic.Pointer[string] // its address, once it serves
	stopping   chan struct{}
	stopOnce   sync.Once
	patience   context.Context // ends when buyers' pages are to wait no longer
	impatient  func()
	readiness  readiness
}

// Open opens the store, exclusively if it is SQLite, and builds the parts.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Keep.Check(); err != nil {
		return nil, err
	}
	key, err := cfg.Key.Load(cfg.Log)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, cfg.Database, store.Options{Key: key, Log: cfg.Log, Exclusive: true})
	if err != nil {
		return nil, err
	}
	s := &Server{Store: st, cfg: cfg, stopping: make(chan struct{}), loopback: safehttp.New(safehttp.Config{AllowPrivate: true})}
	s.patience, s.impatient = context.WithCancel(context.WithoutCancel(ctx))
	s.ingress = &ingress.Ingress{Store: st, Providers: all.Providers(), TrustedProxies: cfg.TrustedProxies, Log: cfg.Log, Rehearsals: st}
	if !strings.HasPrefix(cfg.Database, "sqlite:") {
		s.ingress.Commits = commitsAtOnce
	}
	s.dispatcher = &delivery.Dispatcher{
		Queue:  st,
		Client: safehttp.New(safehttp.Config{AllowPrivate: cfg.AllowPrivate, Bind: cfg.Bind}),
		Random: cfg.Random, Log: cfg.Log, Grace: cfg.Grace,
		Share: st.Share,
	}
	actions := &action.Actions{
		Store: st, Judge: s.ingress.Judge, Again: s.ingress.Again, ByHand: ingress.ByHand, Providers: all.ByCode,
		HTTP:  safehttp.New(safehttp.Config{AllowPrivate: cfg.AllowPrivate}),
		Trial: Plays(st),
		Shops: safehttp.New(safehttp.Config{AllowPrivate: cfg.AllowPrivate, Bind: cfg.Bind}), PrivateShops: cfg.AllowPrivate,
		Windows: &api.Rate{PerSecond: windowsPerSecond, Burst: windowsAtOnce, Most: addressesKnown},
		Notify:  s.ingress.Play, NotifyFrom: s.ingress.PlayFrom, Own: s.own, PublicURL: cfg.PublicURL, Log: cfg.Log, Hash: key.Hash,
	}
	s.actions = actions
	fit := func() bool { return st.Share(1) > 0 }
	s.inquiries = &action.Inquiries{Store: st, Actions: actions, Learnt: ingress.Learnt, Log: cfg.Log, Fit: fit}
	s.sweeps = &action.Sweeps{Store: st, Inquiries: s.inquiries, Log: cfg.Log}
	s.deadlines = &action.Deadlines{Store: st, Log: cfg.Log, Providers: all.ByCode}
	s.desk = &attention.Desk{Store: st.Reader, Providers: all.ByCode}
	s.silence = &action.Silence{Store: st, Desk: s.desk, Log: cfg.Log}
	s.deadlines.Expired = s.silence.Look
	s.schedules = &action.Schedules{Store: st, Actions: actions, Log: cfg.Log, Fit: fit}
	s.resends = &action.Resends{Store: st, Log: cfg.Log, Fit: fit}
	s.history = &action.History{Store: st, Keep: cfg.Keep, Log: cfg.Log}
	s.searchable = &action.Searchable{Store: st, Log: cfg.Log}
	sessions := &listen.Sessions{Store: st, Stopping: s.stopping}
	st.OnSettings(sessions.Refresh)
	st.OnEvents(sessions.Wake)
	actions.Diagnose = Diagnosed(cfg.Egress)
	s.pathTests = &action.PathTests{Actions: actions, Log: cfg.Log}
	s.trials = &action.Trials{Store: st, Hash: key.Hash, Log: cfg.Log}
	s.journal = &action.Journal{Store: st, Log: cfg.Log}
	v2api := &v2.API{
		Store: st.Reader, Actions: actions, Listen: sessions, Key: key, Log: cfg.Log,
		ClientAddr: s.clientAddr, Called: s.journal.Note,
	}
	v2api.Limit(cfg.APIRate)
	s.api = v2api.Routes()
	s.openV1(st, actions, key)
	s.openConsole(st, actions, sessions)
	s.openCheckout(st, actions, key)
	actions.Registered = s.deadlines.Sooner
	s.ingress.Waits = s.deadlines.Sooner
	actions.Asked = s.inquiries.Sooner
	actions.Scheduled = s.schedules.Sooner
	actions.Resending = s.resends.Wake
	st.OnDue(s.resends.Wake)
	s.ingress.Asks = s.inquiries.Sooner
	st.OnSettings(v2api.Refresh)
	st.OnSettings(actions.Refresh)
	st.OnDue(s.dispatcher.Wake)
	st.Give(s.dispatcher)
	st.OnSettings(s.ingress.Refresh)
	st.OnSettings(s.deadlines.Wake)
	st.OnSettings(s.desk.Refresh)
	st.OnSettings(s.trials.Wake)
	return s, nil
}

// own is how this server reaches itself: over loopback, by its own listener.
func (s *Server) own() (*http.Client, string) {
	l := s.listener.Load()
	if l == nil {
		return nil, ""
	}
	return s.loopback, "http://" + *l
}

func (s *Server) clientAddr(r *http.Request) netip.Addr {
	addr, ok := ingress.ClientAddr(r, s.cfg.TrustedProxies)
	if !ok {
		return netip.Addr{}
	}
	return addr
}

// Handler answers everything that comes to the main listener. Notice paths go
// first and past any router that would clean or redirect them.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.ingress.Matches(r.URL.EscapedPath()):
			s.ingress.ServeHTTP(w, r)
		case r.URL.Path == "/healthz":
			writeJSON(w, http.StatusOK, map[string]any{"status": "ok"})
		case r.URL.Path == "/readyz":
			s.ready(w, r)
		case r.URL.Path == "/metrics":
			s.metrics(w, r)
		case strings.HasPrefix(r.URL.Path, openapi.Prefix):
			openapi.ServeHTTP(w, r)
		case ofConsole(r.URL.Path) && s.Console == nil:
			s.console.ServeHTTP(w, r)
		case checkout.Serves(r.URL.Path):
			s.checkout.ServeHTTP(w, r)
		default:
			s.api.ServeHTTP(w, r)
		}
	})
}

// How many payment windows are opened of one store from one address: buyers behind one
// address are many with mobile providers, and a page opens one for each. Of so many
// addresses that is remembered.
const (
	windowsPerSecond = 1
	windowsAtOnce    = 60
	addressesKnown   = 100_000
)

// commitsAtOnce is how many transactions of notices one node has under way on
// PostgreSQL at most, where each statement waits for the network.
const commitsAtOnce = 4

// Limits of the HTTP server: they bound what a slow or endless sender holds.
const (
	headTimeout  = 5 * time.Second
	readTimeout  = 30 * time.Second
	writeTimeout = time.Minute // more than the longest work of an API call
	idleTimeout  = 2 * time.Minute
	maxHeader    = 32 << 10
)

// Serve answers on a listener until ctx ends, then stops in order: not ready
// for the time of Drain, no new connections, answers to what has come in, the
// tries in hand, the store. It closes the store.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	at := reachable(l.Addr())
	s.listener.Store(&at)
	hs, old, pages := s.newHTTP(s.Handler()), s.newHTTP(s.V1Handler()), s.newHTTP(s.ConsoleHandler())
	engines, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	failed := make(chan error, 16)
	start := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(engines); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	s.history.Prepare(ctx)
	s.noteFlags(ctx)
	start("ingress", s.ingress.Run)
	start("delivery", s.dispatcher.Run)
	start("deadlines", s.deadlines.Run)
	start("inquiries", s.inquiries.Run)
	start("sweeps", s.sweeps.Run)
	start("schedules", s.schedules.Run)
	start("silence", s.silence.Run)
	start("journal", s.journal.Run)
	start("resends", s.resends.Run)
	start("history", s.history.Run)
	start("trials", s.trials.Run)
	start("path tests", s.pathTests.Run)
	start("search", s.searchable.Run)
	// This node is one of them until its last try is recorded.
	company, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	var watch sync.WaitGroup
	watch.Go(func() {
		if err := s.Store.Watch(company); err != nil {
			failed <- fmt.Errorf("watch: %w", err)
		}
	})
	go serveOn(hs, l, failed)
	if s.V1 != nil {
		go serveOn(old, s.V1, failed)
	}
	if s.Console != nil {
		go serveOn(pages, s.Console, failed)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.stopOnce.Do(func() { close(s.stopping) })
	if err == nil {
		err = s.drain(ctx, failed)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), headTimeout)
	defer cancel()
	s.pages.End()
	s.impatient()
	var answers sync.WaitGroup
	answers.Go(func() { _ = old.Shutdown(grace) })
	answers.Go(func() { _ = pages.Shutdown(grace) })
	_ = hs.Shutdown(grace)
	answers.Wait()
	stop()
	wg.Wait()
	leave()
	watch.Wait()
	return errors.Join(err, s.Store.Close())
}

// reachable is an address at which this machine reaches a listener of its own.
func reachable(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.Port))
	}
	return a.String()
}

// drain goes on listening for the time of Drain, unless a part fails.
func (s *Server) drain(ctx context.Context, failed <-chan error) error {
	if s.cfg.Drain <= 0 {
		return nil
	}
	s.cfg.Log.InfoContext(ctx, "draining", "drain", s.cfg.Drain)
	drained := time.NewTimer(s.cfg.Drain)
	defer drained.Stop()
	select {
	case <-drained.C:
		return nil
	case err := <-failed:
		return err
	}
}
