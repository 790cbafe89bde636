package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// What authenticators do: RFC 6238 as all of them know it.
const (
	codeDigits = 6
	codeStep   = 30 // seconds
	codeDrift  = 1  // steps that a clock may be off
	otpSize    = 20 // bytes
)

// How many recovery codes there are, and of how many random bytes.
const (
	recoveryCodes = 10
	recoverySize  = 10
)

var base32s = base32.StdEncoding.WithPadding(base32.NoPadding)

// An Enrolment is what an authenticator is told.
type Enrolment struct {
	Secret secret.Text // in base 32, for who types it
	URL    secret.Text // otpauth://, for the picture
}

// newOTP makes the secret of an authenticator.
func newOTP() secret.Text {
	b := make([]byte, otpSize)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return secret.Text(base32s.EncodeToString(b))
}

// enrolment tells an authenticator of a secret.
func (p *People) enrolment(email string, key secret.Text) Enrolment {
	issuer := p.Issuer
	if issuer == "" {
		issuer = "Tongbo"
	}
	v := url.Values{"secret": {key.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {strconv.Itoa(codeDigits)}, "period": {strconv.Itoa(codeStep)}}
	// Blanks are %20 and never "+", which some authenticators show.
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + email, RawQuery: strings.ReplaceAll(v.Encode(), "+", "%20")}
	return Enrolment{Secret: key, URL: secret.Text(u.String())}
}

// stepOf is the step of time for which a code is right by a secret, among those that
// are near now and after last; 0 if there is none.
func stepOf(key secret.Text, code string, last int64, at time.Time) int64 {
	var found int64
	for d := int64(-codeDrift); d <= codeDrift; d++ {
		step := at.Unix()/codeStep + d
		want, err := hotp.GenerateCodeCustom(key.Reveal(), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // after 1970
		if err == nil && step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}

// newRecovery makes recovery codes, as they are shown once, and their hashes.
func newRecovery() (codes []secret.Text, hashes []string) {
	for range recoveryCodes {
		b := make([]byte, recoverySize)
		_, _ = rand.Read(b) // never fails (crypto/rand)
		code := base32s.EncodeToString(b)
		hashes = append(hashes, hashed(forRecovery, secret.Text(code)))
		codes = append(codes, secret.Text(grouped(code)))
	}
	return codes, hashes
}

// grouped is a text in groups of four, for who types it.
func grouped(s string) string {
	var parts []string
	for part := range slices.Chunk([]byte(s), 4) {
		parts = append(parts, string(part))
	}
	return strings.Join(parts, "-")
}

// typed is what somebody meant who typed a code: without blanks and dashes, and in
// capitals.
func typed(code secret.Text) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\u00a0', '\u3000':
			return -1
		}
		return r
	}, strings.ToUpper(code.Reveal()))
}

// ErrWrongCode says that a code is not right, or was used before.
var ErrWrongCode = fault.Errorf(fault.Unauthorized, "the code is not right, or was used before: wait for the next one")

// take takes a code of an account, or one of its recovery codes, each of which
// counts once. It reports ErrWrongCode.
func take(proof *member.Proof, code secret.Text, at time.Time) (recovery bool, err error) {
	text := typed(code)
	if len(text) == codeDigits {
		step := stepOf(proof.OTP, text, proof.Step, at)
		if step == 0 || proof.OTP == "" {
			return false, ErrWrongCode
		}
		proof.Step = step
		return false, nil
	}
	i := slices.Index(proof.Recovery, hashed(forRecovery, secret.Text(text)))
	if i < 0 {
		return false, ErrWrongCode
	}
	proof.Recovery = slices.Delete(slices.Clone(proof.Recovery), i, i+1)
	return true, nil
}

// BeginSecondFactor begins to set up a second factor, or goes on with what was
// begun: nothing counts before EndSecondFactor. Who need not set one up at once must have
// said lately who it is, else it is member.ErrConfirm.
func (p *People) BeginSecondFactor(ctx context.Context, token secret.Text) (Enrolment, error) {
	m, s, err := p.enrolling(ctx, token)
	if err != nil {
		return Enrolment{}, err
	}
	a, err := p.change(ctx, m.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if a.SecondFactor && !s.Confirmed(now()) {
			return member.Change{}, member.ErrConfirm
		}
		if a.Proof.Pending == "" {
			a.Proof.Pending = newOTP()
		}
		return member.Change{Account: a}, nil
	})
	if err != nil {
		return Enrolment{}, err
	}
	return p.enrolment(a.Email, a.Proof.Pending), nil
}

