package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// newSweep has the PG asked about an account. One about which it is asked already
// stays as it is, unless an outage makes it urgent. But an account that waits on
// another channel by now moves to that one's row: the earlier channel may never be
// asked again.
var (
	newSweep = latest(inserting("sweep", sweepColumns, `on conflict (payment_key) do update set channel_key = excluded.channel_key, tries = 0,
		due_at = case when sweep.due_at < excluded.due_at then sweep.due_at else excluded.due_at end
		where sweep.channel_key <> excluded.channel_key`))
	urgentSweep = latest(inserting("sweep", sweepColumns, `on conflict (payment_key) do update set
		channel_key = excluded.channel_key, due_at = excluded.due_at, tries = 0, why = excluded.why`))
)

// latest has rows of one key replace each other.
func latest(b *bulk) *bulk {
	b.last = true
	return b
}

const sweepColumns = "payment_key uuid, channel_key text, due_at bigint, tries bigint, why text"

// Beat says that this node serves at now. If no node had said so for longer than
// least, it returns that time, again at every call until EndOutage: a node may die
// before it has done what follows. Two such times count as one.
func (s *Store) Beat(ctx context.Context, now time.Time, least time.Duration) (o notice.Outage, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.must(`insert into heartbeat (id, at) values (1, $1) on conflict (id) do nothing`, micros(now)); err != nil {
			return err
		}
		var at int64
		var from, until sql.NullInt64
		if err := t.row(`select at, gap_from, gap_until from heartbeat where id = 1`+t.d.forUpdate).Scan(&at, &from, &until); err != nil {
			return err
		}
		if now.Sub(moment(at)) > least {
			if !from.Valid {
				from = sql.NullInt64{Int64: at, Valid: true}
			}
			until = sql.NullInt64{Int64: micros(now), Valid: true}
		}
		o = notice.Outage{From: momentOrZero(from), Until: momentOrZero(until)}
		return t.must(`update heartbeat set at = $1, gap_from = $2, gap_until = $3 where id = 1`, max(at, micros(now)), from, until)
	})
	return o, err
}

// EndOutage says that all that follows from an outage is in the store.
func (s *Store) EndOutage(ctx context.Context, o notice.Outage) error {
	return s.write(ctx, func(t *tx) error {
		return t.must(`update heartbeat set gap_from = null, gap_until = null where id = 1 and gap_until = $1`, micros(o.Until))
	})
}

// SweepsDue says when the account is due of each channel that is to be asked about
// first. However many wait, it reads a few entries for each channel.
func (r *Reader) SweepsDue(ctx context.Context) (map[merchant.ChannelKey]time.Time, error) {
	next := make(map[merchant.ChannelKey]time.Time)
	// Index: sweep_by_channel.
	err := each(ctx, over(r.db), `with recursive c (channel_key) as (
			select min(channel_key) from sweep
			union all select (select min(s.channel_key) from sweep s where s.channel_key > c.channel_key) from c where c.channel_key is not null
		) select channel_key, (select min(s.due_at) from sweep s where s.channel_key = c.channel_key) from c where channel_key is not null`,
		nil, func(rows rowSet) error {
			var c merchant.ChannelKey
			var due sql.NullInt64
			err := rows.Scan(&c, &due)
			if due.Valid {
				next[c] = moment(due.Int64)
			}
			return err
		})
	return next, away(err)
}

// Sweep takes of each of these channels the account that has been due longest by
// now, and says when the next of each is due; a channel without one is left out.
// No other caller gets what was taken before until.
func (s *Store) Sweep(ctx context.Context, now, until time.Time, channels []merchant.ChannelKey) (list []notice.Sweeping, next map[merchant.ChannelKey]time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		list, next = nil, make(map[merchant.ChannelKey]time.Time)
		for _, c := range channels {
			one, due, err := t.sweep(c, now, until)
			if err != nil {
				return err
			}
			if one != nil {
				list = append(list, *one)
			}
			if due.Valid {
				next[c] = moment(due.Int64)
			}
		}
		return nil
	})
	return list, next, err
}

