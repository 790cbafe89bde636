package server

import (
	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/checkout"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
)

// openCheckout builds what buyers meet: the scripts of shops' pages and the payment page,
// on the main listener.
func (s *Server) openCheckout(st *store.Store, actions *action.Actions, key *seal.Key) {
	c := &checkout.Checkout{
		Actions: actions, Settings: st.Settings, ClientAddr: s.clientAddr, PublicURL: s.cfg.PublicURL, Hash: key.Hash, Log: s.cfg.Log, Ends: s.patience,
	}
	s.checkout = c.Routes()
}
