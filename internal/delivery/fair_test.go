package delivery_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// The test is long since it is one story. A merchant whose every shop hangs, with more to do than all room, holds half
// of it. The other merchant's shop is told at the second.
func TestHangingMerchantHarmsOnlyItself(t *testing.T) {
	var many []webhook.Endpoint
	for i := range 40 {
		many = append(many, endpoint(webhook.EndpointID("hung-"+strconv.Itoa(i)), webhook.PortOne))
	}
	var urls []string
	for i := range 10 {
		urls = append(urls, "https://hung-"+strconv.Itoa(i)+".example/hook")
	}
	for _, c := range []struct {
		name      string
		endpoints []webhook.Endpoint
		urls      []string
		events    int
		well      bool // the shops answered well before, so that their windows are wide
	}{
		{"forty endpoints", many, nil, 60, false},
		{"ten origins of notice URLs with wide windows", nil, urls, 250, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := endpoint("good", webhook.PortOne)
			good.Merchant, good.Store = "m2", "s2"
			play(t, c.endpoints, func(t *testing.T, s *scene) {
				s.Configure(func(a *settings.All) {
					a.Merchants = append(a.Merchants, merchant.Merchant{ID: "m2", Name: "M2"})
					a.Stores = append(a.Stores, settings.Store{
						Store: merchant.Store{ID: "s2", Merchant: "m2", Name: "S2", Representative: true}, NoticeSecret: oldKey, CreatedAt: s.Start,
					})
					good.CreatedAt = s.Start
					a.Endpoints = append(a.Endpoints, good)
				})
				var mu sync.Mutex
				hanging, most := 0, 0
				well := c.well
				s.Shops.Answer = func(r *http.Request, _ int) *http.Response {
					mu.Lock()
					if well || !strings.HasPrefix(r.URL.Host, "hung-") {
						mu.Unlock()
						return answer(200)
					}
					hanging++
					most = max(most, hanging)
					mu.Unlock()
					resp := hang(r)
					mu.Lock()
					hanging--
					mu.Unlock()
					return resp
				}
				s.Run()
				if c.well {
					s.Tell(c.events, webhook.Paid, c.urls...)
					s.Pass(time.Second)
					mu.Lock()
					well = false
					mu.Unlock()
				}
				s.Tell(c.events, webhook.Paid, c.urls...)
				begun := map[string]time.Time{}
				for range 60 {
					s.Pass(time.Second)
					for _, d := range s.TellOf("m2", "s2", 3, webhook.Paid) {
						begun[d.WebhookID()] = time.Now()
					}
				}
				s.Pass(time.Second)
				for _, call := range s.Shops.Calls() {
					if at, ok := begun[call.ID]; ok && call.At.Equal(at) {
						delete(begun, call.ID)
					}
				}
				if len(begun) > 0 {
					t.Errorf("%d of 180 webhooks of the good shop did not go at once", len(begun))
				}
				if most != 1024 {
					t.Errorf("the hanging shops had %d tries at once, want 1024, half of all room", most)
				}
			})
		})
	}
}
