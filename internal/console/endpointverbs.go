package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A testedPage is what came of a test call.
type testedPage struct {
	tryView
	Code      delivery.FindingCode
	Sentence  string
	OK        bool
	Event     string
	Throwaway bool // signed with a secret that was made for this call
}

// testEndpoint calls the address of the form as it was typed, and shows the form again with
// what came of it: nothing is saved.
func (c *Console) testEndpoint(v *visit) error {
	var known webhook.Endpoint
	if id := webhook.EndpointID(v.value("id")); id != "" {
		for _, e := range v.endpoints() {
			if e.ID == id {
				known = e
			}
		}
		if known.ID == "" {
			return errNoThing
		}
	}
	form := v.postedForm(known)
	show := func(status int, test *testedPage, wrong []mistake) error {
		p := v.newPage(form)
		if known.ID != "" {
			var err error
			if p, err = v.pageOf(known, form); err != nil {
				return err
			}
		}
		p.Test = test
		return v.show(status, "endpoint", p, wrong)
	}
	call, wrong := v.testCall(form, known)
	if len(wrong) > 0 {
		return show(http.StatusUnprocessableEntity, nil, wrong)
	}
	caller := v.caller(merchant.StoreID(form.Store))
	got, err := c.Tester.Call(v.ctx(), string(v.Member.ID), call)
	many, tooMany := errors.AsType[delivery.TooManyTestsError](err)
	switch {
	case tooMany:
		return show(http.StatusTooManyRequests, nil, []mistake{{"", v.waitToTest(many)}})
	case fault.Is(err, fault.Invalid):
		return show(http.StatusUnprocessableEntity, nil, []mistake{{"test_event", v.t("endpoints.test_wrong")}})
	case err != nil:
		return err
	}
	if err := c.Actions.NoteTest(v.ctx(), caller, form.URL, string(got.Finding.Code)); err != nil {
		return err
	}
	egress := strings.Join(c.egress(), ", ")
	if egress == "" {
		egress = v.t("calltest.egress_unknown")
	}
	key, args := got.Finding.Words(egress)
	return show(http.StatusOK, &testedPage{
		tryView: v.tryView(got.Attempt), Code: got.Finding.Code, Sentence: v.t(key, args...), OK: got.Finding.OK(),
		Event: string(call.Type), Throwaway: known.ID == "",
	}, nil)
}

// waitToTest says when the next call test may be made, to people and to programs.
func (v *visit) waitToTest(many delivery.TooManyTestsError) string {
	seconds := int(many.After / time.Second)
	v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return v.t("endpoints.too_many_tests", "n", delivery.TestsPerMinute, "seconds", seconds)
}

// testCall is the call that a form asks for. It is signed with the endpoint's secrets, or
// with one that is made for it.
func (v *visit) testCall(form endpointForm, known webhook.Endpoint) (delivery.TestCall, []mistake) {
	var wrong []mistake
	if webhook.CheckURL(form.URL) != nil {
		wrong = append(wrong, mistake{"url", v.t("endpoints.url_wrong")})
	}
	_, schedule, err := form.schedule()
	if err != nil {
		wrong = append(wrong, mistake{"delays", v.t("endpoints.delays_wrong")})
	}
	version, content := webhook.Version(form.Version), webhook.ContentType(form.ContentType)
	if version == webhook.V20240425 && content == webhook.Form {
		wrong = append(wrong, mistake{"content_type", v.t("endpoints.json_only")})
	}
	if !version.Carries(webhook.Type(form.TestEvent)) || !offered(form.Tests, form.TestEvent) {
		wrong = append(wrong, mistake{"test_event", v.t("endpoints.test_wrong")})
	}
	timeout, ok := form.timeout()
	if !ok {
		wrong = append(wrong, mistake{"timeout", v.t("endpoints.timeout_wrong", "max", int(webhook.MaxTimeout/time.Second))})
	}
	headers, _, miswritten := v.headers(form, known)
	wrong = append(wrong, miswritten...)
	of := merchant.StoreID(form.Store)
	secrets := []secret.Text{webhook.NewSecret()}
	if known.ID != "" {
		of = known.Store
		if signing := known.Signing(v.now()); len(signing) > 0 {
			secrets = signing
		}
	}
	s, ok := v.store(of)
	if !ok {
		wrong = append(wrong, mistake{"store", v.t("form.missing")})
	}
	return delivery.TestCall{
		URL: form.URL, Type: webhook.Type(form.TestEvent), Version: version, ContentType: content, Secrets: secrets, Schedule: schedule,
		Timeout: timeout, Headers: headers, Store: s.Store, Mode: v.Scope.Mode,
	}, wrong
}

