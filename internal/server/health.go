package server

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	readyPatience = time.Second // for the database to take a write
	readyFresh    = time.Second // for which one answer does for all who ask
)

// A readiness is what was last found out about the database. Whoever asks
// costs it at most one write a second, however many ask.
type readiness struct {
	mu   sync.Mutex
	at   time.Time
	safe string // what an acknowledgement is on
	err  error
}

// look returns the last answer, or a new one by probe if that is too old.
func (r *readiness) look(now time.Time, probe func() (string, error)) (safe string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || now.Sub(r.at) >= readyFresh {
		r.safe, r.err = probe()
		r.at = time.Now()
	}
	return r.safe, r.err
}

// ready answers 200 when a notice would be committed now, and otherwise 503
// with the reason. It needs no credential, so its answer is shared.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.stopping:
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "stopping"})
		return
	default:
	}
	if s.ingress.Failing() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reason": "the last notices were not committed; see the log"})
		return
	}
	safe, err := s.readiness.look(time.Now(), func() (string, error) { return s.probe(r.Context()) })
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reason": "the database does not take writes; see the log"})
		return
	}
	if reason := s.Store.Unfit(); reason != "" {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reason": reason})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ready", "acknowledged_is_on": safe, "nodes": s.Store.Nodes()})
}

// receiving reports whether notices are taken now, as far as that can be told: the last
// commit of one did not fail, and the database takes writes.
func (s *Server) receiving(ctx context.Context) bool {
	if s.ingress.Failing() {
		return false
	}
	_, err := s.readiness.look(time.Now(), func() (string, error) { return s.probe(ctx) })
	return err == nil
}

// probe has the database take a write, for all who ask: that the one who asked
// first goes away changes nothing.
func (s *Server) probe(ctx context.Context) (safe string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyPatience)
	defer cancel()
	if err := s.Store.Ready(ctx); err != nil {
		s.cfg.Log.WarnContext(ctx, "not ready", "err", err)
		return "", err
	}
	if safe, err = s.Store.Durability(ctx); err != nil {
		safe = "unknown"
	}
	return safe, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}
