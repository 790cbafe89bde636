package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/settings"
)

const aChannel = head + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"T0000\"\n"

// TestAskedAndNotes: what people write about a channel is kept, and taken back by the
// empty text.
func TestAskedAndNotes(t *testing.T) {
	t.Parallel()
	e := newEnv()
	all, _ := declare(t, e, aChannel+"asked = \"2026-08-01\"\nnotes = \"메일로 요청함\"")
	c := all.Channels[0]
	if want := time.Date(2026, 7, 31, 15, 0, 0, 0, time.UTC); !c.AskedAt.Equal(want) || c.Notes != "메일로 요청함" {
		t.Errorf("asked at %v with notes %q", c.AskedAt, c.Notes)
	}
	for _, tt := range []struct{ file, fields string }{
		{"", ""},
		{"asked = \"2026-08-01\"\nnotes = \"메일로 요청함\"", ""},
		{"asked = \"2026-08-02\"", "asked"},
		{"asked = \"\"\nnotes = \"\"", "notes asked"},
	} {
		next, changes, err := settings.Declare(all, parse(t, aChannel+tt.file), e)
		fields := ""
		for _, change := range changes {
			fields += strings.Join(change.Fields, " ")
		}
		if err != nil || fields != tt.fields {
			t.Errorf("%q changes %q, %v, want %q", tt.file, fields, err, tt.fields)
		}
		if strings.HasPrefix(tt.fields, "notes") && (!next.Channels[0].AskedAt.IsZero() || next.Channels[0].Notes != "") {
			t.Errorf("they are still there: %+v", next.Channels[0])
		}
	}
	for _, bad := range []string{"asked = \"tomorrow\"", "asked = \"2026-13-01\"", "notes = \"" + strings.Repeat("x", 8<<10+1) + "\"", "notes = \"\\u0000\""} {
		if _, _, err := settings.Declare(all, parse(t, aChannel+bad), e); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.30q: %v, want it refused", bad, err)
		}
	}
}
