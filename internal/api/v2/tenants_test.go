package v2

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
)

const sisterStore merchant.StoreID = "store-00000000-0000-4000-8000-000000000004"

// What a call names.
type naming struct{ payment, channel, object string }

// tenants fills a bench with two merchants: acme with two sub-stores and payments
// of all of them in both modes, and rival with one. It returns the ids of a webhook, a
// cancellation, a billing key, a schedule and a listen session of acme's.
func tenants(b *bench) (objects []string) {
	b.Helper()
	sister := b.all.Stores[1]
	sister.ID, sister.Name = sisterStore, "자매"
	b.all.Stores = append(b.all.Stores, sister)
	b.all.Channels[0].Stores = append(b.all.Channels[0].Stores, sisterStore)
	b.all.APISecrets = append(b.all.APISecrets, apiSecret(b.api.Key, 7, acme, sisterStore, "sister", merchant.Test, time.Time{}))
	rivals := b.all.Endpoints[0]
	rivals.ID, rivals.Merchant, rivals.Store = "00000000-0000-7000-8000-0000000000e2", rival, rivalStore
	b.all.Endpoints = append(b.all.Endpoints, rivals)
	p := b.toss()
	b.paidAt(p, "paid-1")
	b.ok(b.call("POST", "/payments/paid-1/cancel", "PortOne test", tossCancel))
	b.ok(b.register("test", "waits-1"))
	b.ok(b.register("test", "came-1", "T0309260010000", "T0309260010003", "20000101000001", "3"))
	came := deposit("D3", 12000)
	came.Account = "T0309260010003"
	b.settle("came-1", came)
	b.ok(b.register("live", "live-1", string(testChannel), string(liveChannel)))
	b.ok(b.register("sub", "sub-1", "T0309260010000", "T0309260010001"))
	b.ok(b.register("sister", "sister-1", "T0309260010000", "T0309260010002"))
	b.ok(b.register("rival", "own-1", string(testChannel), string(rivalChannel)))
	got := b.ok(b.call("GET", "/payments/paid-1", "PortOne test", ""))
	webhook, _ := got["webhooks"].([]any)[0].(map[string]any)["id"].(string)
	cancellation, _ := got["cancellations"].([]any)[0].(map[string]any)["id"].(string)
	b.trials()
	key := b.issued(goodCard)
	plan := b.ok(b.post("/payments/planned-1/schedule", `{"payment":`+payBy(key)+`,"timeToPay":"2000-02-01T00:00:00Z"}`))
	schedule, _ := plan["schedule"].(map[string]any)["id"].(string)
	session, _ := b.ok(b.post("/tongbo/v1/listen", `{"name":"laptop"}`))["session"].(string)
	return []string{webhook, cancellation, key, schedule, session}
}

// attempt calls an operation with ids in its places.
func (b *bench) attempt(route, auth string, row tenancy, id naming, store string) answer {
	b.Helper()
	method, path, _ := strings.Cut(route, " ")
	fill := strings.NewReplacer("{paymentId}", url.PathEscape(id.payment), "{cancellationId}", url.PathEscape(id.object),
		"{billingKey}", url.PathEscape(id.object), "{paymentScheduleId}", url.PathEscape(id.object),
		"{session}", url.PathEscape(id.object), "PAYMENT", id.payment, "CHANNEL", id.channel, "OBJECT", id.object)
	path, body := fill.Replace(path), fill.Replace(row.body)
	if store != "" {
		said := `"storeId":"` + store + `"`
		switch row.store {
		case "query":
			path += "?storeId=" + url.QueryEscape(store)
		case "filter":
			path += "?requestBody=" + url.QueryEscape(`{"filter":{`+said+`}}`)
		case "input":
			path += "?requestBody=" + url.QueryEscape(`{`+said+`}`)
		case "payment":
			body = strings.Replace(body, `{"billingKey"`, `{`+said+`,"billingKey"`, 1)
		case "body":
			body = strings.Replace(strings.Replace(body, "{", "{"+said+",", 1), ",}", "}", 1)
		}
	}
	return b.call(method, path, auth, body)
}

