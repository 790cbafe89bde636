package cli

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo plays the story in both languages and looks for what a newcomer
// would: what was told, what was decided, and numbers that never differ.
func TestDemo(t *testing.T) {
	for lang, want := range map[string][]string{
		"ko": {"판정: 반영 (applied)", "판정: 중복 (duplicate)", "판정: 불일치 (conflict), ", "8C 63 B9 E6 B0 A2 C7 CF (EUC-KR) = 똠방각하", "온 금액은 31000원", "확인 대기 1건", "발송 시도 6회", "tongbo serve로"},
		"en": {"verdict: applied\n", "verdict: duplicate", "verdict: conflict, ", "8C 63 B9 E6 B0 A2 C7 CF (EUC-KR) = 똠방각하", "and 31000 came", "1 open case, ", "6 attempts", "Next: tongbo demo "},
	} {
		t.Setenv("TMPDIR", t.TempDir())
		code, out, errs := run(t, "", "demo", "--once", "--lang", lang, "--listen", "127.0.0.1:0")
		if code != exitOK || errs != "" {
			t.Fatalf("%s: exit %d %s\n%s", lang, code, errs, out)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, out)
			}
		}
	}
}

// shortReader is an output whose reader goes away after a few lines.
type shortReader struct{ left int }

// Write fails when nothing is left.
func (s *shortReader) Write(b []byte) (int, error) {
	if s.left--; s.left < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(b), nil
}

func TestDemoLeavesNothingBehind(t *testing.T) {
	for _, args := range [][]string{{"demo", "--once", "--listen", "127.0.0.1:0"}, {"demo", "--listen", "127.0.0.1:0"}} {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		var errs strings.Builder
		code := Main(args, Env{Stdin: strings.NewReader(""), Stdout: &shortReader{left: 3}, Stderr: &errs})
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(left) > 0 || code == exitOK {
			t.Errorf("%v: exit %d, left %v: %s", args, code, left, errs.String())
		}
	}
}

func TestDemoListen(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	code, _, errs := run(t, "", "demo", "--once", "--listen", "203.0.113.1:80")
	if code == exitOK || !strings.Contains(errs, "--listen 127.0.0.1:8080") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestHints(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.key")
	if err := os.WriteFile(bad, []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	db := "--database=sqlite:" + filepath.Join(t.TempDir(), "t.db")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"apply"}, "See: tongbo apply --help"},
		{[]string{"channel", "guide"}, "See: tongbo channel guide --help"},
		{[]string{"frobnicate"}, "See: tongbo --help"},
		{[]string{"serve", "--listen=127.0.0.1:0", "--database=tongbo.db"}, "Did you mean --database sqlite:tongbo.db?"},
		{[]string{"serve", "--listen=127.0.0.1:0", db, "--key-file=" + bad}, "tongbo key"},
		{[]string{"notices", "--limit=0"}, "--limit 0"},
		{[]string{"notices", "--verdict=foo"}, "--verdict foo: want one of applied, duplicate,"},
	} {
		if code, _, errs := run(t, "", tt.args...); code != exitUsage || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %s", tt.args, code, errs)
		}
	}
}

func TestSimulateTellsWhatIsNext(t *testing.T) {
	_, url := receive(t, "kcp", 0)
	code, out, errs := watch(t, "simulate", "kcp", "deposited", "--to", url, "--order", "o-1", "--deposit", "20261121000000000009")
	if code != exitOK || errs != "" || !strings.Contains(out, "reversed --to "+url+" --order o-1 --amount 10000 --deposit 20261121000000000009\n") || !strings.Contains(out, "tongbo notices") {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
	if _, _, errs := run(t, "", "simulate", "kcp", "reversed", "--to", url, "--order", "o-1"); !strings.Contains(errs, "--deposit") {
		t.Errorf("a reversal of nothing: %q", errs)
	}
}

func TestParticles(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{"8080": "8080이 8080으로", "8092": "8092가 8092로", "46305": "46305가 46305로", "7": "7이 7로", "99": "99가 99로"} {
		if got := subject(number) + " " + toward(number); got != want {
			t.Errorf("%s becomes %s, want %s", number, got, want)
		}
	}
}

func TestDemoTakesAnotherPort(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	code, out, errs := run(t, "", "demo", "--once", "--lang=en", "--listen", l.Addr().String())
	if code != exitOK || !strings.Contains(out, " is taken; listening on 127.0.0.1:") {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
}
