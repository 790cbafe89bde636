package action

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// lastEntry is the newest line of the audit log.
func (b *bench) lastEntry() member.Entry {
	b.Helper()
	list, err := b.store.AuditLog(b.Context(), store.AuditQuery{})
	if err != nil || len(list) == 0 {
		b.Fatal(list, err)
	}
	return list[0]
}

func (b *bench) endpointOf(id webhook.EndpointID) webhook.Endpoint {
	b.Helper()
	all, err := b.store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	i := slices.IndexFunc(all.Endpoints, func(e webhook.Endpoint) bool { return e.ID == id })
	return all.Endpoints[i]
}

// An endpoint is paused, and its secret rotated, by who may: with a line of the
// audit log that holds no secret.
func TestEndpointVerbs(t *testing.T) {
	inBubble(t, func(b *bench) {
		all, err := b.store.Settings(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		e := all.Endpoints[0]
		me := Caller{Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, By: somebody}
		b.Hash = b.seal.Hash
		for name, c := range map[string]Caller{
			"another merchant": {Merchant: "merchant-2", Mode: e.Mode, By: somebody},
			"another store":    {Merchant: e.Merchant, Store: "store-2", Mode: e.Mode, By: somebody},
			"another mode":     {Merchant: e.Merchant, Mode: merchant.Live, By: somebody},
		} {
			if c.Mode == merchant.Live && e.Mode == merchant.Live {
				c.Mode = merchant.Test
			}
			_, pause := b.PauseEndpoint(b.Context(), c, e.ID, true, "")
			_, rotate := b.RotateSecret(b.Context(), c, e.ID, time.Hour, "")
			_, end := b.EndOverlap(b.Context(), c, e.ID, "")
			for _, err := range []error{pause, rotate, end} {
				if !fault.Is(err, fault.NotFound) {
					b.Errorf("%s: %v, want fault.NotFound", name, err)
				}
			}
		}
		if got, err := b.PauseEndpoint(b.Context(), me, e.ID, true, "배포"); err != nil || !got.Paused || !b.endpointOf(e.ID).Paused {
			b.Errorf("PauseEndpoint = %v, %v", got.Paused, err)
		}
		if x := b.lastEntry(); x.Action != "endpoint.paused" || x.Reason != "배포" || x.By != somebody || x.Object != string(e.ID) {
			b.Errorf("the log says %+v", x)
		}
		version := b.version()
		if _, err := b.PauseEndpoint(b.Context(), me, e.ID, true, ""); err != nil || b.version() != version {
			b.Errorf("pausing what is paused: %v", err)
		}
		r, err := b.RotateSecret(b.Context(), me, e.ID, time.Hour, "유출")
		if err != nil || r.Secret == "" || len(b.endpointOf(e.ID).Signing(time.Now())) != len(e.Secrets[:min(1, len(e.Secrets))])+1 {
			b.Fatalf("RotateSecret = %v", err)
		}
		x := b.lastEntry()
		for _, f := range append(x.Before, x.After...) {
			if strings.Contains(f.Text, r.Secret.Reveal()) || len(e.Secrets) > 0 && strings.Contains(f.Text, e.Secrets[0].Reveal()) {
				b.Errorf("the log shows a secret in %s", f.Name)
			}
		}
		if x.Action != "endpoint.secret_rotated" || x.Reason != "유출" {
			b.Errorf("the log says %+v", x)
		}
		if _, err := b.RotateSecret(b.Context(), me, e.ID, -1, ""); !fault.Is(err, fault.Invalid) {
			b.Errorf("an overlap below 0: %v", err)
		}
		if len(e.Secrets) > 0 {
			if got, err := b.EndOverlap(b.Context(), me, e.ID, ""); err != nil || len(got.Secrets) != 1 || b.lastEntry().Action != "endpoint.overlap_ended" {
				b.Errorf("EndOverlap = %v", err)
			}
		}
		if _, err := b.EndOverlap(b.Context(), me, e.ID, ""); !fault.Is(err, fault.Conflict) {
			b.Errorf("EndOverlap without one: %v", err)
		}
		if err := b.NoteTest(b.Context(), me, "https://shop.example/hook?token=opensesame", "good"); err != nil {
			b.Error(err)
		}
		if x := b.lastEntry(); x.Action != "endpoint.tested" || x.Object != "https://shop.example/hook" {
			b.Errorf("the log says %+v", x)
		}
	})
}

func (b *bench) version() int64 {
	b.Helper()
	all, err := b.store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return all.Version
}

func TestStartResendsRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		me := as(somebody)
		for name, x := range map[string]struct {
			f    webhook.ResendFilter
			rate int
			want fault.Kind
		}{
			"no kind":              {webhook.ResendFilter{}, 0, fault.Invalid},
			"an unknown type":      {webhook.ResendFilter{Kind: webhook.ResendAll, Types: []webhook.Type{"Transaction.Stolen"}}, 0, fault.Invalid},
			"a period that is not": {webhook.ResendFilter{Kind: webhook.ResendAll, From: time.Now(), Until: time.Now().Add(-time.Hour)}, 0, fault.Invalid},
			"too fast":             {webhook.ResendFilter{Kind: webhook.ResendAll}, webhook.MaxResendRate + 1, fault.Invalid},
			"backwards":            {webhook.ResendFilter{Kind: webhook.ResendAll}, -1, fault.Invalid},
			"nothing":              {webhook.ResendFilter{Kind: webhook.ResendAll}, 0, fault.NotFound},
		} {
			if _, err := b.StartResends(b.Context(), me, x.f, x.rate, true); !fault.Is(err, x.want) {
				b.Errorf("%s: %v, want %v", name, err, x.want)
			}
		}
	})
}
