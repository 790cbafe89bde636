package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

func scheduleContext(id payment.ScheduleID) string { return "schedule/" + string(id) }

const scheduleColumns = `id, state, created_at, time_to_pay, started_at, ended_at, doc`

// scanSchedule reads a row with scheduleColumns.
func (r *Reader) scanSchedule(row scanner) (payment.Schedule, error) {
	var id payment.ScheduleID
	var state payment.ScheduleState
	var created, pay int64
	var started, ended sql.NullInt64
	var sealed []byte
	if err := row.Scan(&id, &state, &created, &pay, &started, &ended, &sealed); err != nil {
		return payment.Schedule{}, err
	}
	var s payment.Schedule
	b, err := r.key.Open(sealed, scheduleContext(id))
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return payment.Schedule{}, &programError{fmt.Errorf("schedule %s: %w", id, err)}
	}
	s.State, s.CreatedAt, s.TimeToPay = state, moment(created), moment(pay)
	s.StartedAt, s.EndedAt = momentOrZero(started), momentOrZero(ended)
	return s, nil
}

// Schedule returns a store's schedule of a mode that the credential sees. It
// reports payment.ErrNoSchedule if there is none.
func (r *Reader) Schedule(ctx context.Context, st merchant.StoreID, id payment.ScheduleID, sees merchant.Mode) (payment.Schedule, error) {
	if !isID(string(id)) {
		return payment.Schedule{}, payment.ErrNoSchedule
	}
	// Index: schedule_pkey.
	s, err := r.scanSchedule(r.db.QueryRowContext(ctx, `select `+scheduleColumns+` from schedule where id = $1`, string(id)))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s, payment.ErrNoSchedule
	case err != nil:
		return s, away(err)
	case s.Store != st || !sees.Sees(s.Mode):
		return payment.Schedule{}, payment.ErrNoSchedule
	}
	return s, nil
}

// AddSchedule writes a schedule, by the settings of a version. One of the same id
// that was written before is returned as it is.
//
// It reports fault.Stale if the settings changed, what payment.CheckSchedule and
// BillingKey.Usable do, payment.ErrScheduled, and payment.ErrPinned.
func (s *Store) AddSchedule(ctx context.Context, x payment.Schedule, version int64) (out payment.Schedule, err error) {
	err = s.write(ctx, func(t *tx) error {
		out, err = t.addSchedule(x, version)
		return err
	})
	return out, err
}

