package test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section is the part of a Markdown text below a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, below, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	below, _, _ = strings.Cut(below, "\n"+level+" ")
	return below
}

var fence = regexp.MustCompile("(?s)```toml\n(.*?)```")

// example is the first TOML block of a text.
func example(t *testing.T, text string) string {
	t.Helper()
	m := fence.FindStringSubmatch(text)
	if m == nil {
		t.Fatal("there is no TOML block")
	}
	return m[1]
}

// rows are the cells of a text's table rows that begin with something quoted.
func rows(text string) [][]string {
	var out [][]string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i, c := range cells {
				cells[i] = strings.TrimSpace(c)
			}
			out = append(out, cells)
		}
	}
	return out
}

func declareEnv() settings.Env {
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	return settings.Env{
		Now: time.Now(), NewID: id, NewUUID4: uuid.NewString, NewSecret: settings.NewSecret,
		Hash: func(purpose, value string) string { return purpose + "#" + value },
		Providers: func(code string) (provider.Info, bool) {
			p, ok := all.ByCode(code)
			if !ok {
				return provider.Info{}, false
			}
			return p.Info(), true
		},
	}
}

// TestExamplesApply applies the documents' files, and applies them again.
func TestExamplesApply(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		created    int
	}{
		{"docs/apply.md", example(t, section(t, read(t, "../docs/apply.md"), "## A complete example")), 10},
		{"README", example(t, section(t, read(t, "../README.md"), "## Use it")), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, err := settings.Parse([]byte(test.text))
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			var have settings.All
			for _, want := range []int{test.created, 0} {
				next, changes, err := settings.Declare(have, f, declareEnv())
				if err != nil {
					t.Fatalf("Declare: %v", err)
				}
				changes = slices.DeleteFunc(changes, func(c settings.Change) bool { return c.Kind == settings.Warning })
				if len(changes) != want {
					t.Errorf("Declare made %d changes, want %d: %v", len(changes), want, changes)
				}
				have = next
			}
		})
	}
}

var tag = regexp.MustCompile("`toml:\"(\\w+)\"`")

// TestEveryFieldExplained compares the fields of the file with the manual.
func TestEveryFieldExplained(t *testing.T) {
	t.Parallel()
	manual := section(t, read(t, "../docs/apply.md"), "## Fields")
	parts := map[string]string{
		"MerchantFile": "[[merchant]]", "StoreFile": "[[merchant.store]]", "ChannelFile": "[[merchant.store.channel]]",
		"EndpointFile": "[[merchant.store.endpoint]]", "APISecretFile": "[[merchant.store.api_secret]]",
		"APIKeyFile": "[[merchant.store.api_key]]", "AllowFile": "[[merchant.store.allow]]",
	}
	// Tables of their own, and what only refuses with a reason.
	elsewhere := []string{"StoreFile channel", "StoreFile endpoint", "StoreFile api_secret", "StoreFile api_key",
		"StoreFile allow", "MerchantFile absent", "StoreFile absent"}
	source := read(t, "../internal/settings/file.go")
	for name, heading := range parts {
		_, body, ok := strings.Cut(source, "type "+name+" struct {\n")
		if !ok {
			t.Fatalf("internal/settings/file.go has no %s", name)
		}
		body, _, _ = strings.Cut(body, "\n}")
		var want []string
		for _, m := range tag.FindAllStringSubmatch(body, -1) {
			if !slices.Contains(elsewhere, name+" "+m[1]) {
				want = append(want, "`"+m[1]+"`")
			}
		}
		// Only the first table of a part holds its fields.
		table, _, _ := strings.Cut(section(t, "\n"+manual, "### `"+heading+"`"), "\nCredentials by provider")
		var got []string
		for _, r := range rows(table) {
			got = append(got, r[0])
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("docs/apply.md, %s (-file.go +manual):\n%s", heading, diff)
		}
	}
}

// tableRow begins a line of a table about PGs: its first cell is quoted.
const tableRow = "| `"

