package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// enlistedAtOnce is how many accounts one transaction enlists.
const enlistedAtOnce = 500

// Enlist has PGs asked about the accounts that wait for money, as e says, and
// returns how many wait on each channel. What fails half-way may be done again.
func (s *Store) Enlist(ctx context.Context, e notice.Enlisting) (map[merchant.ChannelKey]int, error) {
	waiting := make(map[merchant.ChannelKey]int)
	first := enlisted{at: micros(e.After) + 1}
	if e.After.IsZero() {
		first.at = 0
	}
	if err := s.enlistAll(ctx, first, waiting, func(t *tx, last enlisted) ([]enlisted, error) { return t.enlist(e, last) }); err != nil {
		return nil, err
	}
	if e.Undated.IsZero() {
		return waiting, nil
	}
	all, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	for _, of := range all.Stores {
		for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
			err := s.enlistAll(ctx, enlisted{at: micros(e.Undated)}, waiting, func(t *tx, last enlisted) ([]enlisted, error) {
				return t.enlistUndated(e, of.ID, mode, last)
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return waiting, nil
}

// enlistAll does page after page, and counts.
func (s *Store) enlistAll(ctx context.Context, last enlisted, waiting map[merchant.ChannelKey]int, do func(*tx, enlisted) ([]enlisted, error)) error {
	for {
		var page []enlisted
		err := s.write(ctx, func(t *tx) (err error) {
			page, err = do(t, last)
			return err
		})
		if err != nil {
			return err
		}
		for _, x := range page {
			if !x.over {
				waiting[x.channel]++
			}
		}
		if len(page) < enlistedAtOnce {
			return nil
		}
		last = page[len(page)-1]
	}
}

// An enlisted is an account that was looked at.
type enlisted struct {
	key     string
	channel merchant.ChannelKey
	at      int64 // its deadline, or when it was ordered
	over    bool  // it waits no more
}

// firstKey is before every key.
const firstKey = "00000000-0000-0000-0000-000000000000"

// enlist does a page of them, those that come after the last.
func (t *tx) enlist(e notice.Enlisting, last enlisted) (page []enlisted, err error) {
	until, key := int64(maxMoment), last.key
	if !e.Until.IsZero() {
		until = micros(e.Until)
	}
	if key == "" {
		key = firstKey
	}
	// Index: payment_by_deadline.
	err = t.each(`select key, channel_key, deadline from payment where deadline is not null and deadline >= $1 and deadline <= $2
		and (deadline > $1 or key > $3) order by deadline, key limit $4`,
		[]any{last.at, until, key, enlistedAtOnce}, func(rows rowSet) error {
			var x enlisted
			err := rows.Scan(&x.key, &x.channel, &x.at)
			page = append(page, x)
			return err
		})
	if err != nil {
		return nil, err
	}
	for _, x := range page {
		t.sweepAt(e, x, e.When(x.channel, moment(x.at)))
	}
	return page, nil
}

// enlistUndated does a page of the accounts of a store that have no deadline. That
// nothing came for them in time is not known, so who has waited for long is left
// out: a store may have many.
func (t *tx) enlistUndated(e notice.Enlisting, of merchant.StoreID, mode merchant.Mode, last enlisted) (page []enlisted, err error) {
	key := last.key
	if key == "" {
		key = firstKey
	}
	// Index: payment_by_request.
	err = t.each(`select key, channel_key, requested_at, doc from payment where store_id = $1 and mode = $2 and state = $3 and deadline is null
		and requested_at >= $4 and (requested_at > $4 or key > $5) order by requested_at, key limit $6`,
		[]any{string(of), string(mode), string(payment.Issued), last.at, key, enlistedAtOnce}, func(rows rowSet) error {
			var x enlisted
			var doc []byte
			if err := rows.Scan(&x.key, &x.channel, &x.at, &doc); err != nil {
				return err
			}
			p, err := t.s.openPayment(payment.Key(x.key), doc)
			at, _ := p.Transaction()
			x.over = err != nil || p.Expired || at.Account == nil || at.Account.Type == payment.FixedUnlimited
			page = append(page, x)
			return nil
		})
	if err != nil {
		return nil, err
	}
	for _, x := range page {
		if !x.over {
			t.sweepAt(e, x, e.When(x.channel, time.Time{}))
		}
	}
	return page, nil
}

// sweepAt has a PG asked about an account, unless the time is zero.
func (t *tx) sweepAt(e notice.Enlisting, x enlisted, at time.Time) {
	into := newSweep
	if e.Why == notice.SweepOutage {
		into = urgentSweep
	}
	if !at.IsZero() {
		t.put(into, x.key, string(x.channel), micros(at), 0, string(e.Why))
	}
}

// maxMoment is later than any.
const maxMoment = 1<<63 - 1
