package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// NextEvents returns at most n events of stores in a mode behind one, the oldest
// first, but for those of which nobody was to be told. Their Channel is not read.
// next is the last one that was passed, behind which the next ones are; empty if
// nothing is left. One that another node made at the same time may appear before
// what was read.
func (r *Reader) NextEvents(ctx context.Context, stores []merchant.StoreID, m merchant.Mode, after webhook.EventID, n int) (out []webhook.Event, next webhook.EventID, err error) {
	var all []heardEvent
	for some := range slices.Chunk(stores, mostEventStretches) {
		query, args := r.heardQuery(some, m, after, n)
		if err := each(ctx, over(r.db), query, args, func(rows rowSet) error {
			e, told, err := scanHeard(rows)
			all = append(all, heardEvent{e, told})
			return err
		}); err != nil {
			return nil, "", away(err)
		}
	}
	slices.SortFunc(all, func(a, b heardEvent) int { return cmp.Compare(a.ID, b.ID) })
	if len(all) >= n {
		all = all[:n]
		next = all[n-1].ID
	}
	for _, e := range all {
		if e.told {
			out = append(out, e.Event)
		}
	}
	return out, next, nil
}

// heardQuery is the query for the events of some stores. Index: event_by_store.
func (r *Reader) heardQuery(some []merchant.StoreID, m merchant.Mode, after webhook.EventID, n int) (query string, args []any) {
	p := newPlaces(string(after), n)
	selects := make([]string, len(some))
	for i, store := range some {
		selects[i] = `select ` + heardColumns + ` from event where store_id = ` + p.place(string(store)) +
			` and mode = ` + p.place(string(m)) + ` and id > $1`
	}
	return r.merged(selects, ` order by id limit $2`), p.args
}

type heardEvent struct {
	webhook.Event
	told bool
}

// EventFloor is an id before those of all events that are made from a time on.
func (r *Reader) EventFloor(t time.Time) webhook.EventID { return webhook.EventID(idAt(t)) }

// ListenedTo are the items of a session that its machine has tried: ids of
// events from one on, and of all repeats.
func (r *Reader) ListenedTo(ctx context.Context, l webhook.ListenerID, from webhook.EventID) ([]string, error) {
	var out []string
	// Index: listener_try_pkey.
	err := each(ctx, over(r.db), `select distinct item from listener_try where listener_id = $1 and item >= $2`,
		[]any{string(l), string(from)}, func(rows rowSet) error {
			var item string
			err := rows.Scan(&item)
			out = append(out, item)
			return err
		})
	return out, away(err)
}

// Repeats are what a session is to send once more, the oldest first, at most n.
// What is resent of events that are no longer kept is left out.
func (r *Reader) Repeats(ctx context.Context, l webhook.ListenerID, n int) ([]webhook.Repeat, error) {
	type asked struct {
		id    string
		event webhook.EventID
	}
	var list []asked
	// Index: listener_repeat_pkey.
	if err := each(ctx, over(r.db), `select id, event_id from listener_repeat where listener_id = $1 order by id limit $2`,
		[]any{string(l), n}, func(rows rowSet) error {
			var a asked
			err := rows.Scan(&a.id, &a.event)
			list = append(list, a)
			return err
		}); err != nil {
		return nil, away(err)
	}
	var out []webhook.Repeat
	for _, a := range list {
		// Index: event_pkey.
		e, _, err := scanHeard(over(r.db).QueryRowContext(ctx, `select `+heardColumns+` from event where id = $1`, string(a.event)))
		switch {
		case isNoRows(err):
			continue
		case err != nil:
			return nil, away(err)
		}
		out = append(out, webhook.Repeat{ID: a.id, Event: e})
	}
	return out, nil
}

