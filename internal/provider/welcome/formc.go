package welcome

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
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
	return noticeC(r.Map())
}

// decodeJSON reads form C as JSON, in either charset: in EUC-KR no byte of a
// character looks like a quote or a backslash.
func decodeJSON(body []byte) (notice.Notice, error) {
	s, err := wire.Text(body, wire.Detect)
	if err != nil {
		return notice.Notice{}, err
	}
	fields, err := object([]byte(s))
	if err != nil {
		return notice.Notice{}, err
	}
	return noticeC(fields)
}

// noticeC says what form C means, as far as that is known: what happened, but
// not to what. Its Key is all it says, since which field names it is unknown; a
// resend that differs anywhere counts as another message, which harms nothing
// where nothing is moved.
func noticeC(fields map[string]string) (notice.Notice, error) {
	n := notice.Notice{Form: formC, Kind: fields["transType"]}
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
	n.Key = key("", n.Kind, digestOf(fields))
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

// object reads one JSON object as text by name: a string's content, and the
// JSON itself of anything else. A name that comes twice is fault.Invalid, since
// two readers could see two values.
func object(b []byte) (map[string]string, error) {
	broken := fault.Errorf(fault.Invalid, "body is not a JSON object")
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, broken
	}
	out := make(map[string]string)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || !clean(name) {
			return nil, broken
		}
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return nil, broken
		}
		if _, twice := out[name]; twice {
			return nil, fault.Errorf(fault.Invalid, "JSON has a name twice")
		}
		if out[name], err = scalar(raw); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, broken
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, broken
	}
	return out, nil
}

func scalar(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case slices.Equal(raw, []byte("null")):
		return "", nil
	case raw[0] != '"':
		return string(raw), nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || !clean(s) {
		return "", fault.Errorf(fault.Invalid, "JSON has a string that is no text")
	}
	return strings.TrimSpace(s), nil
}

// clean reports whether a string of JSON is text: no NUL, and nothing that had
// to be replaced, both of which an escape may ask for.
func clean(s string) bool {
	return !strings.ContainsAny(s, "\x00\ufffd")
}
