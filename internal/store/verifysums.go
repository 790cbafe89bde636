package store

import (
	"bytes"
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
	sent, bodies  sum   // attempts of which nothing was pruned, and what they sent
	again         int64 // deliveries that are resends, whose events are counted nowhere
}

// A tryRow is a delivery as far as its event and its attempts go.
type tryRow struct {
	id, event, original, state, schedule []byte
	tries                                int64
}

// mostTries is more than any schedule has: what says more is found out anyway.
const mostTries = 10_000

// deliveries checks the states and tries of deliveries, and adds them up.
func (v *verifier) deliveries() error {
	var thing []byte
	most := make(map[string]int64)
	for _, name := range []string{"delivery", "delivery_end"} {
		waits := name == "delivery"
		t := walked{name: name, columns: []string{"id", "event_id", "original", "tries", "state", "schedule"}, paged: "rowid"}
		if err := v.scan(t, func(f [][]byte) error {
			tries, err := strconv.ParseInt(string(f[3]), 10, 64)
			if err != nil {
				return err
			}
			r := tryRow{id: f[0], event: f[1], original: f[2], tries: tries, state: f[4], schedule: f[5]}
			v.checked.Deliveries++
			v.seen(1)
			allowed, ok := most[string(r.schedule)]
			if !ok {
				allowed = int64(webhook.Schedule(r.schedule).Tries())
				most[string(r.schedule)] = allowed
			}
			v.delivery(&r, waits, allowed)
			root := r.id
			if len(r.original) > 0 {
				root = r.original
				v.sums.again++
			} else {
				v.sums.add(&v.sums.made, 1, r.event)
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
		v.problem(ProblemDelivery, idText(r.id), "the delivery neither waits nor is held")
	case !waits && state != webhook.Completed && state != webhook.Undone:
		v.problem(ProblemDelivery, idText(r.id), "the delivery has no end")
	}
	switch {
	case waits && r.tries >= allowed:
		v.problem(ProblemAttempt, idText(r.id), "the delivery waits, but its schedule has no try left")
	case !waits && r.tries > allowed:
		v.problem(ProblemAttempt, idText(r.id), "the delivery was tried more often than its schedule says")
	}
}

// attempts adds up the attempts, each written as in deliveries.
func (v *verifier) attempts() error {
	var thing []byte
	whole := v.kept(v.floors.of("attempt_body"))
	t := walked{name: "attempt", columns: []string{"id", "webhook_id", "delivery_id", "number"}, paged: "id"}
	return v.scan(t, func(f [][]byte) error {
		v.checked.Attempts++
		v.seen(1)
		if bytes.Compare(f[0], whole) >= 0 {
			v.sums.add(&v.sums.sent, 1, f[0])
		}
		thing = append(append(append(thing[:0], f[1]...), f[2]...), f[3]...)
		v.sums.add(&v.sums.tried, 1, thing)
		return nil
	})
}

// attemptBodies adds up what attempts sent.
func (v *verifier) attemptBodies() error {
	whole := v.kept(v.floors.of("attempt_body"))
	// Index: attempt_body_pkey, alone.
	return v.scan(walked{name: "attempt_body", columns: []string{"id"}, paged: "id"}, func(f [][]byte) error {
		if bytes.Compare(f[0], whole) >= 0 {
			v.sums.add(&v.sums.bodies, 1, f[0])
		}
		return nil
	})
}

// events adds up the events, and holds what they tell of payments against the
// payments.
func (v *verifier) events() error {
	sure := v.floors.sure("payment")
	t := walked{name: "event", columns: []string{"id", payerText, "fanout", "type"}, paged: "id"}
	return v.scan(t, func(f [][]byte) error {
		id, key := f[0], f[1]
		fanout, err := strconv.ParseInt(string(f[2]), 10, 64)
		if err != nil {
			return err
		}
		v.checked.Events++
		v.seen(1)
		v.sums.add(&v.sums.planned, fanout, id)
		if len(key) == 0 {
			return nil
		}
		paid := string(f[3]) == string(webhook.Paid)
		switch exists := paid && v.whole() || v.exists(key); {
		case !exists && string(key) >= sure:
			v.problem(ProblemEvent, idText(id), noPaymentOfEvent)
		case exists && paid:
			v.payers.add(1, key, key)
		}
		return nil
	})
}
