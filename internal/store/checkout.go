package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func checkoutContext(id payment.CheckoutID) string { return "checkout/" + string(id) }

const checkoutColumns = `id, payment_key, client, created_at, expires_at, ended_at, answered_at, answered, doc`

// scanCheckout reads a row with checkoutColumns.
func (r *Reader) scanCheckout(row scanner) (payment.Checkout, error) {
	var c payment.Checkout
	var created, expires int64
	var ended, answered sql.NullInt64
	var sealed []byte
	if err := row.Scan(&c.ID, &c.Payment, &c.Client, &created, &expires, &ended, &answered, &c.Answered, &sealed); err != nil {
		return c, err
	}
	b, err := r.key.Open(sealed, checkoutContext(c.ID))
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return payment.Checkout{}, &programError{fmt.Errorf("window %s: %w", c.ID, err)}
	}
	c.CreatedAt, c.ExpiresAt = moment(created), moment(expires)
	c.EndedAt, c.AnsweredAt = momentOrZero(ended), momentOrZero(answered)
	return c, nil
}

func (r *Reader) sealCheckout(c payment.Checkout) ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return r.key.Seal(b, checkoutContext(c.ID))
}

// Checkout returns a window, as it was written: see payment.Checkout.Stands. It reports
// payment.ErrNoCheckout if there is none.
func (r *Reader) Checkout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, error) {
	if !isID(string(id)) {
		return payment.Checkout{}, payment.ErrNoCheckout
	}
	// Index: checkout_pkey.
	c, err := r.scanCheckout(r.db.QueryRowContext(ctx, `select `+checkoutColumns+` from checkout where id = $1`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return c, payment.ErrNoCheckout
	}
	return c, away(err)
}

// Checkouts are the windows that were opened for a payment, as they were written, the
// newest first, at most n.
func (r *Reader) Checkouts(ctx context.Context, k payment.Key, n int) (list []payment.Checkout, err error) {
	err = each(ctx, over(r.db), checkoutsQuery, []any{string(k), n}, func(rows rowSet) error {
		c, err := r.scanCheckout(rows)
		list = append(list, c)
		return err
	})
	return list, away(err)
}

// checkoutsQuery finds the windows of a payment. Index: checkout_by_payment.
const checkoutsQuery = `select ` + checkoutColumns + ` from checkout where payment_key = $1 order by created_at desc, id desc limit $2`

// How many windows of one payment may be opened within an hour: from one address, and in
// all. Whoever knows a payment's id can open some, and keeps no buyer from doing so.
const (
	windowsOfClient  = 10
	windowsOfPayment = 100
	windowsWithin    = time.Hour
)

// stillOpen reports payment.ErrCheckoutEnded if a window has ended. The caller has its
// payment, so that it does not end meanwhile.
func (t *tx) stillOpen(id payment.CheckoutID) error {
	if id == "" {
		return nil
	}
	var ended sql.NullInt64
	// Index: checkout_pkey.
	found, err := t.has(`select ended_at from checkout where id = $1`+t.d.forUpdate, []any{string(id)}, &ended)
	switch {
	case err != nil:
		return err
	case !found:
		return payment.ErrNoCheckout
	case ended.Valid:
		return payment.ErrCheckoutEnded
	}
	return nil
}

// putWindows writes the window that an act opens, and how one ends. only says that it did
// nothing else.
func (t *tx) putWindows(a notice.Act, out notice.Acted) (only bool, err error) {
	if out.Ends != nil {
		_, err = t.endCheckout(cmp.Or(out.Window, a.Window), *out.Ends, a.Env.Now)
	}
	if err == nil && out.Opens != nil {
		err = t.openCheckout(*out.Opens)
	}
	return !out.Changed && (out.Opens != nil || out.Ends != nil), err
}

// openCheckout writes a new window, unless there are too many.
func (t *tx) openCheckout(c payment.Checkout) error {
	all, own := 0, 0
	if err := t.each(recentWindows, []any{string(c.Payment), micros(c.CreatedAt.Add(-windowsWithin)), windowsOfPayment}, func(rows rowSet) error {
		var client string
		err := rows.Scan(&client)
		if all++; client == c.Client && client != "" {
			own++
		}
		return err
	}); err != nil {
		return err
	}
	if all >= windowsOfPayment || own >= windowsOfClient {
		return payment.ErrTooManyWindows
	}
	if c.Mode == merchant.Live && c.Method == payment.VirtualAccount {
		if err := t.roomForAccount(c.Store, c.Client, c.CreatedAt); err != nil {
			return err
		}
	}
	doc, err := t.s.sealCheckout(c)
	if err != nil {
		return err
	}
	return t.must(`insert into checkout (id, merchant_id, store_id, mode, payment_key, client, created_at, expires_at, code, answered, read_until, doc)
		values ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $8, $9)`,
		string(c.ID), string(c.Merchant), string(c.Store), string(c.Mode), string(c.Payment), c.Client, micros(c.CreatedAt), micros(c.ExpiresAt), doc)
}

// recentWindows finds whose windows of a payment were opened of late. Index:
// checkout_by_payment.
const recentWindows = `select client from checkout where payment_key = $1 and created_at > $2 order by created_at limit $3`

// EndCheckout writes how a window ended, unless that is written, and returns it as it
// then is. It reports payment.ErrNoCheckout if there is none.
func (s *Store) EndCheckout(ctx context.Context, id payment.CheckoutID, how payment.Outcome, at time.Time) (c payment.Checkout, err error) {
	if !isID(string(id)) {
		return c, payment.ErrNoCheckout
	}
	err = s.write(ctx, func(t *tx) error {
		c, err = t.endCheckout(id, how, at)
		return err
	})
	return c, err
}

func (t *tx) endCheckout(id payment.CheckoutID, how payment.Outcome, at time.Time) (payment.Checkout, error) {
	// Index: checkout_pkey.
	c, err := t.s.scanCheckout(t.row(`select `+checkoutColumns+` from checkout where id = $1`+t.d.forUpdate, string(id)))
	switch {
	case isNoRows(err):
		return c, payment.ErrNoCheckout
	case err != nil || !c.EndedAt.IsZero():
		return c, err
	}
	c.EndedAt, c.Outcome = moment(micros(at)), how
	doc, err := t.s.sealCheckout(c)
	if err != nil {
		return c, err
	}
	until, err := t.readUntil(c)
	if err != nil {
		return c, err
	}
	return c, t.must(`update checkout set ended_at = $2, code = $3, read_until = $4, doc = $5 where id = $1`,
		string(id), micros(at), string(how.Code), micros(until), doc)
}

// AnswerCheckout writes how the page of a window that has ended was told so. first is
// false if that was written before, or it has not ended.
func (s *Store) AnswerCheckout(ctx context.Context, id payment.CheckoutID, how payment.Answered, at time.Time) (first bool, err error) {
	if !isID(string(id)) {
		return false, payment.ErrNoCheckout
	}
	err = s.write(ctx, func(t *tx) error {
		// Index: checkout_pkey.
		n, err := t.exec(`update checkout set answered_at = $2, answered = $3 where id = $1 and answered_at is null and ended_at is not null`,
			string(id), micros(at), string(how))
		first = n > 0
		return err
	})
	return first, err
}

// FirstTries says how far the webhooks are that tell what came of an attempt at a
// payment: whether the first try of one has yet to end, and whether that of one has. What is
// held by a paused endpoint is not tried.
func (r *Reader) FirstTries(ctx context.Context, k payment.Key, id payment.TransactionID) (left, ended bool, err error) {
	err = r.db.QueryRowContext(ctx, firstTriesQuery, string(k), string(id), string(webhook.Ready)).Scan(&left, &ended)
	return left, ended, away(err)
}

// firstTriesQuery looks for tries that have not ended, and for such as have. A delivery
// moves from one table to the other, so it is one statement. Index: event_by_payment,
// delivery_by_event, delivery_end_by_payment, endpoint_pkey.
const firstTriesQuery = `with told as (select id from event where payment_key = $1 and transaction_id = $2 and type <> $3)
	select exists (select 1 from told join delivery d on d.event_id = told.id
			where d.tries = 0 and d.original is null and not exists (select 1 from endpoint p where p.id = d.endpoint_id and p.paused)),
		exists (select 1 from told join delivery d on d.event_id = told.id where d.tries > 0)
			or exists (select 1 from delivery_end e where e.payment_key = $1 and e.event_id in (select id from told))`

// Stirred lists what was written of payments since a time: events, and tries of their
// webhooks, by the id of each. It reads the ends of two indexes; of more than 500 of a
// kind it lists the newest.
func (r *Reader) Stirred(ctx context.Context, since time.Time) ([]notice.Stir, error) {
	var out []notice.Stir
	for _, q := range newsQueries {
		if q.topic == "notices" {
			continue
		}
		err := each(ctx, over(r.db), q.query, []any{idAt(since), mostNews}, func(rows rowSet) error {
			var s notice.Stir
			var id, m, st, mode string
			var at int64
			var key *string
			err := rows.Scan(&s.Row, &id, &at, &m, &st, &mode, &key)
			if key != nil {
				s.Payment = payment.Key(*key)
				out = append(out, s)
			}
			return err
		})
		if err != nil {
			return nil, away(err)
		}
	}
	return out, nil
}
