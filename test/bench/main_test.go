//go:build linux

package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary play the roles: it is what spawn starts.
func TestMain(m *testing.M) {
	if !playRole(os.Args[1:]) {
		os.Exit(m.Run())
	}
}

// TestAccept runs a measure for a moment, with all its processes.
func TestAccept(t *testing.T) {
	if raced || testing.Short() {
		t.Skip("the program is measured in the pass without the race detector, and not in a short one")
	}
	file := filepath.Join(t.TempDir(), "kept.json")
	var out strings.Builder
	if err := run(t.Context(), []string{"-quick", "-only", "accept,e2e", "-engines", "sqlite", "-orders", "2000", "-keep", file}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	r, err := loadReport(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"accepted, to floor (a)", "accepted", "webhooks until the last", keepFloorName, postFloorName, "RSS of the server"} {
		i := slices.IndexFunc(r.Figures, func(f figure) bool { return f.What == what })
		if i < 0 || r.Figures[i].median() <= 0 {
			t.Errorf("no figure says more than zero of %q", what)
		}
	}
	if text := out.String(); !strings.HasPrefix(text, "### Ratios") || !strings.Contains(text, "| kernel |") {
		t.Errorf("the report reads:\n%s", text)
	}
}

func TestFlags(t *testing.T) {
	for _, bad := range [][]string{
		{"-only", "accept,none"}, {"-engines", "oracle"}, {"-runs", "-1"}, {"-history", "-1"}, {"left over"},
		{"-quick", "-write", "doc.md"}, {"-nonsense"},
	} {
		if err := run(t.Context(), bad, io.Discard, io.Discard); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"-list"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, m := range measures {
		if !strings.Contains(out.String(), m.name) {
			t.Errorf("-list does not tell of %s", m.name)
		}
	}
}
