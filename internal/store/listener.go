package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

const listenerColumns = `id, merchant_id, store_id, mode, api_secret_id, name, forward, events, version, content_type, secret, floor,
	opened_at, heard_at`

// OpenListener opens a listen session at l.OpenedAt, or goes on with the one that
// the API secret has in the store and mode by that name: then what l asks to be
// sent replaces what it asked for, its floor and its signing secret stay, and
// fresh is false. It ends the store's sessions that nobody connected to for
// webhook.ListenerLife, and reports webhook.ErrTooManyListeners.
func (s *Store) OpenListener(ctx context.Context, l webhook.Listener) (out webhook.Listener, fresh bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		out, fresh, err = t.openListener(l)
		return err
	})
	return out, fresh, err
}

func (t *tx) openListener(l webhook.Listener) (out webhook.Listener, fresh bool, err error) {
	// Those of one store go one by one, or their count would be passed.
	if err := t.lock([]string{"listen/" + string(l.Store) + "/" + string(l.Mode)}); err != nil {
		return l, false, err
	}
	if err := t.endListeners(`store_id = $1 and mode = $2 and heard_at <= $3`,
		string(l.Store), string(l.Mode), micros(l.OpenedAt.Add(-webhook.ListenerLife))); err != nil {
		return l, false, err
	}
	// Index: listener_by_name.
	old, err := t.s.oneListener(t.row(`select `+listenerColumns+` from listener
		where store_id = $1 and mode = $2 and api_secret_id = $3 and name = $4`, string(l.Store), string(l.Mode), l.Credential, l.Name))
	switch {
	case err == nil:
		l.ID, l.Secret, l.Floor, l.OpenedAt, l.HeardAt = old.ID, old.Secret, old.Floor, old.OpenedAt, l.OpenedAt
		return l, false, t.askListener(l)
	case !isNoRows(err):
		return l, false, err
	}
	var n int
	// Index: listener_by_name.
	if err := t.row(`select count(*) from listener where store_id = $1 and mode = $2`, string(l.Store), string(l.Mode)).Scan(&n); err != nil {
		return l, false, err
	}
	if n >= webhook.MaxListeners {
		return l, false, webhook.ErrTooManyListeners
	}
	l.HeardAt = l.OpenedAt
	return l, true, t.addListener(l)
}

func (t *tx) addListener(l webhook.Listener) error {
	events, err := json.Marshal(l.Events)
	if err != nil {
		return err
	}
	sealed, err := t.s.key.Seal([]byte(l.Secret.Reveal()), listenerContext(l.ID))
	if err != nil {
		return err
	}
	return t.must(`insert into listener (`+listenerColumns+`, holder) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '')`,
		string(l.ID), string(l.Merchant), string(l.Store), string(l.Mode), l.Credential, l.Name, text(l.Forward), string(events),
		string(l.Version), string(l.ContentType), sealed, string(l.Floor), micros(l.OpenedAt), micros(l.HeardAt))
}

// askListener writes what a session is to be sent from now on.
func (t *tx) askListener(l webhook.Listener) error {
	events, err := json.Marshal(l.Events)
	if err != nil {
		return err
	}
	return t.must(`update listener set forward = $2, events = $3, version = $4, content_type = $5, heard_at = $6 where id = $1`,
		string(l.ID), text(l.Forward), string(events), string(l.Version), string(l.ContentType), micros(l.HeardAt))
}

func listenerContext(id webhook.ListenerID) string { return "listener/" + string(id) }

// endListeners ends the sessions that a condition names, with what they hold.
func (t *tx) endListeners(condition string, args ...any) error {
	for _, table := range []string{"listener_repeat", "listener_try"} {
		// Index: listener_by_name, listener_pkey; listener_repeat_pkey, listener_try_pkey.
		if err := t.must(`delete from `+table+` where listener_id in (select id from listener where `+condition+`)`, args...); err != nil {
			return err
		}
	}
	return t.must(`delete from listener where `+condition, args...)
}

// EndListener ends a listen session and forgets its tries, with entries of the
// audit log. It reports fault.NotFound if there is none.
func (s *Store) EndListener(ctx context.Context, id webhook.ListenerID, entries ...member.Entry) error {
	if !isID(string(id)) {
		return errNoListener
	}
	return s.write(ctx, func(t *tx) error {
		var row int
		found, err := t.has(`select 1 from listener where id = $1`+t.d.forUpdate, []any{string(id)}, &row)
		if err == nil && !found {
			err = errNoListener
		}
		if err != nil {
			return err
		}
		if err := t.endListeners(`id = $1`, string(id)); err != nil {
			return err
		}
		return t.audit(entries)
	})
}

var errNoListener = fault.Errorf(fault.NotFound, "there is no such listen session; one that nobody connects to ends after %d days", int(webhook.ListenerLife.Hours()/24))

// HoldListener gives a session to a connection: whoever had it loses it.
func (s *Store) HoldListener(ctx context.Context, id webhook.ListenerID, holder string, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`update listener set holder = $2, heard_at = $3 where id = $1`, string(id), holder, micros(now))
		if err == nil && n == 0 {
			err = errNoListener
		}
		return err
	})
}

