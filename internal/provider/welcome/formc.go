package welcome

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The words of transType (draft page of 거래알림).
const (
	transApproved      = "00"
	transCancelled     = "01"
	transDeposited     = "02"
	transIssued        = "03"
	transPartCancelled = "11"
)

// decodeC reads form C as KEY=VALUE.
func decodeC(form wire.Form) (notice.Notice, error) {
	r, err := read(form, "transType")
	if err != nil {
		return notice.Notice{}, err
	}
	return noticeC(r.Map(), r.Charset())
}

// decodeJSON reads form C as JSON, in either charset: in EUC-KR no byte of a
// character looks like a quote or a backslash.
func decodeJSON(body []byte) (notice.Notice, error) {
	s, err := wire.Text(body, wire.Detect)
	if err != nil {
		return notice.Notice{}, err
	}
	o, err := wire.ParseObject([]byte(s))
	if err != nil {
		return notice.Notice{}, err
	}
	if err := readable(o); err != nil {
		return notice.Notice{}, err
	}
	fields, err := o.TakeAll()
	if err != nil {
		return notice.Notice{}, err
	}
	return noticeC(fields, wire.Named(body))
}

// noticeC says what form C means, as far as that is known: what happened, but
// not to what. Its Key is all it says, since which field names it is unknown; a
// resend that differs anywhere counts as another message, which harms nothing
// where nothing is moved.
func noticeC(fields map[string]string, charset string) (notice.Notice, error) {
	n := notice.Notice{Form: formC, Kind: fields["transType"], Charset: charset}
	if n.Kind == "" {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "body has no transType")
	}
	switch n.Kind {
	case transDeposited:
		n.Event = payment.EventDeposited
	case transIssued:
		n.Event = payment.EventIssued
	case transApproved:
		// An account has words of its own, so this is another method's.
		n.Event, n.OtherMethod = payment.EventApproved, true
	case transCancelled:
		n.Event = payment.EventCancelled
	case transPartCancelled:
		n.Event = payment.EventPartiallyCancelled
	default:
		n.Event, n.Listed = payment.EventOther, true
	}
	n.Key = key("", n.Kind, wire.FieldsDigest(fields))
	for name, value := range fields {
		if strings.EqualFold(name, "Signature") {
			n.Proof = secret.Text(value)
		}
	}
	maps.DeleteFunc(fields, func(name, value string) bool {
		return value == "" || name == "transType" || strings.EqualFold(name, "Signature")
	})
	n.Fields = fields
	return n, nil
}

// readable reports fault.Invalid for a name or a string with something that
// had to be replaced, which an escape may ask for.
func readable(o wire.Object) error {
	for name, v := range o {
		var s string
		if strings.ContainsRune(name, '\ufffd') || json.Unmarshal(v, &s) == nil && strings.ContainsRune(s, '\ufffd') {
			return fault.Errorf(fault.Invalid, "JSON has a string that is no text")
		}
	}
	return nil
}
