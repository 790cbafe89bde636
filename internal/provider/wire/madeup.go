package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
)

// Serial makes up a number of n digits, at most 32, for what a simulated
// message has to say and nobody told it. It depends on nothing but seed, so
// that the same message is told in the same way again.
func Serial(n int, seed ...string) string {
	sum := seeded(seed)
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + sum[i]%10
	}
	return string(out)
}

// Earlier makes up a time before at, by whole seconds and less than within. It
// depends on nothing but its arguments, as Serial does.
func Earlier(at time.Time, within time.Duration, seed ...string) time.Time {
	sum := seeded(seed)
	seconds := int64(binary.BigEndian.Uint32(sum[:])) % int64(within/time.Second)
	return at.Add(-time.Duration(seconds) * time.Second)
}

func seeded(seed []string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join(seed, separator)))
}
