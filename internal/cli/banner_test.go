package cli

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/words"
)

func TestQueueText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		waiting, resumed int
		want             string
	}{
		{0, 0, "0 waiting"}, {3, 0, "3 waiting"}, {1234, 3, "1,234 waiting, 3 resumed"}, {10_000, 0, "10,000 waiting"}, {10_001, 1234, "10,000+ waiting, 1,234 resumed"},
	} {
		if got := queueText(words.En, c.waiting, c.resumed); got != c.want {
			t.Errorf("queueText(%d, %d) = %q, want %q", c.waiting, c.resumed, got, c.want)
		}
	}
}

// TestBanner starts a server and reads what it says of itself.
func TestBanner(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "t.db")
	ctx, cancel := context.WithCancel(t.Context())
	out := &watched{until: "/console/", seen: cancel}
	var errs bytes.Buffer
	env := Env{Stdin: strings.NewReader(""), Stdout: out, Stderr: &errs, Signals: func() (context.Context, context.CancelFunc) { return ctx, cancel }}
	if code := Main([]string{"serve", "--listen=127.0.0.1:0", "--v1-listen=", "--database=" + database, "--public-url=https://pay.example.kr"}, env); code != exitOK {
		t.Fatalf("exit %d %s", code, &errs)
	}
	want := regexp.MustCompile(`^  ingress   http://127\.0\.0\.1:\d+/   public https://pay\.example\.kr   notice paths: tongbo providers
  api       http://127\.0\.0\.1:\d+/payments/\{paymentId\}
  store     ` + regexp.QuoteMeta(database) + `   schema \d+   queue 0 waiting
  console   http://127\.0\.0\.1:\d+/console/setup\?token=\S+   \(makes you the owner; 30 minutes, once\)
$`)
	if got := out.all.String(); !want.MatchString(got) {
		t.Errorf("it says\n%s", got)
	}
}
