package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// The headers of Standard Webhooks, in the lower case in which they are sent:
// Python's SDK looks them up exactly so.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const secretPrefix = "whsec_"

// NewSecret makes a signing secret: whsec_ and 32 random bytes in padded
// standard base64.
func NewSecret() secret.Text {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return secret.Text(secretPrefix + base64.StdEncoding.EncodeToString(b[:]))
}

func signingKey(s secret.Text) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), secretPrefix))
	if err != nil || len(key) == 0 {
		return nil, fault.Errorf(fault.Invalid, "a signing secret is whsec_ and padded standard base64")
	}
	return key, nil
}

// Sign returns the webhook-signature header: one v1 signature per secret,
// joined by single spaces, over "id.timestamp.body". The timestamp is that of
// the try, in whole seconds. No secrets give an empty header.
func Sign(id string, at time.Time, body []byte, secrets ...secret.Text) (string, error) {
	signatures := make([]string, 0, len(secrets))
	for _, s := range secrets {
		key, err := signingKey(s)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}
