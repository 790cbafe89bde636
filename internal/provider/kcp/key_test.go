package kcp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

const password = "changeit" // that of KCP's test key

// made is a key pair: the certificate and the plain key, in PEM, and its DER.
type made struct {
	cert, plain string
	der         []byte
	key         *rsa.PrivateKey
}

func makeKey(t *testing.T) made {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "T0000"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return made{cert: armoured("CERTIFICATE", cert), plain: armoured("PRIVATE KEY", der), der: der, key: key}
}

func armoured(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func seal(t *testing.T, a pkix.AlgorithmIdentifier, mode cipher.BlockMode, der []byte) string {
	t.Helper()
	pad := mode.BlockSize() - len(der)%mode.BlockSize()
	out := append(bytes.Clone(der), bytes.Repeat([]byte{byte(pad)}, pad)...)
	mode.CryptBlocks(out, out)
	return armoured("ENCRYPTED PRIVATE KEY", marshal(t, sealedKey{a, out}))
}

// sealPKCS12 seals a key as KCP does.
func sealPKCS12(t *testing.T, der []byte) string {
	t.Helper()
	p := pbeParams{Salt: []byte("saltsalt"), Rounds: 2048}
	b, err := des.NewTripleDESCipher(pkcs12Bytes(password, p, 1, 24))
	if err != nil {
		t.Fatal(err)
	}
	a := pkix.AlgorithmIdentifier{Algorithm: oidPBEWithSHA1And3DES, Parameters: asn1.RawValue{FullBytes: marshal(t, p)}}
	return seal(t, a, cipher.NewCBCEncrypter(b, pkcs12Bytes(password, p, 2, 8)), der)
}

func sealPBES2(t *testing.T, der []byte) string {
	t.Helper()
	salt, iv := []byte("saltsalt"), bytes.Repeat([]byte{7}, 16)
	key, err := pbkdf2.Key(sha256.New, password, salt, 2048, 32)
	if err != nil {
		t.Fatal(err)
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	kdf := pbkdf2Params{Salt: salt, Rounds: 2048, PRF: pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}}
	p := pbes2Params{
		KDF:    pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: marshal(t, kdf)}},
		Cipher: pkix.AlgorithmIdentifier{Algorithm: oidAES256, Parameters: asn1.RawValue{FullBytes: marshal(t, iv)}},
	}
	a := pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: asn1.RawValue{FullBytes: marshal(t, p)}}
	return seal(t, a, cipher.NewCBCEncrypter(b, iv), der)
}

func TestPrivateKey(t *testing.T) {
	t.Parallel()
	k := makeKey(t)
	sealed, anew := sealPKCS12(t, k.der), sealPBES2(t, k.der)
	for _, c := range []struct {
		name, text, password string
		ok                   bool
	}{
		{"sealed as KCP does", sealed, password, true},
		{"sealed anew", anew, password, true},
		{"plain", k.plain, "", true},
		{"in one line", strings.ReplaceAll(sealed, "\n", ""), password, true},
		{"with ends of lines spelt out", strings.ReplaceAll(sealed, "\n", `\n`), password, true},
		{"from Windows", strings.ReplaceAll(sealed, "\n", "\r\n"), password, true},
		{"another password", sealed, "changeme", false},
		{"no password", sealed, "", false},
		{"another password for PBES2", anew, "changeme", false},
		{"a certificate", k.cert, password, false},
		{"cut off", sealed[:len(sealed)/2], password, false},
		{"nothing", "", password, false},
		{"no seal", armoured("ENCRYPTED PRIVATE KEY", []byte("abc")), password, false},
		{"no key", armoured("PRIVATE KEY", []byte("abc")), "", false},
	} {
		got, err := privateKey(c.text, c.password)
		if c.ok && (err != nil || !got.Equal(k.key)) || !c.ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want ok = %v", c.name, err, c.ok)
		}
		if err != nil && (strings.Contains(err.Error(), "change") || strings.Contains(err.Error(), "MII")) {
			t.Errorf("%s: the error tells a secret: %v", c.name, err)
		}
	}
}

// TestOpensslSealed opens what another program sealed.
func TestOpensslSealed(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl")
	}
	k := makeKey(t)
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(k.plain), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"-v1 PBE-SHA1-3DES", "-v2 aes-256-cbc", "-v2 aes-128-cbc -v2prf hmacWithSHA1", "-v2 des3", "-v2 aes-192-cbc -v2prf hmacWithSHA256"} {
		args := append([]string{"pkcs8", "-topk8", "-in", file, "-passout", "pass:" + password}, strings.Fields(how)...)
		out, err := exec.CommandContext(t.Context(), openssl, args...).Output()
		if err != nil {
			t.Fatalf("openssl %s: %v", how, err)
		}
		if got, err := privateKey(string(out), password); err != nil || !got.Equal(k.key) {
			t.Errorf("a key sealed with %s: %v", how, err)
		}
	}
}

// TestPKCS12Bytes is a vector of golang.org/x/crypto/pkcs12.
func TestPKCS12Bytes(t *testing.T) {
	p := pbeParams{Salt: bytes.Repeat([]byte{0xff}, 8), Rounds: 2048}
	const want = "7cd9fd3e2b3be7691a44e3bef0f9ea0fb9b897d4e325d9d1"
	if got := hex.EncodeToString(pkcs12Bytes("sesame", p, 1, 24)); got != want {
		t.Errorf("pkcs12Bytes = %s, want %s", got, want)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	k := makeKey(t)
	want := strings.ReplaceAll(k.cert, "\n", "")
	for name, text := range map[string]string{
		"as a file": k.cert, "in one line": want, "with ends of lines spelt out": strings.ReplaceAll(k.cert, "\n", `\n`), "with text around": "Bag\n" + k.cert + "\n",
	} {
		if got, err := certificate(text); err != nil || got != want {
			t.Errorf("%s: %q, %v, want one line", name, got, err)
		}
	}
	for name, text := range map[string]string{"a key": k.plain, "nothing": "", "no PEM": "MIID", "empty": armoured("CERTIFICATE", nil)} {
		if _, err := certificate(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func FuzzPrivateKey(f *testing.F) {
	f.Add([]byte("abc"), "changeit")
	f.Fuzz(func(t *testing.T, der []byte, password string) {
		if k, err := privateKey(armoured("ENCRYPTED PRIVATE KEY", der), password); err == nil && k == nil {
			t.Error("neither a key nor an error")
		}
	})
}
