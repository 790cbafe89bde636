package welcome_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestCharsets: one notice means the same in each charset.
func TestCharsets(t *testing.T) {
	for _, pair := range [][2]string{
		{"a-deposit", "a-deposit-utf8"}, {"a-deposit", "a-raw-bytes"},
		{"b-deposit", "b-deposit-utf8"}, {"c-issue-json-euckr", "c-issue-json"},
	} {
		one, other := decode(t, sample(t, pair[0])), decode(t, sample(t, pair[1]))
		if one.Charset != "EUC-KR" || strings.HasSuffix(pair[1], "-raw-bytes") == (other.Charset == "UTF-8") {
			t.Errorf("%s and %s were read in %s and %s", pair[0], pair[1], one.Charset, other.Charset)
		}
		// That alone may differ.
		other.Form, other.Charset = strings.TrimSuffix(other.Form, "-utf8"), one.Charset
		if d := cmp.Diff(one, other); d != "" {
			t.Errorf("%s and %s differ (-one +other):\n%s", pair[0], pair[1], d)
		}
	}
}

// TestEverySyllable: no syllable alone is taken for another charset's, though
// the bytes of hundreds are valid UTF-8.
func TestEverySyllable(t *testing.T) {
	deceptive := 0
	for r := '가'; r <= '힣'; r++ {
		name := string(r)
		b, err := wire.ToEUCKR(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Text(b, wire.UTF8); err == nil {
			deceptive++
		}
		for _, c := range []wire.Charset{wire.EUCKR, wire.UTF8} {
			form := wire.EncodeForm([]wire.Field{{Name: "no_tid", Value: "1"}, {Name: "nm_input", Value: name}}, c)
			if got := decode(t, string(form)).Depositor; got != name {
				t.Fatalf("%s in %v is read as %q", name, c, got)
			}
			form = wire.EncodeForm([]wire.Field{{Name: "transType", Value: "02"}, {Name: "x", Value: name}}, c)
			if got := decode(t, string(form)).Fields["x"]; got != name {
				t.Fatalf("%s in %v is read as %q", name, c, got)
			}
		}
		if got := decode(t, `{"transType":"02","x":"`+string(b)+`"}`).Fields["x"]; got != name {
			t.Fatalf("%s in JSON is read as %q", name, got)
		}
	}
	if deceptive < 100 {
		t.Errorf("only %d syllables look like UTF-8: the test proves nothing", deceptive)
	}
}
