package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An ownHeader is a header of the endpoint's own in its form. The value is never written
// into a page: of one that is stored its end is shown, and one that was typed is typed
// again.
type ownHeader struct {
	Name   string
	Masked string // of one that is stored; empty for a line to fill in
	Drop   bool   // it is to go
	typed  secret.Text
}

// blankHeaders is how many lines the form offers for new headers.
const blankHeaders = 2

// ownHeaders are the lines of an endpoint as it is stored.
func ownHeaders(e webhook.Endpoint) (out []ownHeader) {
	for _, h := range e.Headers {
		out = append(out, ownHeader{Name: h.Name, Masked: h.Masked()})
	}
	return withBlanks(out)
}

// withBlanks adds lines to fill in, as far as there may be more headers.
func withBlanks(list []ownHeader) []ownHeader {
	for range min(blankHeaders, webhook.MaxHeaders-len(list)) {
		list = append(list, ownHeader{})
	}
	return list
}

// postedHeaders are the lines as they were typed: names and values come side by side, those
// that are stored first. What is posted beyond the most that there may be is not read, nor
// needed to say that they are too many.
func (v *visit) postedHeaders(e webhook.Endpoint) (out []ownHeader) {
	names, values, drops := v.form()["header_name"], v.form()["header_value"], v.form()["header_drop"]
	for i, name := range names[:min(len(names), 2*webhook.MaxHeaders)] {
		l := ownHeader{Name: strings.TrimSpace(name)}
		if i < len(values) {
			l.typed = secret.Text(strings.TrimSpace(values[i]))
		}
		if at := webhook.HeaderNamed(e.Headers, l.Name); at >= 0 && i < len(e.Headers) {
			l.Masked, l.Drop = e.Headers[at].Masked(), slices.Contains(drops, l.Name)
		}
		if l.Name != "" || l.typed != "" {
			out = append(out, l)
		}
	}
	return withBlanks(out)
}

// retype reports whether values were typed that the form, shown again, does not hold.
func retype(list []ownHeader) bool {
	return slices.ContainsFunc(list, func(l ownHeader) bool { return l.typed != "" })
}

// headers are what the lines make of an endpoint's headers: all that it has then, and what
// is to be declared. Stored values do not go to another server than the one that they were
// given for.
func (v *visit) headers(f endpointForm, stored webhook.Endpoint) (list []webhook.Header, declared map[string]secret.Text, wrong []mistake) {
	miss := func(key string, args ...any) { wrong = append(wrong, mistake{"headers", v.t(key, args...)}) }
	declared = make(map[string]secret.Text)
	for _, l := range f.Headers {
		value := l.typed
		switch at := webhook.HeaderNamed(stored.Headers, l.Name); {
		case l.Name == "" && value == "":
			continue
		case l.Masked != "" && l.Drop:
			declared[l.Name] = ""
			continue
		case l.Masked != "" && value == "" && webhook.CheckURL(f.URL) == nil && !webhook.SameOrigin(stored.URL, f.URL):
			miss("endpoints.header_again", "name", page.Visible(l.Name))
			continue
		case l.Masked != "" && value == "":
			list = append(list, stored.Headers[at])
			continue
		case webhook.ReservedHeader(l.Name):
			miss("endpoints.header_reserved", "name", page.Visible(l.Name))
			continue
		case webhook.CheckHeaderName(l.Name) != nil:
			miss("endpoints.header_name_wrong", "name", page.Visible(l.Name))
			continue
		case webhook.HeaderNamed(list, l.Name) >= 0:
			miss("endpoints.header_twice", "name", l.Name)
			continue
		case webhook.CheckHeaderValue(value) != nil:
			miss("endpoints.header_value_wrong", "name", l.Name)
			continue
		}
		list = append(list, webhook.Header{Name: l.Name, Value: value})
		declared[l.Name] = value
	}
	switch {
	case len(list) > webhook.MaxHeaders:
		miss("endpoints.headers_many", "max", webhook.MaxHeaders)
	case len(wrong) == 0 && webhook.CheckHeaders(list) != nil:
		miss("endpoints.headers_long")
	}
	return list, declared, wrong
}

// timeout is how long a try may last by the form; zero for what all have. It is false if
// that cannot be.
func (f endpointForm) timeout() (time.Duration, bool) {
	if f.Timeout == "" {
		return 0, true
	}
	n, err := strconv.Atoi(f.Timeout)
	d := time.Duration(n) * time.Second
	return d, err == nil && n <= int(webhook.MaxTimeout/time.Second) && d >= webhook.MinTimeout
}
