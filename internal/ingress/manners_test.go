package ingress_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/payment"
)

const kcpPath = "/kcp_payments/notice_vbank"

func TestLooking(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		for _, c := range []struct {
			method, query string
			status        int
			kept          bool
		}{
			{"GET", "", 200, false},
			{"HEAD", "", 200, false},
			{"GET", "?", 200, false},
			{"GET", "?tx_cd=TX00", 400, true},
			{"HEAD", "?tx_cd=TX00", 400, true},
			{"PUT", "", 400, true},
			{"DELETE", "", 400, true},
			{"OPTIONS", "", 400, true},
			{"PATCH", "", 400, true},
			{"BREW", "", 400, true},
		} {
			before := s.verdicts()
			w := s.serve(call{method: c.method, path: kcpPath + c.query, from: loopback})
			if w.Code != c.status {
				t.Errorf("%s %q gets %d, want %d", c.method, c.query, w.Code, c.status)
			}
			if kept := s.verdicts() != before; kept != c.kept {
				t.Errorf("%s %q is kept: %v, want %v", c.method, c.query, kept, c.kept)
			}
		}
		if got := s.verdicts(); strings.Trim(strings.ReplaceAll(got, "unreadable/method", ""), " ") != "" {
			t.Errorf("verdicts = %s", got)
		}
	})
}

func TestBodies(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		good := encoded(s, "kcp", loopback, "", deposit("o-1"), nil)
		full := append(bytes.Clone(good.body), '&')
		full = append(full, bytes.Repeat([]byte("x"), ingress.MaxBody-len(full))...)
		for _, c := range []struct {
			name   string
			body   []byte
			status int
			want   string
			size   int
		}{
			{"one byte too long", append(bytes.Clone(full), 'x'), 400, "unreadable/body_too_large", ingress.MaxBody},
			{"a mebibyte", make([]byte, 1<<20), 400, "unreadable/body_too_large", ingress.MaxBody},
			{"NUL", []byte("site_cd=T0000&tx_cd=TX00&tno=1%00"), 400, "unreadable/unreadable", 33},
			{"text in no charset of the PG", []byte("site_cd=T0000&tx_cd=TX00&tno=1&ipgm_name=%FF%FE"), 400, "unreadable/unreadable", 47},
			{"empty", nil, 400, "unreadable/unreadable", 0},
			{"as long as may be", full, 200, "applied@test", ingress.MaxBody},
		} {
			good.body = c.body
			if w := s.serve(good); w.Code != c.status {
				t.Errorf("%s: status = %d, want %d", c.name, w.Code, c.status)
			}
			list, err := s.Notices(s.Context(), everything)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.verdicts(); !strings.HasSuffix(got, c.want) || list[0].Size != c.size {
				t.Errorf("%s: %s with %d bytes, want %s with %d", c.name, got, list[0].Size, c.want, c.size)
			}
			if in, err := s.Notice(s.Context(), list[0].ID); err != nil || !bytes.Equal(in.Request.Body, c.body[:c.size]) {
				t.Errorf("%s: not the bytes that came: %v", c.name, err)
			}
		}
		// The header says nothing that is needed.
		good = encoded(s, "kcp", loopback, "", deposit("o-1"), nil)
		good.header = nil
		wantAck(t, "kcp", s.serve(good))
	})
}

// listen serves a site on a loopback port, as the server does, and returns a
// function that sends raw bytes and reads one answer.
func (s *site) listen(t *testing.T) func(raw string) (*http.Response, string) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler: s.ingress, ReadHeaderTimeout: time.Second, ReadTimeout: time.Second, MaxHeaderBytes: 32 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ingress.Lenient(l)) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return func(raw string) (*http.Response, string) {
		t.Helper()
		var d net.Dialer
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(c, raw) // it may be more than the other side takes
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("no answer to %.80q…: %v", raw, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatalf("the answer is cut off: %v", err)
		}
		return r, string(body)
	}
}

