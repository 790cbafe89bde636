package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// declared makes a database with settings and returns its flag and folder.
func declared(t *testing.T) (dir, database string) {
	t.Helper()
	file, database := shopFile(t)
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatalf("apply: %d\n%s", code, errs)
	}
	return filepath.Dir(file), database
}

func TestBackup(t *testing.T) {
	t.Parallel()
	dir, database := declared(t)
	file := filepath.Join(dir, "copy.db")
	code, out, errs := watch(t, "backup", database, file)
	if code != exitOK || errs != "" {
		t.Fatalf("backup: %d\n%s\n%s", code, out, errs)
	}
	key := filepath.Join(dir, "t.db.key")
	for _, want := range []string{"copied and checked: " + file, "The key is not in it", "tongbo serve --database sqlite:" + file + " --key-file " + key, "tongbo verify --database sqlite:" + file + " --key-file " + key} {
		if !strings.Contains(out, want) {
			t.Errorf("no word of %q:\n%s", want, out)
		}
	}
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, bytes.TrimSpace(secret)) {
		t.Errorf("the key is in the backup (%v)", err)
	}
	if code, out, errs := watch(t, "verify", "--database=sqlite:"+file, "--key-file="+key); code != exitOK || !strings.Contains(out, "ok") {
		t.Errorf("verify: %d\n%s\n%s", code, out, errs)
	}
	if code, _, errs := watch(t, "backup", database, file); code != exitFailed || !strings.Contains(errs, "already") || !strings.Contains(errs, "tongbo backup --force "+file) {
		t.Errorf("a second time: %d\n%s", code, errs)
	}
	code, out, errs = watch(t, "backup", database, "--force", "--json", "sqlite:"+file)
	var shown shownBackup
	if err := json.Unmarshal([]byte(out), &shown); code != exitOK || errs != "" || err != nil || shown.File != file || shown.Bytes == 0 || shown.Schema == 0 {
		t.Errorf("as JSON: %d, %+v, %v\n%s\n%s", code, shown, err, out, errs)
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	dir, database := declared(t)
	file := filepath.Join(dir, "copy.db")
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"PostgreSQL", []string{"--database=postgres://u:opensesame@db.example/x", file}, exitUsage, []string{"pg_dump", "pg_basebackup", "docs/operate.md"}},
		{"no file", []string{database}, exitUsage, []string{"<file>", "tongbo backup --help"}},
		{"no database", []string{"--database=sqlite:" + dir + "/none.db", file}, exitFailed, []string{"there is no database", "--database sqlite:FILE"}},
		{"no scheme", []string{"--database=t.db", file}, exitUsage, []string{"Did you mean --database sqlite:t.db?"}},
		{"no folder", []string{database, dir + "/none/copy.db"}, exitUsage, []string{"there is no folder"}},
		{"the database itself", []string{database, "--force", dir + "/t.db"}, exitUsage, []string{"is the database itself"}},
		{"the key", []string{database, "--force", dir + "/t.db.key"}, exitFailed, []string{"is no SQLite database"}},
	} {
		code, out, errs := run(t, "", append([]string{"backup"}, c.args...)...)
		if code != c.code || out != "" || strings.Contains(errs, "opensesame") {
			t.Errorf("%s: %d, want %d\n%s\n%s", c.name, code, c.code, out, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: no word of %q:\n%s", c.name, want, errs)
			}
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a backup was made")
	}
}

// TestProgress shows a line once something takes long, on a terminal alone.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		var out bytes.Buffer
		p := newProgress(Env{Stdout: &out, Terminal: terminal})
		p.show("too early")
		p.began = p.began.Add(-time.Minute)
		p.show("a long line: %d %%", percent(1, 3))
		p.shown = time.Time{}
		p.show("short")
		p.show("too soon")
		p.end()
		want := ""
		if terminal {
			want = "\ra long line: 33 %\rshort" + strings.Repeat(" ", 12) + "\r     \r"
		}
		if out.String() != want {
			t.Errorf("on a terminal %v: %q, want %q", terminal, out.String(), want)
		}
	}
}
