package server

import (
	"log/slog"
	"net/netip"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Verbs are the verbs for a command that works on a database beside its server:
// those that call no PG. Webhooks that follow are sent by the server.
func Verbs(st *store.Store, log *slog.Logger) *action.Actions {
	judging := &ingress.Ingress{Store: st, Providers: all.Providers(), Log: log}
	return &action.Actions{Store: st, Judge: judging.Judge, Again: judging.Again, ByHand: ingress.ByHand, Providers: all.ByCode, Log: log}
}

// Plays is what plays the PGs of channels on trial, with its books in a store.
func Plays(st *store.Store) func(provider.Provider) provider.Provider {
	return func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: st} }
}

// Diagnosed says what is wrong with a try of a webhook, for shops that allow these
// addresses: see action.Actions.
func Diagnosed(egress []netip.Addr) func(webhook.Attempt) (key string, args []any, found bool) {
	var list []string
	for _, a := range egress {
		list = append(list, a.String())
	}
	from := strings.Join(list, ", ")
	return func(a webhook.Attempt) (string, []any, bool) {
		f, found := delivery.Diagnose(a)
		key, args := f.Words(from)
		return key, args, found
	}
}
