package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
)

// An Object is a JSON object with its values as they came. Package json would
// match names in any case and let a later one win; two readers must not see
// two notices.
type Object map[string]json.RawMessage

// ParseObject reads one object and nothing after it. It reports fault.Invalid
// for anything else, for a name that comes twice or holds a NUL character. No
// error quotes the object.
func ParseObject(b []byte) (Object, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fault.Errorf(fault.Invalid, "not a JSON object")
	}
	o := Object{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || strings.Contains(name, "\x00") {
			return nil, fault.Errorf(fault.Invalid, "broken JSON")
		}
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return nil, fault.Errorf(fault.Invalid, "broken JSON")
		}
		if _, twice := o[name]; twice {
			return nil, fault.Errorf(fault.Invalid, "JSON has a name twice")
		}
		o[name] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Errorf(fault.Invalid, "broken JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Errorf(fault.Invalid, "JSON is followed by something")
	}
	return o, nil
}

// Take removes a value and returns it as text: a string's content without
// spaces around it, the characters of a number or boolean, "" for null and for
// nothing, and the JSON itself of anything else. It reports fault.Invalid for
// a string with a NUL character, which may come as an escape.
func (o Object) Take(name string) (string, error) {
	v := bytes.TrimSpace(o[name])
	delete(o, name)
	switch {
	case len(v) == 0 || string(v) == "null":
		return "", nil
	case v[0] != '"':
		return string(v), nil
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return "", fault.Errorf(fault.Invalid, "broken JSON string")
	}
	if strings.Contains(s, "\x00") {
		return "", fault.Errorf(fault.Invalid, "text holds a NUL character")
	}
	return strings.TrimSpace(s), nil
}

// TakeAll takes all values, by their names. No error names a value's name,
// since whoever wrote the object chose it.
func (o Object) TakeAll() (Fields, error) {
	f := make(Fields, len(o))
	for name := range o {
		value, err := o.Take(name)
		if err != nil {
			return nil, err
		}
		f[name] = value
	}
	return f, nil
}
