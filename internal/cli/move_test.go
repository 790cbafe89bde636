package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/store"
)

func TestMoveRefuses(t *testing.T) {
	t.Parallel()
	dir, database := declared(t)
	from := strings.Replace(database, "--database", "--from", 1)
	const nobody = "--to=postgres://u:opensesame@127.0.0.1:1/x"
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"to nothing", []string{from}, exitUsage, []string{"--to", "tongbo move --help"}},
		{"to SQLite", []string{from, "--to=sqlite:" + dir + "/other.db"}, exitUsage, []string{"from sqlite:FILE to postgres://"}},
		{"from PostgreSQL", []string{"--from=postgres://u:opensesame@db.example/x", nobody}, exitUsage, []string{"--from takes sqlite:FILE", "For example: tongbo move"}},
		{"from a file that is not there", []string{"--from=sqlite:" + dir + "/none.db", nobody}, exitFailed, []string{"there is no database", "--from sqlite:FILE"}},
		{"without its key", []string{from, nobody, "--key-file=" + dir + "/none.key"}, exitUsage, []string{"restore it from your backup"}},
		{"to nobody", []string{from, nobody}, exitAway, []string{"Is PostgreSQL running"}},
	} {
		code, out, errs := run(t, "", append([]string{"move"}, c.args...)...)
		if code != c.code || out != "" || strings.Contains(errs, "opensesame") {
			t.Errorf("%s: %d, want %d\n%s\n%s", c.name, code, c.code, out, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: no word of %q:\n%s", c.name, want, errs)
			}
		}
	}
}

func TestStepText(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]store.MoveStep{
		"copying notice: 1,500 of 3,000 rows, 50 %": {Phase: store.MoveCopies, Table: "notice", Rows: 1500, Total: 3000},
		"comparing allow: 0 of 0 rows, 100 %":       {Phase: store.MoveCompares, Table: "allow"},
		"verifying what was copied":                 {Phase: store.MoveVerifies},
	} {
		if got := stepText(s); got != want {
			t.Errorf("stepText(%+v) = %q, want %q", s, got, want)
		}
	}
}

// TestMoveHints looks for what to do about errors of the store, and for the
// exit code of a check that found problems.
func TestMoveHints(t *testing.T) {
	t.Parallel()
	c := &moveCmd{From: "sqlite:t.db"}
	var out bytes.Buffer
	if code := report(&out, c.explain(&store.ProblemsError{Problems: 2})); code != exitProblems || !strings.Contains(out.String(), "nothing was moved: Verify finds 2 problems") || !strings.Contains(out.String(), "sqlite:t.db") {
		t.Errorf("%d\n%s", code, out.String())
	}
}