// compareLines compares the first lines below a line of a document that begin
// in some way with what they should be, or writes them if the tests were told
// -update.
func compareLines(t *testing.T, file, below, begin string, want []string) {
	t.Helper()
	text := read(t, file)
	at := strings.Index(text, "\n"+below+"\n")
	if at < 0 {
		t.Fatalf("%s has no line %q", file, below)
	}
	start := strings.Index(text[at:], "\n"+begin)
	if start < 0 {
		t.Fatalf("%s has no line that begins with %q below %q", file, begin, below)
	}
	start += at + 1
	end := start
	for strings.HasPrefix(text[end:], begin) {
		end += strings.Index(text[end:]+"\n", "\n") + 1
	}
	d := cmp.Diff(strings.Join(want, "\n")+"\n", text[start:end])
	switch {
	case d == "":
	case !*update:
		t.Errorf("%s, below %q (-modules +document); go test ./test -run 'TestProvider|TestCredentials|TestNoticePaths' -update writes it:\n%s", file, below, d)
	default:
		text = text[:start] + strings.Join(want, "\n") + "\n" + text[end:]
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// quoted is each text between backquotes.
func quoted(texts []string) string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = "`" + s + "`"
	}
	return strings.Join(out, ", ")
}

// TestCredentialsExplained compares the credentials of the manual with the
// modules.
func TestCredentialsExplained(t *testing.T) {
	t.Parallel()
	var want []string
	for _, p := range all.Providers() {
		var names []string
		for _, f := range p.Info().Fields {
			names = append(names, f.Name)
		}
		want = append(want, fmt.Sprintf("| `%s` | %s |", p.Info().Code, quoted(names)))
	}
	compareLines(t, "../docs/apply.md", "Credentials by provider:", tableRow, want)
}

// TestNoticePaths compares what docs/deploy.md says of notice paths with the
// modules: its table, and the nginx map that keeps notices from being
// redirected to https.
func TestNoticePaths(t *testing.T) {
	t.Parallel()
	var table, locations []string
	for _, p := range all.Providers() {
		for _, path := range p.Info().Paths {
			table = append(table, fmt.Sprintf("| `%s` | `%s` |", path, p.Info().Code))
			locations = append(locations, "    ~^"+regexp.QuoteMeta(path)+"(/|$) 1;")
		}
	}
	compareLines(t, "../docs/deploy.md", "## Notice paths", tableRow, table)
	compareLines(t, "../docs/deploy.md", "map $uri $tongbo_notice {", "    ~", locations)
}

// TestReadmesShowTheSame: what the two READMEs have people paste into files and terminals
// is the same, so that what is tried of one is tried of both.
func TestReadmesShowTheSame(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```[a-z]+\n.*?\n```|\n    (?:bin/tongbo|curl|go|make|git) [^#\n]*(?:\n      [^\n]*)*")
	shown := func(name string) (out []string) {
		for _, b := range blocks.FindAllString(read(t, name), -1) {
			out = append(out, strings.NewReplacer("--lang ko", "", "--lang en", "").Replace(strings.TrimSpace(b)))
		}
		return out
	}
	en, ko := shown("../README.md"), shown("../README.ko.md")
	if diff := cmp.Diff(en, ko); diff != "" || len(en) < 11 {
		t.Errorf("README.md shows %d, README.ko.md differs (-en +ko):\n%s", len(en), diff)
	}
}

// TestProviderTable compares the README's table with the modules, and sees that
// the documents in prose name them too.
func TestProviderTable(t *testing.T) {
	t.Parallel()
	var want []string
	for _, p := range all.Providers() {
		i := p.Info()
		name, _, _ := strings.Cut(i.Name.KO, " (")
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", i.Code, name, i.Modules, quoted(i.Paths)))
	}
	compareLines(t, "../README.md", "## Payment gateways", tableRow, want)
	compareLines(t, "../README.ko.md", "## 지원하는 PG", tableRow, want)
}

// TestWalletTable compares what docs/providers.md says of wallets with their modules.
func TestWalletTable(t *testing.T) {
	t.Parallel()
	text := read(t, "../docs/providers.md")
	for _, p := range all.Wallets() {
		i := p.Info()
		var names, currencies []string
		for _, f := range i.Fields {
			names = append(names, f.Name)
		}
		for _, c := range i.Wallet.Currencies {
			currencies = append(currencies, string(c))
		}
		begin := fmt.Sprintf("| `%s` | %s | ", i.Code, i.Name.KO)
		fields := quoted(names)
		if len(names) == 0 {
			fields = "–"
		}
		end := fmt.Sprintf(" | %s | %s | %s |\n", fields, i.Wallet.Method, strings.Join(currencies, ", "))
		if _, row, ok := strings.Cut(text, begin); !ok || !strings.Contains(row[:strings.Index(row, "\n")+1], end) {
			t.Errorf("docs/providers.md has no row %s…%s", begin, end)
		}
	}
}
