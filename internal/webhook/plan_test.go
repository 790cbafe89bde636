package webhook_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	keyA = secret.Text("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh")
	keyB = secret.Text("whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi")
	keyN = secret.Text("whsec_bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5u")
)

// endpoint is one of the representative store, in test mode, for every type of
// PortOne's; edit changes that.
func endpoint(id webhook.EndpointID, edit func(*webhook.Endpoint)) webhook.Endpoint {
	n, _ := strconv.Atoi(string(id[1:]))
	e := webhook.Endpoint{
		ID: id, Merchant: "m", Store: "main", Name: string(id), URL: "https://shop.example/" + string(id), Mode: merchant.Test,
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne,
		Secrets: []secret.Text{keyA}, CreatedAt: time.Unix(int64(n), 0),
	}
	if edit != nil {
		edit(&e)
	}
	return e
}

// planner plans for a merchant with a representative store and two others.
func planner(endpoints ...webhook.Endpoint) webhook.Planner {
	n := 0
	return webhook.Planner{
		Merchants: merchant.NewDirectory([]merchant.Store{
			{ID: "main", Merchant: "m", Representative: true}, {ID: "sub", Merchant: "m"}, {ID: "other", Merchant: "m"}, {ID: "follows", Merchant: "m"},
			{ID: "foreign", Merchant: "n", Representative: true},
		}, nil),
		Endpoints: webhook.NewDirectory(endpoints, map[merchant.StoreID]secret.Text{"main": keyN}, map[merchant.StoreID]bool{"follows": true}),
		NewID:     func() string { n++; return "d" + strconv.Itoa(n) },
	}
}

func event(typ webhook.Type, store merchant.StoreID) webhook.Event {
	e := sampleEvent(typ)
	e.Merchant, e.Store = "m", store
	return e
}

// sent is a delivery as the tests compare it.
type sent struct {
	To, Target string
	State      webhook.DeliveryState
	Body       string
	Schedule   webhook.Schedule
}

func plan(t *testing.T, pl webhook.Planner, e webhook.Event, urls ...string) []sent {
	t.Helper()
	em, err := pl.Plan(e, urls)
	if err != nil {
		t.Fatal(err)
	}
	var out []sent
	seen := map[webhook.DeliveryID]bool{}
	for _, d := range em.Deliveries {
		if seen[d.ID] {
			t.Errorf("the id %s is used twice", d.ID)
		}
		seen[d.ID] = true
		if d.Event != e.ID || d.Store != e.Store || d.Mode != e.Mode || d.Type != e.Type || !d.DueAt.Equal(e.At) || d.Tries != 0 {
			t.Errorf("delivery %s is not of the event: %+v", d.ID, d)
		}
		kind := string(d.ContentType)
		if len(d.Body) > 0 && d.Body[0] == '{' {
			kind += " " + string(d.Body[:7])
		}
		out = append(out, sent{string(d.Endpoint) + d.URL, d.Target, d.State, kind, d.Schedule})
	}
	return out
}

