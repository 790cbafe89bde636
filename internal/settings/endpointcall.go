package settings

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// fillCall gives an endpoint what is declared of its calls: how long one may last, and
// the headers that the receiver wants.
func fillCall(e *webhook.Endpoint, c *Change, f EndpointFile) error {
	if f.Timeout != nil {
		t, err := timeout(*f.Timeout)
		if err != nil {
			return err
		}
		set(&c.Fields, "timeout", &e.Timeout, &t)
	}
	list, err := mergeHeaders(e.Headers, f.Headers)
	if err != nil {
		return err
	}
	if !slices.Equal(e.Headers, list) {
		e.Headers = list
		c.Fields = append(c.Fields, "headers")
	}
	return nil
}

// timeout reads how long a try may last; "default" is zero.
func timeout(text string) (time.Duration, error) {
	if text == "default" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < webhook.MinTimeout || d > webhook.MaxTimeout || d%time.Second != 0 {
		return 0, invalid("timeout %q: want whole seconds from 1s to 30s, or \"default\"", text)
	}
	return d, nil
}

// mergeHeaders returns what an endpoint's headers become, sorted by name, and have itself
// if nothing is declared. An empty value removes a header; one that is not mentioned stays.
func mergeHeaders(have []webhook.Header, file map[string]secret.Text) ([]webhook.Header, error) {
	if len(file) == 0 {
		return have, nil
	}
	out := slices.Clone(have)
	said := make(map[string]bool, len(file))
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if said[strings.ToLower(name)] {
			return nil, invalid("header %q is there twice: capitals make no difference", name)
		}
		said[strings.ToLower(name)] = true
		i, value := webhook.HeaderNamed(out, name), file[name]
		switch {
		case value == "" && i >= 0:
			out = slices.Delete(out, i, i+1)
		case value == "":
		case i >= 0:
			out[i] = webhook.Header{Name: name, Value: value}
		default:
			out = append(out, webhook.Header{Name: name, Value: value})
		}
	}
	slices.SortFunc(out, func(a, b webhook.Header) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	if len(out) == 0 {
		out = nil
	}
	return out, nil
}

// headersStay reports fault.Invalid if an endpoint would move to another origin with the
// values of headers that were told for the old one: whoever may change an address must not
// be able to have secrets sent there that they cannot read.
func headersStay(e webhook.Endpoint, f EndpointFile) error {
	if f.URL == nil || e.URL == "" || webhook.SameOrigin(e.URL, *f.URL) {
		return nil
	}
	var kept []string
	for _, h := range e.Headers {
		told := false
		for name := range f.Headers {
			told = told || strings.EqualFold(name, h.Name)
		}
		if !told {
			kept = append(kept, h.Name)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return invalid("the url leads to another server than the headers %s were given for: give their values again, or remove them with \"\"",
		strings.Join(kept, ", "))
}