func (c *Console) pauseEndpoint(v *visit) error { return c.paused(v, true) }

func (c *Console) resumeEndpoint(v *visit) error { return c.paused(v, false) }

// paused pauses an endpoint or ends its pause, and tells what that means for what waits.
func (c *Console) paused(v *visit, paused bool) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	if _, err := c.Actions.PauseEndpoint(v.ctx(), v.caller(e.Store), e.ID, paused, v.value("reason")); err != nil {
		return err
	}
	n, err := v.waitingFor(e)
	if err != nil {
		return err
	}
	if paused {
		return v.done("/endpoints/"+string(e.ID), "endpoints.paused", "n", v.count(n))
	}
	return v.done("/endpoints/"+string(e.ID), "endpoints.resumed", "n", v.count(n))
}

// A rotatePage asks for how long the old secret signs, too.
type rotatePage struct {
	webhook.Endpoint
	Hours string
	Two   bool // the older of two goes at once
}

func (p rotatePage) title() string { return p.Name }

func (v *visit) rotatePage(e webhook.Endpoint) rotatePage {
	return rotatePage{e, strconv.Itoa(int(webhook.DefaultOverlap / time.Hour)), len(e.Signing(v.now())) > 1}
}

func (c *Console) askRotate(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	return v.page("endpoint_rotate", v.rotatePage(e))
}

// rotate makes a new signing secret and shows it this once.
func (c *Console) rotate(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(v.value("hours"))
	if err != nil || hours < 0 || hours > int(webhook.MaxOverlap/time.Hour) {
		return v.mistaken("endpoint_rotate", v.rotatePage(e), []mistake{{"hours", v.t("endpoints.hours_wrong", "max", int(webhook.MaxOverlap/time.Hour))}})
	}
	r, err := c.Actions.RotateSecret(v.ctx(), v.caller(e.Store), e.ID, time.Duration(hours)*time.Hour, v.value("reason"))
	if err != nil {
		return err
	}
	say := v.t("endpoints.rotated_now")
	if !r.Endpoint.OldUntil.IsZero() {
		say = v.t("endpoints.rotated", "until", page.Clock(r.Endpoint.OldUntil, v.zone()), "zone", v.zone())
	}
	return v.page("issued", issued{
		head: v.t("endpoints.rotated_head", "name", e.Name), Say: say, Next: v.endpointPath(e),
		Lines: []issuedLine{{v.t("endpoints.secret"), r.Secret.Reveal()}},
	})
}

// endOverlap ends the old signing secret now.
func (c *Console) endOverlap(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	if _, err := c.Actions.EndOverlap(v.ctx(), v.caller(e.Store), e.ID, v.value("reason")); err != nil {
		return err
	}
	return v.done("/endpoints/"+string(e.ID), "endpoints.overlap_ended")
}

// A deletePage asks whether an endpoint is really to go.
type deletePage struct {
	webhook.Endpoint
	Waits store.Count
	Count string
	Last  bool // once it is gone, the merchant's endpoints hear of its store's payments
}

func (p deletePage) title() string { return p.Name }

func (v *visit) deletePage(e webhook.Endpoint) (deletePage, error) {
	n, err := v.waitingFor(e)
	p := deletePage{Endpoint: e, Waits: n, Count: v.count(n)}
	if s, ok := v.store(e.Store); ok {
		p.Last = v.All.TurnsTo(s.Store, e.Mode)
	}
	return p, err
}

func (c *Console) askDelete(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	p, err := v.deletePage(e)
	if err != nil {
		return err
	}
	return v.page("endpoint_delete", p)
}

// deleteEndpoint deletes an endpoint: what waits for it ends as failed.
func (c *Console) deleteEndpoint(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	if v.value("sure") != "on" {
		p, err := v.deletePage(e)
		if err != nil {
			return err
		}
		return v.mistaken("endpoint_delete", p, []mistake{{"sure", v.t("endpoints.not_sure")}})
	}
	_, err = v.declare(settings.StoreFile{ID: string(e.Store), Endpoints: []settings.EndpointFile{{ID: string(e.ID), Absent: true}}}, v.value("reason"))
	if err != nil {
		return err
	}
	return v.done("/endpoints", "endpoints.deleted", "name", e.Name)
}
