package delivery

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// BenchmarkPost posts webhooks to a receiver on loopback over kept connections,
// as most tries go: what is noted of each is in it.
func BenchmarkPost(b *testing.B) {
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Cleanup(shop.Close)
	d := &Dispatcher{Client: shop.Client()}
	r := &run{settings: d.settings()}
	job := webhook.Job{Delivery: webhook.Delivery{ID: "d", ContentType: webhook.JSON, Body: make([]byte, 200)}}
	dest := webhook.Destination{URL: shop.URL, Secrets: []secret.Text{"whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"}}
	b.ReportAllocs()
	for b.Loop() {
		if res, err := r.post(b.Context(), job, dest, result{}); err != nil || res.attempt.Outcome != webhook.Good {
			b.Fatal(res.attempt.Outcome, err)
		}
	}
}
