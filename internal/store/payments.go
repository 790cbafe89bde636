package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A paymentDoc is a payment as it is sealed: what never marshals stands
// beside it.
type paymentDoc struct {
	Payment  payment.Payment `json:"payment"`
	Secrets  map[int]string  `json:"secrets,omitempty"`  // of transactions, by index
	Accounts map[int]string  `json:"accounts,omitempty"` // likewise
	Deposits map[int]string  `json:"deposits,omitempty"` // account numbers of deposits
}

func docContext(k payment.Key) string { return "payment/" + string(k) }

func (r *Reader) sealPayment(p payment.Payment) ([]byte, error) {
	doc := paymentDoc{Payment: p, Secrets: map[int]string{}, Accounts: map[int]string{}, Deposits: map[int]string{}}
	for i, t := range p.Transactions {
		if t.Secret != "" {
			doc.Secrets[i] = t.Secret.Reveal()
		}
		if t.Account != nil {
			doc.Accounts[i] = t.Account.Number.Reveal()
		}
	}
	for i, d := range p.Deposits {
		doc.Deposits[i] = d.Account.Reveal()
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return r.key.Seal(b, docContext(p.Key))
}

func (r *Reader) openPayment(k payment.Key, sealed []byte) (payment.Payment, error) {
	b, err := r.key.Open(sealed, docContext(k))
	if err != nil {
		return payment.Payment{}, &programError{fmt.Errorf("payment %s: %w", k, err)}
	}
	var doc paymentDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		return payment.Payment{}, &programError{fmt.Errorf("payment %s: %w", k, err)}
	}
	p := doc.Payment
	for i := range p.Transactions {
		p.Transactions[i].Secret = secret.Text(doc.Secrets[i])
		if a := p.Transactions[i].Account; a != nil {
			a.Number = secret.Account(doc.Accounts[i])
		}
	}
	for i := range p.Deposits {
		p.Deposits[i].Account = secret.Account(doc.Deposits[i])
	}
	return p, nil
}

// paymentByKey loads a payment for change: other nodes wait for the end of
// the transaction.
func (t *tx) paymentByKey(k payment.Key) (payment.Payment, error) {
	var doc []byte
	// Index: payment_pkey.
	if err := t.row(`select doc from payment where key = $1`+t.d.forUpdate, string(k)).Scan(&doc); err != nil {
		return payment.Payment{}, err
	}
	return t.s.openPayment(k, doc)
}

// paymentByID loads a payment by the merchant's name for it, for change.
func (t *tx) paymentByID(s merchant.StoreID, id payment.ID) (payment.Payment, bool, error) {
	var key string
	var doc []byte
	// Index: payment_by_id.
	found, err := t.has(`select key, doc from payment where store_id = $1 and id = $2`+t.d.forUpdate,
		[]any{string(s), string(id)}, &key, &doc)
	if !found || err != nil {
		return payment.Payment{}, false, err
	}
	p, err := t.s.openPayment(payment.Key(key), doc)
	return p, true, err
}

// What is written of a payment. Rows of one payment in one transaction are
// written in their order: the last one counts.
var (
	newPayment = inserting("payment", `key uuid, merchant_id text, store_id text, id text, mode text, state text, amount bigint,
		currency text, requested_at bigint, updated_at bigint, status_changed_at bigint, deadline bigint,
		channel_key text, method text, doc bytea`, "")
	changedPayment = &bulk{
		table: "payment",
		one: `update payment set state = $2, updated_at = $3, status_changed_at = $4, deadline = $5,
			channel_key = $6, method = $7, doc = $8 where key = $1`,
		many: stating(`update payment as p set state = c.state, updated_at = c.updated_at, status_changed_at = c.status_changed_at,
			deadline = c.deadline, channel_key = c.channel_key, method = c.method, doc = c.doc
			from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[])
			as c (key, state, updated_at, status_changed_at, deadline, channel_key, method, doc) where p.key = c.key`),
		kinds: []string{"uuid", "text", "bigint", "bigint", "bigint", "text", "text", "bytea"},
		last:  true,
	}
	newName = inserting("match_key", "channel_key text, kind text, value text, payment_key uuid, store_id text", "on conflict do nothing")
)

