package cli

import (
	"testing"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/settings"
)

func TestGiven(t *testing.T) {
	t.Setenv("TONGBO_KEEP_HISTORY", "200")
	t.Setenv("TONGBO_KEEP_BODIES", "50")
	t.Setenv("TONGBO_KEY", "hush")
	var c commands
	parser, err := kong.New(&c, grammar()...)
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse([]string{"serve", "--keep-bodies=30", "--database=postgres://tongbo:hush@127.0.0.1/x", "--trusted-proxies=10.0.0.0/8,192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]settings.Flag{}
	for _, f := range given(k) {
		got[f.Name] = f
		if f.Value == "hush" {
			t.Errorf("%s is given away", f.Name)
		}
	}
	for _, want := range []settings.Flag{
		{Name: "keep-bodies", Env: "TONGBO_KEEP_BODIES", Value: "30", Source: settings.ByFlag},
		{Name: "keep-history", Env: "TONGBO_KEEP_HISTORY", Value: "200", Source: settings.ByEnv},
		{Name: "keep-payments", Env: "TONGBO_KEEP_PAYMENTS", Value: "1826", Source: settings.ByDefault},
		{Name: "trusted-proxies", Env: "TONGBO_TRUSTED_PROXIES", Value: "10.0.0.0/8,192.0.2.1/32", Source: settings.ByFlag},
		{Name: "webhook-bind", Env: "TONGBO_WEBHOOK_BIND", Value: "", Source: settings.ByDefault},
		{Name: "v1-listen", Env: "TONGBO_V1_LISTEN", Value: "", Source: settings.ByDefault},
		{Name: "grace", Env: "TONGBO_GRACE", Value: "20s", Source: settings.ByDefault},
		{Name: "database", Env: "TONGBO_DATABASE", Value: "postgres://127.0.0.1/x", Source: settings.ByFlag},
	} {
		if got[want.Name] != want {
			t.Errorf("%s: %+v, want %+v", want.Name, got[want.Name], want)
		}
	}
	if _, there := got["key"]; there {
		t.Error("the key is among the flags")
	}
}
