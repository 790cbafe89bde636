package console

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
)

// A mistake is what is wrong with a field of a form. It stands in the summary above the
// form and beside the field.
type mistake struct {
	Field string // its name; empty if it is of the whole form
	Text  string
}

// A field is an input with its label, and what is wrong with what was entered.
type field struct {
	Name, Label, Type, Value, Hint, Mistake string
	Required                                bool
	Auto                                    string // autocomplete
	Choices                                 []option
}

// An option is one of the values that an input offers.
type option struct {
	Value, Text string
	Chosen      bool
}

// newField is the field of a view's form: {{template "field" (field $ "name" (t "x.name") "text" .Name)}}.
// What was posted goes before the value. Further pairs set the rest: "hint", "required",
// "auto", "choices".
func newField(v view, name, label, kind, value string, more ...any) field {
	f := field{Name: name, Label: label, Type: kind, Value: value}
	if form := v.visit.r.PostForm; form.Has(name) && kind != "password" { //nolint:forbidigo // what came in, not a call
		f.Value = form.Get(name)
	}
	for _, m := range v.Mistakes {
		if m.Field == name {
			f.Mistake = m.Text
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		switch more[i] {
		case "hint":
			f.Hint, _ = more[i+1].(string)
		case "required":
			f.Required, _ = more[i+1].(bool)
		case "auto":
			f.Auto, _ = more[i+1].(string)
		case "choices":
			f.Choices, _ = more[i+1].([]option)
		}
	}
	for i, o := range f.Choices {
		f.Choices[i].Chosen = o.Value == f.Value
	}
	return f
}

// errBroken says that a request has bytes that are no text.
var errBroken = fault.Errorf(fault.Invalid, "the request holds what is no text")

// readable reports why nothing is done on a request: a form that is too long or of another
// kind must not count as an empty one, which may mean something, and no store takes what is
// no text.
func (v *visit) readable() error {
	bad := broken(v.r.URL.Path)
	for name, values := range v.r.URL.Query() {
		bad = bad || broken(name) || slices.ContainsFunc(values, broken)
	}
	if bad {
		return errBroken
	}
	if v.r.Method != http.MethodPost {
		return nil
	}
	if t := v.r.Header.Get("Content-Type"); t != "" {
		if t, _, err := mime.ParseMediaType(t); err != nil || t != "application/x-www-form-urlencoded" {
			return fault.Errorf(fault.Invalid, "the form is not sent as application/x-www-form-urlencoded")
		}
	}
	if err := v.r.ParseForm(); err != nil {
		if _, long := errors.AsType[*http.MaxBytesError](err); long {
			return fault.Errorf(fault.TooLarge, "the form is longer than %d bytes", mostForm)
		}
		return errBroken
	}
	for name, values := range v.form() {
		if broken(name) || slices.ContainsFunc(values, broken) {
			return errBroken
		}
	}
	return nil
}

// broken reports whether a text is none: it is not UTF-8, or has a NUL.
func broken(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) }

// form is what was posted.
func (v *visit) form() url.Values {
	if err := v.r.ParseForm(); err != nil {
		return url.Values{}
	}
	return v.r.PostForm //nolint:forbidigo // what came in, not a call
}

// value is a field of what was posted, without the space around it.
func (v *visit) value(name string) string { return strings.TrimSpace(v.form().Get(name)) }

// Posted is a field of what was posted, for a page that is shown again.
func (v view) Posted(name string) string { return v.visit.value(name) }

// query is a parameter of the page's address.
func (v *visit) query(name string) string { return strings.TrimSpace(v.r.URL.Query().Get(name)) }

// with is the page's own address with a parameter changed, or without it if the value is
// empty.
func (v *visit) with(name, value string) string {
	q := v.r.URL.Query()
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	return v.r.URL.EscapedPath() + query(q.Encode())
}
