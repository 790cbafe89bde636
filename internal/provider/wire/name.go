package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Name joins parts with slashes to the name of a message or of money. Slashes
// inside them are escaped, so that no two lists of parts have one name.
func Name(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = url.PathEscape(p)
	}
	return strings.Join(escaped, "/")
}

// Digest stands in a name for what it must not show, since names are kept and
// shown in clear, and account numbers are not: 32 hexadecimal digits. Where the
// parts begin and end counts.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// JoinedDigest is Digest for the modules whose names began with it: a name that
// was given once stays. A part that held its separator, the control character
// 0x1F, could be taken for two; no gateway sends one.
func JoinedDigest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, separator)))
	return hex.EncodeToString(sum[:16])
}

// separator stands between texts that are hashed together.
const separator = "\x1f"

// FieldsDigest is the JoinedDigest of fields, whatever order they came in.
func FieldsDigest(fields map[string]string) string {
	parts := make([]string, 0, len(fields))
	for name, value := range fields {
		parts = append(parts, name+"="+value)
	}
	slices.Sort(parts)
	return JoinedDigest(parts...)
}
