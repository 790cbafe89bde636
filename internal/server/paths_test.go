package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
)

// twoDoors is a server that listens for PGs behind a proxy of this machine, and has its console
// on a listener of its own if apart says so.
func twoDoors(t *testing.T, apart bool) (pgs, people string, s *server.Server) {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err = server.Open(t.Context(), server.Config{
		Database: "sqlite:" + t.TempDir() + "/t.db", Key: server.KeySource{Text: key.Text()}, Log: slog.New(slog.DiscardHandler),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := listen()
	pgs, people = l.Addr().String(), l.Addr().String()
	if apart {
		s.Console = listen()
		people = s.Console.Addr().String()
	}
	r := running{ended: make(chan error, 1)}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { r.ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
	})
	return pgs, people, s
}

// asks sends a request as it is written, and returns the status and where it leads.
func asks(t *testing.T, to, method, target, body string, lines ...string) (status int, location string) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head := strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n")
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n\r\n%s", method, target, head, body)
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %.80s: %v", method, target, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

const noticePath = "/kcp_payments/notice_vbank"

// TestPathsOfTheConsole: no spelling of a path takes a notice to the console or a page to the
// notices, and where the console listens by itself nothing of it is on the public listener.
func TestPathsOfTheConsole(t *testing.T) {
	t.Parallel()
	for _, apart := range []bool{false, true} {
		pgs, people, s := twoDoors(t, apart)
		token, err := s.People.NewSetup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		setup := "/console/setup?token=" + token.Reveal()
		if status, _ := asks(t, people, http.MethodGet, setup, ""); status != http.StatusOK {
			t.Errorf("apart %v: the set-up link is answered with %d", apart, status)
		}
		if status, _ := asks(t, people, http.MethodGet, setup[:len(setup)-1]+"x", ""); status != http.StatusForbidden {
			t.Errorf("apart %v: another token is answered with %d", apart, status)
		}
		if apart {
			for _, target := range []string{
				setup, "/console", "/console/", "/console/login", "//console/login", "/console%2flogin", "/%63onsole/login", "/x/../console/login", "/./console/login",
				"/console/assets/console.css", noticePath + "/../../console/login", "/console/stream",
			} {
				if status, to := asks(t, pgs, http.MethodGet, target, ""); status < 300 || strings.Contains(to, "/console") && strings.Contains(to, "://") || status == http.StatusSeeOther {
					t.Errorf("%s on the public listener: %d to %q", target, status, to)
				}
			}
			for _, target := range []string{noticePath, "/" + noticePath, noticePath + "/", "/console/.." + noticePath, "/payments", "/healthz/../payments"} {
				if status, _ := asks(t, people, http.MethodPost, target, "a=b"); status < 300 {
					t.Errorf("%s on the console's listener: %d", target, status)
				}
			}
			continue
		}
		for _, c := range []struct {
			target string
			want   int // of a POST that says nothing; 0: whatever is no success
		}{
			{noticePath, 400}, {"/" + noticePath, 400}, {"/kcp_payments%2fnotice_vbank", 400},
			{"/console" + noticePath, 0}, {"/console/.." + noticePath, 0}, {"/console/%2e%2e" + noticePath, 0}, {"/console/..%2f" + noticePath[1:], 0},
			{"/console/all/test" + noticePath + "/channel-key-1", 0}, {noticePath + "/../../console/login", 0}, {noticePath + "/console/setup", 0},
			{"//console/setup", 0}, {"/console//setup", 0}, {"/console%2fsetup", 0}, {"/console/setup/", 0}, {"/console/setup%00", 0}, {"/console/%ff", 0},
			{"/console/go/" + strings.Repeat("%2e%2e%2f", 50), 0}, {"/console/go/%2f%2fevil.example", 0}, {"/console/login?back=//evil.example", 0},
			{"/console/login?back=" + url.QueryEscape("/console/..//evil.example"), 0},
		} {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "CONSOLE"} {
				status, to := asks(t, pgs, method, c.target, "a=b", "Content-Type: application/x-www-form-urlencoded")
				if method == http.MethodPost && (c.want != 0 && status != c.want || c.want == 0 && status < 300) || status >= 500 {
					t.Errorf("%s %s: %d", method, c.target, status)
				}
				if u, err := url.Parse(to); err != nil || u.Host != "" || strings.HasPrefix(to, "//") {
					t.Errorf("%s %s leads to %q", method, c.target, to)
				}
			}
		}
		// What is too long is refused and holds nobody up.
		for _, c := range []struct {
			target, kind, body string
			want               int
		}{
			{"/console/login?" + strings.Repeat("a=b&", 6000), "application/x-www-form-urlencoded", "", http.StatusUnprocessableEntity},
			{"/console/login?" + strings.Repeat("a", 40<<10), "application/x-www-form-urlencoded", "", http.StatusRequestHeaderFieldsTooLarge},
			{"/console/login", "application/x-www-form-urlencoded", strings.Repeat("a=b&", 10000), http.StatusUnprocessableEntity},
			{"/console/login", "multipart/form-data; boundary=x", strings.Repeat("--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n", 10000), http.StatusUnprocessableEntity},
			{"/console/login", "application/json", "{}", http.StatusUnprocessableEntity},
			{"/console/login", "text/plain", "email=x", http.StatusUnprocessableEntity},
		} {
			if status, _ := asks(t, pgs, http.MethodPost, c.target, c.body, "Content-Type: "+c.kind); status != c.want {
				t.Errorf("%.40s %s, %d bytes: %d, want %d", c.target, c.kind, len(c.body), status, c.want)
			}
		}
	}
}

// TestSlowDownBehindAProxy: who guesses is known by the hop that the proxy saw, by /64 with
// IPv6, and not by what it writes into the header itself; others get in.
func TestSlowDownBehindAProxy(t *testing.T) {
	t.Parallel()
	_, people, _ := twoDoors(t, true)
	guess := func(n int, hops string) int {
		body := url.Values{"email": {fmt.Sprintf("u%d@example.kr", n)}, "password": {"green rabbit drinks tea"}}.Encode()
		status, _ := asks(t, people, http.MethodPost, "/console/login", body, "Content-Type: application/x-www-form-urlencoded", "X-Forwarded-For: "+hops)
		return status
	}
	// Time gives guesses back meanwhile, so nobody waits at exactly the 21st.
	waits := func(most int, hops func(i int) string) int {
		for i := range most {
			if guess(i, hops(i)) == http.StatusTooManyRequests {
				return i
			}
		}
		return most
	}
	if n := waits(60, func(i int) string { return fmt.Sprintf("198.51.100.%d, 2001:db8:1:2::%x", i, i+1) }); n < 20 || n == 60 {
		t.Errorf("guess %d from one /64 waited, want one after 20", n)
	}
	for _, hops := range []string{"2001:db8:1:3::1", "198.51.100.1", "2001:db8:1:2::1, 203.0.113.9"} {
		if status := guess(100, hops); status == http.StatusTooManyRequests {
			t.Errorf("from %s: %d", hops, status)
		}
	}
	for _, hops := range []string{"2001:db8:1:2:ffff::1", "8.8.8.8, 2001:db8:1:2::9, 127.0.0.9", "2001:db8:1:2::1%eth0"} {
		if n := waits(10, func(int) string { return hops }); n == 10 { // an address of its own has 20
			t.Errorf("from %s: no wait", hops)
		}
	}
}
