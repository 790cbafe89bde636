package wire

import (
	"strings"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
)

// Fit makes a text for people fit a field of so many bytes: characters in
// unwanted become spaces, as do line breaks and other controls, one space stands
// for several, and what is too long is cut between characters. In EUC-KR, a
// character that the charset lacks becomes a question mark; else the bytes are
// UTF-8's.
func Fit(s string, c Charset, bytes int, unwanted string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(unwanted, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	var b strings.Builder
	left := bytes
	for _, r := range strings.Join(strings.Fields(s), " ") {
		n := utf8.RuneLen(r)
		if c == EUCKR {
			in, err := ToEUCKR(string(r))
			if err != nil {
				r, in = '?', []byte{'?'}
			}
			n = len(in)
		}
		if left -= n; left < 0 {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// Plain reports whether s can be an id of at most n characters: printable ASCII
// without spaces and without any of unwanted. An empty one is not.
func Plain(s string, n int, unwanted string) bool {
	return s != "" && len(s) <= n && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(unwanted, r)
	})
}

// Fields reads an answer that must be a JSON object, each value as text. What
// is not tells nothing of what was done: fault.Unclear.
func (a Answer) Fields() (Fields, error) {
	o, err := ParseObject(a.Body)
	if err != nil {
		return nil, a.unreadable()
	}
	f, err := o.TakeAll()
	if err != nil {
		return nil, fault.Errorf(fault.Unclear, "the PG answered with status %d and text that cannot be read", a.Status)
	}
	return f, nil
}
