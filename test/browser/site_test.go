package browser

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/cli"
)

// A site is the program as `tongbo serve` runs it, in this process, on a SQLite database of
// its own.
type site struct {
	*testing.T
	url      string
	database string
	out      *output
	stop     func()
}

// output is what the program has written; it is read while it writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// openSite serves on a free port. The public address is that of the port.
func openSite(t *testing.T, flags ...string) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // the program takes it
	s := &site{T: t, url: "http://" + address, database: "sqlite:" + filepath.Join(t.TempDir(), "tongbo.db"), out: &output{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan int, 1)
	args := append([]string{
		"serve", "--listen", address, "--v1-listen", "", "--database", s.database, "--public-url", s.url, "--allow-private-webhooks",
	}, flags...)
	go func() {
		done <- cli.Main(args, cli.Env{
			Stdin: strings.NewReader(""), Stdout: s.out, Stderr: s.out,
			Signals: func() (context.Context, context.CancelFunc) { return ctx, func() {} },
		})
	}()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if code := <-done; code != 0 {
				t.Errorf("serve ended with %d:\n%s", code, s.out)
			}
		})
	}
	t.Cleanup(s.stop)
	s.until("readiness", func() bool {
		r, err := (&http.Client{Timeout: time.Second}).Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return s
}

// until waits for something outside the browser.
func (s *site) until(what string, done func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if done() {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("waited for %s in vain:\n%s", what, s.out)
		}
	}
}

// run runs another command on the site's database, and returns what it prints.
func (s *site) run(args ...string) string {
	s.Helper()
	var out, errs output
	if code := cli.Main(append(args, "--database", s.database), cli.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}); code != 0 {
		s.Fatalf("tongbo %s: exit %d\n%s%s", strings.Join(args, " "), code, &out, &errs)
	}
	return out.String()
}

// apply declares what a file says.
func (s *site) apply(text string) string {
	s.Helper()
	file := filepath.Join(s.TempDir(), "site.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return s.run("apply", file)
}

var setupLink = regexp.MustCompile(`http://\S+/console/setup\?token=\S+`)

// link is the one-time address that serve printed for the first owner.
func (s *site) link() string {
	s.Helper()
	var path string
	s.until("the set-up link", func() bool {
		if m := setupLink.FindString(s.out.String()); m != "" {
			_, path, _ = strings.Cut(m, "/console/")
		}
		return path != ""
	})
	return "/console/" + path
}

// A shop is a server of a merchant, which answers webhooks as it is told.
type shop struct {
	url string

	mu     sync.Mutex
	answer http.HandlerFunc
	calls  []string // the bodies that came
}

// openShop listens on a free port and answers 200.
func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		s.mu.Lock()
		s.calls = append(s.calls, fmt.Sprintf("%s %s", r.URL.Path, body))
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	})}
	go func() { _ = hs.Serve(l) }()
	t.Cleanup(func() { _ = hs.Close() })
	s.url = "http://" + l.Addr().String() + "/webhook"
	return s
}

// answers has the shop answer otherwise from now on.
func (s *shop) answers(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

// heard reports how many webhooks came.
func (s *shop) heard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}
