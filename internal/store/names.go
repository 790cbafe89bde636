package store

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tongbo/tongbo/internal/payment"
)

// name is an outside name as an indexed text column can hold it: itself, or a
// hash where the database would refuse its bytes. Unlike text it never makes
// two names one.
func name(s string) string {
	if text(s) == s {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "\uFFFD" + hex.EncodeToString(sum[:])
}

// nameOf is a match key's value as it is stored. An account number is stored
// as a keyed hash alone: whoever reads the table must not learn it.
func (r *Reader) nameOf(k payment.MatchKey) string {
	if k.Kind == payment.ByAccount {
		return r.key.Hash("match_key/account", k.Value)
	}
	return name(k.Value)
}
