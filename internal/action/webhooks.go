package action

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A WebhookStore is where deliveries wait and end. Its methods are safe for
// concurrent use.
type WebhookStore interface {
	// ResendDelivery sends the webhook of a delivery once more, to the endpoint as it
	// is now or where the delivery went then; see the store's.
	ResendDelivery(ctx context.Context, w webhook.Which, then bool, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error)
	// StopRetries ends a delivery that waits as failed; see the store's.
	StopRetries(ctx context.Context, w webhook.Which, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error)
	// ResendPreview counts what a filter means.
	ResendPreview(ctx context.Context, f webhook.ResendFilter) (webhook.ResendPreview, error)
	// StartResends begins a job, and StopResends ends it; see the store's.
	StartResends(ctx context.Context, j webhook.ResendJob, now time.Time, audit ...func(webhook.ResendJob) []member.Entry) (webhook.ResendJob, error)
	StopResends(ctx context.Context, id webhook.ResendJobID, m merchant.ID, s merchant.StoreID, mode merchant.Mode, now time.Time, audit ...func(webhook.ResendJob) []member.Entry) (webhook.ResendJob, error)
}

// which is a delivery as the caller may name it.
func (c Caller) which(id string) webhook.Which {
	return webhook.Which{
		ID: webhook.DeliveryID(strings.TrimPrefix(id, webhook.WebhookIDPrefix)), Merchant: c.Merchant, Store: c.Store, Mode: c.Mode,
	}
}

// onDelivery makes the entry of something that is done to a delivery.
func (c Caller) onDelivery(what string, more ...member.Field) func(webhook.Delivery) []member.Entry {
	return func(d webhook.Delivery) []member.Entry {
		e := c.entry(what, "delivery", string(d.ID), "")
		e.Store, e.Mode = d.Store, d.Mode
		e.After = append([]member.Field{{Name: "webhook", Text: d.WebhookID()}, {Name: "type", Text: string(d.Type)}}, more...)
		if d.PaymentID != "" {
			e.After = append(e.After, member.Field{Name: "payment", Text: string(d.PaymentID)})
		}
		return []member.Entry{e}
	}
}

// ResendDelivery sends the webhook of a delivery of the caller's once more: the
// same id and body, one try, and its own schedule is left alone. It goes to the
// endpoint's address of now, or, if then is true, to where the delivery went then.
// It reports fault.NotFound if there is no such delivery, fault.Conflict if it was
// never tried and has no address of then, and webhook.ErrTooManyResends.
func (a *Actions) ResendDelivery(ctx context.Context, c Caller, id string, then bool) (webhook.Delivery, error) {
	where := "now"
	if then {
		where = "then"
	}
	return a.Store.ResendDelivery(ctx, c.which(id), then, now(), c.onDelivery("webhook.resent", member.Field{Name: "address", Text: where}))
}

// StopRetries ends a delivery of the caller's that waits for its next try (자동
// 재시도 멈추기): it has failed, and can be sent again by hand. It reports
// fault.NotFound if there is no such delivery, and fault.Conflict if it is over or
// being tried just now.
func (a *Actions) StopRetries(ctx context.Context, c Caller, id string) (webhook.Delivery, error) {
	return a.Store.StopRetries(ctx, c.which(id), now(), c.onDelivery("webhook.stopped"))
}

// ErrNotConfirmed says that somebody must prove anew who it is before so many
// webhooks are sent again.
var ErrNotConfirmed = fault.Errorf(fault.Forbidden, "more than %d webhooks are sent again together only by who signed in anew", webhook.ConfirmedResends)

// ofCaller is a filter of what is the caller's.
func ofCaller(c Caller, f webhook.ResendFilter) (webhook.ResendFilter, error) {
	f.Merchant, f.Store, f.Mode = c.Merchant, c.Store, c.Mode
	return f, f.Check()
}

