package archtest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const (
	listName    = "internal/archtest/modules.txt"
	reasonsName = "docs/dependencies.md"
)

// required is a module that go.mod requires.
type required struct {
	path     string
	indirect bool
}

// requirements reads the require lines of go.mod, which gofmt-like form the go
// command keeps.
func requirements(fsys fs.FS) ([]required, error) {
	text, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	var all []required
	inside := false
	for line := range strings.Lines(string(text)) {
		code, comment, _ := strings.Cut(line, "//")
		fields := strings.Fields(code)
		switch {
		case len(fields) == 0:
			continue
		case fields[0] == ")":
			inside = false
			continue
		case fields[0] == "require" && len(fields) == 2 && fields[1] == "(":
			inside = true
			continue
		case fields[0] == "require":
			fields = fields[1:]
		case !inside:
			continue
		}
		all = append(all, required{fields[0], strings.TrimSpace(comment) == "indirect"})
	}
	return all, nil
}

// moduleList is what modules.txt should hold: every module, direct or not.
func moduleList(fsys fs.FS) string {
	all, err := requirements(fsys)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, m := range all {
		lines = append(lines, m.path+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// modulesListed checks that nobody added or dropped a module without noticing.
func modulesListed(t tree) []string {
	text, err := fs.ReadFile(t.fsys, listName)
	if err != nil {
		return []string{err.Error()}
	}
	have, want := strings.Fields(string(text)), strings.Fields(moduleList(t.fsys))
	var complaints []string
	for _, m := range want {
		if !slices.Contains(have, m) {
			complaints = append(complaints, "go.mod has gained "+m)
		}
	}
	for _, m := range have {
		if !slices.Contains(want, m) {
			complaints = append(complaints, "go.mod has lost "+m)
		}
	}
	if len(complaints) > 0 {
		complaints = append(complaints, "if that is meant: go test ./internal/archtest -update")
	}
	return complaints
}

// dependenciesExplained checks that docs/dependencies.md has one row for each
// direct module, and none for a module that is gone.
func dependenciesExplained(t tree) []string {
	text, err := fs.ReadFile(t.fsys, reasonsName)
	if err != nil {
		return []string{err.Error()}
	}
	all, err := requirements(t.fsys)
	if err != nil {
		return []string{err.Error()}
	}
	explained := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(row, "`")
			explained[name] = true
		}
	}
	var complaints []string
	for _, m := range all {
		if !m.indirect && !explained[m.path] {
			complaints = append(complaints, fmt.Sprintf("%s gives no reason for %s", reasonsName, m.path))
		}
	}
	for name := range explained {
		if !slices.Contains(all, required{path: name}) {
			complaints = append(complaints, fmt.Sprintf("%s explains %s, which go.mod does not require directly", reasonsName, name))
		}
	}
	slices.Sort(complaints)
	return complaints
}