// alike checks that what is not the caller's is answered as what does not exist.
func (b *bench) alike(what, want string, theirs, nobodys func() answer, ids ...string) {
	b.Helper()
	got, other := theirs(), nobodys()
	if have := fmt.Sprintf("%d %s", got.status, typeOf(got)); have != want {
		b.Errorf("%s is answered %s %s, want %s", what, have, got.body, want)
	}
	blank := strings.NewReplacer(ids...)
	if diff := cmp.Diff(blank.Replace(other.body), blank.Replace(got.body)); diff != "" || got.status != other.status {
		b.Errorf("%s is told from what does not exist: %d and %d (-nobody's +theirs):\n%s", what, other.status, got.status, diff)
	}
}

// unchanged checks that nothing that a route was tried with changed the database
// since it had a digest.
func (b *bench) unchanged(route string, before map[string]string) {
	b.Helper()
	if diff := cmp.Diff(before, b.digest()); diff != "" {
		b.Errorf("trying %s changed the database (-before +after):\n%s", route, diff)
	}
}

func typeOf(got answer) string {
	var p problem
	_ = json.Unmarshal([]byte(got.body), &p) // sound saw that it is JSON
	return p.Type
}

// TestTenants tries every route with what is another's: another merchant's, another
// store's, the other mode's.
func TestTenants(t *testing.T) {
	inBubble(t, func(b *bench) {
		objects := tenants(b)
		webhook := objects[0]
		for _, route := range routes() {
			before := b.digest()
			row, ok := tenancies[route]
			if !ok {
				b.Errorf("%s has no row in the table of tenants", route)
				continue
			}
			try := func(auth string, id naming, store string) func() answer {
				return func() answer { return b.attempt(route, "PortOne "+auth, row, id, store) }
			}
			if row.unseen != "" {
				b.payments(route, row, webhook, try)
			}
			if row.store != "" {
				b.stores(route, webhook, try)
			}
			if row.channel != "" {
				b.channels(route, row, try)
			}
			if row.object != "" {
				b.objects(route, row, objects, try)
			}
			b.unchanged(route, before)
		}
	})
}

// An attempted is a call to be made by a secret, with ids and in a store.
type attempted func(auth string, id naming, store string) func() answer

// payments tries a route with payments that the caller does not see.
func (b *bench) payments(route string, row tenancy, webhook string, try attempted) {
	b.Helper()
	for _, c := range [][2]string{
		{"rival", "paid-1"}, {"rival", "waits-1"}, {"rival", "sub-1"}, {"rival", "live-1"}, {"test", "live-1"}, {"live", "paid-1"},
		{"sub", "paid-1"}, {"sub", "sister-1"}, {"sister", "sub-1"}, {"test", "sub-1"}, {"test", "own-1"},
	} {
		channel := string(testChannel)
		switch c[0] {
		case "rival":
			channel = string(rivalChannel)
		case "live":
			channel = string(liveChannel)
		}
		b.alike(route+" by "+c[0]+" of "+c[1], row.unseen, try(c[0], naming{c[1], channel, webhook}, ""),
			try(c[0], naming{"none", channel, webhook}, ""), c[1], "none")
	}
}

// stores tries a route with stores that the caller does not reach.
func (b *bench) stores(route, webhook string, try attempted) {
	b.Helper()
	for _, c := range []struct{ auth, payment, store string }{
		{"rival", "paid-1", string(mainStore)}, {"rival", "sub-1", string(subStore)}, {"sub", "paid-1", string(mainStore)},
		{"sub", "sister-1", string(sisterStore)}, {"test", "own-1", string(rivalStore)},
	} {
		id := naming{c.payment, string(testChannel), webhook}
		b.alike(route+" by "+c.auth+" in "+c.store, "403 FORBIDDEN", try(c.auth, id, c.store), try(c.auth, id, "none"), c.store, "none")
	}
}

// channels tries a route with channels that the caller's store does not use.
func (b *bench) channels(route string, row tenancy, try attempted) {
	b.Helper()
	for _, c := range [][2]string{
		{"rival", string(testChannel)}, {"rival", string(liveChannel)}, {"test", string(rivalChannel)}, {"sub", string(liveChannel)},
	} {
		b.alike(route+" by "+c[0]+" through "+c[1], row.channel, try(c[0], naming{"new-1", c[1], ""}, ""),
			try(c[0], naming{"new-1", "none", ""}, ""), c[1], "none")
	}
}

