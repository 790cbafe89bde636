package cli

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/words"
)

// TestHelp asks every command for help in both languages: it says what the command does in
// the one that is asked for.
func TestHelp(t *testing.T) {
	for _, c := range leaves(t) {
		key := "help.command." + strings.ReplaceAll(c.name, " ", ".")
		for l, own := range map[words.Lang][]string{
			words.Ko: {"사용법: tongbo " + c.name, "옵션:", "도움말을 보여 줘요."},
			words.En: {"Usage: tongbo " + c.name, "Flags:", "Show context-sensitive help."},
		} {
			t.Setenv("TONGBO_LANG", string(l))
			code, out, errs := run(t, "", append(strings.Fields(c.name), "--help")...)
			flat := strings.Join(strings.Fields(out), " ")
			for _, want := range append(own, words.Text(l, key)) {
				if code != exitOK || !strings.Contains(flat, want) {
					t.Errorf("help of %s in %s: exit %d, %q is not in\n%s%s", c.name, l, code, want, out, errs)
				}
			}
		}
	}
	t.Setenv("TONGBO_LANG", "ko")
	_, out, _ := run(t, "", "--help")
	for _, want := range []string{"사용법: tongbo <command>", "명령:", "명령마다 더 알아보려면: tongbo <command> --help"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	t.Setenv("TONGBO_LANG", "en")
	if _, out, _ := run(t, "", "--help"); !strings.Contains(out, "Run \"tongbo <command> --help\" for more") {
		t.Errorf("English help ends otherwise:\n%s", out)
	}
}

// TestHelpOfFlags: each text of a flag is that of some flag, so that none stays English
// because its words were changed in one of two places.
func TestHelpOfFlags(t *testing.T) {
	t.Parallel()
	k, err := kong.New(new(commands), grammar()...)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	var learn func(*kong.Node)
	learn = func(n *kong.Node) {
		for _, f := range n.Flags {
			said[f.Name+" "+f.Help] = true
		}
		for _, c := range n.Children {
			learn(c)
		}
	}
	learn(k.Model.Node)
	for _, name := range []string{"help", "database", "key-file", "lang", "public-url", "json", "log-format", "log-level"} {
		if text := words.Text(words.En, "help.flag."+name); !said[name+" "+text] {
			t.Errorf("no --%s has the help %q", name, text)
		}
	}
}

// TestHelpOfOwnFlags: of these commands nothing is said in English alone, and what the
// catalogue says in English is what stands beside the flag.
func TestHelpOfOwnFlags(t *testing.T) {
	t.Parallel()
	helps := map[words.Lang]map[string]string{"": {}, words.Ko: {}, words.En: {}}
	for l, said := range helps {
		k, err := kong.New(new(commands), grammar()...)
		if err != nil {
			t.Fatal(err)
		}
		if l != "" {
			describe(k.Model.Node, "help.command", l)
		}
		for _, n := range k.Model.Leaves(false) {
			if n.Name != "demo" && (n.Name != "test" || n.Parent.Name != "channel") {
				continue
			}
			for _, f := range n.Flags {
				if !f.Hidden {
					said[n.Name+" --"+f.Name] = f.Help
				}
			}
			for _, a := range n.Positional {
				said[n.Name+" "+a.Name] = a.Help
			}
		}
	}
	if len(helps[words.Ko]) < 12 {
		t.Fatalf("the commands have only %v", helps[words.Ko])
	}
	for name, tag := range helps[""] {
		if ko := helps[words.Ko][name]; !strings.ContainsFunc(ko, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
			t.Errorf("%s says %q in Korean", name, ko)
		}
		if en := helps[words.En][name]; en != tag {
			t.Errorf("%s says %q in English, and %q beside the flag", name, en, tag)
		}
	}
}

// TestHelpLang: help is printed before flags are read, in the language they would choose.
func TestHelpLang(t *testing.T) {
	for _, c := range []struct {
		args, twin, system string
		want               words.Lang
	}{
		{"", "", "", words.Ko},
		{"", "", "en_US.UTF-8", words.En},
		{"", "", "ko_KR.UTF-8", words.Ko},
		{"", "ko", "en_US.UTF-8", words.Ko},
		{"notices --lang ko --help", "en", "en_US.UTF-8", words.Ko},
		{"--lang=en", "ko", "", words.En},
		{"--lang", "", "", words.Ko},
		{"--lang=fr", "", "en_US.UTF-8", words.En},
	} {
		t.Setenv("LANG", c.system)
		t.Setenv("TONGBO_LANG", c.twin)
		if c.twin == "" {
			_ = os.Unsetenv("TONGBO_LANG")
		}
		if got := helpLang(strings.Fields(c.args)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
