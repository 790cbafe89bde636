package words

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestCatalogue holds both languages of each text against each other.
func TestCatalogue(t *testing.T) {
	for key, e := range catalogue() {
		switch {
		case e.Ko == "" || e.En == "":
			t.Errorf("%s: it is not in both languages", key)
		case !slices.Equal(names(e.Ko), names(e.En)):
			t.Errorf("%s: ko takes %q and en takes %q", key, names(e.Ko), names(e.En))
		case !slices.Contains([]Chip{"", OK, Run, Wait, Bad, Odd, Off}, e.Chip):
			t.Errorf("%s: %q is no chip", key, e.Chip)
		case strings.Contains(e.Ko, "습니다"):
			t.Errorf("%s: Korean texts are in 해요체: %s", key, e.Ko)
		}
	}
}

// names are the arguments of a text, sorted, each once.
func names(text string) []string {
	var out []string
	text = strings.ReplaceAll(strings.ReplaceAll(text, "{{", ""), "}}", "")
	for {
		_, rest, open := strings.Cut(text, "{")
		inside, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			slices.Sort(out)
			return slices.Compact(out)
		}
		name, _, _ := strings.Cut(inside, ":")
		name, _, _ = strings.Cut(name, "|")
		out, text = append(out, name), after
	}
}

func TestFill(t *testing.T) {
	for _, c := range []struct {
		text string
		args []any
		want string
	}{
		{"없음", nil, "없음"},
		{"{who:이/가} {what:을/를}", []any{"who", "홍길동", "what", "사과"}, "홍길동이 사과를"},
		{"{a:이/가} {b:은/는} {c:과/와}", []any{"a", "나무", "b", "KCP", "c", "MID"}, "나무가 KCP는 MID와"},
		{"{a:으로/로} {b:으로/로} {c:으로/로}", []any{"a", "서울", "b", "부산", "c", "제주"}, "서울로 부산으로 제주로"},
		{"{n}{n:이에요/예요}", []any{"n", 3}, "33이에요"},
		{"{a:이/가}", []any{"a", "상점(운영)"}, "상점(운영)이"},
		{"{n} {n|notice|notices}", []any{"n", 1}, "1 notice"},
		{"{n} {n|notice|notices}", []any{"n", int64(12345)}, "12,345 notices"},
		{"{{{a}}}", []any{"a", "x"}, "{x}"},
		{"{missing} {open", []any{"a", "x"}, "{missing} {open"},
		{"{a}", []any{"a", "{b}", "b", "no"}, "{b}"},
		{"}", nil, "}"},
	} {
		if got := fill(c.text, c.args); got != c.want {
			t.Errorf("fill(%q, %v) = %q, want %q", c.text, c.args, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]Lang{
		"": Ko, "en-US,en;q=0.9,ko;q=0.8": En, "fr-FR,ko-KR;q=0.5": Ko, "*": Ko, "de, EN": En,
	} {
		if got := Accepted(header); got != want {
			t.Errorf("Accepted(%q) = %q, want %q", header, got, want)
		}
	}
	if l, ok := ParseLang("ko_KR.UTF-8"); !ok || l != Ko {
		t.Errorf("ParseLang of LANG's form = %q, %v", l, ok)
	}
}

func TestRead(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown language": "[a.b]\nko = \"가\"\nfr = \"b\"",
		"a number":            "[a.b]\nko = 1",
		"not TOML":            "[a.b",
	} {
		if _, err := read(fstest.MapFS{"catalogue/a.toml": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
	if _, err := read(fstest.MapFS{
		"catalogue/a.toml": {Data: []byte("[a.b]\nko = \"가\"")},
		"catalogue/b.toml": {Data: []byte("[a.b]\nko = \"나\"")},
	}); err == nil {
		t.Error("a key in two files was read")
	}
}

func TestText(t *testing.T) {
	if got := Text(En, "no.such.key"); got != "no.such.key" {
		t.Errorf("a missing text is %q", got)
	}
	if got := Text(En, "state.payment.PAID"); got != "Paid" {
		t.Errorf("Text = %q", got)
	}
	if got := ChipOf("state.payment.PAID"); got != OK {
		t.Errorf("ChipOf = %q", got)
	}
}

func TestWorded(t *testing.T) {
	args := []any{"reason", "rehearsal", "other", "rehearsal"}
	got := Worded(Ko, args, "reason", "reason.")
	if got[1] != Text(Ko, "reason.rehearsal") || got[1] == "rehearsal" || got[3] != "rehearsal" || args[1] != "rehearsal" {
		t.Errorf("Worded = %v of %v", got, args)
	}
	if got := Worded(Ko, []any{"reason", "nobody-knows"}, "reason", "reason."); got[1] != "nobody-knows" {
		t.Errorf("a word that there is not becomes %v", got[1])
	}
}
