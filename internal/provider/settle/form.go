package settle

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// formUTF8 is the notice's Form if its text was UTF-8. The usual EUC-KR, and
// text that is the same in both, leave it empty.
const formUTF8 = "utf-8"

// A form is the body of a notice. Its fields are taken out one by one; what is
// left becomes Notice.Fields.
type form struct {
	wire.Fields
	plain string // what pktHash is made over, without the key
	proof secret.Text
	name  string // of the wire format
	read  string // as Notice.Charset
}

// deciding are the fields that a payment is moved or a notice proved by. Two
// of one name would let two readers see two notices.
var deciding = [...]string{
	"outStatCd", "trdNo", "method", "bizType", "mchtId", "mchtTrdNo", "trdDtm", "trdAmt",
	"vAcntNo", "orgTrdNo", "cnclType", "pktHash",
}

// hashed are the fields that pktHash covers, in its order.
var hashed = [...]string{"outStatCd", "trdDtm", "mchtId", "mchtTrdNo", "trdAmt"}

// parseForm takes a body apart. It reports fault.Invalid if this is not a
// notice of Hecto's: it must say what happened and to what.
func parseForm(body []byte) (form, error) {
	parsed, err := wire.ParseForm(body)
	if err != nil {
		return form{}, err
	}
	charset, told := parsed.Charset()
	values, err := parsed.Read(charset, deciding[:]...)
	if err != nil {
		return form{}, err
	}
	f := form{Fields: values.Fields(), read: values.Charset()}
	if told && charset == wire.UTF8 {
		f.name = formUTF8
	}
	if f.Fields["outStatCd"] == "" && f.Fields["bizType"] == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of Hecto: neither outStatCd nor bizType")
	}
	if f.Fields["trdNo"] == "" && f.Fields["mchtTrdNo"] == "" && f.Fields["vAcntNo"] == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of Hecto: none of trdNo, mchtTrdNo and vAcntNo")
	}
	for _, name := range hashed {
		// As it was sent: spaces and zeros around a value are part of it.
		s, err := wire.Text(parsed.Bytes(name), charset)
		if err != nil {
			return form{}, err
		}
		f.plain += s
	}
	f.proof = secret.Text(f.Take("pktHash"))
	return f, nil
}

// isAccount reports whether the form is about a virtual account.
func (f form) isAccount() bool {
	method := f.Fields["method"]
	return method == "" || strings.EqualFold(method, methodAccount)
}

// hash is the pktHash of a notice: of the joined values and the key.
func hash(plain string, key secret.Text) string {
	sum := sha256.Sum256([]byte(plain + key.Reveal()))
	return hex.EncodeToString(sum[:])
}
