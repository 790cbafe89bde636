package delivery

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/webhook"
)

// callingFor is a planner whose endpoint has a time-out and headers of its own.
func callingFor(url string, timeout time.Duration, headers ...webhook.Header) webhook.Planner {
	return webhook.Planner{
		Merchants: merchant.NewDirectory(nil, nil),
		Endpoints: webhook.NewDirectory([]webhook.Endpoint{{ID: "e1", URL: url, Timeout: timeout, Headers: headers}}, nil, nil),
	}
}

// The receiver gets the endpoint's own headers as they were written; what is kept of the
// try has their values nowhere, not even where the receiver prints them.
func TestOwnHeaders(t *testing.T) {
	var got http.Header
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "unknown: "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(shop.Close)
	pl := callingFor(shop.URL, 0, webhook.Header{Name: "Authorization", Value: "Bearer opensesame-0123"}, webhook.Header{Name: "x-shop", Value: "1"})
	a := tryOnce(t, safehttp.New(safehttp.Config{AllowPrivate: true}), sampleJob(), pl).attempt
	if got.Get("Authorization") != "Bearer opensesame-0123" || got.Get("X-Shop") != "1" || got.Get(webhook.HeaderID) == "" {
		t.Errorf("the receiver got %v", got)
	}
	if !strings.Contains(a.RequestHeader, "authorization: ••••0123\n") || !strings.Contains(a.RequestHeader, "x-shop: ••••") {
		t.Errorf("kept of the request:\n%s", a.RequestHeader)
	}
	if kept := a.RequestHeader + a.ResponseHeader + string(a.ResponseBody) + a.Error; strings.Contains(kept, "sesame") {
		t.Errorf("a value is kept in clear:\n%s", kept)
	}
	if string(a.ResponseBody) != "unknown: ••••" || a.Status != http.StatusUnauthorized {
		t.Errorf("kept of the answer: %d %s", a.Status, a.ResponseBody)
	}
}

// An answer that is cut off within a value that the receiver prints keeps nothing of it.
func TestOwnHeaderAtTheCut(t *testing.T) {
	const value = "Bearer opensesame-0123"
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", keptBody-len(value)+3)+value)
	}))
	t.Cleanup(shop.Close)
	pl := callingFor(shop.URL, 0, webhook.Header{Name: "Authorization", Value: value})
	a := tryOnce(t, safehttp.New(safehttp.Config{AllowPrivate: true}), sampleJob(), pl).attempt
	if body := string(a.ResponseBody); !a.Truncated || strings.Trim(body, "x") != "" || len(body) != keptBody-len(value)+3 {
		t.Errorf("kept of the answer: %d bytes, to the end %q", len(body), body[max(0, len(body)-30):])
	}
}

// A try ends when the endpoint's own time-out is over, or earlier where the lease says so.
func TestOwnTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		own, lease, want time.Duration
		kept             time.Duration
	}{
		"all have":                  {0, 0, 30 * time.Second, 0},
		"its own":                   {5 * time.Second, 0, 5 * time.Second, 5 * time.Second},
		"its own, beyond the lease": {20 * time.Second, 15 * time.Second, 10 * time.Second, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			silent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})}
			d := &Dispatcher{Client: silent, Lease: c.lease}
			a := d.newRun(t.Context()).try(t.Context(), sampleJob(), callingFor("http://shop.example", c.own)).attempt
			if a.Took != c.want || a.Trace.Limit != c.kept || a.Outcome == webhook.Good {
				t.Errorf("%s: the try took %v, kept %v, %s; want %v", name, a.Took, a.Trace.Limit, a.Outcome, c.want)
			}
		})
	}
}

// What is said of a late answer goes by the endpoint's own time-out.
func TestDiagnoseByOwnTimeout(t *testing.T) {
	a := webhook.Attempt{URL: "https://shop.example/", Status: 200, Outcome: webhook.Good, Took: 4 * time.Second}
	if f, ok := Diagnose(a); ok {
		t.Errorf("4 s of 30: %+v", f)
	}
	a.Trace.Limit = 5 * time.Second
	if f, ok := Diagnose(a); !ok || f.Code != FoundSlow || f.Limit != 5*time.Second {
		t.Errorf("4 s of 5: %+v, %v", f, ok)
	}
}
