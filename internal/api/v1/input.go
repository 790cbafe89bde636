package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// maxWhole is up to where JavaScript counts exactly.
const maxWhole = 1<<53 - 1

// An input is what a call says, by the names of its fields: a text, a json.Number,
// a bool, nil, a list of these, or whatever else JSON has. The first field that is
// read as what it is not leaves its error in err.
type input struct {
	fields map[string]any
	form   bool // not JSON
	err    error
}

// body reads what a call carries: a JSON object, or else a form, whatever type it
// is said to be of.
func (c *call) body() (*input, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refusal{http.StatusRequestEntityTooLarge, codeUndone, "요청 본문이 너무 깁니다."}
	}
	switch b = bytes.TrimSpace(b); {
	case err != nil:
		return nil, invalid("요청 본문이 도중에 끊겼습니다.")
	case !utf8.Valid(b):
		return nil, invalid("요청 본문이 UTF-8이 아닙니다.")
	case len(b) == 0 || b[0] != '{':
		return &input{fields: readForm(string(b)), form: true}, nil
	}
	in := &input{}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := in.readJSON(dec); err != nil || dec.More() {
		return nil, invalid("요청 본문이 올바른 JSON이 아닙니다.") // quoting nothing: it may hold secrets
	}
	return in, nil
}

// readJSON reads a JSON object. Of fields that are there twice with two values none
// is the right one.
func (in *input) readJSON(dec *json.Decoder) error {
	in.fields = make(map[string]any)
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return err
		}
		key, _ := name.(string) // JSON has no other names
		if before, again := in.fields[key]; again && !reflect.DeepEqual(before, value) {
			in.wrong(key, sayTwice)
		}
		in.fields[key] = value
	}
	_, err := dec.Token()
	return err
}

// query reads the query of a call. What a client was not given it may send as
// "undefined".
func (c *call) query() *input {
	fields := readForm(c.r.URL.RawQuery)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == "undefined" })
	return &input{fields: fields, form: true}
}

// readForm reads a form as PHP does, which old clients count on: blanks before a
// name are dropped, what is not percent-encoded is taken as it is, a name alone
// says nothing, and name[] and name[0] are the items of a list. go-iamport writes
// forms without any encoding.
func readForm(text string) map[string]any {
	fields := make(map[string]any)
	for pair := range strings.SplitSeq(text, "&") {
		name, value, said := strings.Cut(strings.TrimLeft(pair, " +"), "=")
		if !said {
			continue
		}
		name, value = unescape(name), unescape(value)
		base, index, listed := strings.Cut(name, "[")
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
	return fields
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
	v := in.fields[name]
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

// whole is a field's whole number, nil if it is not there or empty. JSON's 1000.0
// is one.
func (in *input) whole(name string) *int64 {
	text := in.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, bad := strconv.ParseFloat(text, 64)
		if bad != nil || f != math.Trunc(f) || math.Abs(f) > maxWhole {
			in.wrong(name, "정수여야 합니다.")
			return nil
		}
		n = int64(f)
	}
	if n > maxWhole || n < -maxWhole {
		in.wrong(name, "너무 큰 수입니다.")
		return nil
	}
	return &n
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
	items, several := in.fields[name].([]any)
	if !several {
		items = []any{in.fields[name]}
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
	v := in.fields[name]
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
