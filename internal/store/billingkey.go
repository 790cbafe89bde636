package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A keyDoc is a billing key as it is sealed: what never marshals stands beside it.
type keyDoc struct {
	Key   payment.BillingKey `json:"key"`
	PGKey string             `json:"pgKey,omitempty"`
}

func keyContext(id payment.BillingKeyID) string { return "billing_key/" + string(id) }

func (r *Reader) sealKey(k payment.BillingKey) ([]byte, error) {
	b, err := json.Marshal(keyDoc{k, k.PGKey.Reveal()})
	if err != nil {
		return nil, err
	}
	return r.key.Seal(b, keyContext(k.ID))
}

func (r *Reader) openKey(id payment.BillingKeyID, sealed []byte) (payment.BillingKey, error) {
	b, err := r.key.Open(sealed, keyContext(id))
	var doc keyDoc
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		return payment.BillingKey{}, &programError{fmt.Errorf("a billing key: %w", err)}
	}
	doc.Key.PGKey = secret.Text(doc.PGKey)
	return doc.Key, nil
}

// keyLock is the name under which a billing key is locked.
func keyLock(id payment.BillingKeyID) string { return "billing_key\x1f" + string(id) }

// BillingKey returns a store's billing key of a mode that the credential sees,
// whatever its state. It reports payment.ErrNoKey if there is none.
func (r *Reader) BillingKey(ctx context.Context, s merchant.StoreID, id payment.BillingKeyID, sees merchant.Mode) (payment.BillingKey, error) {
	var doc []byte
	// Index: billing_key_pkey.
	err := r.db.QueryRowContext(ctx, `select doc from billing_key where key = $1`, name(string(id))).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.BillingKey{}, payment.ErrNoKey
	}
	if err != nil {
		return payment.BillingKey{}, away(err)
	}
	k, err := r.openKey(id, doc)
	if err == nil && (k.Store != s || !sees.Sees(k.Mode)) {
		return payment.BillingKey{}, payment.ErrNoKey
	}
	return k, err
}

// AddBillingKey writes a billing key that its PG is to be asked for. If there is
// one of the id, that is returned, and added is false.
func (s *Store) AddBillingKey(ctx context.Context, k payment.BillingKey) (known payment.BillingKey, added bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		doc, err := s.sealKey(k)
		if err != nil {
			return err
		}
		n, err := t.exec(`insert into billing_key (key, merchant_id, store_id, mode, channel_key, state, requested_at, changed_at, ended_at, doc)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (key) do nothing`,
			string(k.ID), string(k.Merchant), string(k.Store), string(k.Mode), string(k.Channel), string(k.State),
			micros(k.RequestedAt), micros(k.ChangedAt), keyEnd(k), doc)
		if known, added = k, n > 0; added || err != nil {
			return err
		}
		known, err = t.billingKey(k.ID)
		return err
	})
	return known, added, err
}

// billingKey loads a billing key for change.
func (t *tx) billingKey(id payment.BillingKeyID) (payment.BillingKey, error) {
	var doc []byte
	// Index: billing_key_pkey.
	found, err := t.has(`select doc from billing_key where key = $1`+t.d.forUpdate, []any{name(string(id))}, &doc)
	if err != nil {
		return payment.BillingKey{}, err
	}
	if !found {
		return payment.BillingKey{}, payment.ErrNoKey
	}
	return t.s.openKey(id, doc)
}

