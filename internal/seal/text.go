package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// textPrefix says what a key's text is and which form it has. After it comes,
// in unpadded URL-safe base64: the hash secret, the Tink keyset in clear, and
// a check sum over both, so that a text cut short or mistyped is refused
// instead of silently hashing differently.
const (
	textPrefix = "tongbo-key-1:"
	checkSize  = 4
	shown      = "[secret]"
)

// errText is all that Parse says, since anything more could quote the key.
var errText = errors.New("not a Tongbo key, or damaged: it starts with " + textPrefix + " and is one line")

// Text returns the Key in the form that Parse reads. Whoever has it can open
// everything the Key sealed.
func (k *Key) Text() secret.Text {
	m := k.current.Load()
	var b bytes.Buffer
	b.Write(m.hash[:])
	if err := insecurecleartextkeyset.Write(m.keyset, keyset.NewBinaryWriter(&b)); err != nil {
		panic(fmt.Sprintf("write a keyset to memory: %v", err)) // only for a nil handle
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:checkSize])
	return secret.Text(textPrefix + base64.RawURLEncoding.EncodeToString(b.Bytes()))
}

// Parse reads what Text wrote; spaces and line ends around it do not matter.
// It reports fault.Invalid, without quoting the text, if it is not a key.
func Parse(text string) (*Key, error) {
	k, err := parse(strings.TrimSpace(text))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "%w", errText)
	}
	return k, nil
}

func parse(text string) (*Key, error) {
	encoded, ok := strings.CutPrefix(text, textPrefix)
	if !ok {
		return nil, errText
	}
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	if len(b) < hashSecretSize+checkSize {
		return nil, errText
	}
	body, check := b[:len(b)-checkSize], b[len(b)-checkSize:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:checkSize], check) {
		return nil, errText
	}
	set, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(body[hashSecretSize:])))
	if err != nil {
		return nil, err
	}
	return build([hashSecretSize]byte(body), set)
}

// String returns "[secret]".
func (k *Key) String() string { return shown }

// GoString returns "[secret]".
func (k *Key) GoString() string { return shown }

// Format writes "[secret]" for every verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shown) }

// LogValue returns "[secret]".
func (k *Key) LogValue() slog.Value { return slog.StringValue(shown) }

// MarshalText returns "[secret]", also inside JSON.
func (k *Key) MarshalText() ([]byte, error) { return []byte(shown), nil }
