package checkout

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/payment"
)

// A purpose is what a token opens.
type purpose byte

// The purposes.
const (
	forPage   purpose = 'p' // to see the window and act in it
	forResult purpose = 'r' // to read what came of it
)

const (
	macSize   = 16
	tokenSize = 16 + 1 + 4 + macSize
)

// token names a window in an address that nobody can guess or make up: its id, what the
// token is for, when that ends, and a MAC of all three under the installation's key.
func (c *Checkout) token(id payment.CheckoutID, p purpose, until time.Time) string {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return "" // ids are made here
	}
	b := make([]byte, 0, tokenSize)
	b = append(b, u[:]...)
	b = append(b, byte(p))
	b = binary.BigEndian.AppendUint32(b, uint32(until.Unix())) //nolint:gosec // seconds until 2106
	return base64.RawURLEncoding.EncodeToString(append(b, c.mac(b)...))
}

// window is the window that a token opens now for a purpose; false if it opens none.
func (c *Checkout) window(token string, p purpose, now time.Time) (payment.CheckoutID, bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", false
	}
	said := b[:tokenSize-macSize]
	until := time.Unix(int64(binary.BigEndian.Uint32(said[17:])), 0)
	if !hmac.Equal(b[len(said):], c.mac(said)) || purpose(said[16]) != p || !now.Before(until) {
		return "", false
	}
	return payment.CheckoutID(uuid.UUID(said[:16]).String()), true
}

// purposeToken is under which tokens are hashed.
const purposeToken = "checkout token"

func (c *Checkout) mac(said []byte) []byte {
	sum, err := hex.DecodeString(c.Hash(purposeToken, string(said)))
	if err != nil {
		panic(err) // a hash is in hex
	}
	return sum[:macSize]
}
