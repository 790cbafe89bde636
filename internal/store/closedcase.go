package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// CloseCase ends a case at a person's wish, and returns it. The notice keeps its
// verdict, and the case is found among ClosedCases from then on: the same message, ruled
// on as before, opens none again. It reports fault.NotFound for a case that is not open
// or that x.Sees hides, and notice.ErrCasePending.
func (s *Store) CloseCase(ctx context.Context, x notice.CaseClosing) (notice.Case, error) {
	var c notice.Case
	err := s.write(ctx, func(t *tx) error {
		var err error
		if c, err = t.openCaseOf(x.ID); err != nil {
			return err
		}
		if !x.Sees(c) {
			return noCase(x.ID)
		}
		if c.Kind == string(payment.Pending) {
			return notice.ErrCasePending
		}
		c.Closed = x.End
		if err := t.closeCase(c); err != nil || x.Audit == nil {
			return err
		}
		return t.audit(x.Audit(c))
	})
	return c, err
}

func noCase(id notice.ID) error {
	return fault.Errorf(fault.NotFound, "no case %s is open", string(id))
}

// openCaseOf is an open case, which is locked. It reports fault.NotFound if there is none.
func (t *tx) openCaseOf(id notice.ID) (c notice.Case, err error) {
	if !isID(string(id)) {
		return c, noCase(id) // PostgreSQL would not look it up
	}
	row := openCaseRow{Case: notice.Case{ID: id}}
	found, err := t.has(`select kind, reason, channel_key, merchant_id, store_id, payment_key, opened_at, resends
		from open_case where id = $1`+t.d.forUpdate, []any{string(id)}, row.dest()...)
	switch {
	case err != nil:
		return c, err
	case !found:
		return c, noCase(id)
	}
	c = row.value()
	_, err = t.has(`select mode from notice where id = $1`, []any{string(id)}, &c.Mode)
	return c, err
}

// An openCaseRow is the row of a case on its way to a notice.Case.
type openCaseRow struct {
	notice.Case
	payment sql.NullString
	opened  int64
}

func (r *openCaseRow) dest() []any {
	return []any{&r.Kind, &r.Reason, &r.Channel, &r.Merchant, &r.Store, &r.payment, &r.opened, &r.Resends}
}

func (r *openCaseRow) value() notice.Case {
	r.Payment, r.OpenedAt = payment.Key(r.payment.String), moment(r.opened)
	return r.Case
}

// closeCase moves an open case to the closed ones.
func (t *tx) closeCase(c notice.Case) error {
	e := c.Closed
	// Index: open_case_pkey.
	if err := t.must(`insert into closed_case (id, closed_at, kind, channel_key, merchant_id, store_id, mode, notice_key, payment_key,
			reason, opened_at, resends, how, by_kind, by_id, by_name, note)
		select id, $2, kind, channel_key, merchant_id, store_id, $3, notice_key, payment_key, reason, opened_at, resends, $4, $5, $6, $7, $8
		from open_case where id = $1`,
		string(c.ID), micros(e.At), string(c.Mode), e.How, e.ByKind, e.ByID, text(e.ByName), text(e.Note)); err != nil {
		return err
	}
	return t.dropCase(string(c.ID))
}

// lookedAt reports whether a person has ended the case of the same message, which was
// ruled on as it is now. What waits for the PG no person ends.
func (t *tx) lookedAt(in notice.Inbound, r notice.Ruling) (bool, error) {
	if in.Notice.Key == "" || r.Verdict == payment.Pending {
		return false, nil
	}
	var id string
	// Index: closed_case_by_key.
	return t.has(`select id from closed_case where channel_key = $1 and notice_key = $2 and notice_key <> '' and kind = $3 and reason = $4 limit 1`,
		[]any{string(r.Channel), name(in.Notice.Key), string(r.Verdict), string(r.Reason)}, &id)
}

// Case returns a case, open or closed: of one that was closed several times, as it was
// closed last. It reports fault.NotFound if there is none.
func (r *Reader) Case(ctx context.Context, id notice.ID) (notice.Case, error) {
	if !isID(string(id)) {
		return notice.Case{}, noSuchCase(id)
	}
	row := openCaseRow{Case: notice.Case{ID: id}}
	// Index: open_case_pkey, notice_pkey.
	err := r.db.QueryRowContext(ctx, `select c.kind, c.reason, c.channel_key, c.merchant_id, c.store_id, c.payment_key, c.opened_at, c.resends,
		n.mode from open_case c join notice n on n.id = c.id where c.id = $1`, string(id)).Scan(append(row.dest(), &row.Mode)...)
	if err == nil {
		return row.value(), nil
	}
	if !isNoRows(err) {
		return notice.Case{}, away(err)
	}
	list, err := r.closedCases(ctx, `id = $1 order by closed_at desc limit 1`, string(id)) // Index: closed_case_pkey backwards
	if err == nil && len(list) == 0 {
		err = noSuchCase(id)
	}
	if err != nil {
		return notice.Case{}, err
	}
	return list[0], nil
}

func noSuchCase(id notice.ID) error {
	return fault.Errorf(fault.NotFound, "there is no case %q", string(id))
}

// ClosedCases lists up to limit cases of a merchant that were closed before a time, the
// latest first.
func (r *Reader) ClosedCases(ctx context.Context, m merchant.ID, before time.Time, limit int) ([]notice.Case, error) {
	// Index: closed_case_by_merchant backwards.
	return r.closedCases(ctx, fmt.Sprintf(`merchant_id = $1 and closed_at < $2 order by closed_at desc, id desc limit %d`, limit),
		string(m), micros(before))
}

func (r *Reader) closedCases(ctx context.Context, where string, args ...any) ([]notice.Case, error) {
	var out []notice.Case
	err := each(ctx, over(r.db), `select id, kind, reason, channel_key, merchant_id, store_id, payment_key, opened_at, resends,
		mode, closed_at, how, by_kind, by_id, by_name, note from closed_case where `+where, args, func(rows rowSet) error {
		var row openCaseRow
		var at int64
		e := &row.Closed
		if err := rows.Scan(append(append([]any{&row.ID}, row.dest()...), &row.Mode, &at, &e.How, &e.ByKind, &e.ByID, &e.ByName, &e.Note)...); err != nil {
			return err
		}
		e.At = moment(at)
		out = append(out, row.value())
		return nil
	})
	return out, away(err)
}