// objects tries a route with webhooks and cancellations of another's payment, on the
// caller's own.
func (b *bench) objects(route string, row tenancy, ids []string, try attempted) {
	b.Helper()
	for _, id := range ids {
		for _, c := range [][3]string{
			{"rival", "own-1", string(rivalChannel)}, {"sub", "sub-1", string(testChannel)}, {"live", "live-1", string(liveChannel)},
		} {
			own := func(object string) func() answer { return try(c[0], naming{c[1], c[2], object}, "") }
			b.alike(route+" by "+c[0]+" with "+id, row.object, own(id), own("none"), id, "none")
		}
	}
}

// TestTenantsWithoutRight tries every route with credentials that have expired, are
// unknown, or come from the wrong address.
func TestTenantsWithoutRight(t *testing.T) {
	inBubble(t, func(b *bench) {
		objects := tenants(b)
		webhook := objects[0]
		ended := b.login("brief").Access
		fresh := b.login("test").Access
		refresh := b.login("rival").Refresh
		time.Sleep(time.Hour) // brief is over, and every access token
		b.all.Allows = []merchant.Allow{{Store: subStore, Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("203.0.113.0/24")}}
		b.save()
		b.from("192.0.2.7")
		for _, route := range routes() {
			row := tenancies[route]
			if row.open {
				continue
			}
			before := b.digest()
			for auth, want := range map[string]string{
				"PortOne brief": "401 UNAUTHORIZED", "PortOne nobody": "401 UNAUTHORIZED", "": "401 UNAUTHORIZED", "Bearer " + ended: "401 UNAUTHORIZED",
				"Bearer " + fresh: "401 UNAUTHORIZED", "Bearer " + refresh: "401 UNAUTHORIZED", "PortOne sub": "403 FORBIDDEN",
			} {
				try := func(id string) func() answer {
					return func() answer { return b.attempt(route, auth, row, naming{id, string(testChannel), webhook}, "") }
				}
				b.alike(route+" by "+auth, want, try("sub-1"), try("none"), "sub-1", "none")
			}
			if row.store != "" { // the representative store's secret from there
				try := func(id string) func() answer {
					return func() answer {
						return b.attempt(route, "PortOne test", row, naming{id, string(testChannel), webhook}, string(subStore))
					}
				}
				b.alike(route+" in a store from elsewhere", "403 FORBIDDEN", try("sub-1"), try("none"), "sub-1", "none")
			}
			b.unchanged(route, before)
		}
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"sub"}`), 401, "UNAUTHORIZED")
		b.want(b.call("POST", "/login/api-secret", "", `{"apiSecret":"brief"}`), 401, "UNAUTHORIZED")
	})
}

// TestTenantsInLists looks for acme in what rival is listed, and for what one mode
// or store of acme's must not see of the others.
func TestTenantsInLists(t *testing.T) {
	inBubble(t, func(b *bench) {
		objects := tenants(b)
		key, schedule := objects[2], objects[3]
		time.Sleep(time.Minute)
		acmes := b.ok(b.call("GET", "/payments-by-cursor", "PortOne test", ""))
		place, _ := acmes["items"].([]any)[0].(map[string]any)["cursor"].(string)
		events := b.ok(b.ask("/payment-events-by-cursor", "test", `{"from":"1970-01-01T00:00:00Z"}`)) // ids in a bubble are of no time
		event, _ := events["items"].([]any)[0].(map[string]any)["cursor"].(string)
		for _, route := range routes() {
			if !tenancies[route].list {
				continue
			}
			path := strings.TrimPrefix(route, "GET ")
			for auth, hidden := range map[string][]string{
				"rival":  {string(acme), "paid-1", "came-1", "waits-1", "live-1", "sub-1", "sister-1", "T0309260010001", key, schedule},
				"test":   {string(rival), "live-1", "own-1"},
				"live":   {string(rival), "paid-1", "came-1", "waits-1", "sub-1", "own-1", key, schedule},
				"sub":    {string(mainStore), "paid-1", "came-1", "sister-1", "own-1", key, schedule},
				"sister": {string(mainStore), "paid-1", "came-1", `"sub-1"`, "own-1"},
			} {
				inputs := []string{`{}`}
				switch path {
				case "/payments":
					inputs = append(inputs, `{"filter":{"textSearch":[{"field":"PAYMENT_ID","value":"WORD"}]}}`,
						`{"filter":{"textSearch":[{"field":"VIRTUAL_ACCOUNT_NUMBER","value":"T0309260010001"}]}}`)
					theirs := acme
					if auth != "rival" {
						theirs = rival
					}
					for _, id := range []string{string(theirs), "merchant-none"} {
						b.want(b.call("GET", path+"?requestBody="+url.QueryEscape(`{"filter":{"merchantId":"`+id+`"}}`), "PortOne "+auth, ""), 403, "FORBIDDEN")
					}
				case "/payments-by-cursor":
					inputs = append(inputs, `{"cursor":"`+place+`"}`)
				case "/payment-events-by-cursor":
					inputs = []string{`{"from":"1970-01-01T00:00:00Z"}`, `{"from":"1970-01-01T00:00:00Z","cursor":"` + event + `"}`}
				}
				for _, input := range inputs {
					for _, word := range hidden {
						got := b.call("GET", path+"?requestBody="+url.QueryEscape(strings.Replace(input, "WORD", strings.Trim(word, `"`), 1)), "PortOne "+auth, "")
						if b.ok(got); strings.Contains(got.body, word) {
							b.Errorf("%s by %s with %s shows %s:\n%s", path, auth, input, word, got.body)
						}
					}
				}
			}
		}
	})
}

