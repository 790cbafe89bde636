package v2

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// ask makes a GET with a requestBody in its query.
func (b *bench) ask(path, auth, body string) answer {
	b.Helper()
	return b.call("GET", path+"?requestBody="+url.QueryEscape(body), "PortOne "+auth, "")
}

// ids are the paymentIds of a list's items, in their order.
func (b *bench) listed(got answer, within ...string) (out []string) {
	b.Helper()
	for _, item := range b.ok(got)["items"].([]any) {
		one := item.(map[string]any)
		for _, field := range within {
			one = one[field].(map[string]any)
		}
		id := one["id"]
		if len(within) > 0 && within[0] == "paymentEvent" {
			id = one["paymentId"]
		}
		out = append(out, id.(string))
	}
	return out
}

// shops has payments of every merchant, store and mode, a minute apart, in the
// order of their names.
func (b *bench) shops() {
	b.Helper()
	for _, r := range []struct {
		auth, id string
		channel  merchant.ChannelKey
	}{
		{"test", "a-test", testChannel}, {"live", "b-live", liveChannel}, {"sub", "c-sub", testChannel}, {"rival", "d-rival", rivalChannel},
	} {
		b.ok(b.register(r.auth, r.id, string(testChannel), string(r.channel), "T0309260010000", "T030926001"+r.id[:1], "20000101000001", "tx-"+r.id))
		time.Sleep(time.Minute)
	}
}

// TestListsKeepApart asks every list with every credential: nobody sees
// another merchant's, another store's or another mode's payments.
func TestListsKeepApart(t *testing.T) {
	tests := []struct {
		auth, store string
		status      int
		kind        string
		want        []string
	}{
		{auth: "test", want: []string{"a-test", "c-sub"}},
		{auth: "live", want: []string{"b-live"}},
		{auth: "any", want: []string{"a-test", "b-live", "c-sub"}},
		{auth: "sub", want: []string{"c-sub"}},
		{auth: "rival", want: []string{"d-rival"}},
		{auth: "any", store: string(mainStore), want: []string{"a-test", "b-live"}},
		{auth: "any", store: string(subStore), want: []string{"c-sub"}},
		{auth: "live", store: string(subStore)},
		{auth: "sub", store: string(subStore), want: []string{"c-sub"}},
		{auth: "sub", store: string(mainStore), status: 403, kind: "FORBIDDEN"},
		{auth: "any", store: string(rivalStore), status: 403, kind: "FORBIDDEN"},
		{auth: "rival", store: string(mainStore), status: 403, kind: "FORBIDDEN"},
		{auth: "any", store: "store-none", status: 403, kind: "FORBIDDEN"},
		{auth: "nobody", status: 401, kind: "UNAUTHORIZED"},
	}
	inBubble(t, func(b *bench) {
		b.shops()
		for _, test := range tests {
			in := fmt.Sprintf(`{"storeId":%q}`, test.store)
			page := b.ask("/payments", test.auth, `{"filter":`+in+`}`)
			scan := b.ask("/payments-by-cursor", test.auth, in)
			events := b.ask("/payment-events-by-cursor", test.auth, in)
			if test.status != 0 {
				b.want(page, test.status, test.kind)
				b.want(scan, test.status, test.kind)
				b.want(events, test.status, test.kind)
				continue
			}
			newestFirst := slices.Clone(test.want)
			slices.Reverse(newestFirst)
			if diff := cmp.Diff(newestFirst, b.listed(page)); diff != "" {
				b.Errorf("%s %s: page (-want +got):\n%s", test.auth, test.store, diff)
			}
			if diff := cmp.Diff(test.want, b.listed(scan, "payment")); diff != "" {
				b.Errorf("%s %s: by cursor (-want +got):\n%s", test.auth, test.store, diff)
			}
		}
		// Names, channels and ids of others find nothing either.
		for _, search := range []string{"PAYMENT_ID\",\"value\":\"d-rival", "PG_TX_ID\",\"value\":\"tx-d-rival", "VIRTUAL_ACCOUNT_NUMBER\",\"value\":\"T030926001d",
			"PG_MERCHANT_ID\",\"value\":\"MID-3", "ALL\",\"value\":\"d-rival", "ALL\",\"value\":\"b-live", "PG_TX_ID\",\"value\":\"tx-b-live"} {
			got := b.ask("/payments", "test", `{"filter":{"textSearch":[{"field":"`+search+`"}]}}`)
			if ids := b.listed(got); len(ids) > 0 {
				b.Errorf("%s finds %v", search, ids)
			}
		}
		b.want(b.ask("/payments", "any", `{"filter":{"merchantId":"`+string(rival)+`"}}`), 403, "FORBIDDEN")
		if ids := b.listed(b.ask("/payments", "sub", `{"filter":{"merchantId":"`+string(acme)+`"}}`)); !slices.Equal(ids, []string{"c-sub"}) {
			b.Errorf("by the merchant's own id: %v", ids)
		}
	})
}