// PutListened records a try through a session that hears of some stores; one that
// was recorded before is passed over. Which event it was is found by a.Item. It
// reports fault.NotFound if the session was ended, or never had such an item.
func (s *Store) PutListened(ctx context.Context, l webhook.Listener, stores []merchant.StoreID, a webhook.Listened) error {
	if !isID(a.Item) {
		return errNoItem
	}
	a.Listener = l.ID
	b, err := json.Marshal(keptExchange{ResponseHeader: a.ResponseHeader, ResponseBody: a.ResponseBody, Truncated: a.Truncated})
	if err != nil {
		return err
	}
	sealed, err := s.key.Seal(b, listenedContext(a))
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		e, err := t.heardItem(l, a.Item)
		if err != nil {
			return err
		}
		if e.Mode != l.Mode || !slices.Contains(stores, e.Store) {
			return errNoItem
		}
		if err := t.must(`insert into listener_try (`+listenedColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			on conflict (listener_id, item, number) do nothing`,
			string(a.Listener), a.Item, a.Number, string(e.ID), string(e.Type), orNull(e.Payment), string(e.PaymentID), micros(a.At),
			a.Took.Microseconds(), text(a.URL), a.Status, text(a.Error), sealed); err != nil {
			return err
		}
		t.events = true // its connection waits for that
		return t.must(`delete from listener_repeat where listener_id = $1 and id = $2`, string(l.ID), a.Item)
	})
}

var errNoItem = fault.Errorf(fault.NotFound, "the listen session was sent nothing by that id")

// heardItem is the event that an item of a session is.
func (t *tx) heardItem(l webhook.Listener, item string) (e webhook.Event, err error) {
	var row int
	found, err := t.has(`select 1 from listener where id = $1`+t.d.forUpdate, []any{string(l.ID)}, &row)
	if err != nil {
		return e, err
	}
	if !found {
		return e, errNoListener
	}
	id := item
	// Index: listener_repeat_pkey, listener_try_pkey.
	if _, err := t.has(`select event_id from listener_repeat where listener_id = $1 and id = $2 union all
		select event_id from listener_try where listener_id = $1 and item = $2 limit 1`, []any{string(l.ID), item}, &id); err != nil {
		return e, err
	}
	e, _, found, err = t.eventByID(webhook.EventID(id))
	if err == nil && !found {
		err = errNoItem
	}
	return e, err
}

func listenedContext(a webhook.Listened) string {
	return fmt.Sprintf("listener_try/%s/%s/%d", a.Listener, a.Item, a.Number)
}

const listenedColumns = `listener_id, item, number, event_id, type, payment_key, payment_id, at, took, url, status, error, exchange`

// Listened are the tries that a session's machine reported last, the newest
// first, at most n.
func (r *Reader) Listened(ctx context.Context, l webhook.ListenerID, n int) ([]webhook.Listened, error) {
	// Index: listener_try_pkey; a session has few.
	return r.listened(ctx, `select `+listenedColumns+` from listener_try where listener_id = $1 order by at desc, item desc limit $2`, string(l), n)
}

// ListenedSince are the tries through any session since a time, the oldest
// first; of more than n the newest.
func (r *Reader) ListenedSince(ctx context.Context, since time.Time, n int) ([]webhook.Listened, error) {
	// Index: listener_try_by_age.
	list, err := r.listened(ctx, `select `+listenedColumns+` from listener_try where at >= $1 order by at desc limit $2`, micros(since), n)
	slices.Reverse(list)
	return list, err
}

// ListenedOf are the tries of a payment's events through any session, the oldest
// first, at most n.
func (r *Reader) ListenedOf(ctx context.Context, k payment.Key, n int) ([]webhook.Listened, error) {
	// Index: listener_try_by_payment.
	return r.listened(ctx, `select `+listenedColumns+` from listener_try where payment_key = $1 order by at, item limit $2`, string(k), n)
}

func (r *Reader) listened(ctx context.Context, query string, args ...any) ([]webhook.Listened, error) {
	var out []webhook.Listened
	err := each(ctx, over(r.db), query, args, func(rows rowSet) error {
		var a webhook.Listened
		var at, took int64
		var key *string
		var sealed []byte
		if err := rows.Scan(&a.Listener, &a.Item, &a.Number, &a.Event, &a.Type, &key, &a.PaymentID, &at, &took, &a.URL, &a.Status,
			&a.Error, &sealed); err != nil {
			return err
		}
		a.At, a.Took = moment(at), time.Duration(took)*time.Microsecond
		if key != nil {
			a.Payment = payment.Key(*key)
		}
		out = append(out, a)
		return r.openListened(&out[len(out)-1], sealed)
	})
	return out, away(err)
}

func (r *Reader) openListened(a *webhook.Listened, sealed []byte) error {
	b, err := r.key.Open(sealed, listenedContext(*a))
	if err == nil {
		var k keptExchange
		if err = json.Unmarshal(b, &k); err == nil {
			a.ResponseHeader, a.ResponseBody, a.Truncated = k.ResponseHeader, k.ResponseBody, k.Truncated
			return nil
		}
	}
	return &programError{fmt.Errorf("a try of listener %s: %w", a.Listener, err)}
}

// tellEvents runs the hooks for what sessions hear of.
func (s *Store) tellEvents() {
	s.mu.Lock()
	calls := append([]func(){}, s.heard...)
	s.mu.Unlock()
	for _, f := range calls {
		f()
	}
}