// PreviewResends counts what StartResends would send again, of the caller's. It
// reports fault.Invalid for a filter that can find nothing.
func (a *Actions) PreviewResends(ctx context.Context, c Caller, f webhook.ResendFilter) (webhook.ResendPreview, error) {
	f, err := ofCaller(c, f)
	if err != nil {
		return webhook.ResendPreview{}, err
	}
	return a.Store.ResendPreview(ctx, f)
}

// StartResends begins to send many webhooks of the caller's once more (일괄
// 재전송), each once, so many a second for each target; a rate of 0 means
// webhook.DefaultResendRate. Resends goes on with it. confirmed says that the
// caller proved lately who it is. It reports fault.Invalid for what cannot be
// asked for, ErrNotConfirmed, and fault.NotFound if the filter finds nothing.
func (a *Actions) StartResends(ctx context.Context, c Caller, f webhook.ResendFilter, rate int, confirmed bool) (webhook.ResendJob, error) {
	if rate == 0 {
		rate = webhook.DefaultResendRate
	}
	if rate < 1 || rate > webhook.MaxResendRate {
		return webhook.ResendJob{}, invalid("rate %d: want from 1 to %d a second", rate, webhook.MaxResendRate)
	}
	p, err := a.PreviewResends(ctx, c, f)
	switch {
	case err != nil:
		return webhook.ResendJob{}, err
	case p.N == 0:
		return webhook.ResendJob{}, fault.Errorf(fault.NotFound, "nothing is to be sent again")
	case p.N > webhook.ConfirmedResends && !confirmed:
		return webhook.ResendJob{}, ErrNotConfirmed
	}
	f, _ = ofCaller(c, f) // checked above
	j, err := a.Store.StartResends(ctx, webhook.ResendJob{Filter: f, Rate: rate, By: c.By.Name, Expected: p.N, More: p.More}, now(),
		func(j webhook.ResendJob) []member.Entry {
			e := c.entry("webhooks.resent", "resend", string(j.ID), "")
			e.After = resendFields(j)
			return []member.Entry{e}
		})
	if err == nil && a.Resending != nil {
		a.Resending()
	}
	return j, err
}

// resendFields are what of a job the audit log tells.
func resendFields(j webhook.ResendJob) []member.Field {
	out := []member.Field{{Name: "kind", Text: string(j.Filter.Kind)}, {Name: "count", Text: strconv.Itoa(j.Expected)}, {Name: "rate", Text: strconv.Itoa(j.Rate)}}
	if j.More {
		out[1].Text += "+"
	}
	add := func(name, text string) {
		if text != "" {
			out = append(out, member.Field{Name: name, Text: text})
		}
	}
	add("endpoint", string(j.Filter.Endpoint))
	for _, t := range j.Filter.Types {
		add("type", string(t))
	}
	if !j.Filter.From.IsZero() {
		add("from", j.Filter.From.UTC().Format(time.RFC3339))
	}
	add("until", j.Filter.Until.UTC().Format(time.RFC3339))
	return out
}

// StopResends ends a job of the caller's: what it has not sent is not sent. It
// reports fault.NotFound if there is no such job, and fault.Conflict if it is over.
func (a *Actions) StopResends(ctx context.Context, c Caller, id webhook.ResendJobID) (webhook.ResendJob, error) {
	return a.Store.StopResends(ctx, id, c.Merchant, c.Store, c.Mode, now(), func(j webhook.ResendJob) []member.Entry {
		e := c.entry("webhooks.resend_stopped", "resend", string(j.ID), "")
		e.After = []member.Field{{Name: "made", Text: strconv.Itoa(j.Made)}}
		return []member.Entry{e}
	})
}

// A Rotation is what came of a new signing secret.
type Rotation struct {
	Endpoint webhook.Endpoint
	Secret   secret.Text // the new one, which can be read nowhere later
}