// SecondFactorBegun is what BeginSecondFactor returned, for the page that shows it; ok
// is false if nothing was begun. It reports what BeginSecondFactor does.
func (p *People) SecondFactorBegun(ctx context.Context, token secret.Text) (e Enrolment, ok bool, err error) {
	m, s, err := p.enrolling(ctx, token)
	if err != nil {
		return Enrolment{}, false, err
	}
	a, err := p.Store.Account(ctx, m.ID)
	switch {
	case err != nil:
		return Enrolment{}, false, err
	case a.SecondFactor && !s.Confirmed(now()):
		return Enrolment{}, false, member.ErrConfirm
	case a.Proof.Pending == "":
		return Enrolment{}, false, nil
	}
	return p.enrolment(a.Email, a.Proof.Pending), true, nil
}

// qrSize is how many pixels the picture has on a side.
const qrSize = 240

// QR is the picture that an authenticator reads, as PNG.
func (e Enrolment) QR() ([]byte, error) {
	key, err := otp.NewKeyFromURL(e.URL.Reveal())
	if err != nil {
		return nil, errors.New("the address of a second factor cannot be read") // its own error would quote it
	}
	picture, err := key.Image(qrSize, qrSize)
	if err != nil {
		return nil, fmt.Errorf("picture of a second factor: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("picture of a second factor: %w", err)
	}
	return out.Bytes(), nil
}

// enrolling is a session in which a second factor may be set up: one that waits for
// nothing else, or in which somebody said lately who it is. A cookie alone, which may be
// stolen, must not bind an account to another's authenticator: it is member.ErrConfirm.
func (p *People) enrolling(ctx context.Context, token secret.Text) (member.Member, member.Session, error) {
	m, s, err := p.Session(ctx, token)
	switch {
	case errors.Is(err, ErrEnrol):
		err = nil
	case err == nil && !s.Confirmed(now()):
		err = member.ErrConfirm
	}
	return m, s, err
}

// EndSecondFactor has the second factor count that was begun, if the code is its
// own, and returns recovery codes, which are nowhere else, and the session's new
// token. The member's other sessions end. It reports ErrWrongCode, and what
// BeginSecondFactor does.
func (p *People) EndSecondFactor(ctx context.Context, token, code secret.Text, f From) (codes []secret.Text, next secret.Text, err error) {
	m, s, err := p.enrolling(ctx, token)
	if err != nil {
		return nil, "", err
	}
	names := []member.Guessed{byCode(m.ID)}
	tries, err := p.try(ctx, names)
	if err != nil {
		return nil, "", err
	}
	codes, hashes := newRecovery()
	next, begin := renewed(s, now(), s.ConfirmedAt)
	_, err = p.change(ctx, m.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		at := now()
		if a.SecondFactor && !s.Confirmed(at) {
			return member.Change{}, member.ErrConfirm
		}
		step := stepOf(a.Proof.Pending, typed(code), 0, at)
		if a.Proof.Pending == "" || step == 0 {
			return member.Change{}, ErrWrongCode
		}
		a.Proof.OTP, a.Proof.Pending, a.Proof.Step, a.Proof.Recovery = a.Proof.Pending, "", step, hashes
		return member.Change{
			Account: a, Entries: []member.Entry{entry(m.By(f.address()), "member.second_factor_set", m)},
			EndSessions: true, Begin: &begin,
		}, nil
	})
	if err != nil {
		return nil, "", p.failed(ctx, err, m, f, "member.second_factor_failed", tries)
	}
	return codes, next, p.Store.Succeed(ctx, names)
}

// NewRecoveryCodes replaces the recovery codes, and returns those that count from
// now on. It reports member.ErrConfirm, and fault.Conflict without a second factor.
func (p *People) NewRecoveryCodes(ctx context.Context, who Acting) ([]secret.Text, error) {
	if !who.Confirmed(now()) {
		return nil, member.ErrConfirm
	}
	codes, hashes := newRecovery()
	_, err := p.change(ctx, who.Member.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if !a.SecondFactor {
			return member.Change{}, fault.Errorf(fault.Conflict, "there is no second factor: set one up first")
		}
		a.Proof.Recovery = hashes
		return member.Change{Account: a, Entries: []member.Entry{entry(who.By(), "member.recovery_codes_made", a.Member)}}, nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// DropSecondFactor takes the second factor away. It reports member.ErrConfirm, and
// fault.Conflict if the member must have one.
func (p *People) DropSecondFactor(ctx context.Context, who Acting) error {
	if !who.Confirmed(now()) {
		return member.ErrConfirm
	}
	_, err := p.change(ctx, who.Member.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		if p.MustHave(a.Member) {
			return member.Change{}, fault.Errorf(fault.Conflict, "who has this role must have a second factor: set up another one instead")
		}
		a.Proof.OTP, a.Proof.Pending, a.Proof.Recovery = "", "", nil
		return member.Change{Account: a, Entries: []member.Entry{entry(who.By(), "member.second_factor_dropped", a.Member)},
			EndSessions: true, Keep: who.Session.ID}, nil
	})
	return err
}

// MustHave reports whether a member must have a second factor.
func (p *People) MustHave(m member.Member) bool {
	return (m.Role.NeedsSecondFactor() || m.Operator) && !p.Loopback
}
