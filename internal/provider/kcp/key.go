package kcp

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // KCP hands out keys that are sealed with it
	"crypto/pbkdf2"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"hash"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// pemText finds one PEM block, however its lines were broken: settings often
// hold it in one line, or with \n for the ends of lines.
var pemText = regexp.MustCompile(`-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]*)-----END [A-Z ]+-----`)

// block returns the label of a PEM text, and its base64 without breaks.
func block(text string) (label, base64 string, ok bool) {
	m := pemText.FindStringSubmatch(strings.ReplaceAll(strings.ReplaceAll(text, `\r`, ""), `\n`, "\n"))
	if m == nil {
		return "", "", false
	}
	return m[1], strings.Join(strings.Fields(m[2]), ""), true
}

// certificate returns the service certificate as KCP wants it: in one line, for
// with line breaks the gateway answers S032 (developer centre, 서비스 인증서).
func certificate(text string) (string, error) {
	label, b, ok := block(text)
	if !ok || label != "CERTIFICATE" || b == "" {
		return "", fault.Errorf(fault.Invalid, "%s is no certificate in PEM: enter the text of splCert.pem, and try again", siteCert)
	}
	return "-----BEGIN CERTIFICATE-----" + b + "-----END CERTIFICATE-----", nil
}

// privateKey reads an RSA key in PKCS#8, sealed with the password or plain.
func privateKey(text, password string) (*rsa.PrivateKey, error) {
	label, b, ok := block(text)
	der, err := base64.StdEncoding.DecodeString(b)
	if !ok || err != nil || label != "PRIVATE KEY" && label != "ENCRYPTED PRIVATE KEY" {
		return nil, fault.Errorf(fault.Invalid, "%s is no PKCS#8 key in PEM: enter the text of splPrikeyPKCS8.pem, and try again", privateKeyText)
	}
	if label == "ENCRYPTED PRIVATE KEY" {
		if der, err = open(der, password); err != nil {
			return nil, err
		}
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil { // most wrong passwords show in the padding, the others here
		return nil, wrongPassword()
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fault.Errorf(fault.Invalid, "%s is no RSA key", privateKeyText)
	}
	return key, nil
}

func wrongPassword() error {
	return fault.Errorf(fault.Invalid, "%s does not open with %s", privateKeyText, privateKeyPassword)
}

func keyOf(c merchant.Channel) (*rsa.PrivateKey, error) {
	return privateKey(c.Credentials[privateKeyText].Reveal(), c.Credentials[privateKeyPassword].Reveal())
}

// sign is kcp_sign_data: texts joined by ^, SHA256withRSA, base64.
func sign(key *rsa.PrivateKey, parts ...string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(parts, "^")))
	b, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

var (
	oidPBEWithSHA1And3DES = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3} // RFC 7292, C
	oidPBES2              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}    // RFC 8018
	oidPBKDF2             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA256         = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSHA1           = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oid3DES               = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidAES128             = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192             = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256             = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// mostRounds bounds what a key may ask of this machine.
const mostRounds = 2_000_000

type sealedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbeParams struct {
	Salt   []byte
	Rounds int
}

type pbes2Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2Params struct {
	Salt   []byte
	Rounds int
	Length int                      `asn1:"optional"`
	PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
}

