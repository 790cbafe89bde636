package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// metrics answers /metrics in the text format of Prometheus. It tells how much business
// there is, so nobody hears of it but who calls from this machine or its own network.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	from := s.clientAddr(r).Unmap()
	if !from.IsLoopback() && !from.IsPrivate() {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var out strings.Builder
	out.WriteString("# HELP tongbo_checkout_answers_total Pages of shops that were told how their payment window ended, by the order of that and the webhook.\n" +
		"# TYPE tongbo_checkout_answers_total counter\n")
	answers := s.actions.CheckoutAnswers()
	for _, order := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&out, "tongbo_checkout_answers_total{order=%q} %d\n", order, answers[order])
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(out.String())) // who hung up reads nothing
}
