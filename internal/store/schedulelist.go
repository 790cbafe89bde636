package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// RevokeSchedules revokes schedules of a store in the modes that the credential
// sees, all or none: those with the ids, or if there are none, all of a billing key
// for which no attempt was begun. It returns those that it revoked, in order.
//
// Of an id it reports payment.ErrNoSchedule, payment.ErrScheduleProcessed and
// payment.ErrScheduleRevoked. audit, if it is given, makes what goes into the audit
// log with it.
func (s *Store) RevokeSchedules(ctx context.Context, st merchant.StoreID, sees merchant.Mode, key payment.BillingKeyID, ids []payment.ScheduleID, at time.Time, audit ...func([]payment.ScheduleID) []member.Entry) (revoked []payment.ScheduleID, err error) {
	err = s.write(ctx, func(t *tx) error {
		if len(ids) == 0 {
			if revoked, err = t.revokeOf(st, sees, key, at); err != nil {
				return err
			}
			return t.audit(auditing(audit, revoked))
		}
		revoked = slices.Clone(ids)
		slices.Sort(revoked) // one order for everybody
		revoked = slices.Compact(revoked)
		for _, id := range revoked {
			if err := t.revocable(st, sees, key, id); err != nil {
				return err
			}
		}
		for _, id := range revoked {
			if err := t.must(`update schedule set state = 'REVOKED', due_at = null, ended_at = $2 where id = $1`, string(id), micros(at)); err != nil {
				return err
			}
		}
		return t.audit(auditing(audit, revoked))
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// revokeOf revokes the schedules of a billing key, however many there are.
func (t *tx) revokeOf(st merchant.StoreID, sees merchant.Mode, key payment.BillingKeyID, at time.Time) (out []payment.ScheduleID, err error) {
	// Index: schedule_by_key, schedule_pkey.
	err = t.each(`update schedule set state = 'REVOKED', due_at = null, ended_at = $4 where id in
		(select id from schedule where billing_key = $1 and ended_at is null and due_at is not null and store_id = $2
		and ($3 = 'any' or mode = $3) order by id`+t.d.forUpdate+`) returning id`,
		[]any{string(key), string(st), string(sees), micros(at)}, func(rows rowSet) error {
			var id payment.ScheduleID
			err := rows.Scan(&id)
			out = append(out, id)
			return err
		})
	slices.Sort(out)
	return out, err
}

// revocable locks a schedule that is to be revoked, and reports why it cannot be: it may
// until an attempt was begun for it, though it was taken up.
func (t *tx) revocable(st merchant.StoreID, sees merchant.Mode, key payment.BillingKeyID, id payment.ScheduleID) error {
	if !isID(string(id)) {
		return payment.ErrNoSchedule
	}
	var mode merchant.Mode
	var of merchant.StoreID
	var by payment.BillingKeyID
	var state payment.ScheduleState
	var due sql.NullInt64
	// Index: schedule_pkey.
	found, err := t.has(`select store_id, mode, billing_key, state, due_at from schedule where id = $1`+t.d.forUpdate, []any{string(id)}, &of, &mode, &by, &state, &due)
	switch {
	case err != nil:
		return err
	case !found || of != st || !sees.Sees(mode) || key != "" && by != key:
		return payment.ErrNoSchedule
	case state == payment.ScheduleRevoked:
		return payment.ErrScheduleRevoked
	case !due.Valid:
		return payment.ErrScheduleProcessed
	}
	return nil
}

// A ScheduleSort is what a list of schedules is ordered by.
type ScheduleSort int

// What schedules are ordered by. Those that have not ended come last by ByEnd, the
// oldest first; first, if the newest are.
const (
	ByTimeToPay ScheduleSort = iota
	ByCreation
	ByEnd
)

// A ScheduleList says which schedules are listed. The window is of their times to
// pay.
type ScheduleList struct {
	Window
	BillingKey payment.BillingKeyID    // empty: any
	States     []payment.ScheduleState // none: any
	By         ScheduleSort
}

// Schedules returns the schedules that are asked for, in their order, and how many
// there are in all. It reports fault.Invalid if there are more than MostListed in
// the time.
func (r *Reader) Schedules(ctx context.Context, l ScheduleList) (list []payment.Schedule, total int, err error) {
	// Index: schedule_by_time.
	places, err := r.walkWindow(ctx, l.Window, `select id, state, billing_key, created_at, time_to_pay, ended_at from schedule
		where store_id = $1 and mode = $2 and time_to_pay >= $3 and time_to_pay <= $4 order by time_to_pay, id limit $5`, l.read)
	if err != nil {
		return nil, 0, err
	}
	for _, p := range l.part(places) {
		x, err := r.scanSchedule(r.db.QueryRowContext(ctx, `select `+scheduleColumns+` from schedule where id = $1`, p.id))
		if err != nil {
			return nil, 0, away(err)
		}
		list = append(list, x)
	}
	return list, len(places), nil
}

// read reads a row of the list, and reports whether it is asked for.
func (l ScheduleList) read(rows rowSet) (p windowed, keep bool, err error) {
	var state payment.ScheduleState
	var key payment.BillingKeyID
	var created, pay int64
	var ended sql.NullInt64
	err = rows.Scan(&p.id, &state, &key, &created, &pay, &ended)
	switch l.By {
	case ByTimeToPay:
		p.at = pay
	case ByCreation:
		p.at = created
	case ByEnd:
		p.at = micros(never)
		if ended.Valid {
			p.at = ended.Int64
		}
	}
	return p, (l.BillingKey == "" || key == l.BillingKey) && (len(l.States) == 0 || slices.Contains(l.States, state)), err
}
