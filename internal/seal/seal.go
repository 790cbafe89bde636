// Package seal encrypts what Tongbo keeps: credentials, secrets and the bodies
// of notices.
//
// A [Key] is a Tink keyset of AES-256-GCM keys and a hash secret. Every sealed
// value carries the id of the key that made it, so [Key.Rotate] can bring in a
// new key while old values still open. Every value is also bound to a context,
// such as "notice_body/42": a sealed value copied to another row does not open
// there. The hash secret never changes, because what [Key.Hash] computed is
// looked up in the database for as long as the database lives.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrOpen is returned by [Key.Open] when a value was sealed with another key
// or for another context, or was changed since. It cannot tell which.
var ErrOpen = errors.New("sealed value does not open: another key, another context or changed bytes")

// hashSecretSize is the length of the hash secret: that of the hash itself.
const hashSecretSize = sha256.Size

// A Key seals and opens values. It is safe for concurrent use, and prints as
// "[secret]". Get one from [New], [Parse], [LoadFile] or [CreateFile].
type Key struct {
	rotating sync.Mutex // held while one keyset replaces another
	current  atomic.Pointer[material]
}

// material is what a Key holds at one moment; it is never changed in place.
// It sits behind a pointer so that printing a copied Key shows an address.
type material struct {
	hash   [hashSecretSize]byte
	keyset *keyset.Handle
	cipher tink.AEAD
}

// New makes a fresh random Key. Nothing that another Key sealed opens with it.
func New() (*Key, error) {
	var hash [hashSecretSize]byte
	_, _ = rand.Read(hash[:]) // crypto/rand.Read never fails
	set, err := addPrimary(keyset.NewManager())
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return build(hash, set)
}

// Rotate adds a new key to the Key and seals with it from now on; values that
// older keys sealed still open, and hashes stay as they were. The Key must be
// stored again ([Key.ReplaceFile]) before anything is sealed with it, or those
// values are lost with the process.
func (k *Key) Rotate() error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	old := k.current.Load()
	set, err := addPrimary(keyset.NewManagerFromHandle(old.keyset))
	if err != nil {
		return fmt.Errorf("rotate key: %w", err)
	}
	next, err := newMaterial(old.hash, set)
	if err != nil {
		return fmt.Errorf("rotate key: %w", err)
	}
	k.current.Store(next)
	return nil
}

// Seal encrypts plain and binds it to context, which Open must be given again.
// The same input gives different bytes every time. It is 33 bytes longer than
// plain.
func (k *Key) Seal(plain []byte, context string) ([]byte, error) {
	sealed, err := k.current.Load().cipher.Encrypt(plain, []byte(context))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open returns what Seal was given. If sealed was made with another key or for
// another context, or was changed, Open returns ErrOpen and nothing else.
func (k *Key) Open(sealed []byte, context string) ([]byte, error) {
	plain, err := k.current.Load().cipher.Decrypt(sealed, []byte(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Hash returns a keyed hash of value as 64 hexadecimal digits, the same for
// the life of the Key and across rotations. Who has the hash but not the Key
// can neither find value nor test a guess. Hashes made for different purposes
// are unrelated.
func (k *Key) Hash(purpose, value string) string {
	m := k.current.Load()
	mac := hmac.New(sha256.New, m.subkey(purpose))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// subkey derives the HMAC key for a purpose.
func (m *material) subkey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, m.hash[:], nil, "tongbo hash "+purpose, sha256.Size)
	if err != nil {
		panic(err) // only for lengths that this call cannot ask for
	}
	return key
}

// addPrimary adds a new AES-256-GCM key and makes it the one that seals.
func addPrimary(m *keyset.Manager) (*keyset.Handle, error) {
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	return m.Handle()
}

func build(hash [hashSecretSize]byte, set *keyset.Handle) (*Key, error) {
	m, err := newMaterial(hash, set)
	if err != nil {
		return nil, err
	}
	k := new(Key)
	k.current.Store(m)
	return k, nil
}

// newMaterial builds the cipher once, since that costs far more than using it.
func newMaterial(hash [hashSecretSize]byte, set *keyset.Handle) (*material, error) {
	cipher, err := aead.New(set)
	if err != nil {
		return nil, err
	}
	return &material{hash: hash, keyset: set, cipher: cipher}, nil
}
