package webhook_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		url string
		ok  bool
	}{
		{"https://shop.example/hook", true},
		{"http://shop.example:8080/hook?token=1", true},
		{"https://[2001:db8::1]/", true},
		{"HTTPS://shop.example", true},
		{"", false},
		{"shop.example/hook", false},
		{"/hook", false},
		{"ftp://shop.example/", false},
		{"javascript:alert(1)", false},
		{"https://", false},
		{"https://:443/", false},
		{"https://user:hunter2@shop.example/", false},
		{"https://shop.example/#x", false},
		{"https://shop.example/\x00", false},
		{"https://shop.example/" + strings.Repeat("x", 2048), false},
	} {
		err := webhook.CheckURL(c.url)
		if c.ok != (err == nil) || (err != nil && !fault.Is(err, fault.Invalid)) {
			t.Errorf("CheckURL(%.60q) = %v, want good: %v", c.url, err, c.ok)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestEndpointCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*webhook.Endpoint)
		ok   bool
	}{
		{"sound", nil, true},
		{"no secret yet", func(e *webhook.Endpoint) { e.Secrets = nil }, true},
		{"no schedule is the default one", func(e *webhook.Endpoint) { e.Schedule = "" }, true},
		{"V1 as a form", func(e *webhook.Endpoint) { e.Version, e.ContentType = webhook.V1, webhook.Form }, true},
		{"a relative address", func(e *webhook.Endpoint) { e.URL = "/hook" }, false},
		{"an unknown version", func(e *webhook.Endpoint) { e.Version = "2023-01-01" }, false},
		{"an unknown content type", func(e *webhook.Endpoint) { e.ContentType = "xml" }, false},
		{"the latest version as a form", func(e *webhook.Endpoint) { e.ContentType = webhook.Form }, false},
		{"three secrets", func(e *webhook.Endpoint) { e.Secrets = []secret.Text{keyA, keyB, keyN} }, false},
		{"a secret that is none", func(e *webhook.Endpoint) { e.Secrets = []secret.Text{"whsec_?"} }, false},
		{"a schedule that is none", func(e *webhook.Endpoint) { e.Schedule = "daily" }, false},
		{"the schedule of resends", func(e *webhook.Endpoint) { e.Schedule = webhook.Once }, false},
		{"a negative cap", func(e *webhook.Endpoint) { e.InFlight = -1 }, false},
		{"the greatest cap", func(e *webhook.Endpoint) { e.InFlight = 1024 }, true},
		{"a cap beyond it", func(e *webhook.Endpoint) { e.InFlight = 1025 }, false},
	} {
		err := endpoint("e1", c.edit).Check()
		if c.ok != (err == nil) || (err != nil && !fault.Is(err, fault.Invalid)) {
			t.Errorf("%s: Check() = %v, want good: %v", c.name, err, c.ok)
		}
	}
}

// Two endpoints of one moment come in the same order whatever order they were
// read in, so that notice URLs do not change their format by chance.
func TestDirectoryOrder(t *testing.T) {
	same := func(e *webhook.Endpoint) { e.CreatedAt = time.Unix(5, 0) }
	list := []webhook.Endpoint{endpoint("e3", same), endpoint("e1", same), endpoint("e2", same), endpoint("e4", nil)}
	for range list {
		list = append(list[1:], list[0])
		var got []webhook.EndpointID
		for _, e := range webhook.NewDirectory(list, nil, nil).Of("main", "main", "test") {
			got = append(got, e.ID)
		}
		if want := []webhook.EndpointID{"e4", "e1", "e2", "e3"}; !slices.Equal(got, want) {
			t.Errorf("Of = %v, want %v", got, want)
		}
	}
}

func TestMIME(t *testing.T) {
	if got := webhook.JSON.MIME(); got != "application/json" {
		t.Errorf("JSON.MIME() = %s", got)
	}
	if got := webhook.Form.MIME(); got != "application/x-www-form-urlencoded" {
		t.Errorf("Form.MIME() = %s", got)
	}
}
