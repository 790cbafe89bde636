package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	namedFlag     = regexp.MustCompile("`(?:tongbo [^`]*)?(--[a-z][a-z0-9-]*)")
	namedVariable = regexp.MustCompile(`TONGBO_[A-Z0-9_]+`)
	namedCommand  = regexp.MustCompile("(?m)(?:`|^    (?:bin/)?)tongbo ([a-z]+)")
)

// TestDocumentsNameWhatExists looks for every command, flag and variable that
// the documents name.
func TestDocumentsNameWhatExists(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(commands), grammar()...)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"TONGBO_TEST_POSTGRES", "TONGBO_TORTURE", "--help"}
	err = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if node, ok := n.(*kong.Node); ok && node.Type == kong.CommandNode {
			known = append(known, node.Name)
		}
		if flag, ok := n.(*kong.Flag); ok {
			known = append(append(known, "--"+flag.Name), flag.Envs...)
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, file := range append(files, "../../README.md", "../../SECURITY.md", "../../CONTRIBUTING.md", "../../ARCHITECTURE.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := namedVariable.FindAllString(string(text), -1)
		for _, re := range []*regexp.Regexp{namedFlag, namedCommand} {
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				names = append(names, m[1])
			}
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				t.Errorf("%s names %s, which there is not", file, name)
			}
		}
	}
}
