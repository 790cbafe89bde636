package inicis

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The wire forms, as notice.Notice.Form names them.
const (
	formA = "A" // from the merchant admin's URL
	formB = "B" // from the payment's P_NOTI_URL
)

// Decode reads a notice of either form.
func (m module) Decode(req notice.Request) (notice.Notice, error) {
	form, err := wire.ParseForm(req.Body)
	if err != nil {
		return notice.Notice{}, err
	}
	has := func(name string) bool { return form.Bytes(name) != nil }
	a := has("no_tid") || has("no_oid")
	b := has("P_STATUS") && (has("P_TID") || has("P_OID") || has("P_MID"))
	switch {
	case a && b:
		return notice.Notice{}, fault.Errorf(fault.Invalid, "body has the fields of both forms")
	case a:
		return decodeA(form)
	case b:
		return decodeB(form)
	}
	return notice.Notice{}, fault.Errorf(fault.Invalid, "body has neither no_tid nor P_STATUS")
}

// Verify reports nil for every notice: the PG proves nothing. Its hash key is
// for payment requests, not for notices.
func (m module) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return nil
}

// Ack answers OK, and nothing around it: the PG's sample code warns of any
// other echo. A refusal may have a failing status, since the PG takes whatever
// is not OK for a failure.
func (m module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	r := provider.Reply{Status: http.StatusBadRequest, ContentType: "text/plain", Body: []byte("FAIL")}
	if o == provider.Received {
		r.Status, r.Body = http.StatusOK, []byte("OK")
	}
	return r
}

// A reader gives fields out and remembers which, so that the others can be
// kept by their names.
type reader struct {
	wire.Values
	taken map[string]bool
}

// read decodes a form. It refuses one that has any of the names twice: the PG
// never does that, and two readers could see two values.
func read(f wire.Form, c wire.Charset, names ...string) (reader, error) {
	v, err := f.Decode(c)
	if err != nil {
		return reader{}, err
	}
	for _, name := range names {
		if v.Duplicated(name) {
			return reader{}, fault.Errorf(fault.Invalid, "field %s comes twice", name)
		}
	}
	return reader{v, make(map[string]bool)}, nil
}

func (r reader) take(name string) string {
	r.taken[name] = true
	return r.Get(name)
}

// rest returns what was not taken and is not empty.
func (r reader) rest() map[string]string {
	out := make(map[string]string)
	for _, name := range r.Keys() {
		if value := r.Get(name); value != "" && !r.taken[name] {
			out[name] = value
		}
	}
	return out
}

// won reads an amount. An absent one is no error.
func (r reader) won(name string) (payment.Money, bool, error) {
	text := r.take(name)
	if text == "" {
		return payment.Money{}, false, nil
	}
	amount, err := wire.Amount(text)
	if err != nil {
		return payment.Money{}, false, fault.Errorf(fault.Invalid, "%s: %w", name, err)
	}
	return payment.Won(amount), true, nil
}

// key joins what names a message. A notice without the PG's id is named by
// what else it says, or two of them would look like one sent twice.
func key(mid, tid, word string, instead ...string) string {
	k := url.PathEscape(mid) + "/" + url.PathEscape(tid) + "/" + url.PathEscape(word)
	if tid == "" {
		k += "/" + digest(instead...)
	}
	return k
}

// digest is a hash, since account numbers are among what it stands for and keys
// are kept in clear.
func digest(of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\x1f")))
	return hex.EncodeToString(sum[:16])
}

// digestOf is the digest of fields, whatever order they came in.
func digestOf(fields map[string]string) string {
	of := make([]string, 0, len(fields))
	for name, value := range fields {
		of = append(of, name+"="+value)
	}
	slices.Sort(of)
	return digest(of...)
}

func plainAccount(s string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(s)
}
