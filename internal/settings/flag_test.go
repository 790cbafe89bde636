package settings_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/settings"
)

func TestDiffer(t *testing.T) {
	t.Parallel()
	flags := func(pairs ...string) (out []settings.Flag) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, settings.Flag{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	got := settings.Differ(
		flags("listen", ":1", "public-url", "", "egress", "1.1.1.1", "grace", "20s", "only-here", "x"),
		flags("egress", "1.1.1.1", "grace", "5s", "listen", ":2", "public-url", "https://a.example", "only-there", "x"),
	)
	want := []settings.FlagDifference{{"public-url", "", "https://a.example"}, {"grace", "20s", "5s"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Differ (-want +got):\n%s", diff)
	}
}
