package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Finish records attempts with their consequences in one transaction. The
// i-th error is fault.Conflict if that job's lease has been lost: nothing was
// changed for it. The second error says that nothing was written at all.
func (s *Store) Finish(ctx context.Context, list []webhook.Finish) ([]error, error) {
	var errs []error
	err := s.write(ctx, func(t *tx) error {
		errs = make([]error, len(list))
		had, err := t.settleLeases(list)
		if err != nil {
			return err
		}
		for i, f := range list {
			if !had[f.Job.Lease][f.Job.ID] {
				errs[i] = fault.Errorf(fault.Conflict, "delivery %s: the lease was lost", f.Job.ID)
				continue
			}
			if err := t.putOutcome(f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return errs, nil
}

// settleLeases ends deliveries, or has them wait for their next try, if their
// leases are in force, and tells which those are.
func (t *tx) settleLeases(list []webhook.Finish) (had map[webhook.Lease]map[webhook.DeliveryID]bool, err error) {
	var over, again []webhook.Finish
	for _, f := range list {
		if f.Next.IsZero() {
			over = append(over, f)
		} else {
			again = append(again, f)
		}
	}
	had = make(map[webhook.Lease]map[webhook.DeliveryID]bool)
	found := func(f webhook.Finish) {
		if had[f.Job.Lease] == nil {
			had[f.Job.Lease] = make(map[webhook.DeliveryID]bool)
		}
		had[f.Job.Lease][f.Job.ID] = true
	}
	if err := t.end(over, found); err != nil {
		return nil, err
	}
	if err := t.postpone(again, found); err != nil {
		return nil, err
	}
	return had, t.send()
}

// endedAs are the columns of delivery_end that stand in a delivery already.
const endedAs = `event_id, payment_key, payment_id, channel_key, merchant_id, store_id, mode, type, endpoint_id,
	url, target, content_type, body, schedule, manual, original, created_at`

// end moves deliveries from what waits to what is over, and calls found for
// those whose leases were in force. On PostgreSQL it is one statement for all.
// Index: delivery_pkey.
func (t *tx) end(list []webhook.Finish, found func(webhook.Finish)) error {
	if t.d.postgres {
		return t.change(`with over as (delete from delivery as d
				using unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
					as o (id, lease, state, tries, ended_at, outcome)
				where d.id = o.id and d.lease = o.lease
				returning d.*, o.state as ended, o.tries as tried, o.ended_at, o.outcome),
			written as (insert into delivery_end (id, state, tries, ended_at, outcome, `+endedAs+`)
				select id, ended, tried, ended_at, outcome, `+endedAs+` from over)
			select id, lease from over`,
			"uuid text text bigint bigint text", list, endOf, found)
	}
	for _, f := range list {
		rows, err := t.exec(`insert into delivery_end (id, state, tries, ended_at, outcome, `+endedAs+`)
			select id, $3, $4, $5, $6, `+endedAs+` from delivery where id = $1 and lease = $2`, endOf(f)...)
		if err != nil {
			return err
		}
		if rows == 0 {
			continue
		}
		if err := t.must(`delete from delivery where id = $1`, string(f.Job.ID)); err != nil {
			return err
		}
		found(f)
	}
	return nil
}

func endOf(f webhook.Finish) []any {
	return []any{
		string(f.Job.ID), string(f.Job.Lease), string(f.State), f.Attempt.Number,
		micros(f.Attempt.At.Add(f.Attempt.Took)), string(f.Attempt.Outcome),
	}
}

// postpone has deliveries wait for their next try, as end does.
// Index: delivery_pkey.
func (t *tx) postpone(list []webhook.Finish, found func(webhook.Finish)) error {
	t.elsewhere = t.elsewhere || len(list) > 0 // whoever recorded them knows
	if t.d.postgres {
		return t.change(`update delivery as d set tries = o.tries, lane = 1, due_at = o.due_at, ready_at = o.due_at, lease = null
			from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) as o (id, lease, tries, due_at)
			where d.id = o.id and d.lease = o.lease returning d.id, o.lease`, "uuid text bigint bigint", list, againOf, found)
	}
	for _, f := range list {
		rows, err := t.exec(`update delivery set tries = $3, lane = 1, due_at = $4, ready_at = $4, lease = null
			where id = $1 and lease = $2`, againOf(f)...)
		if err != nil {
			return err
		}
		if rows > 0 {
			found(f)
		}
	}
	return nil
}

func againOf(f webhook.Finish) []any {
	return []any{string(f.Job.ID), string(f.Job.Lease), f.Attempt.Number, micros(f.Next)}
}

// change runs a statement of PostgreSQL that takes columns of rows and returns
// the ids and leases of those that it changed, once it is sent.
func (t *tx) change(query, kinds string, list []webhook.Finish, row func(webhook.Finish) []any, found func(webhook.Finish)) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][]any, len(list))
	type name struct{ id, lease string }
	by := make(map[name]webhook.Finish, len(list))
	for i, f := range list {
		rows[i] = row(f)
		by[name{string(f.Job.ID), string(f.Job.Lease)}] = f
	}
	b := &bulk{kinds: strings.Fields(kinds)}
	return t.soon(query, b.arrays(rows), func(rows rowSet) error {
		var n name
		err := rows.Scan(&n.id, &n.lease)
		found(by[n])
		return err
	})
}

// putOutcome writes what a try came to beside its delivery.
func (t *tx) putOutcome(f webhook.Finish) error {
	if err := t.putAttempt(f.Attempt); err != nil {
		return err
	}
	if f.Attention != nil {
		return t.emit([]webhook.Emission{*f.Attention}, "")
	}
	return nil
}

// keptExchange is a request and its answer as they are sealed.
type keptExchange struct {
	RequestHeader  string `json:"requestHeader"`
	RequestBody    []byte `json:"requestBody"`
	ResponseHeader string `json:"responseHeader,omitempty"`
	ResponseBody   []byte `json:"responseBody,omitempty"`
	Truncated      bool   `json:"truncated,omitempty"`
	keptTrace
}

// keptTrace is how a try went, as it is sealed with it. Times are in
// microseconds, and the certificate's end in seconds since 1970.
type keptTrace struct {
	Peer        string `json:"peer,omitempty"`
	Reused      bool   `json:"reused,omitempty"`
	TLS         string `json:"tls,omitempty"`
	Certificate int64  `json:"certificate,omitempty"`
	DNS         int64  `json:"dns,omitempty"`
	Connect     int64  `json:"connect,omitempty"`
	Handshake   int64  `json:"handshake,omitempty"`
	Wait        int64  `json:"wait,omitempty"`
	Read        int64  `json:"read,omitempty"`
	Limit       int64  `json:"limit,omitempty"`
}

func keep(t webhook.Trace) keptTrace {
	k := keptTrace{
		Peer: t.Peer, Reused: t.Reused, TLS: t.TLS, DNS: t.DNS.Microseconds(), Connect: t.Connect.Microseconds(),
		Handshake: t.Handshake.Microseconds(), Wait: t.Wait.Microseconds(), Read: t.Read.Microseconds(), Limit: t.Limit.Microseconds(),
	}
	if !t.Certificate.IsZero() {
		k.Certificate = t.Certificate.Unix()
	}
	return k
}

func (k keptTrace) trace() webhook.Trace {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	t := webhook.Trace{
		Peer: k.Peer, Reused: k.Reused, TLS: k.TLS, DNS: us(k.DNS), Connect: us(k.Connect),
		Handshake: us(k.Handshake), Wait: us(k.Wait), Read: us(k.Read), Limit: us(k.Limit),
	}
	if k.Certificate != 0 {
		t.Certificate = time.Unix(k.Certificate, 0).UTC()
	}
	return t
}

// What is written of a try.
var (
	newAttempt = inserting("attempt", `id uuid, delivery_id uuid, webhook_id uuid, number bigint, at bigint, took bigint, url text,
		outcome text, status bigint, error text, cause text, endpoint_id uuid`, "")
	newExchange = inserting("attempt_body", "id uuid, exchange bytea", "")
)

func (t *tx) putAttempt(a webhook.Attempt) error {
	t.put(newAttempt, string(a.ID), string(a.Delivery), string(a.Webhook), a.Number, micros(a.At), a.Took.Microseconds(), text(a.URL),
		string(a.Outcome), a.Status, text(a.Error), string(a.Cause), orNull(a.Endpoint))
	b, err := json.Marshal(keptExchange{
		a.RequestHeader, a.RequestBody, a.ResponseHeader, a.ResponseBody, a.Truncated, keep(a.Trace),
	})
	if err != nil {
		return err
	}
	sealed, err := t.s.key.Seal(b, "attempt_body/"+string(a.ID))
	if err != nil {
		return err
	}
	t.put(newExchange, string(a.ID), sealed)
	return nil
}
