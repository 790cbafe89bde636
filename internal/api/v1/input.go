package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// How much of a request is read.
const (
	maxBody       = 1 << 20
	maxOpenBody   = 8 << 10   // of a call that shows no token
	maxFields     = 1000      // as PHP's
	maxNested     = 128 << 10 // bytes of a list or an object in JSON, which is many times as long once it is decoded
	maxNameQuoted = 40
)

// An input is what a call says, by the names of its fields: a text, a json.Number,
// a bool, nil, a list of these, or whatever else JSON has. A field of a JSON body is
// a json.RawMessage until value reads it. The first field that is read as what it is
// not leaves its error in err.
type input struct {
	fields map[string]any
	odd    map[string]bool // names that a form has otherwise than as name=value
	form   bool            // not JSON
	err    error
}

// body reads what a call carries: a JSON object, or else a form, whatever type it
// is said to be of.
func (c *call) body() (*input, error) {
	most := int64(maxBody)
	if c.how == open {
		most = maxOpenBody
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refusal{http.StatusRequestEntityTooLarge, codeUndone, "요청 본문이 너무 깁니다."}
	}
	switch b = bytes.TrimSpace(b); {
	case err != nil:
		return nil, invalid("요청 본문이 도중에 끊겼습니다.")
	case !utf8.Valid(b):
		return nil, invalid("요청 본문이 UTF-8이 아닙니다.")
	case len(b) == 0 || b[0] != '{':
		if bytes.Count(b, []byte{'&'}) >= maxFields {
			return nil, errManyFields
		}
		fields, odd := readForm(string(b))
		return &input{fields: fields, odd: odd, form: true}, nil
	}
	in := &input{}
	switch err := in.readJSON(json.NewDecoder(bytes.NewReader(b))); {
	case errors.Is(err, errManyFields):
		return nil, errManyFields
	case err != nil:
		return nil, invalid("요청 본문이 올바른 JSON이 아닙니다.") // quoting nothing: it may hold secrets
	}
	return in, nil
}

var errManyFields = invalid("요청 본문에 필드가 너무 많습니다.")

// readJSON reads a JSON object with nothing behind it, and decodes none of its
// fields. Of fields that are there twice with two values none is the right one.
func (in *input) readJSON(dec *json.Decoder) error {
	in.fields = make(map[string]any)
	if _, err := dec.Token(); err != nil {
		return err
	}
	for count := 0; dec.More(); count++ {
		if count == maxFields {
			return errManyFields
		}
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		key, _ := name.(string) // JSON has no other names
		if before, again := in.fields[key]; again && !reflect.DeepEqual(before, value) {
			in.wrong(strings.ToValidUTF8(key[:min(len(key), maxNameQuoted)], ""), sayTwice)
		}
		in.fields[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the object")
	}
	return nil
}

// value is a field as it was sent, nil if it was not.
func (in *input) value(name string) any {
	raw, undecoded := in.fields[name].(json.RawMessage)
	if !undecoded {
		return in.fields[name]
	}
	var v any
	if len(raw) > maxNested && (raw[0] == '[' || raw[0] == '{') {
		in.wrong(name, "너무 깁니다.")
	} else {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			in.wrong(name, "읽을 수 없는 값입니다.")
		}
	}
	in.fields[name] = v
	return v
}

// query reads the query of a call. What a client was not given it may send as
// "undefined".
func (c *call) query() *input {
	fields, odd := readForm(c.r.URL.RawQuery)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == "undefined" })
	return &input{fields: fields, odd: odd, form: true}
}

// readForm reads a form as PHP does, which old clients count on: blanks before a
// name are dropped, what is not percent-encoded is taken as it is, a name alone
// says nothing, and name[] and name[0] are the items of a list. go-iamport writes
// forms without any encoding. odd are the names that stand alone, or before a
// bracket, or between blanks: what they say is not there, or is a list.
func readForm(text string) (fields map[string]any, odd map[string]bool) {
	fields, odd = make(map[string]any), make(map[string]bool)
	for pair := range strings.SplitSeq(text, "&") {
		name, value, said := strings.Cut(strings.TrimLeft(pair, " +"), "=")
		name, value = unescape(name), unescape(value)
		base, index, listed := strings.Cut(name, "[")
		if meant := strings.TrimSpace(base); meant != "" && (!said || meant != name) {
			odd[meant] = true
		}
		if !said {
			continue
		}
		listed = listed && strings.Trim(index, "0123456789") == "]"
		if listed {
			name = base
		}
		before, again := fields[name]
		items, _ := before.([]any)
		switch {
		case name == "":
		case !again && !listed:
			fields[name] = value
		case again && items == nil:
			fields[name] = []any{before, value}
		default:
			fields[name] = append(items, value)
		}
	}
	return fields, odd
}

// unescape undoes the encoding of a form, or leaves what was never encoded.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil && utf8.ValidString(plain) {
		return plain
	}
	return text
}

// wrong notes that a field is not what it should be.
func (in *input) wrong(name, want string) {
	if in.err == nil {
		in.err = invalid(name + ": " + want)
	}
}

const sayTwice = "서로 다른 값이 두 번 이상 있습니다."

// one is a field's value. Of several that differ none is the right one: in a form
// without any encoding what a buyer wrote may look like another field.
func (in *input) one(name string) any {
	v := in.value(name)
	items, several := v.([]any)
	switch {
	case !several:
		return v
	case len(items) == 0:
		return nil
	}
	for _, item := range items[1:] {
		if !reflect.DeepEqual(item, items[0]) {
			in.wrong(name, sayTwice)
		}
	}
	return items[0]
}

// text is a field's text, without blanks around it; empty if it is not there.
func (in *input) text(name string) string {
	switch v := in.one(name).(type) {
	case nil:
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	default:
		in.wrong(name, "문자열이어야 합니다.")
	}
	return ""
}

// flag is a field's truth, false if it is not there.
func (in *input) flag(name string) bool {
	if b, ok := in.one(name).(bool); ok {
		return b
	}
	switch strings.ToLower(in.text(name)) {
	case "", "0", "false", "n":
		return false
	case "1", "true", "y":
		return true
	}
	in.wrong(name, "true 또는 false여야 합니다.")
	return false
}

// list is a field's texts, of one or of several; without empty ones.
func (in *input) list(name string) (out []string) {
	v := in.value(name)
	items, several := v.([]any)
	if !several {
		items = []any{v}
	}
	for _, item := range items {
		one := &input{fields: map[string]any{name: item}}
		if t := one.text(name); t != "" {
			out = append(out, t)
		}
		if one.err != nil {
			in.wrong(name, "문자열이거나 문자열의 배열이어야 합니다.")
		}
	}
	return out
}

// kept is a field as it is kept and shown again: a text as it is, anything else as
// JSON.
func (in *input) kept(name string) string {
	v := in.value(name)
	if in.form {
		v = in.one(name)
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			in.wrong(name, "저장할 수 없는 값입니다.")
		}
		return strings.TrimSpace(b.String())
	}
}

// word is a field that is one of some words, or the first of them if it is not
// there.
func (in *input) word(name string, words []string) string {
	w := in.text(name)
	switch {
	case w == "":
		return words[0]
	case !slices.Contains(words, w):
		in.wrong(name, strings.Join(words, ", ")+" 중 하나여야 합니다.")
	}
	return w
}
