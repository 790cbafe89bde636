package store

import (
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// How many accounts live PGs are asked for in windows of one store within an hour: in
// all, and from one address. Anybody can open windows, and each account may cost the
// merchant something. Acts that are under way at once may exceed it by as many.
const (
	accountsOfStore  = 2000
	accountsOfClient = 200
	accountsWithin   = time.Hour
)

// asksLive reports payment.ErrTooManyAccounts if an act asks a live PG for an account in a
// window, and no more are to be, and else notes when it was.
func (t *tx) asksLive(a notice.Act, known *payment.Payment, p payment.Payment) error {
	at, ok := p.Transaction()
	if a.Window == "" || !ok || p.Mode != merchant.Live || at.Charge != nil || p.Begun() <= begun(known) {
		return nil
	}
	var client string
	// Index: checkout_pkey.
	if err := t.row(`select client from checkout where id = $1`, string(a.Window)).Scan(&client); err != nil {
		return err
	}
	if err := t.roomForAccount(p.Store, client, a.Env.Now); err != nil {
		return err
	}
	return t.must(`update checkout set asked_at = $2 where id = $1`, string(a.Window), micros(a.Env.Now))
}

// roomForAccount reports payment.ErrTooManyAccounts if live PGs were asked for too many in
// windows of a store. An empty client is nobody's.
func (t *tx) roomForAccount(s merchant.StoreID, client string, now time.Time) error {
	all, own := 0, 0
	if err := t.each(accountsAsked, []any{string(s), micros(now.Add(-accountsWithin)), accountsOfStore}, func(rows rowSet) error {
		var of string
		err := rows.Scan(&of)
		if all++; of == client && of != "" {
			own++
		}
		return err
	}); err != nil {
		return err
	}
	if all >= accountsOfStore || own >= accountsOfClient {
		return payment.ErrTooManyAccounts
	}
	return nil
}

// accountsAsked finds from which addresses live PGs were asked for accounts of late. Index:
// checkout_asked, which has all that it reads.
const accountsAsked = `select client from checkout where store_id = $1 and asked_at is not null and asked_at > $2 order by asked_at limit $3`

// readUntil is until when the page of a window that ends may be read: longer if an account
// waits by it.
func (t *tx) readUntil(c payment.Checkout) (time.Time, error) {
	if c.Outcome.Code != "" {
		return c.ExpiresAt, nil
	}
	var deadline sql.NullInt64
	// Index: payment_pkey.
	_, err := t.has(`select deadline from payment where key = $1`, []any{string(c.Payment)}, &deadline)
	if at := momentOrZero(deadline); at.After(c.ExpiresAt) {
		return at.Add(payment.CheckoutReadable), err
	}
	return c.ExpiresAt.Add(payment.CheckoutReadable), err
}
