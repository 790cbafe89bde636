package safehttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestRedirectIsReturned(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		followed := false
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/next" {
				followed = true
			}
			http.Redirect(w, r, "/next", status)
		})
		res, err := get(t, New(Config{AllowPrivate: true}), srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != status || res.Header.Get("Location") != "/next" || followed {
			t.Errorf("got %d to %q, followed = %v, want %d not followed", res.StatusCode, res.Header.Get("Location"), followed, status)
		}
	}
}

func TestBindIsTheSource(t *testing.T) {
	t.Parallel()
	source := netip.MustParseAddr("127.0.0.2")
	var lc net.ListenConfig
	if l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.2:0"); err != nil {
		t.Skipf("this system has only one loopback address: %v", err)
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	for bind, want := range map[netip.Addr]string{source: "127.0.0.2", {}: "127.0.0.1"} {
		res, err := get(t, New(Config{AllowPrivate: true, Bind: bind}), srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if host, _, _ := net.SplitHostPort(string(body)); host != want {
			t.Errorf("bound to %v, the server saw %q, want %s", bind, body, want)
		}
	}
	if _, err := get(t, New(Config{Bind: source}), srv.URL); !errors.Is(err, ErrPrivate) {
		t.Errorf("bound and guarded: %v, want ErrPrivate", err)
	}
}

func TestTimeoutEndsAHangingServer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" { // answers at once and then stops in the middle
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	})
	t.Cleanup(func() { close(release) })
	c := New(Config{AllowPrivate: true, Timeout: 50 * time.Millisecond})
	for _, path := range []string{"/header", "/body"} {
		res, err := get(t, c, srv.URL+path)
		if path == "/body" && err == nil {
			_, err = io.ReadAll(res.Body)
		}
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v, want a time-out", path, err)
		}
	}
}

func TestBodyIsNotDecompressed(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("the client asks for encoding %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped.Bytes())
	})
	res, err := get(t, New(Config{AllowPrivate: true}), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, zipped.Bytes()) {
		t.Errorf("read %d bytes, want the %d that were sent", len(body), zipped.Len())
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		version uint16 // the highest that the server speaks
		want    string
	}{
		{"a modern server gets HTTP/2", tls.VersionTLS13, "HTTP/2.0"},
		{"TLS 1.2 is enough", tls.VersionTLS12, "HTTP/2.0"},
		{"TLS 1.1 is refused", tls.VersionTLS11, ""},
	}
	for _, tt := range tests {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto)
		}))
		srv.EnableHTTP2 = true
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tt.version}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		c := New(Config{AllowPrivate: true})
		if _, err := get(t, c, srv.URL); err == nil {
			t.Errorf("%s: an unknown certificate is trusted", tt.name)
		}
		roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		c = New(Config{AllowPrivate: true})
		c.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
		res, err := get(t, c, srv.URL)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: got an answer", tt.name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, body, tt.want)
		}
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	peers := map[string]bool{}
	srv := serve(t, func(_ http.ResponseWriter, r *http.Request) { peers[r.RemoteAddr] = true })
	c := New(Config{AllowPrivate: true})
	for range 5 {
		res, err := get(t, c, srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 1 {
		t.Errorf("five calls used %d connections, want 1", len(peers))
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	tr := c.Transport.(*http.Transport)
	if c.Timeout != 30*time.Second || tr.TLSHandshakeTimeout != 10*time.Second || tr.MaxIdleConnsPerHost != 16 {
		t.Errorf("defaults are %v, %v, %d", c.Timeout, tr.TLSHandshakeTimeout, tr.MaxIdleConnsPerHost)
	}
	if tr.Proxy != nil {
		t.Error("the environment's proxy would be used")
	}
	c = New(Config{Timeout: time.Second, ConnectTimeout: 2 * time.Second, MaxIdlePerHost: 3})
	tr = c.Transport.(*http.Transport)
	if c.Timeout != time.Second || tr.TLSHandshakeTimeout != 2*time.Second || tr.MaxIdleConnsPerHost != 3 {
		t.Errorf("settings are %v, %v, %d", c.Timeout, tr.TLSHandshakeTimeout, tr.MaxIdleConnsPerHost)
	}
}
