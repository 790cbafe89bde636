package wire

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
)

// SHA256Hex is the SHA-256 of texts, one behind the other, in lower-case
// hexadecimal digits.
func SHA256Hex(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// SHA512Hex is SHA256Hex with SHA-512.
func SHA512Hex(parts ...string) string {
	sum := sha512.Sum512([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
