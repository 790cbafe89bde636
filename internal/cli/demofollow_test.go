package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/simulator"
)

// TestShopManners: how the demo's shops answer, one call after the other.
func TestShopManners(t *testing.T) {
	t.Parallel()
	own := simulator.Call{Body: []byte(`{"data":{"paymentId":"order-1"}}`)}
	theirs := simulator.Call{Body: []byte(`{"data":{"paymentId":"demo000007"}}`)}
	steady, good := steadyManner(), 0
	for range 2000 {
		if a := steady(own); a.Status != http.StatusOK || a.After != 0 {
			t.Fatalf("the story is answered %+v", a)
		}
		a := steady(theirs)
		if a.After <= 0 || a.After > 200*time.Millisecond || a.Status != http.StatusOK && a.Status != http.StatusServiceUnavailable {
			t.Fatalf("the steady shop answers %+v", a)
		}
		if a.Status == http.StatusOK {
			good++
		}
	}
	if good < 1900 || good == 2000 {
		t.Errorf("the steady shop took %d of 2000", good)
	}
	slow, late := slowManner(), 0
	for range 1000 {
		a := slow(theirs)
		switch {
		case a.After > 30*time.Second: // as long as a try may last
			late++
		case a.Status != http.StatusOK || a.After < 2*time.Second || a.After > 8*time.Second:
			t.Fatalf("the slow shop answers %+v", a)
		}
	}
	if late < 20 || late > 100 {
		t.Errorf("the slow shop was too late %d times of 1000", late)
	}
	broken := brokenManner()
	for i := range 20 {
		want := http.StatusInternalServerError
		if i < goodAtFirst {
			want = http.StatusOK
		}
		if a := broken(theirs); a.Status != want || a.After > time.Second || want != http.StatusOK && !strings.Contains(a.Body, "<h1>") {
			t.Errorf("call %d of the broken shop is answered %+v", i, a)
		}
	}
}

func TestFooter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := &footer{Writer: &out, width: 12}
	f.show("결제 1건")
	f.show("결제 2")
	if _, err := io.WriteString(f, "a line\n"); err != nil {
		t.Fatal(err)
	}
	f.show("longer than the terminal")
	f.clear()
	f.clear()
	want := "\r결제 1건" + "\r결제 2  " + "\r" + strings.Repeat(" ", 8) + "\r" + "a line\n" + "\rlonger tha…" + "\r" + strings.Repeat(" ", 11) + "\r"
	if got := out.String(); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// A watched output ends the demo once something was written.
type watched struct {
	mu    sync.Mutex
	all   strings.Builder
	until string
	seen  func()
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(b)
	if strings.Contains(w.all.String(), w.until) {
		w.seen()
	}
	return len(b), nil
}

// TestDemoGoesOn stops a demo as soon as its traffic shows.
func TestDemoGoesOn(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		args     []string
		until    string
		want     []string
		not      []string
	}{
		{"on a terminal", true, []string{"--lang=en", "--rate=1200"}, "\r  2", []string{
			"14 channels, 1,200 payments a minute, one slow and one broken endpoint, one PG that tells nothing\nconsole  http://127.0.0.1:", "/console/\n",
			"sign in  owner@example.kr   password ", " notices · ", "\nThe demo ends, ",
		}, []string{"went otherwise"}},
		{"in Korean, without traffic", false, []string{"--lang=ko", "--rate=0"}, "order-9 -H", []string{
			"방금 일어난 일이 모두 콘솔에 있어요\n콘솔    http://127.0.0.1:", "로그인  owner@example.kr   비밀번호 ", "\n# 결제 조회\n",
		}, []string{"1분에"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			ctx, cancel := context.WithCancel(t.Context())
			out := &watched{until: c.until, seen: cancel}
			var errs bytes.Buffer
			env := Env{Stdin: strings.NewReader(""), Stdout: out, Stderr: &errs, Terminal: c.terminal, Width: 100,
				Signals: func() (context.Context, context.CancelFunc) { return ctx, cancel }}
			code := Main(append([]string{"demo", "--listen=127.0.0.1:0"}, c.args...), env)
			if code != exitOK || errs.Len() > 0 {
				t.Errorf("exit %d %s", code, &errs)
			}
			for _, want := range c.want {
				if !strings.Contains(out.all.String(), want) {
					t.Errorf("no %q in\n%s", want, out.all.String())
				}
			}
			for _, not := range c.not {
				if strings.Contains(out.all.String(), not) {
					t.Errorf("there is %q in\n%s", not, out.all.String())
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := sleep(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sleep(ctx, time.Hour); err == nil || time.Since(began) != time.Hour+time.Minute {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
	})
}
