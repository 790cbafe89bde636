package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClickable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"[::]:8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", "127.0.0.2:8080": "127.0.0.2:8080", "[::1]:8080": "[::1]:8080",
	} {
		a, err := net.ResolveTCPAddr("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := clickable(a); got != want {
			t.Errorf("clickable(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestProxyBlock(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "127.0.0.1": "127.0.0.1/32", "::1": "::1/128", "10.0.0.0/33": "", "proxy": "", "": "",
	} {
		var p proxyBlock
		err := p.UnmarshalText([]byte(in))
		if want == "" {
			if err == nil {
				t.Errorf("%q is read as %v", in, p)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("%q is read as %v, %v; want %s", in, p, err, want)
		}
	}
}

// TestKeep gives retentions that no database can have: they are refused before
// anything is opened.
func TestKeep(t *testing.T) {
	for _, c := range []struct {
		name      string
		args      []string
		env, want string
	}{
		{"negative", []string{"--keep-bodies=-1"}, "", "bodies cannot be kept for -1 days"},
		{"negative payments", []string{"--keep-payments=-1"}, "", "payments cannot be kept for -1 days"},
		{"history shorter than bodies", []string{"--keep-history=89"}, "", "history cannot be kept for 89 days and bodies for 90"},
		{"bodies for ever", []string{"--keep-bodies=0"}, "", "bodies cannot be kept for ever if history is kept for 400 days"},
		{"by the environment", nil, "30", "history cannot be kept for 30 days and bodies for 90"},
		{"no number", []string{"--keep-history=1y"}, "", "--keep-history"},
	} {
		if c.env != "" {
			t.Setenv("TONGBO_KEEP_HISTORY", c.env)
		}
		database := filepath.Join(t.TempDir(), "t.db")
		args := append([]string{"serve", "--listen=127.0.0.1:0", "--database=sqlite:" + database}, c.args...)
		code, out, errs := run(t, "", args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, c.want) || !strings.Contains(errs, "tongbo serve --help") {
			t.Errorf("%s: code %d, %q, %q; want %q", c.name, code, out, errs, c.want)
		}
		if _, err := os.Stat(database); err == nil {
			t.Errorf("%s: a database was made", c.name)
		}
	}
}

func TestAPIRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ arg, want string }{
		{"--api-rate=-1", "0 is without limit"}, {"--api-rate=many", "tongbo serve --help"},
	} {
		database := filepath.Join(t.TempDir(), "t.db")
		code, _, errs := run(t, "", "serve", "--listen=127.0.0.1:0", "--database=sqlite:"+database, c.arg)
		if code != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%s: code %d, %q; want %q", c.arg, code, errs, c.want)
		}
	}
}
