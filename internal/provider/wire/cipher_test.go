package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The vectors are Hecto's: the test key and the sealed amounts of its document.
func TestECB(t *testing.T) {
	t.Parallel()
	key := []byte("pgSettle30y739r82jtd709yOfZ2yK5K")
	for plain, want := range map[string]string{"1000": "AntV/eDpxIaKF0hJiePDKA==", "100": "B7FLbSKbvqm5sY0FRNFmJw=="} {
		sealed, err := wire.SealECB(key, []byte(plain))
		if got := base64.StdEncoding.EncodeToString(sealed); err != nil || got != want {
			t.Errorf("SealECB(%s) = %s, %v, want %s", plain, got, err, want)
		}
	}
}

// The vector is NIST's (SP 800-38A, F.2.5, CBC-AES256), its first block.
func TestCBC(t *testing.T) {
	t.Parallel()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
	iv, plain := unhex("000102030405060708090a0b0c0d0e0f"), unhex("6bc1bee22e409f96e93d7e117393172a")
	sealed, err := wire.SealCBC(key, iv, plain)
	if err != nil || len(sealed) != 32 || !bytes.Equal(sealed[:16], unhex("f58c4c04d6e5f1ba779eabfb5f7bfbd6")) {
		t.Errorf("SealCBC = %x, %v", sealed, err)
	}
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	key, iv := bytes.Repeat([]byte("k"), 32), make([]byte, 16)
	for n := range 50 {
		plain := bytes.Repeat([]byte{byte(n)}, n)
		ecb, err := wire.SealECB(key, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.OpenECB(key, ecb); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("OpenECB of %d bytes = %x, %v", n, got, err)
		}
		cbc, err := wire.SealCBC(key, iv, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.OpenCBC(key, iv, cbc); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("OpenCBC of %d bytes = %x, %v", n, got, err)
		}
	}
}

func TestUnsealable(t *testing.T) {
	t.Parallel()
	key, iv := bytes.Repeat([]byte("k"), 32), make([]byte, 16)
	for what, b := range map[string][]byte{"nothing": nil, "half a block": make([]byte, 8), "no padding": make([]byte, 16)} {
		if _, err := wire.OpenECB(key, b); !fault.Is(err, fault.Invalid) {
			t.Errorf("OpenECB of %s: %v", what, err)
		}
		if _, err := wire.OpenCBC(key, iv, b); !fault.Is(err, fault.Invalid) {
			t.Errorf("OpenCBC of %s: %v", what, err)
		}
	}
	if _, err := wire.SealECB([]byte("short"), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("SealECB with a short key: %v", err)
	}
	if _, err := wire.SealCBC(key, iv[:8], nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("SealCBC with a short vector: %v", err)
	}
}
