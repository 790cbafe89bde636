package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

func (c *Console) eventRoutes() []route {
	return []route{
		{http.MethodGet, "/developers/events", member.Integrate, false, c.events},
		{http.MethodPost, "/developers/events", member.Integrate, false, c.sendSample},
	}
}

// eventsPage is the catalogue of events, and one of them with its samples.
type eventsPage struct {
	States    stateMachine
	Types     []eventName
	Type      webhook.Type
	Samples   []sample
	Endpoints []option // of test mode, that a sample can be sent to
	Sent      *sentSample
}

// An eventName is a type of events, its name in two so that a line may end between.
type eventName struct {
	Type       webhook.Type
	Area, Name string
	Own        bool // sent only to endpoints that name it
}

func eventNames() (out []eventName) {
	for _, t := range append(webhook.PortOneTypes(), webhook.OwnTypes()...) {
		area, name, _ := strings.Cut(string(t), ".")
		out = append(out, eventName{t, area + ".", name, slices.Contains(webhook.OwnTypes(), t)})
	}
	return out
}

// A sample is the payload of an event in a version and a content type, byte for byte.
type sample struct {
	Version     webhook.Version
	ContentType webhook.ContentType
	Body        string
}

// A sentSample is what became of a sample.
type sentSample struct {
	Endpoint string
	Attempt  webhook.Attempt
	Finding  delivery.Finding
}

// sampleTime is when the events of samples happened.
var sampleTime = time.Date(2026, 11, 22, 7, 14, 52, 17_000_000, time.UTC)

// samples are the payloads of an event of a store.
func samples(t webhook.Type, s merchant.Store, m merchant.Mode) (out []sample) {
	e := webhook.Sample(t, s, m, "00000000-0000-7000-8000-000000000000", sampleTime)
	for _, x := range []struct {
		v webhook.Version
		c webhook.ContentType
	}{
		{webhook.V20240425, webhook.JSON}, {webhook.V20240101, webhook.JSON}, {webhook.V20240101, webhook.Form},
		{webhook.V1, webhook.JSON}, {webhook.V1, webhook.Form},
	} {
		if body, err := webhook.Render(e, x.v, x.c); err == nil {
			out = append(out, sample{x.v, x.c, string(body)})
		}
	}
	return out
}

func (v *visit) eventsPage(t webhook.Type) eventsPage {
	stores := v.scopeStores()
	p := eventsPage{States: newStateMachine(v.Lang), Types: eventNames(), Type: t}
	if len(stores) > 0 {
		p.Samples = samples(t, stores[0].Store, v.Scope.Mode)
	}
	for _, e := range v.scopeEndpoints(merchant.Test) {
		p.Endpoints = append(p.Endpoints, option{Value: string(e.ID), Text: e.Name + " · " + e.URL})
	}
	return p
}

// scopeEndpoints are the endpoints of the scope's stores in a mode.
func (v *visit) scopeEndpoints(m merchant.Mode) (out []webhook.Endpoint) {
	stores := v.scopeStores()
	for _, e := range v.All.Endpoints {
		for _, s := range stores {
			if e.Store == s.ID && e.Mode == m {
				out = append(out, e)
			}
		}
	}
	return out
}

// endpoint is one of the scope in a mode.
func (v *visit) endpoint(id string, m merchant.Mode) (webhook.Endpoint, bool) {
	for _, e := range v.scopeEndpoints(m) {
		if string(e.ID) == id {
			return e, true
		}
	}
	return webhook.Endpoint{}, false
}

func (c *Console) events(v *visit) error {
	t := webhook.Type(v.query("type"))
	if t == "" {
		t = webhook.Paid
	}
	if !knownType(t) {
		return errNoThing
	}
	return v.page("developers_events", v.eventsPage(t))
}

func knownType(t webhook.Type) bool {
	return slices.Contains(webhook.PortOneTypes(), t) || slices.Contains(webhook.OwnTypes(), t)
}

// sendSample sends a sample to an endpoint of test mode, signed as its webhooks are, and
// shows what came back: no delivery is made.
func (c *Console) sendSample(v *visit) error {
	t := webhook.Type(v.value("type"))
	if !knownType(t) {
		return errNoThing
	}
	p := v.eventsPage(t)
	e, ok := v.endpoint(v.value("endpoint"), merchant.Test)
	switch {
	case v.Scope.Mode != merchant.Test:
		return v.mistaken("developers_events", p, []mistake{{"endpoint", v.t("events.test_only")}})
	case !ok:
		return v.mistaken("developers_events", p, []mistake{{"endpoint", v.t("events.no_endpoint")}})
	case !e.Version.Carries(t):
		return v.mistaken("developers_events", p, []mistake{{"endpoint", v.t("events.not_carried", "version", string(e.Version), "type", string(t))}})
	}
	s, _ := v.store(e.Store)
	got, err := c.Tester.Call(v.ctx(), string(v.Member.ID), delivery.TestCall{
		URL: e.URL, Type: t, Version: e.Version, ContentType: e.ContentType, Secrets: e.Signing(v.now()), Schedule: e.Schedule, Timeout: e.Timeout, Headers: e.Headers, Store: s.Store, Mode: e.Mode,
	})
	many, tooMany := errors.AsType[delivery.TooManyTestsError](err)
	switch {
	case tooMany:
		return v.show(http.StatusTooManyRequests, "developers_events", p, []mistake{{"endpoint", v.waitToTest(many)}})
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Invalid):
		return v.mistaken("developers_events", p, []mistake{{"endpoint", err.Error()}})
	case err != nil:
		return err
	}
	p.Sent = &sentSample{Endpoint: e.Name, Attempt: got.Attempt, Finding: got.Finding}
	return v.page("developers_events", p)
}
