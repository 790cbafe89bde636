package webhook

import (
	"crypto/hmac"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
)

// Tolerance is how far a receiver lets webhook-timestamp be from its clock, as
// Standard Webhooks advises.
const Tolerance = 5 * time.Minute

// A SigningKey is a secret by which a webhook may have been signed.
type SigningKey struct {
	Name   string // whose it is
	Secret secret.Text
	// Chosen says that it is of the endpoint that is asked about; Old that a newer
	// one has taken its place.
	Chosen, Old bool
	Ends        time.Time // of an old one: when it signs no more
}

// A SignatureCheck asks why a webhook's signature is not taken, by what a receiver
// has of it.
type SignatureCheck struct {
	Header map[string]string // names in lower case
	Body   []byte
	// Sent is the body as it was sent; nil if nobody knows of a webhook of the id.
	Sent []byte
	Keys []SigningKey
	Now  time.Time
}

// A SignatureFinding is one thing that is right or wrong, as a stable code; the
// catalogue has its text under signature.finding.
type SignatureFinding string

// The findings. Those of the body say how it differs from what was signed.
const (
	SignatureGood      SignatureFinding = "good"          // signed by the endpoint's newest secret, and unchanged
	SignatureGoodOld   SignatureFinding = "good_old"      // by the one before, which signs beside it for a while
	SignatureOldEnded  SignatureFinding = "old_ended"     // by the one before, whose time is over
	SignatureOther     SignatureFinding = "other_secret"  // by another endpoint's secret
	SignatureNothing   SignatureFinding = "nothing_fits"  // by no secret that is known here, whatever is undone
	SignatureNoID      SignatureFinding = "no_id"         // a header is missing
	SignatureNoTime    SignatureFinding = "no_timestamp"  // likewise
	SignatureNoSign    SignatureFinding = "no_signature"  // likewise
	SignatureNoV1      SignatureFinding = "no_v1"         // it has no signature of the version that we make
	SignatureBadTime   SignatureFinding = "bad_timestamp" // no whole number
	SignatureMillis    SignatureFinding = "timestamp_ms"  // in milliseconds
	SignatureLate      SignatureFinding = "too_old"       // older than the tolerance
	SignatureEarly     SignatureFinding = "too_new"       // ahead of the clock by more than it
	SignatureOtherID   SignatureFinding = "other_id"      // signed under the id with, or without, its prefix
	SignatureSpace     SignatureFinding = "body_space"    // blanks or lines were added or left out
	SignatureNewline   SignatureFinding = "body_newline"  // only at its ends
	SignatureMark      SignatureFinding = "body_mark"     // a byte order mark was put before it
	SignatureKeys      SignatureFinding = "body_keys"     // its names are in another order
	SignatureEscapes   SignatureFinding = "body_escapes"  // characters are written otherwise: escaped, or not
	SignatureEncoding  SignatureFinding = "body_encoding" // in another charset
	SignatureForm      SignatureFinding = "body_form"     // a form that was written anew
	SignatureChanged   SignatureFinding = "body_changed"  // what it says was changed
	SignatureEmpty     SignatureFinding = "body_empty"    // nothing is left of it
	SignatureNoSecret  SignatureFinding = "no_secret"     // the endpoint has none: nothing is signed
	SignatureSentKnown SignatureFinding = "sent_known"    // what was sent is known, and compared with
	SignatureSentEqual SignatureFinding = "sent_equal"    // and the body is the same
)

// A SignatureResult is what a check found out.
type SignatureResult struct {
	Findings []SignatureFinding // in the order in which they are to be told
	Key      int                // of the keys, the one that fits; -1 if none does
	ID       string
	At       time.Time     // of the timestamp; zero if it cannot be read
	Age      time.Duration // since then
}

// Good reports whether a receiver that does it right takes the webhook.
func (r SignatureResult) Good() bool {
	for _, f := range r.Findings {
		switch f {
		case SignatureGood, SignatureGoodOld, SignatureSentKnown, SignatureSentEqual:
		default:
			return false
		}
	}
	return len(r.Findings) > 0
}