func TestRawBytes(t *testing.T) {
	t.Parallel()
	s := newSite(t, testChannel()).run()
	ask := s.listen(t)
	body := string(encoded(t, "kcp", loopback, "", deposit("o-1"), nil).body)
	s.mustRegister(testChannel(), "o-1")
	post := func(line string, headers ...string) string {
		return line + "\r\n" + strings.Join(append(headers, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")
	}
	for _, c := range []struct {
		name, raw string
		status    int
		close     bool
	}{
		{"HTTP/1.1", post("POST "+kcpPath+" HTTP/1.1", "Host: h"), 200, false},
		{"HTTP/1.1 without Host", post("POST " + kcpPath + " HTTP/1.1"), 200, true},
		{"HTTP/1.1 without Host, to be kept", post("POST "+kcpPath+" HTTP/1.1", "Connection: keep-alive"), 200, true},
		{"HTTP/1.0 without Host", post("POST " + kcpPath + " HTTP/1.0"), 200, true},
		{"HTTP/1.0 with Host", post("POST "+kcpPath+" HTTP/1.0", "Host: h"), 200, true},
		{"lines that end in a bare line feed", strings.ReplaceAll(post("POST "+kcpPath+" HTTP/1.1"), "\r", ""), 200, true},
		{"an absolute URL", post("POST http://h"+kcpPath+" HTTP/1.1", "Host: h"), 200, false},
		{"doubled slashes", post("POST //kcp_payments//notice_vbank/ HTTP/1.1", "Host: h"), 200, false},
		{"an escaped path", post("POST /kcp%5Fpayments/notice_vbank HTTP/1.1", "Host: h"), 200, false},
		{"a query besides", post("POST "+kcpPath+"?a=b HTTP/1.1", "Host: h"), 200, false},
		{"blanks in the query", post("POST "+kcpPath+"?a=b c  d HTTP/1.1", "Host: h"), 200, true},
		{"blanks in the query without Host", post("POST " + kcpPath + "?a=b c HTTP/1.1"), 200, true},
		{"another request in the query", post("POST "+kcpPath+"?a HTTP/1.1 HTTP/1.1", "Host: h"), 200, true},
		{"blanks in the path", post("POST "+kcpPath+" x HTTP/1.1", "Host: h"), 400, true},
		{"a wish for compression", post("POST "+kcpPath+" HTTP/1.1", "Host: h", "Accept-Encoding: gzip, deflate, br"), 200, false},
		{"an odd Content-Type", post("POST "+kcpPath+" HTTP/1.1", "Host: h", "Content-Type: ;;"), 200, false},
		{"a body in chunks", fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", kcpPath, len(body), body), 200, false},
		{"a body that does not come whole", strings.Replace(post("POST "+kcpPath+" HTTP/1.1", "Host: h"), "Length: ", "Length: 1", 1), 400, true},
		{"a body that is too long", "POST " + kcpPath + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("x", 1<<20), 400, true},
		{"headers without end", "POST " + kcpPath + " HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 5000), 431, true},
		{"one header without end", "POST " + kcpPath + " HTTP/1.1\r\nX: " + strings.Repeat("x", 100<<10), 431, true},
		{"no notice path", post("POST /other HTTP/1.1", "Host: h"), 404, false},
	} {
		r, text := ask(c.raw)
		if r.StatusCode != c.status {
			t.Errorf("%s: status = %d %q, want %d", c.name, r.StatusCode, text, c.status)
		}
		if c.name == "blanks in the path" || c.status == http.StatusNotFound || c.status == http.StatusRequestHeaderFieldsTooLarge {
			continue
		}
		if r.ContentLength != int64(len(text)) || r.Header.Get("Content-Encoding") != "" || r.Header.Get("Location") != "" {
			t.Errorf("%s: headers = %v", c.name, r.Header)
		}
		if r.Close != c.close {
			t.Errorf("%s: the connection closes: %v, want %v", c.name, r.Close, c.close)
		}
	}
	if got := s.state("s1", "o-1"); got != payment.Paid {
		t.Errorf("the payment is %s", got)
	}
	if got := s.verdicts(); strings.Count(got, "applied") != 1 || strings.Count(got, "body_cut_off") != 1 || strings.Count(got, "body_too_large") != 1 {
		t.Errorf("verdicts = %s", got)
	}
}

// A pipe is a listener with one connection, made without any socket.
type pipe struct {
	conns chan net.Conn
	once  sync.Once
}

// Accept returns the connection, and later waits for the end.
func (p *pipe) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close ends Accept.
func (p *pipe) Close() error { p.once.Do(func() { close(p.conns) }); return nil }

// Addr names nothing.
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{} }

// A body that drips holds its place for a stated time, then it is kept as far
// as it came.
func TestSlowBody(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		p := &pipe{conns: make(chan net.Conn, 1)}
		client, server := net.Pipe()
		p.conns <- server
		srv := &http.Server{Handler: s.ingress, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
		var wg sync.WaitGroup
		wg.Go(func() { _ = srv.Serve(ingress.Lenient(p)) })
		wg.Go(func() {
			_, _ = io.WriteString(client, "POST "+kcpPath+" HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
			for range 100 {
				if _, err := io.WriteString(client, "x"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		began := time.Now()
		r, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			s.Fatal(err)
		}
		if took := time.Since(began); r.StatusCode != http.StatusBadRequest || took < 10*time.Second || took > 12*time.Second {
			s.Errorf("answer = %d after %v, want 400 after ten seconds", r.StatusCode, took)
		}
		_ = r.Body.Close()
		_ = client.Close()
		_ = srv.Close()
		wg.Wait()
		s.wantVerdicts("unreadable/body_cut_off")
	})
}

// A second request on a connection whose first had no Host would be turned
// away by Go's server: the sender is told to open another.
func TestWithoutHostTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, testChannel()).run()
	ask := s.listen(t)
	for range 2 {
		if r, _ := ask("GET " + kcpPath + " HTTP/1.1\r\n\r\n"); r.StatusCode != http.StatusOK || !r.Close {
			t.Errorf("answer = %d, closes %v", r.StatusCode, r.Close)
		}
	}
}
