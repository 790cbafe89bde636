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

// whole reports whether the echo has all that a hash is made of, each in the
// one spelling in which a merchant hashes it: an order, a time to the second,
// and an amount. The amount may be padded; plainAmount takes that away.
func (e echo) whole() bool {
	return e.order != "" && isDate(e.date) && isAmount(e.plainAmount())
}

// isDate reports whether s is yyyyMMddHHmmss of this century.
func isDate(s string) bool {
	if len(s) != dateDigits || wire.Digits(s) != s || s[:2] != "20" {
		return false
	}
	_, err := wire.Time(s)
	return err == nil
}

// isAmount reports whether s is an amount as it is hashed: digits alone, no
// zero in front, no more of them than KPN's samples have room for.
func isAmount(s string) bool {
	return s != "" && len(s) <= amountDigits && s[0] != '0' && wire.Digits(s) == s
}

// The digits of a date, and the most that an amount has.
const (
	dateDigits   = len(wire.Stamp)
	amountDigits = 12
)

// plainAmount is the amount as a merchant hashes it: the number alone, should
// KPN write it with zeros in front or commas. It is empty if it is none.
func (e echo) plainAmount() string {
	won, err := wire.Amount(e.amount)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(won, 10)
}

// single reports whether order, date and amount of a whole echo are the only
// ones that make its hash. Nothing parts them there, so another order that is
// a bit shorter or longer could have the same text: KPN20260115, 20260115101530
// and 1000 is also KPN, 20260115202601 and 151015301000. A hash that could mean
// two requests proves neither.
func (e echo) single() bool {
	amount := e.plainAmount()
	text := e.order + e.date + amount
	for n := 1; n <= amountDigits && n+dateDigits < len(text); n++ {
		at := len(text) - n
		if n != len(amount) && isAmount(text[at:]) && isDate(text[at-dateDigits:at]) {
			return false
		}
	}
	return true
}

// is reports whether the echo is a hash that was kept. Hexadecimal digits may
// be in either case: what a merchant sends is what comes back.
func (e echo) is(kept secret.Text) bool {
	return secret.Text(strings.ToLower(strings.TrimSpace(kept.Reveal()))).Equal(e.hash.Reveal())
}

// isMadeWith reports whether the echo is what id and otp make of the fields,
// and of no others.
func (e echo) isMadeWith(id, otp secret.Text) bool {
	return e.is(e.made(id, otp)) && e.single()
}

// made is the hash of the fields: SHA-256, or MD5 in the older form.
func (e echo) made(id, otp secret.Text) secret.Text {
	text := []byte(id.Reveal() + otp.Reveal() + e.order + e.date + e.plainAmount() + currency)
	if e.old {
		sum := md5.Sum(text) //nolint:gosec // KPN's older form has nothing better
		return secret.Text(hex.EncodeToString(sum[:]))
	}
	sum := sha256.Sum256(text)
	return secret.Text(hex.EncodeToString(sum[:]))
}

// request names the merchant's request that the echo came from: by its hash if
// there is one, since a merchant makes one for each account it asks for, else
// by its date. A hash that is kept or shown could be sent again, so its digest
// stands for it.
func (e echo) request() string {
	if e.isHash(e.hash.Reveal()) {
		return wire.Digest(e.hash.Reveal())
	}
	return e.date
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
