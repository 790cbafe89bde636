package cli

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRunningServer: doctor and config show say what the running server was started with
// otherwise, and nothing where it was not.
func TestRunningServer(t *testing.T) {
	t.Parallel()
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "t.db")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := make(chan struct{})
	out := &watched{until: "/console/", seen: sync.OnceFunc(func() { close(up) })}
	env := Env{Stdin: strings.NewReader(""), Stdout: out, Stderr: new(strings.Builder), Signals: func() (context.Context, context.CancelFunc) { return ctx, cancel }}
	stopped := make(chan int, 1)
	go func() {
		stopped <- Main([]string{"serve", database, "--listen=127.0.0.1:0", "--v1-listen=", "--public-url=http://127.0.0.1:9", "--lang=ko"}, env)
	}()
	<-up
	const differs = "The running server has --public-url http://127.0.0.1:9, and here it is –."
	for _, command := range []string{"doctor", "config show"} {
		args := append(strings.Fields(command), database, "--lang=en")
		said := ""
		for began := time.Now(); !strings.Contains(said, differs) && time.Since(began) < 10*time.Second; { // it tells once it serves
			_, out, errs := watch(t, args...)
			said = out + errs
		}
		if !strings.Contains(said, differs) {
			t.Errorf("%s does not say %q:\n%s", command, differs, said)
		}
		args = append(args, "--public-url=http://127.0.0.1:9", "--listen=:1")
		if _, out, errs := watch(t, args...); strings.Contains(out+errs, "The running server has") {
			t.Errorf("%s says of the same that it differs:\n%s%s", command, out, errs)
		}
	}
	cancel()
	if code := <-stopped; code != exitOK {
		t.Errorf("serve ended with %d", code)
	}
}
