package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An EventScan goes over the events by which payments were paid and cancelled,
// the oldest first.
type EventScan struct {
	Stores      []merchant.StoreID
	Modes       []merchant.Mode
	From, Until time.Time       // when an event was made, to a millisecond; both included
	After       webhook.EventID // only what came behind it; empty: from the first
	Size        int             // at most
}

// A ScannedEvent is an event of a scan. Its Channel and Concern are not read.
type ScannedEvent struct {
	webhook.Event
	// Amount is what the notice told that made the event, in minor units; nil if
	// none did, or it told no amount, or is no longer kept.
	Amount *int64
}

// mostEventStretches is how many stores and modes one statement has at most: on
// PostgreSQL each part has all partitions.
const mostEventStretches = 50

// ScanEvents returns the next events of a scan. Events are kept for as long as
// history is. What is made meanwhile comes at the end; one that another node
// made at the same time may stand before what was read. It reports fault.Invalid
// for an After that names no event.
func (r *Reader) ScanEvents(ctx context.Context, s EventScan) ([]ScannedEvent, error) {
	if s.After != "" && !isID(string(s.After)) {
		return nil, errCursor
	}
	s.After = max(s.After, webhook.EventID(idAt(s.From)))
	var stretches []stretch
	for _, store := range s.Stores {
		for _, m := range s.Modes {
			stretches = append(stretches, stretch{store: store, mode: m})
		}
	}
	var out []ScannedEvent
	notices := make(map[string][]int)
	for some := range slices.Chunk(stretches, mostEventStretches) {
		query, args := r.eventsQuery(some, s)
		if err := each(ctx, over(r.db), query, args, func(rows rowSet) error {
			e, notice, err := scanEvent(rows)
			if notice != "" {
				notices[notice] = append(notices[notice], len(out))
			}
			out = append(out, e)
			return err
		}); err != nil {
			return nil, away(err)
		}
	}
	if err := r.amounts(ctx, notices, out); err != nil {
		return nil, away(err)
	}
	if len(stretches) > mostEventStretches {
		slices.SortFunc(out, func(a, b ScannedEvent) int { return cmp.Compare(a.ID, b.ID) })
		out = out[:min(len(out), s.Size)]
	}
	return out, nil
}

// eventsQuery is the query for some parts of a scan. Index: event_by_store.
func (r *Reader) eventsQuery(some []stretch, s EventScan) (query string, args []any) {
	p := newPlaces(string(s.After), idAt(s.Until.Add(time.Millisecond)), s.Size)
	selects := make([]string, len(some))
	for i, at := range some {
		selects[i] = `select id, type, at, merchant_id, store_id, mode, payment_key, payment_id, transaction_id, cancellation_id, state,
			deposited, notice_id from event where store_id = ` + p.place(string(at.store)) + ` and mode = ` + p.place(string(at.mode)) + `
			and id > $1 and id < $2 and type in ('Transaction.Paid', 'Transaction.PartialCancelled', 'Transaction.Cancelled')`
	}
	return r.merged(selects, ` order by id limit $3`), p.args
}

func scanEvent(rows rowSet) (e ScannedEvent, notice string, err error) {
	var at int64
	var key, told sql.NullString
	err = rows.Scan(&e.ID, &e.Type, &at, &e.Merchant, &e.Store, &e.Mode, &key, &e.PaymentID, &e.Transaction, &e.Cancellation,
		&e.State, &e.Deposited, &told)
	e.At, e.Payment = moment(at), keyOf(key)
	return e, told.String, err
}

// amounts fills in what notices told of events.
func (r *Reader) amounts(ctx context.Context, notices map[string][]int, events []ScannedEvent) error {
	ids := make([]string, 0, len(notices))
	for id := range notices {
		ids = append(ids, id)
	}
	for some := range slices.Chunk(ids, atOnceOpened) {
		list, err := many(r, some)
		if err != nil {
			return err
		}
		if err := each(ctx, over(r.db), r.amountsQuery(), []any{list}, func(rows rowSet) error {
			var id string
			var amount sql.NullInt64
			err := rows.Scan(&id, &amount)
			for _, i := range notices[id] {
				if amount.Valid {
					events[i].Amount = &amount.Int64
				}
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// amountsQuery reads what notices told. Index: notice_pkey.
func (r *Reader) amountsQuery() string {
	return `select id, amount from notice where ` + r.among("id", "uuid", 1)
}
