package store

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// emit writes events with their deliveries. notice is the notice that made
// them, if any. What is throttled is written at the end of the transaction.
func (t *tx) emit(list []webhook.Emission, notice string) error {
	for _, e := range list {
		if e.Throttle != "" {
			t.throttled = append(t.throttled, quieted{e, notice})
			continue
		}
		if err := t.putEmission(e, notice); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) putEmission(e webhook.Emission, notice string) error {
	if err := t.putEvent(e, notice); err != nil {
		return err
	}
	for _, d := range e.Deliveries {
		t.putDelivery(d)
	}
	return nil
}

// A quieted is an emission of which only one is given in a while, with the
// notice that made it, if any.
type quieted struct {
	webhook.Emission
	notice string
}

// emitThrottled gives attention of those kinds of which none was given a short
// while ago. It waits for no other node: one that holds a kind gives attention
// of it now, and if it fails, what it did comes again.
func (t *tx) emitThrottled() error {
	var kinds []string
	for _, a := range t.throttled {
		kinds = append(kinds, attentionLock+a.Throttle)
	}
	missed, err := t.try(kinds)
	if err != nil {
		return err
	}
	last := make(map[string]sql.NullInt64)
	for _, a := range t.throttled {
		if missed[attentionLock+a.Throttle] {
			continue
		}
		at, known := last[a.Throttle]
		if !known {
			if _, err := t.has(`select at from attention where kind = $1`, []any{a.Throttle}, &at); err != nil {
				return err
			}
			last[a.Throttle] = at
		}
		now := micros(a.Event.At)
		if at.Valid && now-at.Int64 < webhook.ThrottleFor.Microseconds() {
			continue
		}
		last[a.Throttle] = sql.NullInt64{Int64: now, Valid: true}
		if err := t.must(`insert into attention (kind, at) values ($1, $2) on conflict (kind) do update set at = excluded.at`,
			a.Throttle, now); err != nil {
			return err
		}
		if err := t.putEmission(a.Emission, a.notice); err != nil {
			return err
		}
	}
	return nil
}

// attentionLock begins the names under which kinds of attention are locked.
const attentionLock = "attention\x1f"

// What is written of an event.
var (
	newEvent = inserting("event", `id uuid, type text, at bigint, merchant_id text, store_id text, mode text, payment_key uuid,
		payment_id text, transaction_id text, cancellation_id text, billing_key text, state text, deposited boolean, concern text, notice_id uuid,
		fanout bigint, told boolean`, "")
	newDelivery = inserting("delivery", `id uuid, event_id uuid, payment_key uuid, payment_id text, channel_key text, merchant_id text,
		store_id text, mode text, type text, endpoint_id uuid, url text, target text, content_type text, body bytea, schedule text,
		state text, tries bigint, lane bigint, due_at bigint, ready_at bigint, lease text, manual boolean, original uuid, created_at bigint`, "")
)

func (t *tx) putEvent(e webhook.Emission, notice string) error {
	var concern sql.NullString
	if e.Event.Concern != nil {
		b, err := json.Marshal(e.Event.Concern)
		if err != nil {
			return err
		}
		concern = sql.NullString{String: string(b), Valid: true}
	}
	ev := e.Event
	t.put(newEvent, string(ev.ID), string(ev.Type), micros(ev.At), string(ev.Merchant), string(ev.Store), string(ev.Mode),
		orNull(ev.Payment), string(ev.PaymentID), string(ev.Transaction), ev.Cancellation, string(ev.BillingKey), string(ev.State),
		ev.Deposited, concern, orNull(notice), len(e.Deliveries), e.Told)
	t.events = t.events || e.Told
	return nil
}

func (t *tx) putDelivery(d webhook.Delivery) {
	lease, ready := t.own.offer(d)
	if d.State == webhook.Waiting && lease == "" {
		t.wait(d)
	}
	t.put(newDelivery, string(d.ID), string(d.Event), orNull(d.Payment), string(d.PaymentID), string(d.Channel), string(d.Merchant),
		string(d.Store), string(d.Mode), string(d.Type), orNull(d.Endpoint), d.URL, d.Target, string(d.ContentType), d.Body,
		string(d.Schedule), string(d.State), d.Tries, lane(d.Tries), micros(d.DueAt), micros(ready), orNull(lease), d.Manual,
		orNull(d.Original), micros(d.CreatedAt))
}

// wait has someone look for a delivery once it is committed: this node too,
// unless its taker, which had no room, knows when to.
func (t *tx) wait(d webhook.Delivery) {
	t.elsewhere = true
	t.due = t.due || !t.own.leave(d)
}

// lane puts first tries ahead of retries.
func lane(tries int) int {
	if tries == 0 {
		return 0
	}
	return 1
}

// never is a due time that does not come.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