// putPayment writes a payment and the names under which it is found.
// before are the names it had.
func (t *tx) putPayment(p payment.Payment, created bool, before []payment.MatchKey) error {
	doc := later(func() ([]byte, error) { return t.s.sealPayment(p) })
	deadline := microsOrNull(p.Deadline())
	if p.Expired {
		deadline.Valid = false // flagged already
	}
	at, _ := p.Transaction()
	channel, method := string(at.Channel), string(p.Method())
	if created {
		t.put(newPayment, string(p.Key), string(p.Merchant), string(p.Store), string(p.ID), string(p.Mode), string(p.State),
			p.Amount.Amount, string(p.Amount.Currency), micros(p.RequestedAt), micros(p.UpdatedAt), micros(p.StatusChangedAt), deadline, channel, method, doc)
	} else {
		t.put(changedPayment, string(p.Key), string(p.State), micros(p.UpdatedAt), micros(p.StatusChangedAt), deadline, channel, method, doc)
	}
	t.putSchedules(p)
	for _, k := range p.Names() {
		if slices.Contains(before, k) {
			continue
		}
		t.put(newName, string(k.Channel), string(k.Kind), t.s.nameOf(k), string(p.Key), string(p.Store))
	}
	return nil
}

// putSale writes what of a payment never changes but by payment.OnlyOpened: its mode and
// its amount. before is as it was, nil if it is new.
func (t *tx) putSale(before *payment.Payment, p payment.Payment) error {
	if before == nil || before.Amount == p.Amount && before.Mode == p.Mode {
		return nil
	}
	return t.must(`update payment set mode = $2, amount = $3, currency = $4 where key = $1`,
		string(p.Key), string(p.Mode), p.Amount.Amount, string(p.Amount.Currency))
}

// Payment returns a store's payment in a mode that the credential sees. It
// reports fault.NotFound if there is none, or none of that mode: a live
// credential must not learn of a test payment.
func (r *Reader) Payment(ctx context.Context, s merchant.StoreID, id payment.ID, sees merchant.Mode) (payment.Payment, error) {
	var key string
	var doc []byte
	// Index: payment_by_id.
	err := r.db.QueryRowContext(ctx, `select key, doc from payment where store_id = $1 and id = $2`, string(s), string(id)).Scan(&key, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.Payment{}, fault.Errorf(fault.NotFound, "there is no payment %q", id)
	}
	if err != nil {
		return payment.Payment{}, away(err)
	}
	p, err := r.openPayment(payment.Key(key), doc)
	if err != nil {
		return payment.Payment{}, err
	}
	if !sees.Sees(p.Mode) {
		return payment.Payment{}, fault.Errorf(fault.NotFound, "there is no payment %q", id)
	}
	return p, nil
}

// PaymentOfAttempt returns the payment of a store and of a mode that the credential
// sees, to which an attempt belongs. It reports fault.NotFound if there is none.
func (r *Reader) PaymentOfAttempt(ctx context.Context, s merchant.StoreID, id payment.TransactionID, sees merchant.Mode) (payment.Payment, error) {
	var key string
	var doc []byte
	err := r.db.QueryRowContext(ctx, ofAttemptQuery, r.nameOf(payment.MatchKeyFor("", payment.ByAttempt, string(id))), string(s)).Scan(&key, &doc)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return payment.Payment{}, away(err)
	}
	if err == nil {
		p, err := r.openPayment(payment.Key(key), doc)
		if err != nil || sees.Sees(p.Mode) {
			return p, err
		}
	}
	return payment.Payment{}, fault.Errorf(fault.NotFound, "there is no payment with an attempt %q", id)
}

// ofAttemptQuery finds a store's payment by the id of an attempt. Index:
// match_key_pkey, payment_pkey; on SQLite the primary key.
const ofAttemptQuery = `select p.key, p.doc from match_key m join payment p on p.key = m.payment_key
	where m.channel_key = '' and m.kind = 'attempt' and m.value = $1 and p.store_id = $2 limit 1`