// TestListsKeepToAddresses has a sub-store that the caller's address may not
// read: then its representative store may not list everything either.
func TestListsKeepToAddresses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.shops()
		b.all.Allows = []merchant.Allow{{Store: subStore, Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("192.0.2.0/24")}}
		b.save()
		b.from("203.0.113.9")
		b.want(b.ask("/payments", "any", `{}`), 403, "FORBIDDEN")
		b.want(b.ask("/payments-by-cursor", "any", `{}`), 403, "FORBIDDEN")
		b.want(b.ask("/payment-events-by-cursor", "any", `{}`), 403, "FORBIDDEN")
		if ids := b.listed(b.ask("/payments", "any", `{"filter":{"storeId":"`+string(mainStore)+`"}}`)); len(ids) != 2 {
			b.Errorf("of the own store: %v", ids)
		}
		b.from("192.0.2.9")
		if ids := b.listed(b.ask("/payments", "any", `{}`)); len(ids) != 3 {
			b.Errorf("from the sub-store's addresses: %v", ids)
		}
	})
}

// TestListsTakeABody sends what a list is asked by as the body of a GET; the
// query goes before it.
func TestListsTakeABody(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.shops()
		body := `{"page":{"number":1,"size":1},"filter":{"sortOrder":"ASC"}}`
		if ids := b.listed(b.call("GET", "/payments", "PortOne any", body)); !slices.Equal(ids, []string{"b-live"}) {
			b.Errorf("by body: %v", ids)
		}
		r := httptest.NewRequestWithContext(b.Context(), "GET", "/payments?requestBody="+url.QueryEscape(body), strings.NewReader(`{"page":{"size":3}}`))
		r.Header.Set("Authorization", "PortOne any")
		if ids := b.listed(b.serve(r)); !slices.Equal(ids, []string{"b-live"}) {
			b.Errorf("by query and body: %v", ids)
		}
		if ids := b.listed(b.call("GET", "/payments", "PortOne any", "")); len(ids) != 3 {
			b.Errorf("by nothing: %v", ids)
		}
		// What a list shows of a payment is what the payment itself shows.
		b.deliver(webhook.Good, 200)
		one := b.ok(b.call("GET", "/payments/a-test", "PortOne any", ""))
		listed := b.ok(b.ask("/payments", "any", `{"filter":{"sortOrder":"ASC"}}`))["items"].([]any)[0]
		if diff := cmp.Diff(any(one), listed); diff != "" || one["webhooks"] == nil {
			b.Errorf("alone and in a list (-alone +listed):\n%s", diff)
		}
	})
}

// TestLongLists lists more than is in memory at once: page by page, by cursor,
// and all at once.
func TestLongLists(t *testing.T) {
	inBubble(t, func(b *bench) {
		const n = 2*batchSize + 30
		var want []string
		for i := range n {
			id := fmt.Sprintf("o-%03d", i)
			b.ok(b.register("test", id, "T0309260010000", fmt.Sprintf("T%d", i), "20000101000001", "tx-"+id))
			want = append(want, id)
			if i%3 != 0 {
				time.Sleep(time.Second)
			}
		}
		for _, size := range []int{1 + n/2, batchSize, n, 1000} {
			var pages, scanned []string
			for number := 0; number*size < n; number++ {
				got := b.ask("/payments", "test", fmt.Sprintf(`{"page":{"number":%d,"size":%d},"filter":{"sortOrder":"ASC"}}`, number, size))
				pages = append(pages, b.listed(got)...)
				if total := b.ok(got)["page"].(map[string]any)["totalCount"]; total != float64(n) {
					b.Errorf("size %d: total is %v", size, total)
				}
			}
			for cursor, more := "", true; more; {
				got := b.ask("/payments-by-cursor", "test", fmt.Sprintf(`{"size":%d,"cursor":%q}`, size, cursor))
				ids := b.listed(got, "payment")
				scanned, more = append(scanned, ids...), len(ids) == size
				if len(ids) > 0 {
					cursor = b.ok(got)["items"].([]any)[len(ids)-1].(map[string]any)["cursor"].(string)
				}
			}
			slices.Sort(pages) // those of one second are in the order of their keys
			if diff := cmp.Diff(want, pages); diff != "" {
				b.Errorf("pages of %d (-want +got):\n%s", size, diff)
			}
			slices.Sort(scanned)
			if diff := cmp.Diff(want, scanned); diff != "" {
				b.Errorf("%d by cursor (-want +got):\n%s", size, diff)
			}
		}
	})
}

