package store

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Query is a statement with its arguments.
type Query struct {
	Text string
	Args []any
	Once bool // it is always planned for what it asks
}

// ListQueries are the statements of lists: of a list's page, of a scan, and of
// what is read for the payments and events on it.
func (r *Reader) ListQueries(l PaymentList, p payment.Payment, webhook string, e webhook.EventID) []Query {
	var out []Query
	add := func(text string, args []any) { out = append(out, Query{text, args, false}) }
	some := l.stretches()
	for _, changed := range []bool{true, false} {
		l.Changed = changed
		add(r.union(l, some, "", 20))
		add(r.union(l, some, ", requested_at, status_changed_at, currency, method, channel_key", 20))
		add(r.counting(l, some, 20))
		l.Ascending = true
	}
	add(r.scanning(some, PaymentScan{From: l.From, Until: l.Until, After: Place{p.RequestedAt, p.Key}, Size: 20}))
	var stores []stretch
	for _, s := range l.Stores {
		for _, m := range l.Modes {
			stores = append(stores, stretch{store: s, mode: m})
		}
	}
	add(r.eventsQuery(stores, EventScan{After: e, Until: l.Until, Size: 20}))
	add(r.heardQuery(l.Stores, merchant.Test, e, 20))
	listed := func(list ...string) any {
		arg, err := many(r, list)
		if err != nil {
			panic(err) // texts always marshal
		}
		return arg
	}
	key := listed(string(p.Key))
	add(r.byIDQuery(), []any{string(p.ID), listed(string(p.Store)), 20})
	add(r.byAttemptQuery(), []any{string(p.Transactions[0].ID), listed(string(p.Store)), 20})
	add(ofAttemptQuery, []any{string(p.Transactions[0].ID), string(p.Store)})
	add(r.byNameQuery(), []any{"order", string(p.ID), listed(string(p.Transactions[0].Channel)), 20})
	add(r.knownQuery(), []any{key})
	add(r.docsQuery(), []any{key})
	add(r.sentOfQuery(), []any{key})
	add(r.amountsQuery(), []any{listed(idAt(time.Now()))})
	if r.d.postgres {
		add(lastOfQuery, []any{listed(webhook)})
	}
	return out
}

// AllModes are those of payments.
var AllModes = []merchant.Mode{merchant.Live, merchant.Test}
