package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/tongbo/tongbo/internal/secret"
)

// A cost is how much work a hash of a password is: RFC 9106's terms.
type cost struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// current is what new hashes cost: OWASP's second choice, which takes some 30 ms and
// 19 MiB, so that a small machine can bear a guesser.
var current = cost{memory: 19 << 10, time: 2, lanes: 1}

const (
	saltSize = 16
	hashSize = 32
	// mostMemory bounds what a stored hash may ask for.
	mostMemory = 1 << 20
)

// hashing bounds how many hashes are made at once: each takes memory and a processor. Half
// of the processors are left to notices, whoever guesses, from however many networks.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()/2))

// work makes a hash when it is its turn.
func work(password secret.Text, salt []byte, c cost, size uint32) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password.Reveal()), salt, c.time, c.memory, c.lanes, size)
}

var base64s = base64.RawStdEncoding

// hashPassword hashes a password with a new salt, in the PHC form.
func hashPassword(password secret.Text) secret.Text {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return secret.Text(phc(current, salt, work(password, salt, current, hashSize)))
}

func phc(c cost, salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.lanes,
		base64s.EncodeToString(salt), base64s.EncodeToString(hash))
}

// nobody is the hash of a password that nobody has: what is tried for an account
// that is not there is compared with it, so that it takes as long.
var nobody = sync.OnceValue(func() secret.Text {
	token, _ := newToken("nobody")
	return hashPassword(token)
})

// checkPassword reports whether a password has a hash, and whether the hash is to be
// made anew since it costs other than new ones do. Without a hash it takes as long,
// and is wrong.
func checkPassword(password, stored secret.Text) (right, again bool) {
	there := stored != ""
	if !there {
		stored = nobody()
	}
	c, salt, want, ok := parsePHC(stored.Reveal())
	if !ok {
		c, salt, want, _ = parsePHC(nobody().Reveal())
		there = false
	}
	got := work(password, salt, c, uint32(len(want))) //nolint:gosec // parsePHC bounds it
	return subtle.ConstantTimeCompare(got, want) == 1 && there, c != current || len(want) != hashSize
}

// parsePHC reads a hash of argon2id. ok is false for anything else, or for one that
// would take more than mostMemory.
func parsePHC(s string) (c cost, salt, hash []byte, ok bool) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, false
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.lanes); err != nil || n != 3 {
		return c, nil, nil, false
	}
	var err error
	if salt, err = base64s.DecodeString(part[4]); err != nil {
		return c, nil, nil, false
	}
	if hash, err = base64s.DecodeString(part[5]); err != nil {
		return c, nil, nil, false
	}
	ok = c.memory > 0 && c.memory <= mostMemory && c.time > 0 && c.time < 100 && c.lanes > 0 && len(salt) >= 8 && len(hash) >= 16 && len(hash) <= 64
	return c, salt, hash, ok
}
