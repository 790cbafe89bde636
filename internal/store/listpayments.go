package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A PaymentFilter narrows the list of payments. Its zero value takes all.
type PaymentFilter struct {
	States  []payment.State
	Channel merchant.ChannelKey // of the attempt that is shown
	// From and Until, both included, bound when a payment was asked for; with
	// Changed, when it came into its state. Zero leaves an end open. The list is
	// in the order of the same time.
	From, Until time.Time
	Changed     bool
	Amount      *int64 // in minor units
	// Untold leaves those whose account waits for money, and of which no notice
	// that waits for a person tells either.
	Untold bool
	// WebhookFailed leaves those of which a webhook failed for good.
	WebhookFailed bool
}

// A PaymentRow is a line of the list of payments.
type PaymentRow struct {
	payment.Payment
	Webhook *WebhookState // the latest webhook; nil if there was none
}

// At is the time by which a list has the payment.
func (p PaymentRow) At(changed bool) time.Time {
	if changed {
		return p.StatusChangedAt
	}
	return p.RequestedAt
}

// A WebhookState is what became of one delivery, as a list shows it.
type WebhookState struct {
	ID       webhook.DeliveryID
	Type     webhook.Type
	State    webhook.DeliveryState // Held if its endpoint is paused
	Tries    int
	MaxTries int
	DueAt    time.Time // when it is tried next; zero if it is over
}

// PaymentRows lists payments of a scope, the newest first, each opened and with
// its latest webhook. It reports fault.Invalid for a cursor of another list.
func (r *Reader) PaymentRows(ctx context.Context, s Scope, f PaymentFilter, p Page) (out Listed[PaymentRow], err error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return out, err
	}
	var keys Listed[payment.Key]
	if f.WebhookFailed {
		keys, err = r.failedPayments(ctx, s, stores, f, p)
	} else {
		keys, err = listPart(ctx, r, f.listing(r, stores, s.Mode), p, scanPaymentPlace)
	}
	if err != nil {
		return out, err
	}
	out = Listed[PaymentRow]{Older: keys.Older, Newer: keys.Newer, Count: keys.Count, Cut: keys.Cut}
	if out.Rows, err = r.paymentRows(ctx, keys.Rows); err != nil {
		return out, err
	}
	out.Floor, err = r.floor(ctx, "payment")
	return out, err
}

// listing is how payments are found. Index: payment_by_request,
// payment_by_change, which have the amount; where a channel is asked for, rows are
// looked at.
func (f PaymentFilter) listing(r *Reader, stores []merchant.StoreID, mode merchant.Mode) listing {
	at, index := "requested_at", "payment_by_request"
	if f.Changed {
		at, index = "status_changed_at", "payment_by_change"
	}
	g := r.listing(at, "key")
	g.shown, g.columns = "key, "+at, "key, "+at+", amount" // which the index has
	g.least, g.most = []any{int64(0), firstID}, []any{micros(never), lastID}
	if f.Channel != "" {
		g.columns += ", channel_key"
	}
	if !f.From.IsZero() {
		g.least[0] = micros(f.From)
	}
	if !f.Until.IsZero() {
		g.most = []any{micros(f.Until) + 1, firstID}
	}
	states := f.States
	if len(states) == 0 {
		states = payment.States()
	}
	if f.Untold {
		states = slices.DeleteFunc(slices.Clone(states), func(s payment.State) bool { return s != payment.Issued })
	}
	for _, s := range stores {
		for _, state := range states {
			g.legs = append(g.legs, leg{
				from: "payment", index: index, same: []string{"store_id", "mode", "state"}, values: []string{string(s), string(mode), string(state)},
			})
		}
	}
	if f.Untold {
		// Index: open_case_by_payment.
		g.narrow("not exists (select 1 from open_case c where c.payment_key = t.key)")
	}
	if f.Channel != "" {
		g.narrow("t.channel_key = $1", string(f.Channel))
	}
	if f.Amount != nil {
		g.narrow("t.amount = $1", *f.Amount)
	}
	return g
}

func scanPaymentPlace(rows rowSet) ([]any, payment.Key, error) {
	var key string
	var at int64
	err := rows.Scan(&key, &at)
	return []any{at, key}, payment.Key(key), err
}

