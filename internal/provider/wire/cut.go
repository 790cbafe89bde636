package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// CutBytes cuts a text between two characters so that it takes at most n bytes
// in a charset. A character that the charset lacks counts for the question mark
// that EncodeForm sends in its place.
func CutBytes(s string, n int, c Charset) string {
	size := 0
	for i, r := range s {
		if size += len(encode(string(r), c)); size > n {
			return s[:i]
		}
	}
	return s
}

// SHA256Hex is the lower-case hex SHA-256 of texts, one behind the other.
func SHA256Hex(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = io.WriteString(h, p) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}