// PaymentByKey returns a payment by our own name for it, or fault.NotFound.
func (r *Reader) PaymentByKey(ctx context.Context, k payment.Key) (payment.Payment, error) {
	if !isID(string(k)) {
		return payment.Payment{}, fault.Errorf(fault.NotFound, "there is no payment %q", string(k)) // PostgreSQL would not look it up
	}
	var doc []byte
	err := r.db.QueryRowContext(ctx, `select doc from payment where key = $1`, string(k)).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.Payment{}, fault.Errorf(fault.NotFound, "there is no payment %s", k)
	}
	if err != nil {
		return payment.Payment{}, away(err)
	}
	return r.openPayment(k, doc)
}

// mostExpired is how many payments one transaction flags: a notice about one
// of them waits for its end.
const mostExpired = 20

// How long a payment that is due is left alone: while another transaction has
// it, and while it cannot be opened.
const (
	laterIfTaken  = time.Second
	laterIfSealed = time.Hour
)

// Expire flags payments whose deadline passed before now, at most n of them,
// by the decision of expire. It returns when the next deadline is, which is
// past if there is more to do now; the zero time if none waits. What another
// node is busy with is left for later; so is, for an hour, a payment that
// cannot be opened, which is logged.
func (s *Store) Expire(ctx context.Context, now time.Time, n int, version int64, expire func(payment.Payment) (notice.Expiry, error)) (next time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lock(nil); err != nil { // the settings stay as they are
			return err
		}
		if err := t.fresh(version); err != nil {
			return err
		}
		list, err := t.duePayments(now, min(n, mostExpired))
		if err != nil {
			return err
		}
		for _, d := range list {
			if err := t.expireOne(d, now, expire); err != nil {
				return err
			}
		}
		var soonest sql.NullInt64
		// Index: payment_by_deadline.
		if err := t.row(`select min(deadline) from payment where deadline is not null`).Scan(&soonest); err != nil {
			return err
		}
		next = momentOrZero(soonest)
		if len(list) == 0 && soonest.Valid && !next.After(now) {
			next = now.Add(laterIfTaken)
		}
		return nil
	})
	return next, err
}

// A duePayment is one whose deadline has passed, sealed as it is.
type duePayment struct {
	key payment.Key
	doc []byte
}

// duePayments loads payments whose deadline has passed, for change. It waits for
// nobody: those that another transaction has are passed over.
func (t *tx) duePayments(now time.Time, n int) ([]duePayment, error) {
	skip := ""
	if t.d.postgres {
		skip = " for update skip locked"
	}
	var out []duePayment
	// Index: payment_by_deadline.
	err := t.each(`select key, doc from payment where deadline is not null and deadline <= $1 order by deadline limit $2`+skip,
		[]any{micros(now), n}, func(rows rowSet) error {
			var d duePayment
			err := rows.Scan(&d.key, &d.doc)
			out = append(out, d)
			return err
		})
	return out, err
}

func (t *tx) expireOne(due duePayment, now time.Time, expire func(payment.Payment) (notice.Expiry, error)) error {
	p, err := t.s.openPayment(due.key, due.doc)
	if err != nil {
		t.s.log.ErrorContext(t.ctx, "a payment cannot be opened, so it does not expire for now", "payment_key", due.key, "err", err)
		return t.must(`update payment set deadline = $2 where key = $1`, string(due.key), micros(now.Add(laterIfSealed)))
	}
	// The column may be behind what is sealed.
	if d := p.Deadline(); d.IsZero() || micros(d) > micros(now) || p.Expired {
		return t.must(`update payment set deadline = null where key = $1`, string(due.key))
	}
	x, err := expire(p)
	if err != nil {
		return err
	}
	if err := t.putPayment(x.Payment, false, p.Names()); err != nil {
		return err
	}
	if at, ok := x.Payment.Transaction(); ok && !x.Sweep.IsZero() {
		t.put(newSweep, string(p.Key), string(at.Channel), micros(x.Sweep), 0, string(notice.SweepDue))
	}
	t.putOverdue(x.Payment, !x.Sweep.IsZero())
	return t.emit(x.Emissions, "")
}

// fresh reports fault.Stale if the settings are no longer those of version. A
// version of zero is always fresh.
func (t *tx) fresh(version int64) error {
	if version == 0 {
		return nil
	}
	now, err := t.settingsVersion()
	if err != nil {
		return err
	}
	if now != version {
		return fault.Errorf(fault.Stale, "the settings changed from version %d to %d", version, now)
	}
	return nil
}
