package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A DeliveryFilter narrows the list of deliveries. Its zero value takes all.
type DeliveryFilter struct {
	// States are among Completed, Waiting (being sent), Held and Undone; none is
	// any. Waiting leaves out what is held.
	States      []webhook.DeliveryState
	Endpoint    webhook.EndpointID
	Type        webhook.Type
	Payment     payment.Key
	From, Until time.Time // of being made, to a millisecond; zero leaves an end open
}

// A DeliveryRow is a line of the list of deliveries.
type DeliveryRow struct {
	ID       webhook.DeliveryID
	Webhook  webhook.DeliveryID // whose id receivers see: another one's, if this was sent again by hand
	Event    webhook.EventID
	Type     webhook.Type
	Merchant merchant.ID
	Store    merchant.StoreID
	Mode     merchant.Mode
	Channel  merchant.ChannelKey

	Payment   payment.Key // empty if it is about none
	PaymentID payment.ID
	Endpoint  webhook.EndpointID // empty for a notice URL
	URL       string             // of the notice URL, or of the endpoint as it is now; empty if that is gone
	Manual    bool               // sent again by hand

	State     webhook.DeliveryState // Held if its endpoint is paused
	Tries     int                   // made so far
	MaxTries  int
	DueAt     time.Time // when it is tried next; zero if it is over
	EndedAt   time.Time // zero while it is not
	CreatedAt time.Time
	Outcomes  []webhook.Outcome // of its own tries, in their order, as far as they are kept
	Last      *webhook.Attempt  // the last of them, without headers and bodies; nil if there is none
}

// deliveryRowColumns are what both tables have of a DeliveryRow.
const deliveryRowColumns = `id, coalesce(original, id) as webhook, event_id, type, merchant_id, store_id, mode, channel_key, payment_key, payment_id,
	endpoint_id, url, manual, state, tries, schedule, created_at, `

// DeliveryRows lists deliveries of a scope, the newest first: those that wait
// and those that are over. It reports fault.Invalid for a cursor of another list.
func (r *Reader) DeliveryRows(ctx context.Context, s Scope, f DeliveryFilter, p Page) (out Listed[DeliveryRow], err error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return out, err
	}
	if f.Endpoint != "" && !isID(string(f.Endpoint)) {
		return out, nil
	}
	if f.Payment != "" {
		out, err = r.deliveriesOf(ctx, s, stores, f, p)
	} else {
		out, err = listPart(ctx, r, f.listing(r, s, stores), p, scanDeliveryRow)
	}
	if err != nil {
		return out, away(err)
	}
	if err := r.completeDeliveries(ctx, out.Rows); err != nil {
		return out, away(err)
	}
	out.Floor, err = r.floor(ctx, "delivery_end")
	return out, err
}

// wants reports whether deliveries in one of some states are asked for.
func (f DeliveryFilter) wants(states ...webhook.DeliveryState) bool {
	return len(f.States) == 0 || slices.ContainsFunc(states, func(s webhook.DeliveryState) bool { return slices.Contains(f.States, s) })
}

// listing is how deliveries are found. What waits is little, and looked at by
// its ids. Index: delivery_end_by_store, delivery_end_failed; delivery_pkey.
func (f DeliveryFilter) listing(r *Reader, s Scope, stores []merchant.StoreID) listing {
	g := r.listing("id")
	g.least, g.most = between(f.From, f.Until)
	if f.wants(webhook.Waiting, webhook.Held) && len(stores) > 0 {
		l := leg{from: "delivery", index: "sqlite_autoindex_delivery_1", columns: deliveryRowColumns + "due_at, cast(null as bigint) as ended_at"}
		l.narrow("t.merchant_id = $1 and t.mode = $2", string(s.Merchant), string(s.Mode))
		if s.Store != "" {
			l.narrow("t.store_id = $1", string(s.Store))
		}
		const paused = "t.endpoint_id in (select id from endpoint where paused)"
		if len(f.States) > 0 && !slices.Contains(f.States, webhook.Waiting) {
			l.narrow(paused)
		} else if len(f.States) > 0 && !slices.Contains(f.States, webhook.Held) {
			l.narrow("(t.endpoint_id is null or not " + paused + ")")
		}
		g.legs = append(g.legs, l)
	}
	var over []leg
	switch {
	case !f.wants(webhook.Completed, webhook.Undone):
	case !f.wants(webhook.Completed):
		over = failedLegs(stores, s.Mode)
	default:
		for _, id := range stores {
			over = append(over, leg{
				from: "delivery_end", index: "delivery_end_by_store", same: []string{"store_id", "mode"}, values: []string{string(id), string(s.Mode)},
			})
		}
	}
	for _, l := range over {
		l.columns = deliveryRowColumns + "cast(null as bigint) as due_at, ended_at"
		if !f.wants(webhook.Undone) {
			l.narrow("t.state = 'completed'")
		}
		g.legs = append(g.legs, l)
	}
	for i := range g.legs {
		if f.Endpoint != "" {
			g.legs[i].narrow("t.endpoint_id = $1", string(f.Endpoint))
		}
		if f.Type != "" {
			g.legs[i].narrow("t.type = $1", string(f.Type))
		}
	}
	return g
}

