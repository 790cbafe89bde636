package archtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// sound is a small tree that keeps every rule.
var sound = map[string]string{
	"go.mod":                                 "module github.com/tongbo/tongbo\n\nrequire a.example/direct v1.0.0\n\nrequire (\n\tb.example/other v1.0.0 // indirect\n)\n",
	"docs/dependencies.md":                   "| `a.example/direct` | a reason |\n",
	"internal/archtest/modules.txt":          "a.example/direct\nb.example/other\n",
	"internal/fault/fault.go":                "// Package fault is commented.\npackage fault\n",
	"internal/provider/provider.go":          "// Package provider is commented.\npackage provider\n\nimport _ \"github.com/tongbo/tongbo/internal/fault\"\n",
	"internal/provider/all/all.go":           "// Package all is commented.\npackage all\n\nimport _ \"github.com/tongbo/tongbo/internal/provider/kcp\"\n",
	"internal/provider/kcp/kcp.go":           "// Package kcp is commented.\npackage kcp\n",
	"internal/provider/kcp/notice.go":        "package kcp\n",
	"internal/provider/kcp/sim.go":           "package kcp\n",
	"internal/provider/kcp/kcp_test.go":      "package kcp\n\nfunc TestProvider() {}\n\nfunc FuzzProvider() {}\n",
	"internal/provider/kcp/guide.ko.md":      "안내\n",
	"internal/provider/kcp/guide.en.md":      "guide\n",
	"internal/provider/kcp/testdata/a.txtar": "-- request --\n",
	"tools/go.mod":                           "module github.com/tongbo/tongbo/tools\n",
	"tools/tools.go":                         "package tools\n",
	"internal/fault/testdata/broken.go":      "not Go\n",
}

