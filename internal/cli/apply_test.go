package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// oneShop is a declaration that warns: a live channel without credentials.
const oneShop = `
[[merchant]]
name = "가나상점"
[[merchant.store]]
name = "대표"
[[merchant.store.channel]]
provider = "nice_v2"
mode = "live"
mid = "nice-live-m"
[[merchant.store.api_secret]]
name = "server"
`

// shopFile writes oneShop and names a database beside it.
func shopFile(t *testing.T) (file, database string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "shop.toml")
	if err := os.WriteFile(file, []byte(oneShop), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, "--database=sqlite:" + filepath.Join(dir, "t.db")
}

func TestApplyWithWarningsOnly(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	warnings := []settings.Change{{Kind: settings.Warning, What: "channel", Key: "one"}, {Kind: settings.Warning, What: "channel", Key: "two"}}
	if err := new(applyCmd).show(Env{Stdout: &out, Stderr: &errs}, consoleLinks{}, warnings); err != nil {
		t.Fatal(err)
	}
	if out.String() != "nothing changed\n" || strings.Count(errs.String(), "warning") != 2 {
		t.Errorf("printed %q and %q", out.String(), errs.String())
	}
}

func TestApplyTwice(t *testing.T) {
	t.Parallel()
	file, database := shopFile(t)
	code, out, errs := run(t, "", "apply", database, file)
	if code != exitOK || !strings.Contains(out, "  signing secret for noticeUrls (shown this once): whsec_") || !strings.Contains(out, "  API secret (shown this once): ") || strings.Contains(out, "nothing changed") || !strings.Contains(errs, "warning") {
		t.Errorf("first: %d\n%s\n%s", code, out, errs)
	}
	code, out, errs = run(t, "", "apply", database, file)
	if code != exitOK || out != "nothing changed\n" || errs != "" {
		t.Errorf("second: %d\n%s\n%s", code, out, errs)
	}
}

func TestApplyIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	file, database := shopFile(t)
	for range 2 {
		if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
			t.Fatalf("exit %d\n%s", code, errs)
		}
	}
	key, err := seal.LoadFile(filepath.Join(filepath.Dir(file), "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	r, end, err := store.OpenReadOnly(t.Context(), strings.TrimPrefix(database, "--database="), store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = end() }()
	list, err := r.AuditLog(t.Context(), store.AuditQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	for _, e := range list {
		if e.By != byUser() || e.By.Kind != member.CLI || e.By.Name == "" {
			t.Errorf("%s by %+v, want %+v", e.Action, e.By, byUser())
		}
		done = append(done, e.Action)
	}
	slices.Sort(done)
	if got := strings.Join(done, " "); got != "api_secret.created channel.created merchant.created store.created" {
		t.Errorf("the audit log has %q", got)
	}
}

// closed is an output that nobody reads.
type closed struct{}

// Write fails.
func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestApplySaysThatNobodySawTheSecrets(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"--json", "--json=false"} {
		file, database := shopFile(t)
		var errs bytes.Buffer
		code := Main([]string{"apply", database, format, file}, Env{Stdin: strings.NewReader(""), Stdout: closed{}, Stderr: &errs})
		for _, want := range []string{"broken pipe", "are saved", "docs/apply.md"} {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("%s: no word of %q:\n%s", format, want, errs.String())
			}
		}
		if code != exitFailed {
			t.Errorf("%s: exit %d, want %d", format, code, exitFailed)
		}
	}
}

func TestNoPasswordIsPrinted(t *testing.T) {
	t.Parallel()
	for _, database := range []string{
		"postgres://tongbo:s3cret@127.0.0.1:1/x", "postgres://127.0.0.1:1/x?user=x&password=s3cret",
		"host=127.0.0.1 password=s3cret", "mysql://x:s3cret@db/x",
	} {
		for _, command := range []string{"verify", "notices", "serve"} {
			args := []string{command, "--database=" + database}
			if command == "serve" {
				args = append(args, "--listen=127.0.0.1:0")
			}
			code, out, errs := run(t, "", args...)
			if code == exitOK || strings.Contains(out+errs, "s3cret") {
				t.Errorf("%v: exit %d\n%s%s", args, code, out, errs)
			}
		}
	}
}
