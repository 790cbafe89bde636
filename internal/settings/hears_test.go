package settings_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// A store whose payments nobody hears of, or whose endpoints hear nothing, is warned of
// when it comes to that, and not each time.
func TestOwnWebhooks(t *testing.T) {
	t.Parallel()
	const (
		sub  = inEndpoint + "[[merchant.store]]\nname = \"하위\"\n"
		own  = "own_webhooks = true\n"
		live = "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"live\"\nmid = \"L\"\n"
		hook = "[[merchant.store.endpoint]]\nname = \"s\"\nmode = \"test\"\nurl = \"https://s.example\"\n"
		gone = "[[merchant.store.endpoint]]\nname = \"s\"\nmode = \"test\"\nabsent = true\n"
		pays = "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"S\"\n"
	)
	for name, c := range map[string]struct {
		files []string
		warns []string // by the last one
		hear  string   // of test payments
	}{
		"the merchant's":                    {[]string{sub + pays}, nil, "e"},
		"the merchant's, with one of one's": {[]string{sub + hook + pays}, []string{"own test endpoints hear nothing"}, "e"},
		"told once":                         {[]string{sub + hook + pays, sub + hook + pays}, nil, "e"},
		"its own":                           {[]string{sub + own + hook + pays}, nil, "s"},
		"its own, and none":                 {[]string{sub + own + pays}, []string{"no test endpoint"}, ""},
		"its own, and no payments":          {[]string{sub + own}, nil, ""},
		"its own, in one mode":              {[]string{sub + own + hook + pays + live}, []string{"no live endpoint"}, "s"},
		"its last one goes":                 {[]string{sub + own + hook + pays, sub + gone}, []string{"no test endpoint"}, ""},
		"back to the merchant's":            {[]string{sub + own + hook + pays, sub + "own_webhooks = false\n"}, []string{"own test endpoints hear nothing"}, "e"},
		"the representative's own say":      {[]string{strings.Replace(sub, "name = \"대표\"\n", "name = \"대표\"\nown_webhooks = true\n", 1)}, nil, "e"},
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
		for _, s := range all.Stores {
			if s.Name == "하위" {
				for _, e := range all.EndpointDirectory().Of(s.ID, rep.ID, merchant.Test) {
					hear = append(hear, e.Name)
				}
			}
		}
		if strings.Join(hear, " ") != c.hear {
			t.Errorf("%s: %v hear, want %s", name, hear, c.hear)
		}
	}
}