func scanDeliveryRow(rows rowSet) ([]any, DeliveryRow, error) {
	var d DeliveryRow
	var key, endpoint sql.NullString
	var schedule webhook.Schedule
	var created int64
	var due, ended sql.NullInt64
	err := rows.Scan(&d.ID, &d.Webhook, &d.Event, &d.Type, &d.Merchant, &d.Store, &d.Mode, &d.Channel, &key, &d.PaymentID,
		&endpoint, &d.URL, &d.Manual, &d.State, &d.Tries, &schedule, &created, &due, &ended)
	d.Payment, d.Endpoint = keyOf(key), webhook.EndpointID(endpoint.String)
	d.MaxTries, d.CreatedAt, d.DueAt, d.EndedAt = schedule.Tries(), moment(created), momentOrZero(due), momentOrZero(ended)
	return []any{string(d.ID)}, d, err
}

// deliveriesOf are the deliveries of one payment: few, and all in hand.
func (r *Reader) deliveriesOf(ctx context.Context, s Scope, stores []merchant.StoreID, f DeliveryFilter, p Page) (out Listed[DeliveryRow], err error) {
	if !isID(string(f.Payment)) {
		return out, nil
	}
	list, err := r.deliveryRows(ctx, "payment_key", string(f.Payment))
	if err != nil {
		return out, err
	}
	low, high := between(f.From, f.Until)
	var rows []placed[DeliveryRow]
	for _, d := range list {
		at := []any{string(d.ID)}
		if slices.Contains(stores, d.Store) && d.Mode == s.Mode && f.wants(d.State) && (f.Endpoint == "" || d.Endpoint == f.Endpoint) &&
			(f.Type == "" || d.Type == f.Type) && comparePlaces(at, low) >= 0 && comparePlaces(at, high) < 0 {
			rows = append(rows, placed[DeliveryRow]{at, d})
		}
	}
	out.Count = Count{N: len(rows)}
	return out, out.partOf(p, 1, rows)
}

// deliveryRows are the deliveries with some value in a column, waiting or over,
// with their endpoints' pauses seen.
func (r *Reader) deliveryRows(ctx context.Context, column, value string) (out []DeliveryRow, err error) {
	if err := each(ctx, over(r.db), deliveryRowsQuery(column), []any{value}, func(rows rowSet) error {
		_, d, err := scanDeliveryRow(rows)
		out = append(out, d)
		return err
	}); err != nil {
		return nil, err
	}
	return out, r.seePauses(ctx, out)
}

// deliveryRowsQuery is one statement, since a delivery moves from one table to
// the other. Index: delivery_by_payment, delivery_end_by_payment, delivery_pkey,
// delivery_end_pkey.
func deliveryRowsQuery(column string) string {
	return `select ` + deliveryRowColumns + `due_at, null as ended_at from delivery where ` + column + ` = $1
		union all select ` + deliveryRowColumns + `null, ended_at from delivery_end where ` + column + ` = $1`
}

