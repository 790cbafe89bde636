package settings

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

func TestRetentionCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		keep Retention
		want string // empty: allowed
	}{
		{"the default", DefaultRetention(), ""},
		{"everything for ever", Retention{}, ""},
		{"history for ever", Retention{Bodies: 90}, ""},
		{"as long as each other", Retention{Bodies: 90, History: 90}, ""},
		{"a hundred years", Retention{Bodies: 1, History: mostDays, Payments: mostDays}, ""},
		{"bodies longer than history", Retention{Bodies: 91, History: 90}, "belongs to a row"},
		{"bodies for ever, history not", Retention{History: 90}, "belongs to a row"},
		{"negative bodies", Retention{Bodies: -1}, "bodies cannot be kept for -1 days"},
		{"negative history", Retention{History: -400}, "history cannot be kept for -400 days"},
		{"negative payments", Retention{Payments: -1}, "payments cannot be kept for -1 days"},
		{"more than a calendar has", Retention{Payments: mostDays + 1}, "0, which is for ever"},
	} {
		err := c.keep.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
