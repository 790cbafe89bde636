package settings_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Where a sub-merchant has endpoints of its own in a mode, those alone hear of its payments
// in that mode; where it has none, or is not to use them, the merchant's do. Of those that
// hear nothing one is warned when it comes to that, and not each time.
func TestOwnWebhooks(t *testing.T) {
	t.Parallel()
	const (
		hook  = "[[merchant.store.endpoint]]\nname = \"s\"\nmode = \"test\"\nurl = \"https://s.example\"\n"
		live  = "[[merchant.store.endpoint]]\nname = \"S\"\nmode = \"live\"\nurl = \"https://s.example/live\"\n"
		main  = inEndpoint + "[[merchant.store.endpoint]]\nname = \"E\"\nmode = \"live\"\nurl = \"https://a.example/live\"\n"
		sub   = main + "[[merchant.store]]\nname = \"하위\"\n"
		never = "own_webhooks = false\n"
		own   = "own_webhooks = true\n"
		gone  = "[[merchant.store.endpoint]]\nname = \"s\"\nmode = \"test\"\nabsent = true\n"
	)
	for name, c := range map[string]struct {
		files []string
		warns []string // by the last one
		hear  string   // of test payments, and of live ones
		of    string   // the store, if it is not the sub-merchant
	}{
		"it has none":                     {[]string{sub}, nil, "e E", ""},
		"its own":                         {[]string{sub + hook + live}, nil, "s S", ""},
		"its own, by the field":           {[]string{sub + own + hook + live}, nil, "s S", ""},
		"in test mode alone":              {[]string{sub + hook}, nil, "s E", ""},
		"in live mode alone":              {[]string{sub + live}, nil, "e S", ""},
		"its last one goes":               {[]string{sub + hook, sub + gone}, nil, "e E", ""},
		"the merchant's, and it has none": {[]string{sub + never}, nil, "e E", ""},
		"the merchant's, with one of its": {[]string{sub + never + hook}, []string{"own test endpoints hear nothing"}, "e E", ""},
		"the merchant's, with both":       {[]string{sub + never + hook + live}, []string{"own live endpoints hear nothing", "own test endpoints hear nothing"}, "e E", ""},
		"told once":                       {[]string{sub + never + hook, sub + hook}, nil, "e E", ""},
		"back to the merchant's":          {[]string{sub + hook, sub + never}, []string{"own test endpoints hear nothing"}, "e E", ""},
		"back to its own":                 {[]string{sub + never + hook, sub + own}, nil, "s E", ""},
		"the representative uses its own": {[]string{strings.Replace(sub, "name = \"대표\"\n", "name = \"대표\"\n"+never, 1)}, nil, "e E", "대표"},
		"the merchant has none in a mode": {[]string{head + "[[merchant.store]]\nname = \"하위\"\n" + hook}, nil, "s ", ""},
		"none, and the merchant has none": {[]string{head + "[[merchant.store]]\nname = \"하위\"\n"}, nil, " ", ""},
	} {
		all, changes := declare(t, newEnv(), c.files...)
		var got []string
		for _, ch := range changes {
			if ch.Kind == settings.Warning && ch.What == "store" {
				got = append(got, ch.String())
			}
		}
		if len(got) != len(c.warns) {
			t.Errorf("%s: warned %q, want %q", name, got, c.warns)
			continue
		}
		for i, w := range c.warns {
			if !strings.Contains(got[i], w) || !strings.HasPrefix(got[i], `warning store "하위"`) || !strings.Contains(got[i], ` in merchant "가나상점": `) {
				t.Errorf("%s: warned %q, want %q", name, got[i], w)
			}
		}
		var hear []string
		rep, _ := all.Directory().Representative(all.Merchants[0].ID)
		for _, store := range all.Stores {
			if store.Name != cmp.Or(c.of, "하위") {
				continue
			}
			for _, mode := range []merchant.Mode{merchant.Test, merchant.Live} {
				names := ""
				for _, e := range all.EndpointDirectory().Of(store.ID, rep.ID, mode) {
					names += e.Name
				}
				hear = append(hear, names)
			}
		}
		if got := strings.Join(hear, " "); got != c.hear {
			t.Errorf("%s: %q hear, want %q", name, got, c.hear)
		}
	}
}

// A store of which nobody said anything uses its own endpoints.
func TestOwnWebhooksByDefault(t *testing.T) {
	t.Parallel()
	all := settings.All{
		Stores: []settings.Store{{Store: merchant.Store{ID: "rep", Merchant: "m", Representative: true}}, {Store: merchant.Store{ID: "sub", Merchant: "m"}}},
		Endpoints: []webhook.Endpoint{
			{Name: "rep's", Merchant: "m", Store: "rep", Mode: merchant.Test}, {Name: "sub's", Merchant: "m", Store: "sub", Mode: merchant.Test},
		},
	}
	if hear := all.EndpointDirectory().Of("sub", "rep", merchant.Test); len(hear) != 1 || hear[0].Name != "sub's" {
		t.Errorf("%+v hear, want the store's own", hear)
	}
	if n := all.Unheard(all.Stores[1].Store, merchant.Test); n != 0 {
		t.Errorf("Unheard = %d, want 0", n)
	}
}

// The one endpoint between a sub-merchant and the merchant's is told from one that is
// heard beside others, hears nothing, or has none behind it.
func TestTurnsTo(t *testing.T) {
	t.Parallel()
	rep, sub := merchant.Store{ID: "rep", Merchant: "m", Representative: true}, merchant.Store{ID: "sub", Merchant: "m"}
	at := func(store merchant.StoreID, mode merchant.Mode) webhook.Endpoint {
		return webhook.Endpoint{Store: store, Mode: mode}
	}
	one, behind := at("sub", merchant.Test), at("rep", merchant.Test)
	follows := sub
	follows.MerchantWebhooks = true
	for name, c := range map[string]struct {
		store     merchant.Store
		endpoints []webhook.Endpoint
		want      bool
	}{
		"its last one":                         {sub, []webhook.Endpoint{one, behind}, true},
		"its last one of the mode":             {sub, []webhook.Endpoint{one, behind, at("sub", merchant.Live)}, true},
		"it has another":                       {sub, []webhook.Endpoint{one, behind, one}, false},
		"it has none":                          {sub, []webhook.Endpoint{behind}, false},
		"the merchant has none":                {sub, []webhook.Endpoint{one}, false},
		"the merchant's are of the other mode": {sub, []webhook.Endpoint{one, at("rep", merchant.Live)}, false},
		"another merchant's are behind it":     {sub, []webhook.Endpoint{one, at("other", merchant.Test)}, false},
		"it hears nothing":                     {follows, []webhook.Endpoint{one, behind}, false},
		"the representative's":                 {rep, []webhook.Endpoint{behind}, false},
	} {
		all := settings.All{Endpoints: c.endpoints, Stores: []settings.Store{
			{Store: merchant.Store{ID: "other", Merchant: "n", Representative: true}}, {Store: c.store}, {Store: rep},
		}}
		if got := all.TurnsTo(c.store, merchant.Test); got != c.want {
			t.Errorf("%s: TurnsTo = %v, want %v", name, got, c.want)
		}
	}
}