// TestRules is long: it is one table, a row for each way to break a rule.
func TestRules(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("\t_ = 0\n", n) }
	tests := []struct {
		name string
		edit map[string]string // files changed; an empty text removes one
		want []string          // complaints, a part of each
	}{
		{"a sound tree", nil, nil},
		{"an import that points up", map[string]string{
			"internal/fault/up.go": "package fault\n\nimport _ \"github.com/tongbo/tongbo/internal/provider\"\n",
		}, []string{"fault may not import provider"}},
		{"a test may import anything", map[string]string{
			"internal/fault/up_test.go": "package fault\n\nimport _ \"github.com/tongbo/tongbo/internal/provider\"\n",
		}, nil},
		{"a provider that imports another", map[string]string{
			"internal/provider/kcp/notice.go": "package kcp\n\nimport _ \"github.com/tongbo/tongbo/internal/provider/nice\"\n",
		}, []string{"provider/kcp may not import provider/nice"}},
		{"a package without a line", map[string]string{
			"internal/novel/novel.go": "// Package novel is commented.\npackage novel\n",
		}, []string{"package novel has no line"}},
		{"a package inside a provider's folder", map[string]string{
			"internal/provider/kcp/deep/deep.go": "// Package deep is commented.\npackage deep\n",
		}, []string{"package provider/kcp/deep has no line"}},
		{"the program with a package for tests", map[string]string{
			"internal/server/server.go": "// Package server is commented.\npackage server\n\nimport _ \"github.com/tongbo/tongbo/internal/store/storetest\"\n",
		}, []string{"only tests may import internal/store/storetest"}},
		{"what measures the program, with a package for tests", map[string]string{
			"test/bench/main.go": "// Command bench is commented.\npackage main\n\nimport _ \"github.com/tongbo/tongbo/internal/store/storetest\"\n",
		}, nil},
		{"a file of 400 lines", map[string]string{
			"internal/fault/fault.go": "// Package fault is commented.\npackage fault\n" + strings.Repeat("\n", 398),
		}, []string{"fault.go has 400 lines"}},
		{"a generated file of 400 lines", map[string]string{
			"internal/fault/fault_gen.go": "package fault\n" + strings.Repeat("\n", 400),
		}, nil},
		{"a long function without a reason", map[string]string{
			"internal/fault/long_test.go": "package fault\n\n// f belongs here.\nfunc f() {\n" + lines(79) + "}\n",
		}, []string{"f has 81 lines"}},
		{"a long function with a reason", map[string]string{
			"internal/fault/long_test.go": "package fault\n\n// f is long because it is a table.\nfunc f() {\n" + lines(79) + "}\n",
		}, nil},
		{"functions that are long as a rule", map[string]string{
			"internal/fault/f.go": "package fault\n\nfunc f() {\n" + lines(38) + "}\n\nfunc g() {}\n\nfunc h() {\n" + lines(10) + "}\n",
		}, []string{"1 of 3 functions are under 12", "2 of 3 functions are under 40"}},
		{"a package without a comment", map[string]string{
			"internal/fault/fault.go": "package fault\n",
		}, []string{"internal/fault: the package has no comment"}},
		{"a package with two comments", map[string]string{
			"internal/fault/b.go": "// Package fault is commented again.\npackage fault\n",
		}, []string{"internal/fault: the package has several comments"}},
		{"a drawer", map[string]string{
			"internal/provider/util/util.go": "// Package util is commented.\npackage util\n",
		}, []string{"util is no name", "has no guide.en.md", "has no guide.ko.md", "has no notice.go", "has no sim.go", "has no *_test.go", "has no testdata/*.txtar", "has no TestProvider", "has no FuzzProvider", "all does not list"}},
		{"a provider without samples", map[string]string{
			"internal/provider/kcp/testdata/a.txtar": "",
		}, []string{"internal/provider/kcp has no testdata/*.txtar"}},
		{"a provider that is not fuzzed", map[string]string{
			"internal/provider/kcp/kcp_test.go": "package kcp\n\nfunc TestProvider() {}\n",
		}, []string{"internal/provider/kcp has no FuzzProvider, which calls providertest.Fuzz"}},
		{"a provider that is fuzzed by no test", map[string]string{
			"internal/provider/kcp/notice.go":   "package kcp\n\nfunc FuzzProvider() {}\n",
			"internal/provider/kcp/kcp_test.go": "package kcp\n\nfunc TestProvider() {}\n",
		}, []string{"has no FuzzProvider"}},
		{"a provider that is not listed", map[string]string{
			"internal/provider/all/all.go": "// Package all is commented.\npackage all\n",
		}, []string{"all does not list internal/provider/kcp"}},
		{"a sleep in real time", map[string]string{
			"internal/fault/fault.go":         "// Package fault is commented.\npackage fault\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
			"internal/provider/kcp/x_test.go": "package kcp\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
		}, []string{"internal/fault/fault.go: time.Sleep", "internal/provider/kcp/x_test.go: time.Sleep"}},
		{"a sleep in virtual time", map[string]string{
			"internal/provider/kcp/x_test.go": "package kcp\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\nfunc f() { time.Sleep(1); synctest.Wait() }\n",
		}, nil},
		{"a module more and one less", map[string]string{
			"internal/archtest/modules.txt": "a.example/direct\nc.example/gone\n",
		}, []string{"gained b.example/other", "lost c.example/gone", "if that is meant"}},
		{"a module without a reason", map[string]string{
			"docs/dependencies.md": "| `b.example/other` | a reason |\n",
		}, []string{"gives no reason for a.example/direct", "explains b.example/other"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := complaints(t, test.edit)
			for _, want := range test.want {
				i := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, want) })
				if i < 0 {
					t.Errorf("no complaint with %q", want)
					continue
				}
				got = slices.Delete(got, i, i+1)
			}
			if len(got) > 0 {
				t.Errorf("complaints that nobody wants:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// complaints are what all rules say about the sound tree with an edit.
func complaints(t *testing.T, edit map[string]string) []string {
	t.Helper()
	texts := maps.Clone(sound)
	maps.Copy(texts, edit)
	fsys := fstest.MapFS{}
	for name, text := range texts {
		if text != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	tree, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, rule := range rules {
		all = append(all, rule(tree)...)
	}
	return all
}

func TestParseLayers(t *testing.T) {
	table, wrong := parseLayers("a:\nb: a\nc: above\nd: e\ne: d\n")
	want := map[string][]string{"a": {}, "b": {"a"}, "c": {"a", "b"}, "d": {"e"}, "e": {"d"}}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("parseLayers (-want +got):\n%s", diff)
	}
	if want := []string{"layers: e does not stand above d"}; !slices.Equal(wrong, want) {
		t.Errorf("complaints about the table: %q, want %q", wrong, want)
	}
}
