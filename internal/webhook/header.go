package webhook

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Header is a header that an endpoint's receiver wants with each webhook, such as
// an Authorization that its gateway asks for. Its value may be a secret.
type Header struct {
	Name  string // as it is sent
	Value secret.Text
}

// How long a try may be told to last, in whole seconds.
const (
	MinTimeout = time.Second
	MaxTimeout = 30 * time.Second
)

// What an endpoint's headers may come to. Servers commonly refuse more than 8 KiB of
// headers in all.
const (
	MaxHeaders     = 10
	maxHeaderName  = 64
	maxHeaderValue = 2048
	maxHeaderBytes = 6 << 10 // of names and values together
)

// HeaderMask stands for what of a header's value is not shown.
const HeaderMask = "••••"

// shownEnd is how much of a value's end is shown, if it is as long as concealable: of a
// shorter one the end would tell too much.
const (
	shownEnd    = 4
	concealable = 16
	// echoed is how long a value must be to be looked for in answers: shorter ones stand
	// there by chance.
	echoed = 8
)

// Masked is the value as people may see it: its end, if the rest is long enough that
// nobody finds it by trying.
func (h Header) Masked() string {
	value := h.Value.Reveal()
	if len(value) < concealable {
		return HeaderMask
	}
	return HeaderMask + value[len(value)-shownEnd:]
}

// reserved are headers that say how a request is sent or what it holds, by which a
// webhook would be another, or none: those of a connection (RFC 9110 §7.6.1), and those
// that are set here.
var reserved = []string{
	"host", "user-agent", "accept-encoding", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
	"http2-settings", "expect", "date",
}

// reservedBeginnings are families of them.
var reservedBeginnings = []string{"webhook-", "content-", "proxy-", "sec-"}

// ReservedHeader reports whether a header is not the endpoint's to set.
func ReservedHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(reserved, name) ||
		slices.ContainsFunc(reservedBeginnings, func(b string) bool { return strings.HasPrefix(name, b) })
}

// CheckHeaderName reports fault.Invalid unless name is one that an endpoint may set.
func CheckHeaderName(name string) error {
	switch {
	case name == "" || len(name) > maxHeaderName || strings.ContainsFunc(name, notToken):
		return fault.Errorf(fault.Invalid, "header %q: want a name of letters, digits and dashes, at most %d", name, maxHeaderName)
	case ReservedHeader(name):
		return fault.Errorf(fault.Invalid, "header %q is set by the sender, or belongs to the connection", name)
	}
	return nil
}

// notToken reports whether a character must not stand in a header's name: RFC 9110 §5.6.2.
func notToken(r rune) bool {
	alnum := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// CheckHeaderValue reports fault.Invalid unless a value is printable ASCII with nothing
// but spaces within. The error does not quote it.
func CheckHeaderValue(value secret.Text) error {
	v := value.Reveal()
	odd := strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e })
	if v == "" || len(v) > maxHeaderValue || odd || strings.TrimSpace(v) != v {
		return fault.Errorf(fault.Invalid, "the value of a header is 1 to %d printable ASCII characters, without space around", maxHeaderValue)
	}
	return nil
}

// CheckHeaders reports fault.Invalid if an endpoint cannot have these headers, naming the
// header and never its value.
func CheckHeaders(list []Header) error {
	if len(list) > MaxHeaders {
		return fault.Errorf(fault.Invalid, "%d headers: at most %d", len(list), MaxHeaders)
	}
	sum := 0
	for i, h := range list {
		if err := CheckHeaderName(h.Name); err != nil {
			return err
		}
		if err := CheckHeaderValue(h.Value); err != nil {
			return fault.Errorf(fault.Invalid, "header %q: %w", h.Name, err)
		}
		if HeaderNamed(list[:i], h.Name) >= 0 {
			return fault.Errorf(fault.Invalid, "header %q is there twice: capitals make no difference", h.Name)
		}
		sum += len(h.Name) + len(h.Value)
	}
	if sum > maxHeaderBytes {
		return fault.Errorf(fault.Invalid, "the headers have %d bytes together: at most %d", sum, maxHeaderBytes)
	}
	return nil
}

// HeaderNamed is where a header of the name is, whatever its capitals; -1 if there is none.
func HeaderNamed(list []Header, name string) int {
	return slices.IndexFunc(list, func(h Header) bool { return strings.EqualFold(h.Name, name) })
}

// Conceal returns text without the values of headers: a receiver may print what it was
// sent. Values under eight characters are left, since they stand anywhere by chance.
func Conceal(text []byte, list []Header) []byte {
	for _, h := range list {
		if value := h.Value.Reveal(); len(value) >= echoed {
			text = bytes.ReplaceAll(text, []byte(value), []byte(HeaderMask))
		}
	}
	return text
}

// ConcealEnd returns text that was cut off without the beginning of a header's value, if it
// ends in one: Conceal knows whole values alone.
func ConcealEnd(text []byte, list []Header) []byte {
	least := len(text)
	for _, h := range list {
		value := []byte(h.Value.Reveal())
		if len(value) < echoed {
			continue
		}
		for n := min(len(value)-1, len(text)); n > 0; n-- {
			if bytes.HasSuffix(text, value[:n]) {
				least = min(least, len(text)-n)
				break
			}
		}
	}
	return text[:least]
}

// SameOrigin reports whether two addresses lead to the same scheme, host and port. What
// is no address has no origin that another could have.
func SameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil || x.Host == "" {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}