// ChangeBillingKey changes a billing key as do says, and tells whoever is to be
// told. It reports what do does, payment.ErrNoKey if there is none, and
// payment.ErrKeyScheduled if the key is to be deleted and a payment is scheduled
// with it. do must be pure: it may be called more than once. audit, if it is given,
// makes what goes into the audit log, from the key as it is afterwards.
func (s *Store) ChangeBillingKey(ctx context.Context, id payment.BillingKeyID, do func(payment.BillingKey) (payment.BillingKey, []webhook.Emission, error), audit ...func(payment.BillingKey) []member.Entry) (k payment.BillingKey, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lock([]string{keyLock(id)}); err != nil {
			return err
		}
		known, err := t.billingKey(id)
		if err != nil {
			return err
		}
		var list []webhook.Emission
		if k, list, err = do(known); err != nil {
			return err
		}
		if k.State == payment.KeyDeleting && known.State == payment.KeyIssued {
			if err := t.unscheduledKey(id); err != nil {
				return err
			}
		}
		doc, err := s.sealKey(k)
		if err != nil {
			return err
		}
		if err := t.must(`update billing_key set state = $2, changed_at = $3, ended_at = $4, doc = $5 where key = $1`,
			string(id), string(k.State), micros(k.ChangedAt), keyEnd(k), doc); err != nil {
			return err
		}
		if err := t.audit(auditing(audit, k)); err != nil {
			return err
		}
		return t.emit(list, "")
	})
	return k, err
}

// readyFor is how long a PG's answer to an issue may still be written down: by then
// whoever asked has died, or was told that the answer is lost.
const readyFor = 24 * time.Hour

// keyEnd is from when on nothing more comes of a billing key; null if it is in use.
func keyEnd(k payment.BillingKey) sql.NullInt64 {
	switch k.State {
	case payment.KeyReady:
		return microsOrNull(k.RequestedAt.Add(readyFor))
	case payment.KeyFailed, payment.KeyDeleted:
		return microsOrNull(k.ChangedAt)
	case payment.KeyIssued, payment.KeyDeleting:
	}
	return sql.NullInt64{}
}

func (t *tx) unscheduledKey(id payment.BillingKeyID) error {
	var one string
	// Index: schedule_by_key.
	scheduled, err := t.has(`select id from schedule where billing_key = $1 and ended_at is null limit 1`, []any{string(id)}, &one)
	if err == nil && scheduled {
		err = payment.ErrKeyScheduled
	}
	return err
}

// A KeyList says which billing keys are listed. Keys that were never issued are
// not.
type KeyList struct {
	Window
	Deleted, Issued bool // those that are deleted, and those that are not
	// ByChange has the window and the order go by when a key came into its state;
	// else by when it was asked for.
	ByChange bool
}

// BillingKeys returns the billing keys that are asked for, in their order, and how
// many there are in all. It reports fault.Invalid if there are more than
// MostListed in the time.
func (r *Reader) BillingKeys(ctx context.Context, l KeyList) (list []payment.BillingKey, total int, err error) {
	at := "requested_at"
	if l.ByChange {
		at = "changed_at"
	}
	// Index: billing_key_by_request, billing_key_by_change.
	places, err := r.walkWindow(ctx, l.Window, `select key, state, `+at+` from billing_key where store_id = $1 and mode = $2
		and `+at+` >= $3 and `+at+` <= $4 order by `+at+`, key limit $5`, func(rows rowSet) (p windowed, keep bool, err error) {
		var state payment.BillingKeyState
		err = rows.Scan(&p.id, &state, &p.at)
		deleted := state == payment.KeyDeleted
		shown := deleted || state == payment.KeyIssued || state == payment.KeyDeleting
		return p, shown && (deleted && l.Deleted || !deleted && l.Issued), err
	})
	if err != nil {
		return nil, 0, err
	}
	for _, p := range l.part(places) {
		var doc []byte
		id := payment.BillingKeyID(p.id)
		if err := r.db.QueryRowContext(ctx, `select doc from billing_key where key = $1`, p.id).Scan(&doc); err != nil {
			return nil, 0, away(err)
		}
		k, err := r.openKey(id, doc)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, k)
	}
	return list, len(places), nil
}

// errWindow says that a list would have to go through more than it may.
var errWindow = fault.Errorf(fault.Invalid, "there are more than %d in this time: narrow from and until", MostListed)
