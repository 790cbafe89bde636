package archtest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path under which the tree's packages import each other.
const module = "github.com/tongbo/tongbo"

var update = flag.Bool("update", false, "write modules.txt anew")

// A rule looks at a tree and returns what is wrong with it, a sentence each.
type rule func(tree) []string

// rules are all that this package tests, by the name of the subtest.
var rules = map[string]rule{
	"layers":       layersKept,
	"tests stay":   testPackagesStay,
	"files":        filesShort,
	"functions":    functionsExplained,
	"proportions":  functionsShort,
	"comments":     packagesCommented,
	"names":        packagesNamed,
	"providers":    providersComplete,
	"sleep":        sleepInBubbles,
	"modules":      modulesListed,
	"dependencies": dependenciesExplained,
}

func TestTree(t *testing.T) {
	fsys := os.DirFS("../..")
	if *update {
		if err := os.WriteFile("modules.txt", []byte(moduleList(fsys)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, complaint := range rule(tree) {
				t.Error(complaint)
			}
		})
	}
}

// tree is the repository: its files, and its Go files parsed.
type tree struct {
	fsys  fs.FS
	fset  *token.FileSet
	files []file // in the order of their paths
}

// file is one parsed Go file.
type file struct {
	path      string // from the root, with slashes
	syntax    *ast.File
	lines     int
	generated bool
}

func (f file) folder() string { return path.Dir(f.path) }
func (f file) isTest() bool   { return strings.HasSuffix(f.path, "_test.go") }

// imports are the packages of this module that f imports, by their folders.
func (f file) imports() []string {
	var folders []string
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if folder, ours := strings.CutPrefix(name, module+"/"); err == nil && ours {
			folders = append(folders, folder)
		}
	}
	return folders
}

// load parses every Go file of the module. Like the go command it passes over
// testdata and folders whose names start with a dot or an underscore, and over
// modules of their own.
func load(fsys fs.FS) (tree, error) {
	t := tree{fsys: fsys, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && foreign(fsys, name):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		f, err := t.parse(name)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		t.files = append(t.files, f)
		return nil
	})
	return t, err
}

func foreign(fsys fs.FS, folder string) bool {
	if folder == "." {
		return false
	}
	base := path.Base(folder)
	_, err := fs.Stat(fsys, path.Join(folder, "go.mod"))
	return base == "testdata" || base[0] == '.' || base[0] == '_' || err == nil
}

func (t tree) parse(name string) (file, error) {
	text, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return file{}, err
	}
	syntax, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	return file{
		path:      name,
		syntax:    syntax,
		lines:     strings.Count(string(text), "\n"),
		generated: ast.IsGenerated(syntax) || strings.HasSuffix(name, "_gen.go"),
	}, nil
}

// folders are the folders with Go files, sorted.
func (t tree) folders() []string {
	var all []string
	for _, f := range t.files {
		all = append(all, f.folder())
	}
	slices.Sort(all)
	return slices.Compact(all)
}
