package cli

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

// linked are the links in what a terminal is shown: where they lead, and their texts.
var linked = regexp.MustCompile("\x1b\\]8;;([^\x1b]+)\x1b\\\\([^\x1b]*)\x1b\\]8;;\x1b\\\\")

// shown runs a command line on a terminal.
func shown(t *testing.T, env Env, args ...string) (code int, text string) {
	t.Helper()
	var out, errs bytes.Buffer
	env.Stdin, env.Stdout, env.Stderr = strings.NewReader(""), &out, &errs
	code = Main(args, env)
	if strings.Contains(errs.String(), "\x1b") {
		t.Errorf("%v: standard error has codes of a terminal: %q", args, errs.String())
	}
	return code, out.String()
}

// TestIDsAreLinks: on a terminal, ids of the commands that work on a database lead to the
// console, whose address the environment names; nowhere else is there any trace of it, and
// the tables stand as they stood.
func TestIDsAreLinks(t *testing.T) {
	x := newTalk(t)
	if code, _, errs := run(t, "", "trigger", "kcp", "deposit", "--server", x.url, "--secret", "the-talked-api-secret", "--payment", "", "--wait", "5s"); code != exitOK {
		t.Fatal(errs)
	}
	if code, _, errs := run(t, "", "import", "accounts", "--apply", "--database", x.database, "--channel", talkedChannel, filepath.Join(x.dir, "accounts.csv")); code != exitOK {
		t.Fatal(errs)
	}
	_, out, _ := run(t, "", "endpoint", "list", "--database", x.database, "--json")
	var e listedEndpoint
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatal(err)
	}
	x.write(t, "other.toml", strings.ReplaceAll(strings.Replace(talkedShop, "%q", `"`+x.shop+`/2"`, 1), "0000-4000", "0000-4001"))
	t.Setenv("TONGBO_PUBLIC_URL", "https://pay.example.kr/")
	const at = "https://pay.example.kr/console/go/"
	for _, c := range []struct {
		args []string
		want string // the beginning of an id that is linked
		n    int    // how many links there are at least
	}{
		{[]string{"notices"}, "trigger", 2},
		{[]string{"tail", "--lang=en"}, "whk_", 4},
		{[]string{"endpoint", "list"}, string(e.ID), 1},
		{[]string{"import", "accounts", filepath.Join(x.dir, "accounts.csv"), "--channel", talkedChannel}, "imported-1", 1},
		{[]string{"doctor", "--lang=en", "--allow-private-webhooks", "--public-url", x.url}, talkedChannel, 1},
		{[]string{"apply", filepath.Join(x.dir, "other.toml")}, "channel-key-00000000-0000-4001", 2},
	} {
		args := append(slices.Clone(c.args), "--database", x.database)
		_, text := shown(t, Env{Terminal: true}, args...)
		found, to := linked.FindAllStringSubmatch(text, -1), ""
		for _, f := range found {
			to += f[1] + "\n"
			if !strings.HasPrefix(f[1], at) && !strings.HasPrefix(f[1], x.url+"/console/go/") {
				t.Errorf("%v: a link leads to %s", c.args, f[1])
			}
		}
		if len(found) < c.n || !strings.Contains(to, c.want) {
			t.Errorf("%v: %d links, want %d or more, to %s:\n%s", c.args, len(found), c.n, c.want, text)
		}
		if c.args[0] == "apply" {
			continue // a second time nothing changes
		}
		_, dumb := shown(t, Env{Terminal: true, Dumb: true}, args...)
		_, piped, errs := run(t, "", args...)
		if strings.Contains(dumb+piped+errs, "\x1b") {
			t.Errorf("%v: links where no terminal shows them", c.args)
		}
		if bare := linked.ReplaceAllString(text, "$2"); c.args[0] != "tail" && c.args[0] != "doctor" && bare != dumb {
			t.Errorf("%v: a table with links is another:\n%s\n%s", c.args, bare, dumb)
		}
	}
}

// TestConsoleAddress says where the console is, as far as flags say.
func TestConsoleAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, listen, want string
	}{
		{"", "", ""},
		{"https://pay.example.kr", "", "https://pay.example.kr/console/go/a%2Fb"},
		{"https://pay.example.kr/", "", "https://pay.example.kr/console/go/a%2Fb"},
		{"https://pay.example.kr", "10.0.0.7:8090", "http://10.0.0.7:8090/console/go/a%2Fb"},
		{"", ":8090", "http://127.0.0.1:8090/console/go/a%2Fb"},
		{"", "0.0.0.0:8090", "http://127.0.0.1:8090/console/go/a%2Fb"},
		{"", "[::]:8090", "http://127.0.0.1:8090/console/go/a%2Fb"},
		{"", "[fd00::7]:8090", "http://[fd00::7]:8090/console/go/a%2Fb"},
	} {
		l, err := consoleFlags{c.url, c.listen}.links(Env{Terminal: true})
		text := l.to("a/b", "x")
		got := ""
		if m := linked.FindStringSubmatch(text); m != nil {
			got = m[1]
		}
		if err != nil || got != c.want || got == "" && text != "x" {
			t.Errorf("%q, %q: links lead to %q, want %q (%v)", c.url, c.listen, got, c.want, err)
		}
		if piped, err := (consoleFlags{c.url, c.listen}).links(Env{}); err != nil || piped.to("a", "x") != "x" {
			t.Errorf("%q, %q piped: %q, %v", c.url, c.listen, piped.to("a", "x"), err)
		}
	}
	for _, f := range []consoleFlags{{"pay.example.kr", ""}, {"https://pay.example.kr/shop", ""}, {"https://u@pay.example.kr", ""}, {"", "8090"}} {
		if _, err := f.links(Env{Terminal: true}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v, want fault.Invalid", f, err)
		}
	}
}