// seePauses fills in the endpoints' URLs, and has what waits for a paused one
// held.
func (r *Reader) seePauses(ctx context.Context, rows []DeliveryRow) error {
	type endpoint struct {
		url    string
		paused bool
	}
	known := make(map[webhook.EndpointID]endpoint)
	if err := each(ctx, over(r.db), `select id, url, paused from endpoint`, nil, func(set rowSet) error {
		var id webhook.EndpointID
		var e endpoint
		err := set.Scan(&id, &e.url, &e.paused)
		known[id] = e
		return err
	}); err != nil {
		return err
	}
	for i := range rows {
		d := &rows[i]
		e, ok := known[d.Endpoint]
		if !ok {
			continue
		}
		if d.URL = e.url; d.State == webhook.Waiting && e.paused {
			d.State = webhook.Held
		}
	}
	return nil
}

// completeDeliveries fills in what other tables tell of deliveries.
func (r *Reader) completeDeliveries(ctx context.Context, rows []DeliveryRow) error {
	if err := r.seePauses(ctx, rows); err != nil || len(rows) == 0 {
		return err
	}
	at := make(map[webhook.DeliveryID]*DeliveryRow, len(rows))
	var ids []webhook.DeliveryID
	for i := range rows {
		at[rows[i].ID] = &rows[i]
		if !slices.Contains(ids, rows[i].Webhook) {
			ids = append(ids, rows[i].Webhook)
		}
	}
	list, err := many(r, ids)
	if err != nil {
		return err
	}
	return each(ctx, over(r.db), r.triesQuery(), []any{list}, func(set rowSet) error {
		var a webhook.Attempt
		var when, took int64
		if err := set.Scan(&a.ID, &a.Delivery, &a.Webhook, &a.Number, &when, &took, &a.URL, &a.Outcome, &a.Status, &a.Error, &a.Cause); err != nil {
			return err
		}
		a.At, a.Took = moment(when), time.Duration(took)*time.Microsecond
		if d, ok := at[a.Delivery]; ok {
			d.Outcomes, d.Last = append(d.Outcomes, a.Outcome), &a
		}
		return nil
	})
}

// triesQuery reads the tries of webhooks, without what was sent. Index:
// attempt_by_webhook.
func (r *Reader) triesQuery() string {
	return `select id, delivery_id, webhook_id, number, at, took, url, outcome, status, error, cause from attempt
		where ` + r.among("webhook_id", "uuid", 1) + ` order by webhook_id, id`
}

// A DeliveryDetail is one delivery with all that was tried under its webhook-id.
type DeliveryDetail struct {
	DeliveryRow
	ContentType webhook.ContentType
	Schedule    webhook.Schedule
	Body        []byte            // the exact bytes of every try
	Attempts    []webhook.Attempt // resends by hand included, the oldest first
	Others      []DeliveryRow     // the first delivery and resends of the same webhook, without this one
}

// Delivery returns a delivery of a scope, by its id or with the prefix that
// receivers see. It reports fault.NotFound if the scope has none.
func (r *Reader) Delivery(ctx context.Context, s Scope, id string) (out DeliveryDetail, err error) {
	id = strings.TrimPrefix(id, webhook.WebhookIDPrefix)
	missing := fault.Errorf(fault.NotFound, "there is no delivery %q", id)
	if !isID(id) {
		return out, missing
	}
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return out, err
	}
	list, err := r.deliveryRows(ctx, "id", id)
	if err != nil {
		return out, away(err)
	}
	if len(list) == 0 || !slices.Contains(stores, list[0].Store) || list[0].Mode != s.Mode {
		return out, missing
	}
	if err := r.completeDeliveries(ctx, list[:1]); err != nil {
		return out, away(err)
	}
	out.DeliveryRow = list[0]
	if err := r.db.QueryRowContext(ctx, sentBodyQuery, id).Scan(&out.ContentType, &out.Schedule, &out.Body); err != nil {
		return out, away(err)
	}
	if out.Attempts, err = r.Attempts(ctx, out.Webhook); err != nil || out.Payment == "" {
		return out, err
	}
	same, err := r.deliveryRows(ctx, "payment_key", string(out.Payment))
	for _, d := range same {
		if d.Webhook == out.Webhook && d.ID != out.ID {
			out.Others = append(out.Others, d)
		}
	}
	slices.SortFunc(out.Others, func(a, b DeliveryRow) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, away(err)
}

// sentBodyQuery reads what a delivery sends. Index: delivery_pkey,
// delivery_end_pkey.
const sentBodyQuery = `select content_type, schedule, body from delivery where id = $1
	union all select content_type, schedule, body from delivery_end where id = $1 limit 1`
