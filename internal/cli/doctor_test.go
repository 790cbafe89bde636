package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoctor examines an installation beside its server.
func TestDoctor(t *testing.T) {
	t.Parallel()
	database, url, _ := served(t)
	args := []string{"doctor", database, "--public-url=" + url, "--allow-private-webhooks", "--egress=203.0.113.20,203.0.113.21", "--lang=en"}
	code, out, errs := watch(t, args...)
	for _, want := range []string{
		"ok    config ", "ok    database        SQLite, write and fsync ", "warn  public URL      " + url + " reached from here", "info  client address  No notice has come yet.",
		": what proves its notices is missing: merchant_key / secret_key\n                      → Enter it in the console, under Payment channels, or in credentials of the file that is applied.", "ok    queue           0 webhooks wait.", " disk ",
		"info  egress          203.0.113.20, 203.0.113.21: shops must allow this address.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if code != exitOK || errs != "" || strings.Contains(out, "fail ") {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
	code, out, _ = watch(t, append(args, "--json")...)
	lines := bufio.NewScanner(strings.NewReader(out))
	n := 0
	for lines.Scan() {
		var f shownFinding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil || f.Text == "" || f.Level == "" || f.Subject == "" {
			t.Errorf("%v: %s", err, lines.Text())
		}
		n++
	}
	if code != exitOK || n < 10 {
		t.Errorf("--json: exit %d, %d lines", code, n)
	}
}

func TestDoctorFindsProblems(t *testing.T) {
	t.Parallel()
	database, _, _ := served(t)
	code, out, errs := watch(t, "doctor", database, "--public-url=https://nobody.invalid", "--lang=ko")
	if code != exitProblems || !strings.Contains(out, "nobody.invalid를 찾을 수 없어요") && !strings.Contains(out, "DNS 서버가 답하지 않아요") || !strings.Contains(out, "문제 1건") || !strings.Contains(errs, "problems: 1") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	file := filepath.Join(t.TempDir(), "none.db")
	if code, _, errs := watch(t, "doctor", "--database=sqlite:"+file); code != exitFailed || !strings.Contains(errs, "there is no database") {
		t.Errorf("without a database: exit %d %s", code, errs)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it made a database")
	}
}

// TestConfigShow says of each setting where it came from, and shows no secret.
func TestConfigShow(t *testing.T) {
	t.Setenv("TONGBO_KEEP_BODIES", "30")
	t.Setenv("TONGBO_KEY", "opensesame-is-the-key")
	code, out, errs := run(t, "", "config", "show", "--listen=127.0.0.1:9", "--database=postgres://u:opensesame@h/db", "--lang=en")
	for _, want := range []string{"--keep-bodies ", " 30 ", " environment  TONGBO_KEEP_BODIES", "--listen ", " 127.0.0.1:9 ", " flag ", "postgres://h/db", "--key "} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if code != exitOK || errs != "" || strings.Contains(out, "opensesame") {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
	t.Setenv("TONGBO_KEEP_BODIEZ", "30")
	code, out, errs = run(t, "", "config", "show", "--json")
	if code != exitProblems || !strings.Contains(errs, "TONGBO_KEEP_BODIEZ") || !strings.Contains(out, `"source":"env"`) || strings.Contains(out, "opensesame") {
		t.Errorf("a slip: exit %d %s\n%s", code, errs, out)
	}
	if code, _, _ := run(t, "", "config", "show", "--trusted-proxies=nothing"); code != exitUsage {
		t.Errorf("a value that is none: exit %d", code)
	}
}
