package wire

// A Field is one field of a form that is to be sent.
type Field struct {
	Name, Value string

	// Raw sends the value's bytes without escapes, as some gateways do with
	// the single space that stands for an empty value. A raw "&" or "%" would
	// then mean something else to the reader; the caller sees to that.
	Raw bool
}

// EncodeForm writes fields as an application/x-www-form-urlencoded body, in
// their order, the way Java's URLEncoder does, since that is what gateways
// run: escapes in upper case, spaces as "+", and only letters, digits and
// ".-*_" left as they are. A character that the charset lacks becomes a
// question mark. Detect means UTF-8.
func EncodeForm(fields []Field, c Charset) []byte {
	var out []byte
	for i, f := range fields {
		if i > 0 {
			out = append(out, '&')
		}
		out = appendEscaped(out, encode(f.Name, c))
		out = append(out, '=')
		if value := encode(f.Value, c); f.Raw {
			out = append(out, value...)
		} else {
			out = appendEscaped(out, value)
		}
	}
	return out
}

func appendEscaped(out, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		switch {
		case c == ' ':
			out = append(out, '+')
		case isPlain(c):
			out = append(out, c)
		default:
			out = append(out, '%', digits[c>>4], digits[c&0x0f])
		}
	}
	return out
}

func isPlain(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	}
	return c == '.' || c == '-' || c == '*' || c == '_'
}