func (t *tx) addSchedule(x payment.Schedule, version int64) (payment.Schedule, error) {
	if err := t.lock([]string{paymentLock(x.Store, x.Payment), keyLock(x.BillingKey)}); err != nil {
		return x, err
	}
	if err := t.fresh(version); err != nil {
		return x, err
	}
	// Index: schedule_pkey.
	made, err := t.s.scanSchedule(t.row(`select `+scheduleColumns+` from schedule where id = $1`, string(x.ID)))
	if err == nil || !isNoRows(err) {
		return made, err
	}
	if err := t.maySchedule(x); err != nil {
		return x, err
	}
	b, err := json.Marshal(x)
	if err != nil {
		return x, err
	}
	doc, err := t.s.key.Seal(b, scheduleContext(x.ID))
	if err != nil {
		return x, err
	}
	return x, t.must(`insert into schedule (id, merchant_id, store_id, mode, payment_id, billing_key, state, created_at, time_to_pay, due_at, doc)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		string(x.ID), string(x.Merchant), string(x.Store), string(x.Mode), string(x.Payment), string(x.BillingKey), string(x.State),
		micros(x.CreatedAt), micros(x.TimeToPay), micros(x.TimeToPay), doc)
}

// maySchedule reports why a payment cannot be scheduled.
func (t *tx) maySchedule(x payment.Schedule) error {
	if err := t.unscheduled(notice.Act{Store: x.Store, ID: x.Payment}); err != nil {
		return err
	}
	k, err := t.billingKey(x.BillingKey)
	if err != nil {
		return err
	}
	if err := k.Usable(); err != nil {
		return err
	}
	p, found, err := t.paymentByID(x.Store, x.Payment)
	if err != nil {
		return err
	}
	var known *payment.Payment
	if found {
		known = &p
	}
	if err := payment.CheckSchedule(known, x); err != nil {
		return err
	}
	pin, err := t.pinned(x.Store, x.Payment, x.Mode)
	if err != nil {
		return err
	}
	return pin.Check(x.Amount, x.TaxFree)
}

// unscheduled reports payment.ErrScheduled if an act begins an attempt of a payment
// that is scheduled. An act for the schedule itself must have taken it up, and be
// the first to begin: else it is payment.ErrScheduleTaken.
func (t *tx) unscheduled(a notice.Act) error {
	var id payment.ScheduleID
	var state payment.ScheduleState
	var due sql.NullInt64
	// Index: schedule_by_payment.
	found, err := t.has(`select id, state, due_at from schedule where store_id = $1 and payment_id = $2 and ended_at is null`+t.d.forUpdate,
		[]any{string(a.Store), string(a.ID)}, &id, &state, &due)
	switch {
	case err != nil:
		return err
	case a.Schedule == "" && found:
		return payment.ErrScheduled
	case a.Schedule == "":
		return nil
	case !found || id != a.Schedule || state != payment.ScheduleStarted || !due.Valid || due.Int64 != micros(a.Lease):
		return payment.ErrScheduleTaken
	}
	return nil
}

// scheduleStands brings a schedule up to the attempt that was made for it.
var scheduleStands = &bulk{
	table: "schedule",
	one: `update schedule set state = $2, due_at = null, ended_at = coalesce(ended_at, $3) where id = $1 and state <> 'REVOKED'
		and (state <> $2 or due_at is not null)`,
	many: stating(`update schedule as s set state = c.state, due_at = null, ended_at = coalesce(s.ended_at, c.ended_at)
		from unnest($1::uuid[], $2::text[], $3::bigint[]) as c (id, state, ended_at)
		where s.id = c.id and s.state <> 'REVOKED' and (s.state <> c.state or s.due_at is not null)`),
	kinds: []string{"uuid", "text", "bigint"},
	last:  true,
}

// putSchedules brings the schedules of a payment up to it.
func (t *tx) putSchedules(p payment.Payment) {
	for _, at := range p.Transactions {
		id, state, ok := at.ScheduleOf()
		if !ok {
			continue
		}
		var ended sql.NullInt64
		if state.Over() {
			ended = microsOrNull(p.UpdatedAt)
		}
		t.put(scheduleStands, string(id), string(state), ended)
	}
}

// DueSchedules takes up to n schedules that are due by now. No other caller gets
// them before until; once an attempt was begun for one, none does. It also returns
// when the next one is due, which is past if there are more; the zero time if none
// waits.
func (s *Store) DueSchedules(ctx context.Context, now, until time.Time, n int) (list []payment.Schedule, next time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		list, next = nil, time.Time{}
		skip := ""
		if t.d.postgres {
			skip = " for update skip locked"
		}
		var ids []payment.ScheduleID
		// Index: schedule_by_due.
		if err := t.each(`select id from schedule where due_at <= $1 order by due_at limit $2`+skip, []any{micros(now), n}, func(rows rowSet) error {
			var id payment.ScheduleID
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}); err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.must(`update schedule set state = 'STARTED', due_at = $3, started_at = coalesce(started_at, $2) where id = $1`,
				string(id), micros(now), micros(until)); err != nil {
				return err
			}
			x, err := s.scanSchedule(t.row(`select `+scheduleColumns+` from schedule where id = $1`, string(id)))
			switch {
			case isProgram(err):
				// One that cannot be opened must not stand in the way of others.
				s.log.ErrorContext(t.ctx, "a schedule cannot be opened, so its payment is not made for now", "schedule_id", id, "err", err)
			case err != nil:
				return err
			default:
				x.Until = until
				list = append(list, x)
			}
		}
		var due sql.NullInt64
		// Index: schedule_by_due.
		if err := t.row(`select min(due_at) from schedule where due_at is not null`).Scan(&due); err != nil {
			return err
		}
		next = momentOrZero(due)
		return nil
	})
	return list, next, err
}

// FailSchedule ends a schedule for which no attempt can be begun. It changes
// nothing unless x is as DueSchedules gave it.
func (s *Store) FailSchedule(ctx context.Context, x payment.Schedule, at time.Time) error {
	return s.write(ctx, func(t *tx) error {
		return t.must(`update schedule set state = 'FAILED', due_at = null, ended_at = $3 where id = $1 and state = 'STARTED' and due_at = $2`,
			string(x.ID), micros(x.Until), micros(at))
	})
}