// open decrypts an EncryptedPrivateKeyInfo. Package x509 has no such call. KCP's
// keys are sealed as PKCS#12 does it, with SHA-1 and triple DES (observed); those
// that were sealed anew, by openssl say, with PBES2.
func open(der []byte, password string) ([]byte, error) {
	var k sealedKey
	if rest, err := asn1.Unmarshal(der, &k); err != nil || len(rest) > 0 {
		return nil, fault.Errorf(fault.Invalid, "%s is no sealed PKCS#8 key", privateKeyText)
	}
	mode, err := unsealer(k.Algorithm, password)
	if err != nil {
		return nil, err
	}
	n := mode.BlockSize()
	if len(k.Data) == 0 || len(k.Data)%n != 0 {
		return nil, wrongPassword()
	}
	out := make([]byte, len(k.Data))
	mode.CryptBlocks(out, k.Data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > n {
		return nil, wrongPassword()
	}
	for _, b := range out[len(out)-pad:] {
		if int(b) != pad {
			return nil, wrongPassword()
		}
	}
	return out[:len(out)-pad], nil
}

func unsealer(a pkix.AlgorithmIdentifier, password string) (cipher.BlockMode, error) {
	switch {
	case a.Algorithm.Equal(oidPBEWithSHA1And3DES):
		var p pbeParams
		if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &p); err != nil || p.Rounds < 1 || p.Rounds > mostRounds {
			return nil, unknownSeal()
		}
		b, err := des.NewTripleDESCipher(pkcs12Bytes(password, p, 1, 24)) //nolint:gosec // KCP hands out keys that are sealed with it
		if err != nil {
			return nil, err
		}
		return cipher.NewCBCDecrypter(b, pkcs12Bytes(password, p, 2, des.BlockSize)), nil
	case a.Algorithm.Equal(oidPBES2):
		var p pbes2Params
		if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &p); err != nil || !p.KDF.Algorithm.Equal(oidPBKDF2) {
			return nil, unknownSeal()
		}
		return pbes2(p, password)
	}
	return nil, unknownSeal()
}

func unknownSeal() error {
	return fault.Errorf(fault.Invalid, "%s is sealed in a way that is not known here: seal it with openssl pkcs8 -topk8 -v2 aes-256-cbc", privateKeyText)
}

func pbes2(p pbes2Params, password string) (cipher.BlockMode, error) {
	var k pbkdf2Params
	var iv []byte
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &k); err != nil || k.Rounds < 1 || k.Rounds > mostRounds {
		return nil, unknownSeal()
	}
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, unknownSeal()
	}
	prf := func() hash.Hash { return sha1.New() } //nolint:gosec // the standard's default
	switch {
	case k.PRF.Algorithm.Equal(oidHMACSHA256):
		prf = sha256.New
	case len(k.PRF.Algorithm) > 0 && !k.PRF.Algorithm.Equal(oidHMACSHA1):
		return nil, unknownSeal()
	}
	var length int
	newCipher := aes.NewCipher
	switch c := p.Cipher.Algorithm; {
	case c.Equal(oidAES128):
		length = 16
	case c.Equal(oidAES192):
		length = 24
	case c.Equal(oidAES256):
		length = 32
	case c.Equal(oid3DES):
		length, newCipher = 24, des.NewTripleDESCipher
	default:
		return nil, unknownSeal()
	}
	key, err := pbkdf2.Key(prf, password, k.Salt, k.Rounds, length)
	if err != nil {
		return nil, err
	}
	b, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != b.BlockSize() {
		return nil, unknownSeal()
	}
	return cipher.NewCBCDecrypter(b, iv), nil
}

// pkcs12Bytes derives n bytes of one purpose (1 key, 2 initial vector) from a
// password: RFC 7292, B.2, with SHA-1.
func pkcs12Bytes(password string, p pbeParams, purpose byte, n int) []byte {
	const u, v = sha1.Size, sha1.BlockSize
	var text []byte
	for _, c := range append(utf16.Encode([]rune(password)), 0) {
		text = append(text, byte(c>>8), byte(c)) //nolint:gosec // both halves
	}
	in := append(filled(p.Salt, v), filled(text, v)...)
	modulus := new(big.Int).Lsh(big.NewInt(1), 8*v)
	var out []byte
	for len(out) < n {
		a := append(bytes.Repeat([]byte{purpose}, v), in...)
		for range p.Rounds {
			sum := sha1.Sum(a) //nolint:gosec // as the key was sealed
			a = sum[:]
		}
		out = append(out, a...)
		add := new(big.Int).SetBytes(filled(a[:u], v))
		add.Add(add, big.NewInt(1))
		for i := 0; i < len(in); i += v {
			x := new(big.Int).SetBytes(in[i : i+v])
			x.Add(x, add).Mod(x, modulus).FillBytes(in[i : i+v])
		}
	}
	return out[:n]
}

// filled repeats bytes until they fill blocks of v; nothing stays nothing.
func filled(b []byte, v int) []byte {
	if len(b) == 0 {
		return nil
	}
	n := (len(b) + v - 1) / v * v
	out := make([]byte, n)
	for i := range out {
		out[i] = b[i%len(b)]
	}
	return out
}
