package tosspayments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/secret"
)

// verifySignature checks the signature of the events that have one, if the
// channel has a key. They move nothing, so without a key they pass.
func verifySignature(r notice.Request, n notice.Notice, key secret.Text) error {
	signature := r.Header.Get(headerSignature)
	signed := n.Kind == payoutChanged || n.Kind == sellerChanged || signature != ""
	if key == "" || !signed {
		return nil
	}
	if !signatureHolds(r, signature, key) {
		return fault.Errorf(fault.Unauthorized, "the signature is not that of the security key")
	}
	return nil
}

// signatureHolds reports whether one of the header's values, of which there
// are two so that keys can be changed, is the key's.
func signatureHolds(r notice.Request, signature string, key secret.Text) bool {
	holds := false
	for part := range strings.SplitSeq(signature, ",") {
		text, ok := strings.CutPrefix(strings.TrimSpace(part), "v1:")
		got, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			continue
		}
		for _, k := range keyBytes(key) {
			holds = hmac.Equal(got, sign(k, r.Body, r.Header.Get(headerTime))) || holds
		}
	}
	return holds
}

// keyBytes are the readings of a security key. Unknown: whether its
// hexadecimal digits are the key or only spell it.
func keyBytes(key secret.Text) [][]byte {
	out := [][]byte{[]byte(key.Reveal())}
	if raw, err := hex.DecodeString(key.Reveal()); err == nil {
		out = append(out, raw)
	}
	return out
}

func sign(key, body []byte, at string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(body)
	h.Write([]byte(":" + at))
	return h.Sum(nil)
}
