package all_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestOnTrial sees which channels have their PG played in the program: never a live
// one.
func TestOnTrial(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		i := p.Info()
		keys, plain := merchant.Credentials{}, merchant.Credentials{}
		for _, f := range i.Fields {
			keys[f.Name] = "k"
			if !f.Secret {
				plain[f.Name] = "p"
			}
		}
		// KPN has no API: its key proves notices and calls nothing.
		callable := i.Code != "kpn"
		for _, c := range []struct {
			name string
			merchant.Channel
			want bool
		}{
			{"test", merchant.Channel{Mode: merchant.Test}, true},
			{"test without secrets", merchant.Channel{Mode: merchant.Test, Credentials: plain}, true},
			{"test with all credentials", merchant.Channel{Mode: merchant.Test, Credentials: keys}, !callable},
			{"test with another address", merchant.Channel{Mode: merchant.Test, BaseURL: "http://127.0.0.1:1"}, false},
			{"live", merchant.Channel{Mode: merchant.Live}, false},
			{"live with all credentials", merchant.Channel{Mode: merchant.Live, Credentials: keys}, false},
			{"no mode", merchant.Channel{}, false},
			{"any mode", merchant.Channel{Mode: merchant.Any}, false},
		} {
			if got := provider.OnTrial(p, c.Channel); got != c.want {
				t.Errorf("%s, %s: %v, want %v", i.Code, c.name, got, c.want)
			}
		}
	}
}
