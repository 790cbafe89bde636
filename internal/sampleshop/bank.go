package sampleshop

import (
	"net/http"
	"net/url"
	"strings"
)

// deposit plays the buyer's bank: money comes to the account of a test channel, and the PG
// that is played tells of it. No real shop has this.
func (s *Shop) deposit(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	o, _, ok := s.orders.watch(id)
	if !ok {
		s.lost(w, r)
		return
	}
	back := "/orders/" + id + chosen(r)
	if o.State == Awaiting {
		resp, err := s.call(r.Context(), http.MethodPost, "/tongbo/v1/payments/"+url.PathEscape(id)+"/deposit", strings.NewReader("{}"))
		if err != nil {
			http.Error(w, "the payment server cannot be reached", http.StatusBadGateway)
			return
		}
		_ = resp.Body.Close() // the webhook says what came of it
	}
	http.Redirect(w, r, back, http.StatusSeeOther) //nolint:gosec // a path of this shop, of an order that it has
}
