package wire

import (
	"strings"
	"testing"
	"time"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	own := map[string]string{"b": "mine", "empty": "", "z": "2", "y": "1", "secret": "x", "fixed": "no"}
	w := NewWriter(own)
	w.Put("fixed", "yes")
	w.PutOwn("a", "made up")
	w.PutOwn("b", "made up")
	w.PutOwn("empty", "made up")
	w.Drop("secret")
	if got := w.Own("b", "written"); got != "written" {
		t.Errorf("a field that was put is still there: %q", got)
	}
	w.PutRest()
	const want = "fixed=yes&a=made+up&b=mine&empty=&y=1&z=2"
	if got := string(w.Encode(UTF8)); got != want {
		t.Errorf("Encode = %q, want %q", got, want)
	}
	if len(own) != 6 {
		t.Errorf("the caller's map was changed: %v", own)
	}
	NewWriter(nil).PutOwn("a", "") // no map is fine
}

func TestMadeUp(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, Seoul)
	seen := map[string]bool{}
	for _, seed := range []string{"a", "b", "c"} {
		s, early := Serial(32, seed), Earlier(at, time.Hour, seed)
		if len(s) != 32 || Digits(s) != s || s != Serial(32, seed) || !strings.HasPrefix(s, Serial(5, seed)) {
			t.Errorf("Serial(%s) = %q, or another", seed, s)
		}
		if ago := at.Sub(early); ago < 0 || ago >= time.Hour || ago%time.Second != 0 || early != Earlier(at, time.Hour, seed) {
			t.Errorf("Earlier(%s) is %v earlier, or another", seed, ago)
		}
		seen[s], seen[early.String()] = true, true
	}
	if len(seen) != 6 {
		t.Errorf("two seeds give the same: %v", seen)
	}
	if Serial(9, "ab", "c") == Serial(9, "a", "bc") {
		t.Error("where a part of a seed ends does not count")
	}
}
