package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"

	"github.com/tongbo/tongbo/internal/fault"
)

// What gateways call AES/ECB/PKCS5Padding and AES/CBC/PKCS5Padding. Neither
// proves anything about the text: what was sealed with another key may open as
// nonsense. Keys have 16, 24 or 32 bytes, and an iv 16; anything else is
// fault.Invalid, and so is what cannot be opened.

// SealECB encrypts with AES block by block: equal blocks stay equal.
func SealECB(key, plain []byte) ([]byte, error) {
	b, err := block(key)
	if err != nil {
		return nil, err
	}
	out := pad(plain)
	for at := 0; at < len(out); at += aes.BlockSize {
		b.Encrypt(out[at:], out[at:at+aes.BlockSize])
	}
	return out, nil
}

// OpenECB decrypts what SealECB encrypted.
func OpenECB(key, sealed []byte) ([]byte, error) {
	b, err := block(key)
	if err != nil {
		return nil, err
	}
	if len(sealed)%aes.BlockSize != 0 {
		return nil, fault.Errorf(fault.Invalid, "what is sealed does not end with a block")
	}
	out := bytes.Clone(sealed)
	for at := 0; at < len(out); at += aes.BlockSize {
		b.Decrypt(out[at:], out[at:at+aes.BlockSize])
	}
	return unpad(out)
}

// SealCBC encrypts with AES in cipher block chaining.
func SealCBC(key, iv, plain []byte) ([]byte, error) {
	b, err := chained(key, iv)
	if err != nil {
		return nil, err
	}
	out := pad(plain)
	cipher.NewCBCEncrypter(b, iv).CryptBlocks(out, out)
	return out, nil
}

// OpenCBC decrypts what SealCBC encrypted.
func OpenCBC(key, iv, sealed []byte) ([]byte, error) {
	b, err := chained(key, iv)
	if err != nil {
		return nil, err
	}
	if len(sealed)%aes.BlockSize != 0 {
		return nil, fault.Errorf(fault.Invalid, "what is sealed does not end with a block")
	}
	out := bytes.Clone(sealed)
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(out, out)
	return unpad(out)
}

func block(key []byte) (cipher.Block, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "an AES key has 16, 24 or 32 bytes, not %d", len(key))
	}
	return b, nil
}

func chained(key, iv []byte) (cipher.Block, error) {
	if len(iv) != aes.BlockSize {
		return nil, fault.Errorf(fault.Invalid, "an initial vector of AES has %d bytes, not %d", aes.BlockSize, len(iv))
	}
	return block(key)
}

// pad is a copy of plain, filled up to whole blocks as PKCS #5 (for blocks of
// eight bytes) and #7 do.
func pad(plain []byte) []byte {
	n := aes.BlockSize - len(plain)%aes.BlockSize
	return append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
}

func unpad(b []byte) ([]byte, error) {
	if len(b) > 0 {
		n := int(b[len(b)-1])
		if 0 < n && n <= aes.BlockSize && bytes.HasSuffix(b, bytes.Repeat([]byte{byte(n)}, n)) {
			return b[:len(b)-n], nil
		}
	}
	return nil, fault.Errorf(fault.Invalid, "what is sealed was not sealed with that key")
}