// TestTenantsOfTokens mixes up tokens and Idempotency-Keys of two merchants.
func TestTenantsOfTokens(t *testing.T) {
	inBubble(t, func(b *bench) {
		tenants(b)
		acmes, rivals := b.login("test"), b.login("rival")
		b.want(b.call("GET", "/payments/paid-1", "Bearer "+rivals.Access, ""), 404, "PAYMENT_NOT_FOUND")
		b.want(b.call("GET", "/payments/paid-1", "Bearer "+acmes.Refresh, ""), 401, "UNAUTHORIZED")
		b.want(b.call("POST", "/token/refresh", "PortOne rival", `{"refreshToken":"`+acmes.Access+`"}`), 401, "UNAUTHORIZED")
		b.login("rival") // ends rival's refresh token, and not acme's
		b.want(b.refreshed(rivals), 401, "UNAUTHORIZED")
		again := b.tokens(b.refreshed(acmes))
		b.ok(b.call("GET", "/payments/paid-1", "Bearer "+again.Access, "")) // and acme's it stays
		b.want(b.call("GET", "/payments/own-1", "Bearer "+again.Access, ""), 404, "PAYMENT_NOT_FOUND")

		// The same key on the same call is another key of another store or mode.
		first := b.keyed(keyA, "POST", "/payments/paid-1/cancel", "test", tossCancel)
		b.ok(first)
		for _, auth := range []string{"rival", "sub", "live"} {
			b.want(b.keyed(keyA, "POST", "/payments/paid-1/cancel", auth, tossCancel), 404, "PAYMENT_NOT_FOUND")
		}
		b.want(b.keyed(keyA, "POST", "/payments/paid-1/cancel", "nobody", tossCancel), 401, "UNAUTHORIZED")
		b.same(first, b.keyed(keyA, "POST", "/payments/paid-1/cancel", "test", tossCancel))
		if got := b.call("GET", "/payments/paid-1", "PortOne test", ""); !strings.Contains(got.body, `"cancelled":6000`) { // 3000 by the scene
			b.Errorf("the payment is %s", got.body)
		}
	})
}

// TestTenantsOfOneName has two merchants name their payments alike.
func TestTenantsOfOneName(t *testing.T) {
	inBubble(t, func(b *bench) {
		tenants(b)
		before := b.call("GET", "/payments/waits-1", "PortOne test", "")
		b.ok(b.preregister("rival", "waits-1", `{"totalAmount":5}`))
		b.ok(b.register("rival", "waits-1", string(testChannel), string(rivalChannel), "12000", "5", "사과", "배"))
		b.ok(b.call("POST", "/payments/waits-1/virtual-account/close", "PortOne rival", "")) // rival's own
		b.same(before, b.call("GET", "/payments/waits-1", "PortOne test", ""))
		got := b.ok(b.call("GET", "/payments/waits-1", "PortOne rival", ""))
		if got["merchantId"] != string(rival) || got["storeId"] != string(rivalStore) {
			b.Errorf("rival's payment is %v", got)
		}
	})
}
