package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// APIKey returns the V1 key of that name whose secret has the hash, made with the
// store's key for settings.PurposeAPIKey, with its token. It reports
// fault.NotFound if there is none. Whether it has expired is for the caller to see.
func (r *Reader) APIKey(ctx context.Context, key, hash string) (merchant.APIKey, error) {
	// Index: api_key_key_key.
	return r.apiKey(ctx, `key = $1 and hash = $2`, name(key), hash)
}

// APIKeyByToken returns the V1 key whose token has the name that RenewToken gave
// it, or fault.NotFound. Whether the token lives, and whether the key has expired, is for
// the caller to see.
func (r *Reader) APIKeyByToken(ctx context.Context, token string) (merchant.APIKey, error) {
	// Index: api_key_token_key.
	return r.apiKey(ctx, `token = $1`, token)
}

func (r *Reader) apiKey(ctx context.Context, where string, args ...any) (k merchant.APIKey, err error) {
	var expires, from, until sql.NullInt64
	err = r.db.QueryRowContext(ctx, `select id, merchant_id, store_id, key, mode, expires_at, token_from, token_until from api_key where `+where, args...).
		Scan(&k.ID, &k.Merchant, &k.Store, &k.Key, &k.Mode, &expires, &from, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return k, errNoKey
	}
	k.ExpiresAt = momentOrZero(expires)
	k.Token = merchant.KeyToken{From: momentOrZero(from), Until: momentOrZero(until)}
	return k, away(err)
}

var errNoKey = fault.Errorf(fault.NotFound, "there is no such API key")

// RenewToken gives a V1 key the token that it has when it asks for one at now, as
// merchant.KeyToken.Renew says, under a name that is made of it: a keyed hash. It
// reports fault.NotFound if there is no such key, or the hash is no longer that of
// its secret.
func (s *Store) RenewToken(ctx context.Context, id, hash string, now time.Time, named func(merchant.KeyToken) string) (next merchant.KeyToken, err error) {
	if !isID(id) {
		return next, errNoKey
	}
	err = s.write(ctx, func(t *tx) error {
		var from, until sql.NullInt64
		found, err := t.has(`select token_from, token_until from api_key where id = $1 and hash = $2`+t.d.forUpdate, []any{id, hash}, &from, &until)
		switch {
		case err != nil:
			return err
		case !found:
			return errNoKey
		}
		var changed bool
		next, changed = merchant.KeyToken{From: momentOrZero(from), Until: momentOrZero(until)}.Renew(now)
		if !changed {
			return nil
		}
		return t.must(`update api_key set token = $2, token_from = $3, token_until = $4 where id = $1`,
			id, named(next), micros(next.From), micros(next.Until))
	})
	return next, err
}