// TestEvents goes through a payment that was paid, partly cancelled, and
// another that the bank took back.
func TestEvents(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.ok(b.register("test", "order-1"))
		b.ok(b.register("test", "order-2", "T0309260010000", "T0309260010002", "20000101000001", "tx-2"))
		time.Sleep(time.Minute)
		b.settle("order-1", deposit("d1", 12000))
		part := deposit("", 3000)
		part.Event, part.Key, part.Deposit, part.Account = payment.EventPartiallyCancelled, "c1", "", ""
		b.settle("order-1", part)
		second := deposit("d2", 12000)
		second.Account = "T0309260010002"
		b.settle("order-2", second)
		second.Event, second.Key = payment.EventReversed, "r2"
		time.Sleep(time.Minute)
		second.At = time.Now().UTC()
		b.settle("order-2", second)

		// Ids in a bubble are of no time, so the list begins before all of them.
		in := `"from":"1970-01-01T00:00:00Z"`
		b.golden("events", b.ask("/payment-events-by-cursor", "test", `{`+in+`}`))
		var got []string
		for cursor, more := "", true; more; {
			items := b.ok(b.ask("/payment-events-by-cursor", "test", `{`+in+`,"size":1,"cursor":"`+cursor+`"}`))["items"].([]any)
			if more = len(items) > 0; more {
				one := items[0].(map[string]any)
				cursor = one["cursor"].(string)
				e := one["paymentEvent"].(map[string]any)
				got = append(got, fmt.Sprint(e["paymentId"], " ", e["type"], " ", e["eventAmount"]))
			}
		}
		want := []string{"order-1 PAID 12000", "order-1 PARTIAL_CANCELLED -3000", "order-2 PAID 12000", "order-2 CANCELLED -12000"}
		if diff := cmp.Diff(want, got); diff != "" {
			b.Errorf("events (-want +got):\n%s", diff)
		}
		for _, auth := range []string{"live", "sub", "rival"} {
			if ids := b.listed(b.ask("/payment-events-by-cursor", auth, `{`+in+`}`), "paymentEvent"); len(ids) > 0 {
				b.Errorf("%s sees events of %v", auth, ids)
			}
		}
	})
}

// TestTransactions has a payment with two accounts, the first of which is paid.
func TestTransactions(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.want(b.call("GET", "/payments/order-1/transactions", "PortOne test", ""), 404, "PAYMENT_NOT_FOUND")
		b.ok(b.register("test", "order-1"))
		time.Sleep(time.Minute)
		b.ok(b.register("test", "order-1", "T0309260010000", "T0309260010001", "20000101000001", "tx-2"))
		time.Sleep(time.Minute)
		b.settle("order-1", deposit("d1", 12000))
		got := b.call("GET", "/payments/order-1/transactions", "PortOne test", "")
		b.golden("transactions", got)
		items := b.ok(got)["items"].([]any)
		if len(items) != 2 {
			b.Fatalf("%d transactions", len(items))
		}
		paid, other := items[0].(map[string]any), items[1].(map[string]any)
		if paid["status"] != "PAID" || other["status"] != "VIRTUAL_ACCOUNT_ISSUED" || paid["id"] == other["id"] || paid["paymentId"] != "order-1" {
			b.Errorf("the transactions: %v", items)
		}
		for _, field := range []string{"transactionId", "origin", "disputes"} {
			if _, there := paid[field]; there {
				b.Errorf("a transaction has a %s", field)
			}
		}
		for _, auth := range []string{"live", "sub", "rival"} {
			b.want(b.call("GET", "/payments/order-1/transactions", "PortOne "+auth, ""), 404, "PAYMENT_NOT_FOUND")
		}
		b.want(b.call("GET", "/payments/order-1/transactions?storeId="+string(rivalStore), "PortOne test", ""), 403, "FORBIDDEN")
		b.want(b.call("GET", "/payments/order-1/transactions", "", ""), 401, "UNAUTHORIZED")
	})
}

// TestABrokenListShows has a list fail midway: the client must see that it is
// not whole.
func TestABrokenListShows(t *testing.T) {
	inBubble(t, func(b *bench) {
		batches := [][]any{{"a", "b"}, nil, {"c"}}
		next := func() ([]any, bool, error) {
			if len(batches) == 0 {
				return nil, false, errors.New("the database went away")
			}
			some := batches[0]
			batches = batches[1:]
			return some, true, nil
		}
		l, err := b.api.list(&pageAnswer{TotalCount: 9}, next)
		if err != nil {
			b.Fatal(err)
		}
		w := httptest.NewRecorder()
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // it is that very value
					b.Errorf("the handler ends with %v", p)
				}
			}()
			c := &call{r: httptest.NewRequestWithContext(b.Context(), "GET", "/payments", http.NoBody), w: w}
			b.api.stream(c, &operation{method: "GET", path: "/payments"}, l.(*longList))
		}()
		if got := w.Body.String(); got != `{"items":["a","b","c"` || json.Valid(w.Body.Bytes()) {
			b.Errorf("the answer is %s", got)
		}
		if !strings.Contains(b.log.String(), "the database went away") {
			b.Errorf("the log does not say why: %s", b.log)
		}
		if _, err := b.api.list(nil, next); err == nil {
			b.Error("a list that fails at once is answered")
		}
	})
}
