package kpn

import (
	"crypto/md5" //nolint:gosec // KPN's older form has nothing better
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// currency is a constant of the hash: KPN has no other.
const currency = "KRW"

// An echo is the hash that the merchant sent with its request and KPN returns,
// with the fields it was made of as the notice spells them.
type echo struct {
	hash  secret.Text // in lower case
	there bool        // the notice has a field for it, even an empty one
	old   bool        // it is an MxHASH

	order, date, amount string
}

// is reports whether the echo is a hash that was kept. Hexadecimal digits may
// be in either case: what a merchant sends is what comes back.
func (e echo) is(kept secret.Text) bool {
	return secret.Text(strings.ToLower(strings.TrimSpace(kept.Reveal()))).Equal(e.hash.Reveal())
}

// isMadeWith reports whether the echo is what id and otp make of the fields.
// The merchant hashed the amount as it wrote it; should KPN write it in another
// way, with zeros in front or commas, the plain number is tried besides.
func (e echo) isMadeWith(id, otp secret.Text) bool {
	holds := e.is(e.made(id, otp))
	if won, err := wire.Amount(e.amount); err == nil {
		e.amount = strconv.FormatInt(won, 10)
		holds = e.is(e.made(id, otp)) || holds
	}
	return holds
}

// made is the hash of the fields: SHA-256, or MD5 in the older form.
func (e echo) made(id, otp secret.Text) secret.Text {
	text := []byte(id.Reveal() + otp.Reveal() + e.order + e.date + e.amount + currency)
	if e.old {
		sum := md5.Sum(text) //nolint:gosec // KPN's older form has nothing better
		return secret.Text(hex.EncodeToString(sum[:]))
	}
	sum := sha256.Sum256(text)
	return secret.Text(hex.EncodeToString(sum[:]))
}

// isHash reports whether s can be a hash of the echo's kind.
func (e echo) isHash(s string) bool {
	size := sha256.Size
	if e.old {
		size = md5.Size
	}
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == size
}
