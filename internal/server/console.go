package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/console"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store"
)

// openConsole builds the console, which is served on the main listener, or where Console
// listens.
func (s *Server) openConsole(st *store.Store, actions *action.Actions, sessions *listen.Sessions) {
	s.People = &people.People{Store: st, Loopback: s.cfg.LoopbackConsole, Issuer: issuer(s.cfg.PublicURL), Hash: actions.Hash, Log: s.cfg.Log}
	s.pages = &console.Console{
		Store: st.Reader, Actions: actions, Sessions: s.People, People: s.People, Log: s.cfg.Log, ClientAddr: s.clientAddr,
		PublicURL: s.cfg.PublicURL, Egress: s.cfg.Egress, AllowPrivate: s.cfg.AllowPrivate, Flags: s.cfg.Flags,
		Desk: s.desk, Dropped: s.journal.Dropped, Receiving: s.receiving,
		Doctor: Doctor(st, s.cfg), PathTests: s.pathTests,
		Tester: &delivery.CallTester{Client: safehttp.New(safehttp.Config{AllowPrivate: s.cfg.AllowPrivate, Bind: s.cfg.Bind})}, Listen: sessions,
	}
	s.People.Changed = s.pages.MemberChanged
	st.OnSettings(s.pages.Refresh)
	s.console = s.pages.Routes()
}

// issuer is what authenticators call this installation.
func issuer(public string) string {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return "Tongbo"
	}
	return "Tongbo " + u.Host
}

// ofConsole reports whether a path belongs to the console.
func ofConsole(path string) bool {
	return path == console.Prefix || strings.HasPrefix(path, console.Prefix+"/")
}

// ConsoleHandler answers everything that comes to the console's own listener.
func (s *Server) ConsoleHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/":
			http.Redirect(w, r, console.Prefix+"/", http.StatusSeeOther)
		case path == "/healthz":
			writeJSON(w, http.StatusOK, map[string]any{"status": "ok"})
		case path == "/readyz":
			s.ready(w, r)
		case ofConsole(path):
			s.console.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}
