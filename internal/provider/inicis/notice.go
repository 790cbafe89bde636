package inicis

import (
	"net/http"

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

// A reader has the fields twice: all of them to look at, and to take, so that
// the others can be kept by their names.
type reader struct {
	wire.Values
	wire.Fields
}

// read decodes a form in the charset that its bytes tell: text in one of the two
// may be valid, and another name, in the other. The PG never has any of the
// names twice.
func read(f wire.Form, names ...string) (reader, error) {
	v, err := f.Read(wire.Detect, names...)
	return reader{v, v.Fields()}, err
}

// takeWon takes an amount. An absent one is no error.
func (r reader) takeWon(name string) (payment.Money, bool, error) {
	won, told, err := r.TakeAmount(name)
	if !told {
		return payment.Money{}, false, err
	}
	return payment.Won(won), true, nil
}

// key joins what names a message. A notice without the PG's id is named by
// what else it says, or two of them would look like one sent twice.
func key(mid, tid, word string, instead ...string) string {
	if tid == "" {
		return wire.Name(mid, tid, word, wire.JoinedDigest(instead...))
	}
	return wire.Name(mid, tid, word)
}
