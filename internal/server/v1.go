package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api/openapi"
	"github.com/tongbo/tongbo/internal/api/v1"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
)

// openV1 builds API V1, which is served where V1 listens.
func (s *Server) openV1(st *store.Store, actions *action.Actions, key *seal.Key) {
	api := &v1.API{Store: st.Reader, Actions: actions, Key: key, Log: s.cfg.Log, ClientAddr: s.clientAddr, Called: s.journal.Note}
	api.Limit(s.cfg.APIRate)
	st.OnSettings(api.Refresh)
	s.v1 = api.Routes()
}

// V1Handler answers everything that comes to the listener of API V1.
func (s *Server) V1Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz":
			writeJSON(w, http.StatusOK, map[string]any{"status": "ok"})
		case path == "/readyz":
			s.ready(w, r)
		case strings.HasPrefix(path, openapi.Prefix):
			openapi.ServeHTTP(w, r)
		default:
			s.v1.ServeHTTP(w, r)
		}
	})
}

// newHTTP is the HTTP server of a listener.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

// serveOn serves on a listener until the server is shut down. What else ends it is
// told to failed.
func serveOn(hs *http.Server, l net.Listener, failed chan<- error) {
	if err := hs.Serve(ingress.Lenient(l)); !errors.Is(err, http.ErrServerClosed) {
		failed <- err
	}
}