// failedPayments are payments of which a webhook failed, among the newest
// MostCounted such webhooks. Index: delivery_end_failed, payment_pkey.
func (r *Reader) failedPayments(ctx context.Context, s Scope, stores []merchant.StoreID, f PaymentFilter, p Page) (out Listed[payment.Key], err error) {
	keys, cut, err := r.failedKeys(ctx, s, stores)
	if err != nil {
		return out, err
	}
	within := PaymentList{Stores: stores, Modes: []merchant.Mode{s.Mode}, States: f.States, Changed: f.Changed, From: f.From, Until: f.Until}
	if f.Until.IsZero() {
		within.Until = never
	}
	if f.Channel != "" {
		within.Channels = []merchant.ChannelKey{f.Channel}
	}
	var rows []placed[payment.Key]
	for some := range slices.Chunk(keys, atOnceOpened) {
		found, err := r.known(ctx, some)
		if err != nil {
			return out, away(err)
		}
		for _, k := range found {
			if within.holds(k) && (f.Amount == nil || k.amount == *f.Amount) && (!f.Untold || k.state == payment.Issued) {
				rows = append(rows, placed[payment.Key]{[]any{k.at(f.Changed), string(k.key)}, k.key})
			}
		}
	}
	out.Count = Count{N: len(rows), More: cut}
	out.Cut = cut && p == (Page{Size: p.Size})
	return out, out.partOf(p, 2, rows)
}

// failedKeys are the payments of the newest webhooks that failed, and whether
// there are more.
func (r *Reader) failedKeys(ctx context.Context, s Scope, stores []merchant.StoreID) (keys []payment.Key, cut bool, err error) {
	g := r.listing("id")
	g.columns, g.legs = "id, payment_key", failedLegs(stores, s.Mode)
	seen := make(map[string]bool)
	n := 0
	for some := range slices.Chunk(g.legs, mostLegs) {
		text, args := g.page(some, false, g.least, g.most, MostCounted)
		if err := r.along(ctx, text, args, func(rows rowSet) error {
			var id string
			var key sql.NullString
			err := rows.Scan(&id, &key)
			if n++; key.Valid && !seen[key.String] {
				seen[key.String] = true
				keys = append(keys, payment.Key(key.String))
			}
			return err
		}); err != nil {
			return nil, false, away(err)
		}
	}
	return keys, n >= MostCounted, nil
}

// failedLegs are the deliveries of stores that failed.
func failedLegs(stores []merchant.StoreID, mode merchant.Mode) (legs []leg) {
	for _, s := range stores {
		legs = append(legs, leg{
			from: "delivery_end", index: "delivery_end_failed", when: "state = 'failed'",
			same: []string{"store_id", "mode"}, values: []string{string(s), string(mode)},
		})
	}
	return legs
}

// paymentRows opens payments, in the order of their keys' list.
func (r *Reader) paymentRows(ctx context.Context, keys []payment.Key) ([]PaymentRow, error) {
	list, err := r.OpenPayments(ctx, keys)
	if err != nil {
		return nil, err
	}
	latest, err := r.latestWebhooks(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]PaymentRow, len(list))
	for i, p := range list {
		out[i].Payment = p
		if w, ok := latest[p.Key]; ok {
			out[i].Webhook = &w
		}
	}
	return out, nil
}

// latestWebhooks are the newest deliveries of some payments.
func (r *Reader) latestWebhooks(ctx context.Context, keys []payment.Key) (map[payment.Key]WebhookState, error) {
	out := make(map[payment.Key]WebhookState, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	arg, err := many(r, keys)
	if err != nil {
		return nil, err
	}
	err = each(ctx, over(r.db), r.latestQuery(), []any{arg}, func(rows rowSet) error {
		var w WebhookState
		var key string
		var paused sql.NullBool
		var schedule webhook.Schedule
		var due sql.NullInt64
		if err := rows.Scan(&key, &w.ID, &w.Type, &w.State, &w.Tries, &schedule, &due, &paused); err != nil {
			return err
		}
		if w.State == webhook.Waiting && paused.Bool {
			w.State = webhook.Held
		}
		w.MaxTries, w.DueAt = schedule.Tries(), momentOrZero(due)
		if w.ID > cmp.Or(out[payment.Key(key)].ID, firstID) {
			out[payment.Key(key)] = w
		}
		return nil
	})
	return out, away(err)
}

// latestQuery reads the deliveries of payments without their bodies. It is one
// statement, since a delivery moves from one table to the other. Index:
// delivery_by_payment, delivery_end_by_payment, endpoint_pkey.
func (r *Reader) latestQuery() string {
	return `select payment_key, id, type, state, tries, schedule, due_at,
			(select p.paused from endpoint p where p.id = d.endpoint_id)
		from (select payment_key, id, type, state, tries, schedule, due_at, endpoint_id from delivery where ` + r.among("payment_key", "uuid", 1) + `
			union all select payment_key, id, type, state, tries, schedule, null, endpoint_id from delivery_end where ` + r.among("payment_key", "uuid", 1) + `) d`
}
