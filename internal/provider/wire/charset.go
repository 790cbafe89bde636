// Package wire reads and writes what several payment gateways share on the
// wire: Korean text in two charsets, urlencoded forms, amounts and times.
//
// Nothing here guesses: what cannot be read for certain is fault.Invalid. No
// error quotes its input, since any field may hold a name or an account.
package wire

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Charset says how the bytes of a message spell its text.
type Charset int

// The charsets that gateways use.
const (
	UTF8   Charset = iota // strict UTF-8
	EUCKR                 // EUC-KR with Microsoft's extension, also called CP949 or MS949
	Detect                // whichever of the two it is; for gateways that let the merchant choose
)

// String returns the charset's usual name.
func (c Charset) String() string {
	switch c {
	case UTF8:
		return "UTF-8"
	case EUCKR:
		return "EUC-KR"
	case Detect:
		return "UTF-8 or EUC-KR"
	}
	return "unknown charset"
}

// nameASCII names text that reads the same in both charsets.
const nameASCII = "ASCII"

// plain reports whether all of b is ASCII.
func plain(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Named names the charset in which Detect reads b: that of a [Charset], or "ASCII".
func Named(b []byte) string {
	if plain(b) {
		return nameASCII
	}
	c, _ := detect(b)
	return c.String()
}

// Text decodes b. It reports fault.Invalid if b is not wholly valid in the
// charset or holds a NUL byte, which databases cannot keep in text.
func Text(b []byte, c Charset) (string, error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return "", fault.Errorf(fault.Invalid, "text holds a NUL byte")
	}
	if c == Detect {
		c, _ = detect(b)
	}
	switch c {
	case UTF8:
		if !utf8.Valid(b) {
			return "", fault.Errorf(fault.Invalid, "text is not UTF-8")
		}
		return string(b), nil
	case EUCKR:
		return fromEUCKR(b)
	case Detect: // was decided above
	}
	return "", fault.Errorf(fault.Unsupported, "no such charset: %d", int(c))
}

// detect chooses between the charsets by all of a message's texts. ASCII is
// the same in both. Bytes that are no UTF-8 are EUC-KR. Of Korean in EUC-KR
// some late syllables, such as the surname "홍", are valid UTF-8 too, but then
// as letters of two bytes, which Korean never has: UTF-8 needs three for every
// syllable. So text with letters of two bytes and none of more is EUC-KR, if
// it can be read as that. told is false for ASCII, which is given as UTF-8.
func detect(texts ...[]byte) (c Charset, told bool) {
	two, more := false, false
	for _, b := range texts {
		if !utf8.Valid(b) {
			return EUCKR, true
		}
		for _, r := range string(b) {
			switch n := utf8.RuneLen(r); {
			case n == 2:
				two = true
			case n > 2:
				more = true
			}
		}
	}
	if two && !more && !slices.ContainsFunc(texts, notEUCKR) {
		return EUCKR, true
	}
	return UTF8, two || more
}

func notEUCKR(b []byte) bool {
	_, err := fromEUCKR(b)
	return err != nil
}

// fromEUCKR decodes CP949. The decoder puts U+FFFD for what it cannot read and
// says nothing; no valid text has that character, so it marks an error.
func fromEUCKR(b []byte) (string, error) {
	out, err := korean.EUCKR.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return "", fault.Errorf(fault.Invalid, "text is not EUC-KR")
	}
	return string(out), nil
}

// ToEUCKR encodes s as EUC-KR with Microsoft's extension, which has every
// modern Korean syllable. It reports fault.Invalid if s has a character that
// the charset lacks, or is not valid UTF-8.
func ToEUCKR(s string) ([]byte, error) {
	b, err := korean.EUCKR.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "text has a character that EUC-KR lacks")
	}
	return b, nil
}

// CutText decodes EUC-KR text that its sender cut at a number of bytes, as in
// fixed-length records: half a character at the end is dropped.
func CutText(b []byte) (string, error) {
	for i := 0; i < len(b); i++ {
		if b[i] < utf8.RuneSelf {
			continue
		}
		if i == len(b)-1 {
			b = b[:i]
			break
		}
		i++ // the second byte of a character may look like a first one
	}
	return Text(b, EUCKR)
}

// encode is for the sending side, where a gateway, too, puts a question mark
// for what its charset lacks.
func encode(s string, c Charset) []byte {
	if c != EUCKR {
		return []byte(strings.ToValidUTF8(s, "?"))
	}
	if b, err := ToEUCKR(s); err == nil {
		return b
	}
	var out []byte
	for _, r := range s {
		b, err := ToEUCKR(string(r))
		if err != nil {
			b = []byte{'?'}
		}
		out = append(out, b...)
	}
	return out
}
