package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// rehearsalsKept is how long one can be asked about after its token has ended.
const rehearsalsKept = time.Hour

// errNoRehearsal says that a token opens nothing: there is none, it was used, or
// it has ended. Nobody is told which.
var errNoRehearsal = fault.Errorf(fault.NotFound, "there is no such rehearsal")

// BeginRehearsal keeps a rehearsal under a hash of its token, until that is used
// or ends.
func (s *Store) BeginRehearsal(ctx context.Context, token secret.Text, r notice.Rehearsal, now time.Time) error {
	id := s.rehearsalID(token)
	sealed, err := s.sealRehearsal(id, rehearsalDoc{
		Order: r.Order, PGTx: r.PGTx, Amount: r.Amount, Bank: r.Bank, Account: r.Account.Reveal(), Secret: r.Secret.Reveal(),
	})
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		// Index: rehearsal_by_end.
		if err := t.must(`delete from rehearsal where until < $1`, micros(now.Add(-rehearsalsKept))); err != nil {
			return err
		}
		return t.must(`insert into rehearsal (id, channel_key, until, given, doc) values ($1, $2, $3, $4, $5)`,
			id, string(r.Channel), micros(r.Until), r.Given, sealed)
	})
}

// TakeRehearsal uses up a token and returns what it is for. It reports
// fault.NotFound if the token opens nothing at now; then it has written nothing.
func (s *Store) TakeRehearsal(ctx context.Context, token secret.Text, now time.Time) (notice.Rehearsal, error) {
	var r notice.Rehearsal
	id := s.rehearsalID(token)
	var until int64
	// Anybody may send a token: one that is none costs a read. Index: rehearsal_pkey.
	err := s.db.QueryRowContext(ctx, `select until from rehearsal where id = $1 and used_at is null`, id).Scan(&until)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && until <= micros(now):
		return r, errNoRehearsal
	case err != nil:
		return r, away(err)
	}
	err = s.write(ctx, func(t *tx) error {
		var sealed []byte
		var until int64
		// Index: rehearsal_pkey.
		found, err := t.has(`update rehearsal set used_at = $2 where id = $1 and used_at is null and until > $2
			returning channel_key, until, given, doc`, []any{id, micros(now)}, &r.Channel, &until, &r.Given, &sealed)
		switch {
		case err != nil:
			return err
		case !found:
			return errNoRehearsal
		}
		d, err := s.openRehearsal(id, sealed)
		if err != nil {
			return err
		}
		r.Until, r.Order, r.PGTx, r.Amount, r.Bank = moment(until), d.Order, d.PGTx, d.Amount, d.Bank
		r.Account, r.Secret = secret.Account(d.Account), secret.Text(d.Secret)
		return nil
	})
	return r, err
}

// EndRehearsal keeps what became of a rehearsal whose token was taken.
func (s *Store) EndRehearsal(ctx context.Context, token secret.Text, seen notice.Rehearsed) error {
	doc, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		// Index: rehearsal_pkey.
		return t.must(`update rehearsal set seen = $2 where id = $1 and used_at is not null`, s.rehearsalID(token), string(doc))
	})
}

// Rehearsed returns what became of a rehearsal. It reports fault.NotFound as long
// as that is not known.
func (r *Reader) Rehearsed(ctx context.Context, token secret.Text) (notice.Rehearsed, error) {
	var out notice.Rehearsed
	var doc string
	// Index: rehearsal_pkey.
	err := r.db.QueryRowContext(ctx, `select seen from rehearsal where id = $1 and seen is not null`, r.rehearsalID(token)).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return out, errNoRehearsal
	}
	if err != nil {
		return out, away(err)
	}
	return out, decode(doc, &out)
}

// A rehearsalDoc is what is sealed of a rehearsal.
type rehearsalDoc struct {
	Order   string        `json:"order"`
	PGTx    string        `json:"pgTx,omitempty"`
	Amount  payment.Money `json:"amount"`
	Bank    payment.Bank  `json:"bank,omitempty"`
	Account string        `json:"account,omitempty"`
	Secret  string        `json:"secret,omitempty"`
}

func (r *Reader) rehearsalID(token secret.Text) string {
	return r.key.Hash("rehearsal", token.Reveal())
}

func rehearsalContext(id string) string { return "rehearsal/" + id }

func (r *Reader) sealRehearsal(id string, d rehearsalDoc) ([]byte, error) {
	b, err := json.Marshal(d) //nolint:gosec // it is sealed
	if err != nil {
		return nil, err
	}
	return r.key.Seal(b, rehearsalContext(id))
}

func (r *Reader) openRehearsal(id string, sealed []byte) (d rehearsalDoc, err error) {
	b, err := r.key.Open(sealed, rehearsalContext(id))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return d, &programError{fmt.Errorf("rehearsal %s: %w", id, err)}
	}
	return d, nil
}
