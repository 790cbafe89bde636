package store

import (
	"database/sql"
	"hash/maphash"
	"strconv"

	"github.com/tongbo/tongbo/internal/webhook"
)

// A sum is that of the hashes of many things, in whatever order they come. Two
// sums are equal if the same things are in them, each as often; if not, they
// differ, but for a chance of one in 2¹²⁸. So two tables are compared in one
// walk through each, without sorting them or holding them in memory.
type sum struct{ a, b uint64 }

// A summing makes sums of which nobody knows the hash beforehand.
type summing struct{ a, b maphash.Seed }

func newSumming() summing { return summing{maphash.MakeSeed(), maphash.MakeSeed()} }

// add adds a thing so many times.
func (h summing) add(s *sum, times int64, thing []byte) {
	n := uint64(times) //nolint:gosec // sums wrap around
	s.a += n * maphash.Bytes(h.a, thing)
	s.b += n * maphash.Bytes(h.b, thing)
}

// sums are what the walks through the history of webhooks leave.
type sums struct {
	summing
	planned, made sum   // deliveries by their events: as events count them, and as they are
	due, tried    sum   // attempts: as deliveries count them, and as they are
	again         int64 // deliveries that are resends, whose events are counted nowhere
}

// A tryRow is a delivery as far as its event and its attempts go.
type tryRow struct {
	id, event       string
	original        sql.NullString
	tries           int64
	state, schedule sql.RawBytes
}

// tryColumns are what a tryRow is read from.
const tryColumns = `select id, event_id, original, tries, state, schedule from `

// mostTries is more than any schedule has: what says more is found out anyway.
const mostTries = 10_000

// deliveries checks the states and tries of deliveries, and adds them up.
func (v *verifier) deliveries() error {
	var thing []byte
	most := make(map[string]int64)
	var r tryRow
	for _, waits := range []bool{true, false} {
		table := "delivery_end"
		if waits {
			table = "delivery"
		}
		if err := v.each(tryColumns+table, nil, func(rows rowSet) error {
			if err := rows.Scan(&r.id, &r.event, &r.original, &r.tries, &r.state, &r.schedule); err != nil {
				return err
			}
			v.checked.Deliveries++
			v.seen(1)
			allowed, ok := most[string(r.schedule)]
			if !ok {
				allowed = int64(webhook.Schedule(r.schedule).Tries())
				most[string(r.schedule)] = allowed
			}
			v.delivery(&r, waits, allowed)
			root := r.id
			if r.original.Valid {
				root = r.original.String
				v.sums.again++
			} else {
				v.sums.add(&v.sums.made, 1, append(thing[:0], r.event...))
			}
			thing = append(append(thing[:0], root...), r.id...)
			for n := range min(r.tries, mostTries) {
				v.sums.add(&v.sums.due, 1, strconv.AppendInt(thing, n+1, 10))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// delivery checks that a delivery has an end or waits, and was not tried more
// often than its schedule says.
func (v *verifier) delivery(r *tryRow, waits bool, allowed int64) {
	state := webhook.DeliveryState(r.state)
	switch {
	case waits && state != webhook.Waiting && state != webhook.Held:
		v.problem(ProblemDelivery, r.id, "the delivery neither waits nor is held")
	case !waits && state != webhook.Completed && state != webhook.Undone:
		v.problem(ProblemDelivery, r.id, "the delivery has no end")
	}
	switch {
	case waits && r.tries >= allowed:
		v.problem(ProblemAttempt, r.id, "the delivery waits, but its schedule has no try left")
	case !waits && r.tries > allowed:
		v.problem(ProblemAttempt, r.id, "the delivery was tried more often than its schedule says")
	}
}

// attempts adds up the attempts, each written as in deliveries: one column is
// handed over faster than three.
func (v *verifier) attempts() error {
	var thing sql.RawBytes
	return v.each(`select cast(webhook_id as text) || cast(delivery_id as text) || number from attempt`, nil, func(rows rowSet) error {
		if err := rows.Scan(&thing); err != nil {
			return err
		}
		v.checked.Attempts++
		v.seen(1)
		v.sums.add(&v.sums.tried, 1, thing)
		return nil
	})
}

// events adds up the events.
func (v *verifier) events() error {
	var id sql.RawBytes
	var fanout int64
	return v.each(`select id, fanout from event`, nil, func(rows rowSet) error {
		if err := rows.Scan(&id, &fanout); err != nil {
			return err
		}
		v.checked.Events++
		v.seen(1)
		v.sums.add(&v.sums.planned, fanout, id)
		return nil
	})
}
