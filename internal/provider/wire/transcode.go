package wire

import "bytes"

// Transcode writes a form or a JSON text in the other charset than its own:
// EUC-KR for UTF-8, and UTF-8 for EUC-KR. Names, order and everything in ASCII
// stay as they are, and so does all of it if a character is in one of the two
// only. It is how a gateway with a wrong setting writes.
func Transcode(b []byte) []byte {
	if t := bytes.TrimSpace(b); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		c, _ := detect(b)
		return transcode(b, otherThan(c))
	}
	pieces := bytes.FieldsFunc(b, func(r rune) bool { return r == '&' || r == '=' })
	plain := make([][]byte, len(pieces))
	for i, p := range pieces {
		plain[i] = Unescape(p)
	}
	c, _ := detect(plain...)
	to := otherThan(c)
	var out []byte
	for i, p := range pieces {
		at := bytes.Index(b, p)
		out = append(out, b[:at]...)
		b = b[at+len(p):]
		switch changed := transcode(plain[i], to); {
		case bytes.Equal(changed, plain[i]):
			out = append(out, p...)
		case bytes.IndexByte(p, '%') < 0:
			out = append(out, changed...) // it came without escapes
		default:
			out = appendEscaped(out, changed)
		}
	}
	return append(out, b...)
}

func otherThan(c Charset) Charset {
	if c == UTF8 {
		return EUCKR
	}
	return UTF8
}

func transcode(b []byte, to Charset) []byte {
	if to == EUCKR {
		if out, err := ToEUCKR(string(b)); err == nil {
			return out
		}
		return b
	}
	if out, err := fromEUCKR(b); err == nil {
		return []byte(out)
	}
	return b
}