// sweep takes an account of one channel; nil if none is due, or it is not to be
// asked about any more.
func (t *tx) sweep(c merchant.ChannelKey, now, until time.Time) (one *notice.Sweeping, next sql.NullInt64, err error) {
	// Index: sweep_by_channel.
	const soonest = `select min(due_at) from sweep where channel_key = $1`
	if err := t.row(soonest, string(c)).Scan(&next); err != nil || !next.Valid || next.Int64 > micros(now) {
		return nil, next, err
	}
	skip := ""
	if t.d.postgres {
		skip = " for update skip locked"
	}
	x := notice.Sweeping{Channel: c, Until: until}
	var key, why string
	// Index: sweep_by_channel, sweep_pkey.
	found, err := t.has(`update sweep set due_at = $3, tries = tries + 1 where payment_key in
		(select payment_key from sweep where channel_key = $1 and due_at <= $2 order by due_at limit 1`+skip+`) returning payment_key, tries, why`,
		[]any{string(c), micros(now), micros(until)}, &key, &x.Tries, &why)
	if err != nil || !found {
		return nil, next, err
	}
	t.wrote = true
	x.Why = notice.SweepReason(why)
	x.Payment, err = t.inquired(payment.Key(key))
	switch {
	case isNoRows(err):
		err = t.must(`delete from sweep where payment_key = $1`, key)
	case isProgram(err):
		t.s.log.ErrorContext(t.ctx, "a payment cannot be opened, so its PG is not asked for now", "payment_key", key, "err", err)
		err = t.must(`update sweep set due_at = $2 where payment_key = $1`, key, micros(now.Add(laterIfSealed)))
	case err == nil:
		one = &x
	}
	if err != nil {
		return nil, next, err
	}
	err = t.row(soonest, string(c)).Scan(&next)
	return one, next, err
}

// Swept notes what came of a sweep: again says, by the payment as it is now, when
// its PG is to be asked again, and why; the zero time: not any more. What was
// made urgent meanwhile stays so.
func (s *Store) Swept(ctx context.Context, x notice.Sweeping, again func(payment.Payment) (time.Time, notice.SweepReason)) error {
	return s.write(ctx, func(t *tx) error {
		p, err := t.inquired(x.Payment.Key)
		var at time.Time
		why := x.Why
		switch {
		case err == nil:
			at, why = again(p)
		case isProgram(err):
			return nil // as Sweep left it
		case !isNoRows(err):
			return err
		}
		if at.IsZero() {
			return t.must(`delete from sweep where payment_key = $1 and due_at = $2`, string(x.Payment.Key), micros(x.Until))
		}
		return t.must(`update sweep set due_at = $3, why = $4 where payment_key = $1 and due_at = $2`,
			string(x.Payment.Key), micros(x.Until), micros(at), string(why))
	})
}

// A ListedSweep is an account about which a PG is to be asked, as it is listed.
type ListedSweep struct {
	Channel  merchant.ChannelKey `json:"channel"`
	Store    merchant.StoreID    `json:"store"`
	ID       payment.ID          `json:"payment"`
	State    payment.State       `json:"status"`
	Amount   int64               `json:"amount"`
	Currency payment.Currency    `json:"currency"`
	Why      notice.SweepReason  `json:"why"`
	Tries    int                 `json:"tries"`
	Due      time.Time           `json:"due"` // or, while it is asked about, when others may
}

// Sweeps lists the accounts about which PGs are to be asked, those that are due
// first in front; only for one reason, if why is not empty. It reads all of them.
func (r *Reader) Sweeps(ctx context.Context, why notice.SweepReason, limit int) (list []ListedSweep, err error) {
	err = each(ctx, over(r.db), `select s.channel_key, p.store_id, p.id, p.state, p.amount, p.currency, s.why, s.tries, s.due_at
		from sweep s join payment p on p.key = s.payment_key where $1 = '' or s.why = $1 order by s.due_at, s.payment_key limit $2`,
		[]any{string(why), limit}, func(rows rowSet) error {
			var x ListedSweep
			var due int64
			err := rows.Scan(&x.Channel, &x.Store, &x.ID, &x.State, &x.Amount, &x.Currency, &x.Why, &x.Tries, &due)
			x.Due = moment(due)
			list = append(list, x)
			return err
		})
	return list, away(err)
}
