package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// A receiver is a server that refuses some notices and then takes all.
type receiver struct {
	p       provider.Provider
	refuses int

	mu     sync.Mutex
	bodies []string
	paths  []string
}

func (s *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.bodies = append(s.bodies, string(body))
	s.paths = append(s.paths, r.URL.Path)
	o := provider.Received
	if len(s.bodies) <= s.refuses {
		o = provider.Refused
	}
	s.mu.Unlock()
	reply := s.p.Ack(notice.Request{Method: r.Method, Header: r.Header, Body: body}, o)
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // a caller that left sees it itself
}

// receive starts a receiver and returns its address.
func receive(t *testing.T, code string, refuses int) (*receiver, string) {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("no provider %s", code)
	}
	s := &receiver{p: p, refuses: refuses}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

const fast = "--speed=1e9"

func TestSimulateUntilAcknowledged(t *testing.T) {
	for _, p := range all.Providers() {
		i := p.Info()
		t.Run(i.Code, func(t *testing.T) {
			s, url := receive(t, i.Code, 2)
			exit, out, errs := watch(t, "simulate", i.Code, "deposit", "--to", url, fast)
			if exit != exitOK || errs != "" {
				t.Fatalf("exit %d, %s\n%s", exit, errs, out)
			}
			if len(s.bodies) != 3 || s.bodies[0] != s.bodies[1] || s.bodies[0] != s.bodies[2] || s.paths[0] != i.Paths[0] {
				t.Errorf("came to %v:\n%s", s.paths, strings.Join(s.bodies, "\n"))
			}
			for _, want := range []string{i.Name.KO, "deposited", "try 1", "try 3", "not acknowledged, again in", "  acknowledged\n"} {
				if !strings.Contains(out, want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, "\x1b") {
				t.Errorf("a pipe gets colours:\n%q", out)
			}
		})
	}
}

func TestSimulateEndsBadly(t *testing.T) {
	_, refusing := receive(t, "nice", 1000)
	_, refusingKCP := receive(t, "kcp", 1000)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := []struct {
		name string
		args []string
		exit int
		want []string
	}{
		{"the PG gives up", []string{"nice", "deposited", fast, "--to", refusing}, exitFailed, []string{"not acknowledged", "gives up"}},
		{"a guess gives up", []string{"kcp", "deposited", fast, "--to", refusingKCP}, exitFailed, []string{"The simulator gives up here; how often NHN KCP tries is not published"}},
		{"one try", []string{"nice", "deposited", "--no-resend", "--to", refusing}, exitFailed, []string{"not acknowledged", "would send it again"}},
		{"several", []string{"nice", "deposited", "--no-resend", "--times=3", "--to", refusing}, exitFailed, []string{"3 of 3 notices"}},
		{"nobody there", []string{"nice", "deposited", fast, "--to", gone.URL}, exitAway, []string{"no answer", "tongbo serve"}},
		{"no address", []string{"nice", "deposited"}, exitUsage, []string{"--to is missing", "--to http://127.0.0.1:8080"}},
		{"a bad address", []string{"nice", "deposited", "--to", "ftp://x"}, exitUsage, []string{"ftp://x", "--to http://127.0.0.1:8080"}},
		{"an unknown provider", []string{"nicer", "deposited"}, exitUsage, []string{"nice_v2"}},
		{"an unknown event", []string{"nice", "paid"}, exitUsage, []string{`"paid"`, "Did you mean deposited?"}},
		{"an unknown form", []string{"kcp", "deposit", "--raw", "--form=json"}, exitUsage, []string{"--form json", "euc-kr"}},
		{"a form of another module", []string{"nice", "deposit", "--raw", "--form=json"}, exitUsage, []string{"--form json"}},
		{"an unknown kind", []string{"kcp", "deposit", "--raw", "--kind=TX99"}, exitUsage, []string{"--kind TX99", "TX00"}},
		{"an event the PG does not tell", []string{"kcp", "issued", "--raw"}, exitUsage, []string{"kcp sends no notice", "deposited, reversed"}},
		{"an unknown bank", []string{"kcp", "deposit", "--raw", "--bank=HANKUK"}, exitUsage, []string{"HANKUK", "SHINHAN"}},
		{"no time", []string{"kcp", "deposit", "--raw", "--at=yesterday"}, exitUsage, []string{"--at yesterday", "2026-08-01T12:00:00"}},
		{"no copies", []string{"kcp", "deposit", "--raw", "--times=-1"}, exitUsage, []string{"--times -1"}},
		{"no speed", []string{"kcp", "deposit", "--raw", "--speed=0"}, exitUsage, []string{"--speed 0"}},
		{"no money", []string{"kcp", "deposit", "--raw", "--amount=0"}, exitUsage, []string{"--amount 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			exit, _, errs := watch(t, append([]string{"simulate"}, tt.args...)...)
			if exit != tt.exit {
				t.Errorf("exit %d, want %d", exit, tt.exit)
			}
			for _, want := range tt.want {
				if !strings.Contains(errs, want) {
					t.Errorf("stderr lacks %q:\n%s", want, errs)
				}
			}
		})
	}
}

func TestSimulateCopies(t *testing.T) {
	for _, args := range [][]string{{"--times=20"}, {"--times=20", "--parallel"}} {
		s, url := receive(t, "nice", 0)
		exit, out, errs := watch(t, append([]string{"simulate", "nice", "deposited", "--to", url, "--json"}, args...)...)
		if exit != exitOK || len(s.bodies) != 20 {
			t.Fatalf("%v: exit %d, %d came: %s", args, exit, len(s.bodies), errs)
		}
		seen := map[int]bool{}
		for line := range strings.Lines(out) {
			var x shownExchange
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatalf("%v: %v: %s", args, err, line)
			}
			seen[x.Notice] = true
			if !x.Acked || x.Status != 200 || x.Answer != "OK" || string(x.Body) != s.bodies[0] || x.Key == "" {
				t.Errorf("%v: line %s", args, line)
			}
		}
		if len(seen) != 20 {
			t.Errorf("%v: %d copies shown, want 20", args, len(seen))
		}
	}
}

