package smartro

import (
	"crypto/md5" //nolint:gosec // the old module's SignValue is made with it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// oldNames are 구통보's names for what 신통보 calls otherwise. Those that differ
// only in case are read as the same anyway, and are here to be written.
var oldNames = map[string]string{
	"Mid": "MID", "Tid": "TID", "OTid": "OTID", "Moid": "OID", "MallUserId": "mallUserID",
	"BuyerName": "name", "StateCd": "state_cd", "FnCd": "fn_cd", "FnName": "fn_name",
}

// aliases are 구통보's names, in lower case, that differ in more than that.
var aliases = map[string]string{"oid": "moid", "name": "buyername", "state_cd": "statecd", "fn_cd": "fncd", "fn_name": "fnname"}

// canonical is the name under which all spellings of a field are found.
func canonical(name string) string {
	name = strings.ToLower(name)
	if to, ok := aliases[name]; ok {
		return to
	}
	return name
}

// settling are the fields, by their canonical names, that a payment is moved
// by. Two values for one of them would let two readers see two notices.
var settling = map[string]bool{
	"paymethod": true, "mid": true, "amt": true, "tid": true, "otid": true, "moid": true,
	"authdate": true, "resultcode": true, "statecd": true, "vbanknum": true, signValue: true,
	"partialcancelcode": true, "cancelamt": true,
}

// signValue is the canonical name of the PG's hash.
const signValue = "signvalue"

// A form is a notice. Its fields are taken out one by one; what is left becomes
// Notice.Fields.
type form struct {
	rest  wire.Fields         // by the names that came
	names map[string][]string // those names, in their order, by their canonical one
	sign  secret.Text         // SignValue; empty if it was left out
	euckr bool                // the text was not UTF-8
	read  string              // as Notice.Charset
}

// parseForm takes a body apart. It reports fault.Invalid if this is not a
// notice of Smartro's: it must say what happened and to what.
func parseForm(body []byte) (form, error) {
	parsed, err := wire.ParseForm(body)
	if err != nil {
		return form{}, err
	}
	f := form{names: map[string][]string{}}
	charset, _ := parsed.Charset()
	f.euckr = charset == wire.EUCKR
	values, err := parsed.Decode(charset)
	if err != nil {
		return form{}, fault.Errorf(fault.Invalid, "neither UTF-8 nor EUC-KR: %w", err)
	}
	f.rest, f.read = values.Fields(), values.Charset()
	for _, name := range values.Keys() {
		if err := f.add(name, values.Duplicated(name)); err != nil {
			return form{}, err
		}
	}
	f.takeSign(parsed)
	if f.get("PayMethod") == "" && f.get("ResultCode") == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of Smartro: neither PayMethod nor ResultCode")
	}
	if f.get("Tid") == "" && f.get("OTid") == "" && f.get("Moid") == "" && f.get("VbankNum") == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of Smartro: none of Tid, OTid, Moid and VbankNum")
	}
	return f, nil
}

// add files a name that came. The same value under two spellings is fine.
func (f form) add(name string, repeated bool) error {
	c := canonical(name)
	if settling[c] {
		if repeated {
			return fault.Errorf(fault.Invalid, "form has a %s more than once", c)
		}
		if was := f.get(c); was != "" && f.rest[name] != "" && was != f.rest[name] {
			return fault.Errorf(fault.Invalid, "form has two values for %s", c)
		}
	}
	f.names[c] = append(f.names[c], name)
	return nil
}

// get returns the value of a field, whichever way its name is spelt: the first
// that is not empty.
func (f form) get(name string) string {
	for _, n := range f.names[canonical(name)] {
		if v := f.rest[n]; v != "" {
			return v
		}
	}
	return ""
}

// take removes a field in all spellings and returns its value.
func (f form) take(name string) string {
	v := f.get(name)
	for _, n := range f.names[canonical(name)] {
		delete(f.rest, n)
	}
	return v
}

// takeSign takes SignValue out of the form. It says so little that it would
// serve whoever sees it for a notice with another amount, so it is kept like a
// secret.
func (f *form) takeSign(parsed wire.Form) {
	for _, name := range f.names[signValue] {
		// Base64: a space in it is a plus sign that its sender forgot to
		// escape. Values are trimmed, so the bytes themselves are asked.
		raw := string(parsed.Bytes(name))
		if strings.TrimSpace(raw) != "" {
			f.sign = secret.Text(strings.ReplaceAll(raw, " ", "+"))
		}
	}
	f.take(signValue)
}

// isOld reports whether the names are 구통보's. Those of the ids decide: samples
// of 구통보 differ in how they spell the others.
func (f form) isOld() bool {
	old := false
	for _, now := range []string{"Mid", "Tid", "OTid", "Moid"} {
		if _, ok := f.rest[now]; ok {
			return false
		}
		_, ok := f.rest[oldNames[now]]
		old = old || ok
	}
	return old
}

// The places in a transaction id between which a SignValue puts the result code
// and the merchant's key.
const (
	signCode = 10
	signKey  = 15
)

// signed are the SignValues that Smartro's modules make: the new one's, and the
// old one's, which is also of the bytes of a text. There are none for an id
// that is too short.
func signed(tid, code string, key secret.Text) (now, old string) {
	if len(tid) < signKey {
		return "", ""
	}
	text := []byte(tid[:signCode] + code + tid[signCode:signKey] + key.Reveal() + tid[signKey:])
	sum, oldSum := sha256.Sum256(text), md5.Sum(text) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:]),
		base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(oldSum[:])))
}
