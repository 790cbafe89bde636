package webhook

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// How long an old signing secret goes on signing beside a new one, unless the
// person who rotates says otherwise, and at most.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 30 * 24 * time.Hour
)

// Rotate returns the endpoint with a new secret. The one that was the newest
// signs beside it until now+overlap, and then no more, whoever looks; an older
// one is gone at once. An overlap of 0 ends the old one now. It reports
// fault.Invalid for an overlap below 0 or above MaxOverlap.
func (e Endpoint) Rotate(fresh secret.Text, now time.Time, overlap time.Duration) (Endpoint, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return e, fault.Errorf(fault.Invalid, "overlap %v: want from 0 to %v", overlap, MaxOverlap)
	}
	secrets := []secret.Text{fresh}
	e.OldUntil = time.Time{}
	if len(e.Secrets) > 0 && overlap > 0 {
		secrets = append(secrets, e.Secrets[0])
		e.OldUntil = now.Add(overlap).UTC().Truncate(time.Microsecond)
	}
	e.Secrets = secrets
	return e, nil
}

// EndOverlap returns the endpoint without its old secret. It reports
// fault.Conflict if there is none.
func (e Endpoint) EndOverlap(now time.Time) (Endpoint, error) {
	if len(e.Signing(now)) < 2 {
		return e, fault.Errorf(fault.Conflict, "endpoint %q has one signing secret: there is no overlap to end", e.Name)
	}
	e.Secrets, e.OldUntil = slices.Clone(e.Secrets[:1]), time.Time{}
	return e, nil
}

// Signing returns the secrets that sign at now, newest first: without an old one
// whose time is over.
func (e Endpoint) Signing(now time.Time) []secret.Text {
	if e.OldUntil.IsZero() || now.Before(e.OldUntil) || len(e.Secrets) < 2 {
		return e.Secrets
	}
	return e.Secrets[:1]
}
