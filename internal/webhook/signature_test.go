package webhook_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// The vector that Standard Webhooks publishes, with the blank in its body.
func TestSignPublishedVector(t *testing.T) {
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	got, err := webhook.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0),
		[]byte(`{"test": 2432232314}`), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil || got != want {
		t.Errorf("Sign(the vector) = %q, %v, want %q", got, err, want)
	}
}

// verify checks a signature as receivers in Go do.
func verify(t interface{ Fatal(...any) }, key secret.Text, id string, at time.Time, body []byte, signature string) error {
	w, err := standardwebhooks.NewWebhook(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set(webhook.HeaderID, id)
	h.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(webhook.HeaderSignature, signature)
	return w.VerifyIgnoringTimestamp(body, h)
}

func TestSignIsAcceptedByTheReferenceLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := webhook.DeliveryID(rapid.StringMatching(`[0-9a-f-]{1,36}`).Draw(t, "id")).WebhookID()
		at := time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "ns"))
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		key, other := webhook.NewSecret(), webhook.NewSecret()
		signature, err := webhook.Sign(id, at, body, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, key, id, at, body, signature); err != nil {
			t.Fatalf("Sign = %q: %v", signature, err)
		}
		for what, err := range map[string]error{
			"another secret": verify(t, other, id, at, body, signature),
			"another id":     verify(t, key, id+"x", at, body, signature),
			"another second": verify(t, key, id, at.Add(time.Second), body, signature),
			"another body":   verify(t, key, id, at, append(body, ' '), signature),
		} {
			if err == nil {
				t.Fatalf("a signature of %s is accepted", what)
			}
		}
	})
}

func TestSignWithTwoSecrets(t *testing.T) {
	newer, older := webhook.NewSecret(), webhook.NewSecret()
	at, body := time.Unix(1800000000, 0), []byte(`{}`)
	both, err := webhook.Sign("whk_1", at, body, newer, older)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(both, " "); n != 1 || strings.Count(both, "v1,") != 2 {
		t.Errorf("Sign with two secrets = %q, want two signatures and one blank", both)
	}
	for _, key := range []secret.Text{newer, older} {
		if err := verify(t, key, "whk_1", at, body, both); err != nil {
			t.Errorf("a receiver with one of two secrets: %v", err)
		}
	}
	first, _ := webhook.Sign("whk_1", at, body, newer)
	if !strings.HasPrefix(both, first+" ") {
		t.Errorf("Sign = %q, want the newest secret's signature first", both)
	}
}

func TestSignRefusesWhatIsNoSecret(t *testing.T) {
	for _, bad := range []secret.Text{"", "whsec_", "whsec_not base64", "whsec_TWFuTWE", "whsec_-_-_"} {
		got, err := webhook.Sign("whk_1", time.Unix(1, 0), nil, bad)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("Sign with secret %q = %q, %v, want %v", bad.Reveal(), got, err, fault.Invalid)
		}
		if raw := strings.TrimPrefix(bad.Reveal(), "whsec_"); err != nil && raw != "" && strings.Contains(err.Error(), raw) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	if got, err := webhook.Sign("whk_1", time.Unix(1, 0), nil); got != "" || err != nil {
		t.Errorf("Sign without secrets = %q, %v, want nothing", got, err)
	}
}

func TestNewSecret(t *testing.T) {
	a, b := webhook.NewSecret(), webhook.NewSecret()
	if a == b {
		t.Error("NewSecret returned the same secret twice")
	}
	if s := a.Reveal(); !strings.HasPrefix(s, "whsec_") || len(s) != len("whsec_")+44 {
		t.Errorf("NewSecret() = %d characters, want whsec_ and 44", len(s))
	}
}