// KeepListener notes that the connection which holds a session lives, and up to
// where nothing is left to be sent. It reports webhook.ErrListenerTaken if
// another one holds it, and fault.NotFound if it was ended.
func (s *Store) KeepListener(ctx context.Context, id webhook.ListenerID, holder string, floor webhook.EventID, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`update listener set floor = $3, heard_at = $4 where id = $1 and holder = $2`, string(id), holder, string(floor), micros(now))
		if err != nil || n > 0 {
			return err
		}
		var row int
		found, err := t.has(`select 1 from listener where id = $1`, []any{string(id)}, &row)
		switch {
		case err != nil:
			return err
		case found:
			return webhook.ErrListenerTaken
		}
		return errNoListener
	})
}

func (r *Reader) oneListener(row scanner) (l webhook.Listener, err error) {
	var events string
	var sealed []byte
	var opened, heard int64
	if err := row.Scan(&l.ID, &l.Merchant, &l.Store, &l.Mode, &l.Credential, &l.Name, &l.Forward, &events, &l.Version, &l.ContentType,
		&sealed, &l.Floor, &opened, &heard); err != nil {
		return l, err
	}
	l.OpenedAt, l.HeardAt = moment(opened), moment(heard)
	if err := json.Unmarshal([]byte(events), &l.Events); err != nil {
		return l, &programError{fmt.Errorf("listener %s: %w", l.ID, err)}
	}
	open, err := r.key.Open(sealed, listenerContext(l.ID))
	if err != nil {
		return l, &programError{fmt.Errorf("listener %s: %w", l.ID, err)}
	}
	l.Secret = secret.Text(open)
	return l, nil
}

// Listener returns a listen session. It reports fault.NotFound if there is none.
func (r *Reader) Listener(ctx context.Context, id webhook.ListenerID) (webhook.Listener, error) {
	if !isID(string(id)) {
		return webhook.Listener{}, errNoListener
	}
	l, err := r.oneListener(over(r.db).QueryRowContext(ctx, `select `+listenerColumns+` from listener where id = $1`, string(id)))
	if isNoRows(err) {
		return l, errNoListener
	}
	return l, away(err)
}

// Listeners are the listen sessions of stores in a mode, the one that was
// connected last first. Those are left out that nobody connected to for
// webhook.ListenerLife at now.
func (r *Reader) Listeners(ctx context.Context, stores []merchant.StoreID, m merchant.Mode, now time.Time) ([]webhook.Listener, error) {
	list, err := many(r, stores)
	if err != nil {
		return nil, err
	}
	var out []webhook.Listener
	// Index: listener_by_name.
	query := `select ` + listenerColumns + ` from listener where ` + r.among("store_id", "text", 1) +
		` and mode = $2 and heard_at > $3 order by heard_at desc, id`
	err = each(ctx, over(r.db), query, []any{list, string(m), micros(now.Add(-webhook.ListenerLife))}, func(rows rowSet) error {
		l, err := r.oneListener(rows)
		out = append(out, l)
		return err
	})
	return out, away(err)
}

// repeatListeners has every session that hears of an event's store and mode send
// it once more. It returns how many there are.
func (t *tx) repeatListeners(e webhook.Event, now time.Time) (int, error) {
	var ids []string
	// Index: listener_by_name; store_by_merchant.
	if err := t.each(`select id from listener where store_id in (select id from store where merchant_id = $1 and (id = $3 or representative = $5))
		and mode = $2 and heard_at > $4`,
		[]any{string(e.Merchant), string(e.Mode), string(e.Store), micros(now.Add(-webhook.ListenerLife)), true}, func(rows rowSet) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := t.must(`insert into listener_repeat (listener_id, id, event_id) values ($1, $2, $3)`, id, idMade(now), string(e.ID)); err != nil {
			return 0, err
		}
	}
	t.events = t.events || len(ids) > 0
	return len(ids), nil
}

// eventByID reads an event, and whether anybody was to be told of it.
func (t *tx) eventByID(id webhook.EventID) (e webhook.Event, told, found bool, err error) {
	// Index: event_pkey.
	e, told, err = scanHeard(t.row(`select `+heardColumns+` from event where id = $1`, string(id)))
	if isNoRows(err) {
		return e, false, false, nil
	}
	return e, told, err == nil, err
}

// heardColumns are what an event's payload is written from.
const heardColumns = `id, type, at, merchant_id, store_id, mode, payment_key, payment_id, transaction_id, cancellation_id, billing_key, state,
	deposited, concern, told`

func scanHeard(row scanner) (e webhook.Event, told bool, err error) {
	var at int64
	var key, concern sql.NullString
	if err := row.Scan(&e.ID, &e.Type, &at, &e.Merchant, &e.Store, &e.Mode, &key, &e.PaymentID, &e.Transaction, &e.Cancellation,
		&e.BillingKey, &e.State, &e.Deposited, &concern, &told); err != nil {
		return e, false, err
	}
	e.At, e.Payment = moment(at), keyOf(key)
	if concern.Valid {
		e.Concern = &webhook.Concern{}
		if err := json.Unmarshal([]byte(concern.String), e.Concern); err != nil {
			return e, false, &programError{fmt.Errorf("event %s: %w", e.ID, err)}
		}
	}
	return e, told, nil
}
