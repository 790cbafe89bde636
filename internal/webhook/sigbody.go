package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A supposed body may be what was signed, if what is found was done to it.
type supposed struct {
	body     []byte
	findings []SignatureFinding
}

// mostUndone bounds the bodies in which changes are undone: payloads have a few
// hundred bytes.
const mostUndone = 64 << 10

// byteOrderMark may stand before a text in UTF-8.
var byteOrderMark = []byte("\ufeff")

// bodies are what may have been signed: the body as it is, with what frameworks do to
// bodies undone, and what was sent, if that is known.
func (c SignatureCheck) bodies() []supposed {
	out := []supposed{{body: c.Body}}
	add := func(body []byte, what ...SignatureFinding) {
		if body != nil && !slices.ContainsFunc(out, func(s supposed) bool { return bytes.Equal(s.body, body) }) {
			out = append(out, supposed{body, what})
		}
	}
	if len(c.Body) > 0 && len(c.Body) <= mostUndone {
		bare := bytes.TrimPrefix(c.Body, byteOrderMark)
		add(bare, SignatureMark)
		trimmed := bytes.TrimSpace(bare)
		add(trimmed, SignatureNewline)
		undoJSON(trimmed, add)
		undoForm(trimmed, add)
		if misread := fromLatin1(trimmed); misread != nil {
			add(misread, SignatureEncoding)
		}
	}
	if c.Sent != nil {
		add(c.Sent, sentDiffers(c.Body))
	}
	return out
}

// fromLatin1 is a text that was read byte by byte, as if it were Latin-1; nil if it
// cannot have been.
func fromLatin1(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for _, r := range string(body) {
		if r > 0xff {
			return nil
		}
		out = append(out, byte(r)) //nolint:gosec // it fits, see above
	}
	if !utf8.Valid(out) || bytes.Equal(out, body) {
		return nil
	}
	return out
}

// sentDiffers says how a body differs from what was sent, once no change that
// frameworks make explains it.
func sentDiffers(body []byte) SignatureFinding {
	switch {
	case len(body) == 0:
		return SignatureEmpty
	case bytes.ContainsRune(body, '\uFFFD'):
		return SignatureEncoding
	}
	return SignatureChanged
}

// undoJSON writes a JSON body as we write it: without blanks, characters as they
// are, names in our order.
func undoJSON(body []byte, add func([]byte, ...SignatureFinding)) {
	tight := new(bytes.Buffer)
	if json.Compact(tight, body) != nil {
		return
	}
	add(tight.Bytes(), SignatureSpace)
	members, err := readMembers(body)
	if err != nil {
		return
	}
	plain, err := members.text()
	if err != nil {
		return
	}
	spaced := tight.Len() != len(body)
	add(plain, withSpace(spaced, SignatureEscapes)...)
	escaped := tight.Len() != len(plain)
	var known []byte
	for _, order := range payloadOrders {
		if known, err = members.ordered(order).text(); err == nil {
			what := withSpace(spaced, SignatureKeys)
			if escaped {
				what = append(what, SignatureEscapes)
			}
			add(known, what...)
		}
	}
}

func withSpace(spaced bool, what SignatureFinding) []SignatureFinding {
	if spaced {
		return []SignatureFinding{SignatureSpace, what}
	}
	return []SignatureFinding{what}
}

// payloadOrders are the orders in which the payloads have their names.
var payloadOrders = [][]string{
	{"type", "timestamp", "data", "storeId", "paymentId", "transactionId", "cancellationId", "billingKey", "kind", "reason", "channelKey", "subject"},
	{"storeId", "kind", "reason", "channelKey", "paymentId", "subject", "type", "timestamp", "data"},
	{"payment_id", "tx_id", "status", "imp_uid", "merchant_uid", "cancellation_id"},
	{"imp_uid", "merchant_uid", "status", "cancellation_id"},
}

// A members is a JSON object with its names in order. A value is a members, or
// text as JSON has it.
type members []memberOf

type memberOf struct {
	name  string
	value any // members, or a string, or json.RawMessage
}

var errNoPayload = errors.New("no payload of ours")

// readMembers reads an object of texts and such objects: what our payloads are.
func readMembers(body []byte) (members, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	out, err := readObject(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoPayload
	}
	return out, nil
}

// deepest is how many objects our payloads have within each other, and one more.
const deepest = 3

func readObject(dec *json.Decoder, depth int) (members, error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') || depth > deepest {
		return nil, errNoPayload
	}
	return readRest(dec, depth)
}

// readRest reads an object whose brace was read.
func readRest(dec *json.Decoder, depth int) (out members, err error) {
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errNoPayload
		}
		m := memberOf{name: name}
		switch t, err := dec.Token(); value := t.(type) {
		case string:
			m.value = value
		case json.Number:
			m.value = json.RawMessage(value)
		case json.Delim:
			if err != nil || value != '{' || depth >= deepest {
				return nil, errNoPayload
			}
			if m.value, err = readRest(dec, depth+1); err != nil {
				return nil, err
			}
		default:
			return nil, errNoPayload
		}
		out = append(out, m)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNoPayload
	}
	return out, nil
}

// text writes an object as payloads are written.
func (m members) text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshal(one.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		var value []byte
		if inner, ok := one.value.(members); ok {
			value, err = inner.text()
		} else {
			value, err = marshal(one.value)
		}
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// ordered is the object with its names in an order; those that are not in it come
// last, as they stand.
func (m members) ordered(names []string) members {
	out := slices.Clone(m)
	at := func(name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(out, func(a, b memberOf) int { return at(a.name) - at(b.name) })
	for i, one := range out {
		if inner, ok := one.value.(members); ok {
			out[i].value = inner.ordered(names)
		}
	}
	return out
}

// undoForm writes a form as we write it: blanks as "+", names in our order.
func undoForm(body []byte, add func([]byte, ...SignatureFinding)) {
	text := string(body)
	if strings.ContainsAny(text, "{}\n") || !strings.Contains(text, "=") {
		return
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return
	}
	for _, names := range [][]string{{"payment_id", "tx_id", "status"}, {"imp_uid", "merchant_uid", "status", "cancellation_id"}} {
		var pairs []string
		for _, name := range names {
			if values.Has(name) {
				pairs = append(pairs, name, values.Get(name))
			}
		}
		if len(pairs) == 2*len(values) {
			add(form(pairs...), SignatureForm)
		}
	}
}

// HeaderLines reads headers as people paste them: "name: value" a line, as curl and
// browsers show them, or as the members of a dictionary. Names come in lower case.
// What is no header is passed over.
func HeaderLines(text string) map[string]string {
	out := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.Trim(strings.TrimSpace(line), "{},")
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "-H "), "< "))
		line = strings.Trim(line, `'"`)
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `'"`))
		value = strings.Trim(strings.TrimSpace(value), `'"`)
		if name != "" && value != "" && !strings.ContainsAny(name, " \t") {
			out[name] = value
		}
	}
	return out
}
