package wire

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
)

// maxFields is several times what the longest notice of any gateway has.
const maxFields = 512

// A Form is a body of type application/x-www-form-urlencoded (or a query
// string), taken apart but not yet turned into text. It keeps the order of its
// fields, repeated names and the very bytes.
type Form struct {
	fields []pair
}

type pair struct{ name, value []byte }

// ParseForm splits a body at "&" and each field at its first "=", and undoes
// percent escapes. It is as lenient as gateways are careless: "+" and a raw
// space are both a space, a "%" that begins no escape is itself, empty fields
// are passed over. It reports fault.Invalid if there is no field at all, or
// more than 512. The Form does not share memory with body.
func ParseForm(body []byte) (Form, error) {
	body = bytes.Trim(body, "\r\n")
	if len(bytes.Trim(body, " &")) == 0 {
		return Form{}, fault.Errorf(fault.Invalid, "form is empty")
	}
	var f Form
	for field := range bytes.SplitSeq(body, []byte("&")) {
		if len(field) == 0 {
			continue
		}
		if len(f.fields) == maxFields {
			return Form{}, fault.Errorf(fault.Invalid, "form has more than %d fields", maxFields)
		}
		name, value, _ := bytes.Cut(field, []byte("="))
		f.fields = append(f.fields, pair{Unescape(name), Unescape(value)})
	}
	return f, nil
}

// Unescape undoes the escapes of a urlencoded name or value: "+" becomes a
// space, "%" and two hexadecimal digits a byte, all else stays. The result
// does not share memory with b.
func Unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]):
			out = append(out, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9 // 'A' and 'a' both end in 1
}

// Bytes returns the unescaped bytes of the first field called name, and nil if
// there is none. The caller must not change them.
func (f Form) Bytes(name string) []byte {
	for _, p := range f.fields {
		if string(p.name) == name {
			return p.value
		}
	}
	return nil
}

// Decode turns the form into text. The charset is one for all of it, and
// Detect looks at all fields before it chooses: one that is not UTF-8 makes the
// whole form EUC-KR. It
// reports fault.Invalid if any name or value cannot be decoded or holds a NUL
// byte.
func (f Form) Decode(c Charset) (Values, error) {
	if c == Detect {
		c, _ = f.Charset()
	}
	v := Values{first: make(map[string]string, len(f.fields)), repeated: map[string]bool{}, charset: nameASCII}
	for i, p := range f.fields {
		if !plain(p.name) || !plain(p.value) {
			v.charset = c.String()
		}
		name, err := Text(p.name, c)
		if err != nil {
			return Values{}, fault.Errorf(fault.Invalid, "name of form field %d: %w", i+1, err)
		}
		value, err := Text(p.value, c)
		if err != nil {
			return Values{}, fault.Errorf(fault.Invalid, "value of form field %d: %w", i+1, err)
		}
		v.add(name, strings.TrimSpace(value))
	}
	return v, nil
}

// Read is Decode for a notice: it reports fault.Invalid as well if the form has
// one of the names twice. Those are the names by which a payment is moved or a
// notice proved: of two values, two readers could see each their own.
func (f Form) Read(c Charset, once ...string) (Values, error) {
	v, err := f.Decode(c)
	if err != nil {
		return Values{}, err
	}
	for _, name := range once {
		if v.Duplicated(name) {
			return Values{}, fault.Errorf(fault.Invalid, "%s is told twice", name)
		}
	}
	return v, nil
}

// Charset returns the charset that Detect chooses for the form: UTF8 or EUCKR.
// told is false if all of it is ASCII, which is both.
func (f Form) Charset() (c Charset, told bool) {
	texts := make([][]byte, 0, 2*len(f.fields))
	for _, p := range f.fields {
		texts = append(texts, p.name, p.value)
	}
	return detect(texts...)
}

// Values is the text of a form. Where a name is repeated, its first value
// counts. The zero Values is an empty form.
type Values struct {
	keys     []string
	first    map[string]string
	repeated map[string]bool
	charset  string
}

// Charset names what the form was read in: that of its [Charset], or "ASCII" if it has
// nothing that would read otherwise in another. It is empty for the zero Values.
func (v Values) Charset() string { return v.charset }

func (v *Values) add(name, value string) {
	if _, ok := v.first[name]; ok {
		v.repeated[name] = true
		return
	}
	v.keys = append(v.keys, name)
	v.first[name] = value
}

// Get returns the first value called name without spaces around it, and "" if
// there is none.
func (v Values) Get(name string) string { return v.first[name] }

// Has reports whether the form has a field called name, even an empty one.
func (v Values) Has(name string) bool {
	_, ok := v.first[name]
	return ok
}

// Duplicated reports whether the form has name more than once. A provider that
// signs or settles by such a field refuses the notice: two readers could see
// two values.
func (v Values) Duplicated(name string) bool { return v.repeated[name] }

// Keys returns the names in the order they first came. The slice is a copy.
func (v Values) Keys() []string { return slices.Clone(v.keys) }

// Map returns all names with what Get says for them. The map is a copy, and
// never nil.
func (v Values) Map() map[string]string {
	if v.first == nil {
		return map[string]string{}
	}
	return maps.Clone(v.first)
}

// Fields is Map, to take fields out of.
func (v Values) Fields() Fields { return v.Map() }
