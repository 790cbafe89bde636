package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// readyPatience bounds how long readyz waits for the database.
const readyPatience = time.Second

// ready answers 200 when a notice would be committed now, and otherwise 503
// with the reason.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.stopping:
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "stopping"})
		return
	default:
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	if err := s.Store.Ready(ctx); err != nil {
		s.cfg.Log.WarnContext(r.Context(), "not ready", "err", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reason": "the database does not take writes; see the log"})
		return
	}
	safe, err := s.Store.Durability(ctx)
	if err != nil {
		safe = "unknown"
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ready", "acknowledged_is_on": safe})
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
