package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestProviderCalls compares what each PG can be asked for by API with the table in
// docs/providers.md.
func TestProviderCalls(t *testing.T) {
	t.Parallel()
	compareLines(t, "../docs/providers.md", "## What they are asked for", tableRow, callRows())
}

func callRows() []string {
	var out []string
	for _, p := range all.Providers() {
		cells := []string{"`" + p.Info().Code + "`"}
		for _, c := range provider.AllCalls() {
			mark := ""
			if slices.Contains(provider.Calls(p), c) {
				mark = "●"
			}
			cells = append(cells, mark)
		}
		out = append(out, "| "+strings.Join(cells, " | ")+" |")
	}
	return out
}