// RotateSecret gives an endpoint of the caller's a new signing secret. The old one
// signs beside it for the overlap, and then no more; 0 ends it at once. It reports
// fault.NotFound if there is no such endpoint, and fault.Invalid for an overlap
// that webhook.Endpoint.Rotate does not take.
func (a *Actions) RotateSecret(ctx context.Context, c Caller, id webhook.EndpointID, overlap time.Duration, reason string) (Rotation, error) {
	fresh := webhook.NewSecret()
	e, err := a.editEndpoint(ctx, c, id, "endpoint.secret_rotated", reason, func(e webhook.Endpoint, at time.Time) (webhook.Endpoint, error) {
		return e.Rotate(fresh, at, overlap)
	})
	if err != nil {
		return Rotation{}, err
	}
	return Rotation{Endpoint: e, Secret: fresh}, nil
}

// EndOverlap ends the old signing secret of an endpoint of the caller's now. It
// reports fault.NotFound if there is no such endpoint, and fault.Conflict if it has
// no old secret.
func (a *Actions) EndOverlap(ctx context.Context, c Caller, id webhook.EndpointID, reason string) (webhook.Endpoint, error) {
	return a.editEndpoint(ctx, c, id, "endpoint.overlap_ended", reason, webhook.Endpoint.EndOverlap)
}

// PauseEndpoint pauses an endpoint of the caller's, or ends its pause: what waits
// for it is held, and goes on. It reports fault.NotFound if there is no such
// endpoint; one that is so already is left alone.
func (a *Actions) PauseEndpoint(ctx context.Context, c Caller, id webhook.EndpointID, paused bool, reason string) (webhook.Endpoint, error) {
	what := "endpoint.resumed"
	if paused {
		what = "endpoint.paused"
	}
	return a.editEndpoint(ctx, c, id, what, reason, func(e webhook.Endpoint, _ time.Time) (webhook.Endpoint, error) {
		e.Paused = paused
		return e, nil
	})
}

// editEndpoint changes one endpoint of the caller's by what it is when it is
// saved, and tells the audit log as what.
func (a *Actions) editEndpoint(ctx context.Context, c Caller, id webhook.EndpointID, what, reason string,
	edit func(webhook.Endpoint, time.Time) (webhook.Endpoint, error),
) (webhook.Endpoint, error) {
	for range mostDeclared {
		current, err := a.Store.Settings(ctx)
		if err != nil {
			return webhook.Endpoint{}, err
		}
		i := slices.IndexFunc(current.Endpoints, func(e webhook.Endpoint) bool {
			return e.ID == id && e.Merchant == c.Merchant && (c.Store == "" || e.Store == c.Store) && c.Mode.Sees(e.Mode)
		})
		if i < 0 {
			return webhook.Endpoint{}, fault.Errorf(fault.NotFound, "there is no endpoint %q", string(id))
		}
		at := now()
		next := current
		next.Endpoints = slices.Clone(current.Endpoints)
		if next.Endpoints[i], err = edit(current.Endpoints[i], at); err != nil {
			return webhook.Endpoint{}, err
		}
		entries := settings.Entries(current, next, c.By, reason, a.Hash)
		for j := range entries {
			entries[j].Action = what
		}
		err = a.Store.SaveSettings(ctx, next, at, entries...)
		if err == nil {
			return next.Endpoints[i], nil
		}
		if !fault.Is(err, fault.Stale) {
			return webhook.Endpoint{}, err
		}
	}
	return webhook.Endpoint{}, fault.Errorf(fault.Unavailable, "the settings kept changing; try again")
}

// NoteTest writes into the audit log that the caller called an address as a
// webhook would be sent there, and what was found.
func (a *Actions) NoteTest(ctx context.Context, c Caller, address, found string) error {
	// What follows a question mark is often a token.
	address, _, _ = strings.Cut(address, "?")
	e := c.entry("endpoint.tested", "address", address, "")
	e.After = []member.Field{{Name: "found", Text: found}}
	if err := a.Store.Audit(ctx, e); err != nil {
		return fmt.Errorf("note a test call: %w", err)
	}
	return nil
}
