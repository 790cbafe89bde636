package archtest

import (
	"go/ast"
	"slices"
)

// sleepInBubbles checks that only tests sleep, and only where the package's
// tests run in bubbles of virtual time: elsewhere a sleep is a guess.
func sleepInBubbles(t tree) []string {
	bubbles := map[string]bool{} // folders whose tests use testing/synctest
	for _, f := range t.files {
		if slices.ContainsFunc(f.syntax.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"testing/synctest"` }) {
			bubbles[f.folder()] = true
		}
	}
	var complaints []string
	for _, f := range t.files {
		if sleeps(f.syntax) && (!f.isTest() || !bubbles[f.folder()]) {
			complaints = append(complaints, f.path+": time.Sleep outside tests in virtual time (testing/synctest)")
		}
	}
	return complaints
}

// sleeps reports whether a file calls time.Sleep.
func sleeps(syntax *ast.File) bool {
	found := false
	ast.Inspect(syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Sleep" {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		found = found || (ok && x.Name == "time")
		return true
	})
	return found
}
