package archtest

import (
	"fmt"
	"go/ast"
	"regexp"
)

const (
	fileLimit     = 400 // lines of a file
	functionLimit = 80  // lines of a function that need no excuse
	half          = 12  // half of the functions are shorter
	mostly        = 40  // nine of ten are shorter
)

// excuse is what the comment of a long function must say, with the reason.
var excuse = regexp.MustCompile(`(?i)\blong\b`)

// filesShort checks that every file is about one subject, as far as its length
// can tell.
func filesShort(t tree) []string {
	var complaints []string
	for _, f := range t.files {
		if !f.generated && f.lines >= fileLimit {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines, want fewer than %d: split it by subject", f.path, f.lines, fileLimit))
		}
	}
	return complaints
}

// functionsExplained checks that a very long function says why it is long.
func functionsExplained(t tree) []string {
	var complaints []string
	for _, f := range t.files {
		for _, fn := range functions(f) {
			if n := t.length(fn); n > functionLimit && !excuse.MatchString(fn.Doc.Text()) {
				complaints = append(complaints, fmt.Sprintf("%s: %s has %d lines: split it, or say in its comment why it is long", t.fset.Position(fn.Pos()), fn.Name.Name, n))
			}
		}
	}
	return complaints
}

// functionsShort checks the tree's functions as a whole, tests aside: half of
// them are under 12 lines and nine of ten under 40.
func functionsShort(t tree) []string {
	var all, underHalf, underMost int
	for _, f := range t.files {
		if f.isTest() {
			continue
		}
		for _, fn := range functions(f) {
			n := t.length(fn)
			all++
			if n < half {
				underHalf++
			}
			if n < mostly {
				underMost++
			}
		}
	}
	var complaints []string
	if underHalf*2 < all {
		complaints = append(complaints, fmt.Sprintf("%d of %d functions are under %d lines, want half", underHalf, all, half))
	}
	if underMost*10 < all*9 {
		complaints = append(complaints, fmt.Sprintf("%d of %d functions are under %d lines, want nine of ten", underMost, all, mostly))
	}
	return complaints
}

// functions are the functions and methods that f declares, none if it is
// generated.
func functions(f file) []*ast.FuncDecl {
	if f.generated {
		return nil
	}
	var all []*ast.FuncDecl
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			all = append(all, fn)
		}
	}
	return all
}

// length is how many lines fn takes, without its comment.
func (t tree) length(fn *ast.FuncDecl) int {
	return t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1
}