// TestPlan is long because it is a table of every way to be told.
func TestPlan(t *testing.T) {
	paused := func(e *webhook.Endpoint) { e.Paused = true }
	of := func(s merchant.StoreID) func(*webhook.Endpoint) { return func(e *webhook.Endpoint) { e.Store = s } }
	events := func(list ...string) func(*webhook.Endpoint) { return func(e *webhook.Endpoint) { e.Events = list } }
	form := func(e *webhook.Endpoint) {
		e.Version, e.ContentType, e.Schedule = webhook.V20240101, webhook.Form, webhook.Toss
	}
	latest := func(id string, state webhook.DeliveryState) sent {
		return sent{id, id, state, `json {"type"`, webhook.PortOne}
	}
	noticeLatest := func(url, origin string) sent {
		return sent{url, "m " + origin, webhook.Waiting, `json {"type"`, webhook.PortOne}
	}
	for _, c := range []struct {
		name      string
		endpoints []webhook.Endpoint
		event     webhook.Event
		urls      []string
		want      []sent
	}{
		{"no endpoint, nobody is told", nil, event(webhook.Paid, "main"), nil, nil},
		{
			"every endpoint that subscribes, the oldest first",
			[]webhook.Endpoint{endpoint("e2", nil), endpoint("e1", nil), endpoint("e3", events("Transaction.Failed"))},
			event(webhook.Paid, "main"), nil,
			[]sent{latest("e1", webhook.Waiting), latest("e2", webhook.Waiting)},
		},
		{
			"an endpoint's own format and schedule",
			[]webhook.Endpoint{endpoint("e1", form)}, event(webhook.Paid, "main"), nil,
			[]sent{{"e1", "e1", webhook.Waiting, "form", webhook.Toss}},
		},
		{
			"a paused endpoint's delivery waits: only claims heed the pause",
			[]webhook.Endpoint{endpoint("e1", paused)}, event(webhook.Paid, "main"), nil,
			[]sent{latest("e1", webhook.Waiting)},
		},
		{
			"the other mode's endpoints hear nothing",
			[]webhook.Endpoint{endpoint("e1", func(e *webhook.Endpoint) { e.Mode = merchant.Live })}, event(webhook.Paid, "main"), nil, nil,
		},
		{
			"a sub-store follows its representative",
			[]webhook.Endpoint{endpoint("e1", nil)}, event(webhook.Paid, "sub"), nil,
			[]sent{latest("e1", webhook.Waiting)},
		},
		{
			"unless it has its own",
			[]webhook.Endpoint{endpoint("e1", nil), endpoint("e2", of("sub"))}, event(webhook.Paid, "sub"), nil,
			[]sent{latest("e2", webhook.Waiting)},
		},
		{
			"also if its own does not subscribe",
			[]webhook.Endpoint{endpoint("e1", nil), endpoint("e2", func(e *webhook.Endpoint) { e.Store = "sub"; e.Events = nil })},
			event(webhook.Paid, "sub"), nil, nil,
		},
		{
			"its own of the other mode is none",
			[]webhook.Endpoint{endpoint("e1", nil), endpoint("e2", func(e *webhook.Endpoint) { e.Store = "sub"; e.Mode = merchant.Live })},
			event(webhook.Paid, "sub"), nil, []sent{latest("e1", webhook.Waiting)},
		},
		{
			"a sub-store may follow although it has its own, which then hears nothing",
			[]webhook.Endpoint{endpoint("e1", nil), endpoint("e2", of("follows"))}, event(webhook.Paid, "follows"), nil,
			[]sent{latest("e1", webhook.Waiting)},
		},
		{
			"also if the representative has none",
			[]webhook.Endpoint{endpoint("e2", of("follows"))}, event(webhook.Paid, "follows"), nil, nil,
		},
		{
			"the representative does not follow a sub-store, nor one sub-store another",
			[]webhook.Endpoint{endpoint("e1", of("sub"))}, event(webhook.Paid, "other"), nil, nil,
		},
		{
			"another merchant's endpoints hear nothing",
			[]webhook.Endpoint{endpoint("e1", of("foreign"))}, event(webhook.Paid, "main"), nil, nil,
		},
		{
			"a version that has no such payload is left out",
			[]webhook.Endpoint{endpoint("e1", func(e *webhook.Endpoint) { e.Version = webhook.V1 })}, event(webhook.Failed, "main"), nil, nil,
		},
		{
			"notice URLs replace endpoints, each told once",
			[]webhook.Endpoint{endpoint("e1", nil)}, event(webhook.Paid, "main"),
			[]string{"https://a.example:8443/x?y=1", "http://b.example/z", "https://a.example:8443/x?y=1"},
			[]sent{noticeLatest("https://a.example:8443/x?y=1", "https://a.example:8443"), noticeLatest("http://b.example/z", "http://b.example")},
		},
		{
			"notice URLs without any endpoint",
			nil, event(webhook.Paid, "main"), []string{"https://a.example/x"},
			[]sent{noticeLatest("https://a.example/x", "https://a.example")},
		},
		{
			"notice URLs follow the oldest endpoint that is not paused",
			[]webhook.Endpoint{endpoint("e1", paused), endpoint("e2", form), endpoint("e3", nil)}, event(webhook.Paid, "main"), []string{"https://a.example/x"},
			[]sent{{"https://a.example/x", "m https://a.example", webhook.Waiting, "form", webhook.Toss}},
		},
		{
			"notice URLs in a version that has no such payload",
			[]webhook.Endpoint{endpoint("e1", func(e *webhook.Endpoint) { e.Version = webhook.V1 })}, event(webhook.Failed, "main"), []string{"https://a.example/x"}, nil,
		},
		{
			"a star does not subscribe to ours",
			[]webhook.Endpoint{endpoint("e1", nil)}, event(webhook.Attention, "main"), nil, nil,
		},
		{
			"ours go to endpoints by name, never to notice URLs",
			[]webhook.Endpoint{endpoint("e1", events("tongbo.attention")), endpoint("e2", nil)}, event(webhook.Attention, "main"), []string{"https://a.example/x"},
			[]sent{latest("e1", webhook.Waiting)},
		},
		{
			"so does an account that closed",
			[]webhook.Endpoint{endpoint("e1", events("*", "Transaction.VirtualAccountExpired"))}, event(webhook.VirtualAccountExpired, "main"), []string{"https://a.example/x"},
			[]sent{latest("e1", webhook.Waiting)},
		},
		{
			"ours in an older version",
			[]webhook.Endpoint{endpoint("e1", func(e *webhook.Endpoint) { form(e); e.Events = []string{"tongbo.attention"} })}, event(webhook.Attention, "main"), nil, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := plan(t, planner(c.endpoints...), c.event, c.urls...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDestination(t *testing.T) {
	pl := planner(
		endpoint("e1", func(e *webhook.Endpoint) { e.Paused = true }),
		endpoint("e2", func(e *webhook.Endpoint) {
			e.Secrets, e.InFlight, e.Schedule = []secret.Text{keyB, keyA}, 3, webhook.Toss
		}),
	)
	bare := planner()
	notice := func(s merchant.StoreID) webhook.Delivery {
		return webhook.Delivery{Merchant: "m", Store: s, Mode: merchant.Test, URL: "https://a.example/x"}
	}
	for _, c := range []struct {
		name string
		pl   webhook.Planner
		d    webhook.Delivery
		want webhook.Destination
		gone bool
	}{
		{"an endpoint as it is now", pl, webhook.Delivery{Endpoint: "e2"}, webhook.Destination{URL: "https://shop.example/e2", Secrets: []secret.Text{keyB, keyA}, Schedule: webhook.Toss}, false},
		{"an endpoint that was deleted", bare, webhook.Delivery{Endpoint: "e2"}, webhook.Destination{}, true},
		{"a notice URL signs like the oldest endpoint in use", pl, notice("sub"), webhook.Destination{URL: "https://a.example/x", Secrets: []secret.Text{keyB, keyA}, Schedule: webhook.Toss}, false},
		{"a notice URL of a store without endpoints", bare, notice("main"), webhook.Destination{URL: "https://a.example/x", Secrets: []secret.Text{keyN}, Schedule: webhook.PortOne}, false},
		{"a notice URL of a store without any secret", bare, notice("sub"), webhook.Destination{URL: "https://a.example/x", Schedule: webhook.PortOne}, false},
	} {
		got, ok := c.pl.Destination(c.d, time.Time{})
		if diff := cmp.Diff(c.want, got); diff != "" || ok == c.gone {
			t.Errorf("%s: Destination is there: %v (-want +got):\n%s", c.name, ok, diff)
		}
	}
}

func TestCap(t *testing.T) {
	pl := planner(endpoint("e1", nil), endpoint("e2", func(e *webhook.Endpoint) { e.InFlight = 3 }))
	for _, c := range []struct {
		target string
		whose  merchant.ID
		cap    int
	}{
		{"e1", "m", webhook.DefaultInFlight},
		{"e2", "m", 3},
		{"deleted", "", webhook.DefaultInFlight},
		{"m https://a.example", "m", webhook.DefaultInFlight},
	} {
		if whose, n := pl.Cap(c.target); whose != c.whose || n != c.cap {
			t.Errorf("Cap(%q) = %q, %d, want %q, %d", c.target, whose, n, c.whose, c.cap)
		}
	}
}

func TestWebhookIDIsKeptByResends(t *testing.T) {
	first := webhook.Delivery{ID: "1"}
	again := webhook.Delivery{ID: "2", Original: "1", Manual: true}
	if first.WebhookID() != "whk_1" || again.WebhookID() != "whk_1" {
		t.Errorf("WebhookID = %s and %s, want whk_1 twice", first.WebhookID(), again.WebhookID())
	}
}
