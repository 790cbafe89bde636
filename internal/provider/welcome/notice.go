package welcome

import (
	"bytes"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The wire forms, as notice.Notice.Form names them.
const (
	formA     = "A"      // from the merchant admin's URL
	formB     = "B"      // from the payment's P_NOTI_URL
	formBUTF8 = "B-utf8" // the same of a window opened with P_CHARSET=utf8
	formC     = "C"      // 거래알림
)

// Decode reads a notice of any form. It reports fault.Invalid for a body that
// has the marks of none, or of two.
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	if bytes.HasPrefix(bytes.TrimLeft(r.Body, " \t\r\n"), []byte("{")) {
		return decodeJSON(r.Body)
	}
	form, err := wire.ParseForm(r.Body)
	if err != nil {
		return notice.Notice{}, err
	}
	has := func(name string) bool { return form.Bytes(name) != nil }
	a := has("no_tid") || has("no_oid")
	b := has("P_STATUS") && (has("P_TID") || has("P_OID") || has("P_MID"))
	c := has("transType")
	switch {
	case a && b, a && c, b && c:
		return notice.Notice{}, fault.Errorf(fault.Invalid, "body has the fields of two forms")
	case a:
		return decodeA(form)
	case b:
		return decodeB(form)
	case c:
		return decodeC(form)
	}
	return notice.Notice{}, fault.Errorf(fault.Invalid, "body has none of no_tid, P_STATUS and transType")
}

// Verify reports nil for forms A and B: the PG proves nothing there. Form C is
// signed in a way that is not published, so it is unproved with any key.
func (m module) Verify(_ notice.Request, n notice.Notice, _ merchant.Channel, _ payment.Payment) error {
	if n.Form == formC {
		return provider.ErrUnproved
	}
	return nil
}

// Ack answers OK, and nothing around it: the manual forbids HTML, blanks and
// line ends. What form C wants to hear is not published; it gets the same. A
// refusal may have a failing status, since the PG takes whatever is not OK for
// a failure.
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
	utf8 bool // some of it is text beyond ASCII, in UTF-8
}

// read decodes a form.
func read(f wire.Form, names ...string) (reader, error) {
	charset, told := f.Charset()
	v, err := f.Read(charset, names...)
	return reader{v, v.Fields(), told && charset == wire.UTF8}, err
}

// takeWon takes an amount. An absent one is no error.
func (r reader) takeWon(name string) (payment.Money, bool, error) {
	won, told, err := r.TakeAmount(name)
	if !told {
		return payment.Money{}, false, err
	}
	return payment.Won(won), true, nil
}

// moment reads a date and a time of day in Seoul. Without a readable time of
// day it is the date's midnight, not exact; without a date it is zero. Unless
// exact, both stay among the notice's other fields as they were sent.
func (r reader) moment(day, clock string) (at time.Time, exact bool) {
	if at, err := wire.Time(r.Get(day) + r.Get(clock)); err == nil && r.Get(clock) != "" {
		r.Take(day)
		r.Take(clock)
		return at, true
	}
	at, err := wire.Time(r.Get(day))
	if err != nil {
		return time.Time{}, false
	}
	return at, false
}

// exactTime is wire.Time without dates alone: their midnight is not when the
// money came.
func exactTime(s string) (time.Time, error) {
	if len(s) == len("yyyyMMdd") {
		return time.Time{}, fault.Errorf(fault.Invalid, "a date is no time")
	}
	return wire.Time(s)
}

// key joins what names a message: the PG's id and its word for the event. The
// manual tells receivers to look for a P_TID they have seen. A message without
// an id is named by what else it says, or two of them would look like one sent
// twice.
func key(tid, word string, instead ...string) string {
	if tid == "" {
		return wire.Name(tid, word, wire.JoinedDigest(instead...))
	}
	return wire.Name(tid, word)
}
