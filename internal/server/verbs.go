package server

import (
	"log/slog"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/store"
)

// Verbs are the verbs for a command that works on a database beside its server:
// those that call no PG. Webhooks that follow are sent by the server.
func Verbs(st *store.Store, log *slog.Logger) *action.Actions {
	judging := &ingress.Ingress{Store: st, Providers: all.Providers(), Log: log}
	return &action.Actions{Store: st, Judge: judging.Judge, Again: judging.Again, ByHand: ingress.ByHand, Providers: all.ByCode, Log: log}
}