// Check finds out which part of a webhook differs from what was signed. It is pure,
// and takes a time that grows with the body's length times the number of keys.
func (c SignatureCheck) Check() SignatureResult {
	r := SignatureResult{Key: -1, ID: c.Header[HeaderID]}
	add := func(f SignatureFinding) { r.Findings = append(r.Findings, f) }
	stamp := c.Header[HeaderTimestamp]
	signatures := c.signatures()
	for _, missing := range []struct {
		is   bool
		what SignatureFinding
	}{
		{r.ID == "", SignatureNoID}, {stamp == "", SignatureNoTime}, {c.Header[HeaderSignature] == "", SignatureNoSign},
		{c.Header[HeaderSignature] != "" && len(signatures) == 0, SignatureNoV1},
	} {
		if missing.is {
			add(missing.what)
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	switch {
	case stamp == "":
	case err != nil:
		add(SignatureBadTime)
	default:
		if seconds > 1e11 { // the year 5138: nobody means that
			add(SignatureMillis)
			seconds /= 1000
		}
		r.At = time.Unix(seconds, 0).UTC()
		r.Age = c.Now.Sub(r.At)
	}
	if r.ID != "" && !r.At.IsZero() && len(signatures) > 0 {
		c.fit(&r, signatures)
	}
	switch {
	case r.At.IsZero():
	case r.Age > Tolerance:
		add(SignatureLate)
	case r.Age < -Tolerance:
		add(SignatureEarly)
	}
	return r
}

// signatures are the signatures of our version in the header.
func (c SignatureCheck) signatures() (out []string) {
	for part := range strings.FieldsSeq(c.Header[HeaderSignature]) {
		if strings.HasPrefix(part, "v1,") {
			out = append(out, part)
		}
	}
	return out
}

// fit looks for the key, id and body that were signed.
func (c SignatureCheck) fit(r *SignatureResult, signatures []string) {
	if len(c.Keys) == 0 {
		r.Findings = append(r.Findings, SignatureNoSecret)
		return
	}
	bodies := c.bodies()
	for _, id := range ids(r.ID) {
		for _, b := range bodies {
			k := c.signedBy(id, r.At, b.body, signatures)
			if k < 0 {
				continue
			}
			r.Key = k
			r.Findings = append(r.Findings, b.findings...)
			if id != r.ID {
				r.Findings = append(r.Findings, SignatureOtherID)
			}
			r.Findings = append(r.Findings, c.keyFinding(k)...)
			if len(r.Findings) == 0 {
				r.Findings = []SignatureFinding{SignatureGood}
			}
			c.compare(r)
			return
		}
	}
	c.compare(r)
	if len(c.Body) == 0 {
		r.Findings = append(r.Findings, SignatureEmpty)
	}
	r.Findings = append(r.Findings, SignatureNothing)
}

// compare says whether the body is what was sent, where that is known.
func (c SignatureCheck) compare(r *SignatureResult) {
	switch {
	case c.Sent == nil:
	case string(c.Sent) == string(c.Body):
		r.Findings = append(r.Findings, SignatureSentEqual)
	default:
		r.Findings = append(r.Findings, SignatureSentKnown)
	}
}

// keyFinding is what is to be said of the key that fits; nothing of the endpoint's
// newest.
func (c SignatureCheck) keyFinding(k int) []SignatureFinding {
	key := c.Keys[k]
	switch {
	case !key.Chosen:
		return []SignatureFinding{SignatureOther}
	case key.Old && !key.Ends.IsZero() && !c.Now.Before(key.Ends):
		return []SignatureFinding{SignatureOldEnded}
	case key.Old:
		return []SignatureFinding{SignatureGoodOld}
	}
	return nil
}

// ids are how the webhook's id may have been signed: as it is, with its prefix and
// without.
func ids(id string) []string {
	if bare, ok := strings.CutPrefix(id, WebhookIDPrefix); ok {
		return []string{id, bare}
	}
	return []string{id, WebhookIDPrefix + id}
}

// signedBy is the key by which something was signed, the endpoint's own first; -1 if
// none fits.
func (c SignatureCheck) signedBy(id string, at time.Time, body []byte, signatures []string) int {
	other := -1
	for k, key := range c.Keys {
		want, err := Sign(id, at, body, key.Secret)
		if err != nil {
			continue // it signs nothing
		}
		for _, got := range signatures {
			if !hmac.Equal([]byte(got), []byte(want)) {
				continue
			}
			if key.Chosen && !key.Old {
				return k
			}
			if other < 0 || key.Chosen {
				other = k
			}
		}
	}
	return other
}
