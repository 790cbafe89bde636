package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

const windowsHead = "[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = \"" + storeID + "\"\n"

func TestWindowsDeclared(t *testing.T) {
	t.Parallel()
	e := newEnv()
	all, _ := declare(t, e, full)
	file := windowsHead + "origins = [\"HTTPS://Shop.Example:443\", \"https://shop.example\", \"http://localhost:3000\"]\napp_schemes = [\"MyShop://\"]\nwebhook_first_limit = \"2500ms\"\n"
	next, changes, err := settings.Declare(all, parse(t, file), e)
	if err != nil || len(changes) != 1 {
		t.Fatalf("Declare = %+v, %v", changes, err)
	}
	var got merchant.Store
	for _, s := range next.Stores {
		if s.ID == storeID {
			got = s.Store
		}
	}
	want := got
	want.Origins, want.AppSchemes, want.WebhookFirstLimit = []string{"https://shop.example", "http://localhost:3000"}, []string{"myshop"}, 2500*time.Millisecond
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, again, err := settings.Declare(next, parse(t, file), e); err != nil || len(again) != 0 {
		t.Errorf("the same again changes %+v, %v", again, err)
	}
	if _, back, err := settings.Declare(next, parse(t, windowsHead+"origins = []\napp_schemes = []\nwebhook_first_limit = \"10s\"\n"), e); err != nil || len(back) != 1 || len(back[0].Fields) != 3 {
		t.Errorf("taking it back changes %+v, %v", back, err)
	}
}

func TestWindowsRefused(t *testing.T) {
	t.Parallel()
	e := newEnv()
	all, _ := declare(t, e, full)
	for name, line := range map[string]string{
		"a path":          "origins = [\"https://shop.example/\"]",
		"a star":          "origins = [\"*\"]",
		"a script":        "app_schemes = [\"javascript\"]",
		"a short limit":   "webhook_first_limit = \"900ms\"",
		"a long limit":    "webhook_first_limit = \"31s\"",
		"no time":         "webhook_first_limit = \"ten\"",
		"too many pages":  "origins = [\"https://a" + strings.Join(manyOf(51), "\", \"https://a") + "\"]",
		"too many apps":   "app_schemes = [\"a" + strings.Join(manyOf(21), "\", \"a") + "\"]",
		"a limit of none": "webhook_first_limit = \"\"",
	} {
		if _, _, err := settings.Declare(all, parse(t, windowsHead+line+"\n"), e); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// manyOf are short names, each another.
func manyOf(n int) (out []string) {
	for i := range n {
		out = append(out, strings.Repeat("x", i+1))
	}
	return out
}

func TestMayOpen(t *testing.T) {
	t.Parallel()
	at := func(id string, rep bool, origins ...string) settings.Store {
		return settings.Store{Store: merchant.Store{ID: merchant.StoreID(id), Merchant: "m", Representative: rep, Origins: origins, AppSchemes: map[bool][]string{true: {"shop"}}[rep]}}
	}
	other := settings.Store{Store: merchant.Store{ID: "other", Merchant: "n", Representative: true}}
	all := settings.All{Stores: []settings.Store{at("rep", true, "https://shop.example"), at("sub", false), at("own", false, "https://own.example"), other}}
	for _, c := range []struct {
		store  merchant.StoreID
		mode   merchant.Mode
		origin string
		want   bool
	}{
		{"rep", merchant.Live, "https://shop.example", true},
		{"rep", merchant.Live, "https://other.example", false},
		{"rep", merchant.Live, "http://localhost", false},
		{"rep", merchant.Live, "", false},
		{"rep", merchant.Test, "http://localhost:3000", true},
		{"rep", merchant.Test, "https://other.example", false},
		{"rep", merchant.Test, "", false},
		{"sub", merchant.Live, "https://shop.example", true},
		{"own", merchant.Live, "https://shop.example", false},
		{"own", merchant.Live, "https://own.example", true},
		{"other", merchant.Live, "https://shop.example", false},
		{"other", merchant.Test, "https://shop.example", true},
		{"other", merchant.Test, "", true},
		{"nobody", merchant.Live, "", false},
	} {
		if got := all.MayOpen(c.store, c.mode, c.origin); got != c.want {
			t.Errorf("MayOpen(%s, %s, %q) = %v", c.store, c.mode, c.origin, got)
		}
	}
	for _, c := range []struct {
		store  merchant.StoreID
		mode   merchant.Mode
		origin string
		want   bool
	}{
		{"rep", merchant.Live, "https://shop.example", true},
		{"sub", merchant.Test, "https://shop.example", true},
		{"rep", merchant.Live, "http://localhost:3000", false},
		{"rep", merchant.Test, "http://localhost:3000", true},
		{"other", merchant.Test, "http://localhost:3000", true},
		{"other", merchant.Test, "https://shop.example", false}, // none is registered
		{"other", merchant.Test, "", false},
	} {
		if got := all.MayBeTold(c.store, c.mode, c.origin); got != c.want {
			t.Errorf("MayBeTold(%s, %s, %q) = %v", c.store, c.mode, c.origin, got)
		}
	}
	if !all.MayReturn("sub", "shop") || all.MayReturn("other", "shop") || all.MayReturn("sub", "") {
		t.Error("MayReturn goes by another store's schemes")
	}
}