func TestSimulateSecret(t *testing.T) {
	const key = "hunter2/+=swordfish"
	for _, tt := range []struct{ code, form, sent string }{
		{"nice", "", "&MerchantKey=hunter2%2F%2B%3Dswordfish"},
		{"tosspayments", "", `"secret":"hunter2/+=swordfish"`},
	} {
		s, url := receive(t, tt.code, 0)
		exit, out, errs := watch(t, "simulate", tt.code, "deposited", "--secret", key, "--to", url)
		if exit != exitOK || !strings.Contains(s.bodies[0], tt.sent) {
			t.Errorf("%s: exit %d, %s; sent %q", tt.code, exit, errs, s.bodies)
		}
		if strings.Contains(out+errs, "swordfish") || !strings.Contains(out, "[secret]") {
			t.Errorf("%s: the output shows the secret:\n%s", tt.code, out)
		}
	}
}

func TestSimulateIsReadable(t *testing.T) {
	_, url := receive(t, "html5_inicis", 1)
	var out bytes.Buffer
	args := []string{"simulate", "html5_inicis", "deposit", "--to", url, fast, "--depositor", "똠방\x1b[2J각하", "--amount", "1234567"}
	if exit := Main(args, Env{Stdout: &out, Stderr: &out, Terminal: true, Colours: true}); exit != exitOK {
		t.Fatalf("exit %d: %s", exit, &out)
	}
	for _, want := range []string{"₩1,234,567", "똠방\uFFFD[2J각하", "nm_inputbank=신한은행", `"OK"`, "\x1b[32macknowledged\x1b[0m"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "\x1b[2J") {
		t.Error("a name clears the screen")
	}
}

func TestSimulateStops(t *testing.T) {
	_, url := receive(t, "nice", 1000)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	env := Env{Stdout: io.Discard, Stderr: &out, Signals: func() (context.Context, context.CancelFunc) { return ctx, cancel }}
	if exit := Main([]string{"simulate", "nice", "deposited", "--to", url}, env); exit != exitFailed || !strings.Contains(out.String(), "stopped before") {
		t.Errorf("exit %d: %s", exit, &out)
	}
}

func TestVersion(t *testing.T) {
	exit, out, _ := watch(t, "version")
	if exit != exitOK || !regexp.MustCompile(`^tongbo \S+.*, go1\S*, \w+/\w+\n$`).MatchString(out) {
		t.Errorf("exit %d, %q", exit, out)
	}
	info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := versionLine(info); !strings.HasPrefix(got, "tongbo v1.2.3 commit 0123456789ab with changes, go1.26, ") {
		t.Errorf("versionLine = %q", got)
	}
}
