package safehttp

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp/safehttptest"
)

// certify makes a certificate for a name; one of an authority signs others.
func certify(t *testing.T, by *safehttptest.Certificate, name string, from, until time.Time) *safehttptest.Certificate {
	t.Helper()
	return safehttptest.Certify(t, by, func(c *x509.Certificate) {
		c.Subject, c.NotBefore, c.NotAfter, c.IsCA = pkix.Name{CommonName: name}, from, until, strings.HasPrefix(name, "ca")
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = []net.IP{ip}
		} else {
			c.IPAddresses, c.DNSNames = nil, []string{name}
		}
	})
}

// trusting is a client that trusts one root alone.
func trusting(root *safehttptest.Certificate) *http.Client {
	c := New(Config{AllowPrivate: true, Timeout: 10 * time.Second})
	c.Transport.(*http.Transport).TLSClientConfig.RootCAs = safehttptest.Pool(root)
	return Once(c)
}

// secured serves with a chain of certificates, the server's own first.
func secured(t *testing.T, chain ...*safehttptest.Certificate) string {
	t.Helper()
	return safehttptest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }), chain...)
}

func TestCertificateTroubles(t *testing.T) {
	t.Parallel()
	now, day := time.Now(), 24*time.Hour
	root := certify(t, nil, "ca root", now.Add(-day), now.Add(day))
	middle := certify(t, root, "ca middle", now.Add(-day), now.Add(day))
	foreign := certify(t, nil, "ca foreign", now.Add(-day), now.Add(day))
	leaf := func(by *safehttptest.Certificate, name string, from, until time.Duration) *safehttptest.Certificate {
		return certify(t, by, name, now.Add(from), now.Add(until))
	}
	good := leaf(middle, "127.0.0.1", -day, day)
	for _, c := range []struct {
		name  string
		chain []*safehttptest.Certificate
		want  Trouble
	}{
		{"all is well", []*safehttptest.Certificate{good, middle}, None},
		{"ended yesterday", []*safehttptest.Certificate{leaf(middle, "127.0.0.1", -2*day, -day), middle}, CertExpired},
		{"begins tomorrow", []*safehttptest.Certificate{leaf(middle, "127.0.0.1", day, 2*day), middle}, CertEarly},
		{"of another name", []*safehttptest.Certificate{leaf(middle, "shop.example", -day, day), middle}, CertName},
		{"without the one between", []*safehttptest.Certificate{good}, CertAlone},
		{"signed by itself", []*safehttptest.Certificate{leaf(nil, "127.0.0.1", -day, day)}, CertSelf},
		{"of a root nobody trusts", []*safehttptest.Certificate{leaf(foreign, "127.0.0.1", -day, day), foreign}, CertUntrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, err := trace(t, trusting(root), secured(t, c.chain...))
			if got := TroubleOf(err); got != c.want {
				t.Fatalf("TroubleOf(%v) = %q, want %q", err, got, c.want)
			}
			if tr.Secured != (c.want == None) || !tr.Connected || tr.ConnectTook <= 0 || tr.TLSTook <= 0 {
				t.Errorf("trace %+v", tr)
			}
			if c.want == None && (len(tr.Certs) != 2 || tr.WaitTook <= 0 || tr.Remote.Addr() != netip.MustParseAddr("127.0.0.1")) {
				t.Errorf("trace of a good call: %d certificates, waited %v, to %v", len(tr.Certs), tr.WaitTook, tr.Remote)
			}
		})
	}
}

// trace makes one call.
func trace(t *testing.T, c *http.Client, url string) (Trace, error) {
	t.Helper()
	ctx, done := Traced(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	return done(), err
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	rude := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	anywhere := New(Config{AllowPrivate: true})
	hasty := New(Config{AllowPrivate: true, Timeout: 50 * time.Millisecond})
	for _, c := range []struct {
		name   string
		client *http.Client
		url    string
		want   Trouble
	}{
		{"none", anywhere, plain.URL, None},
		{"a private address", New(Config{}), plain.URL, Private},
		{"nobody listens", anywhere, gone.URL, ConnRefused},
		{"no TLS there", anywhere, "https" + strings.TrimPrefix(plain.URL, "http"), NoTLS},
		{"hung up", anywhere, rude.URL, BrokenOff},
		{"too slow", hasty, slow.URL, TimedOut},
	} {
		_, err := trace(t, c.client, c.url)
		if got := TroubleOf(err); got != c.want {
			t.Errorf("%s: TroubleOf(%v) = %q, want %q", c.name, err, got, c.want)
		}
	}
	for err, want := range map[error]Trouble{
		&net.DNSError{IsNotFound: true}: NoSuchName, &net.DNSError{IsTimeout: true}: DNSFailed,
		context.Canceled: Stopped, errors.New("something else"): Otherwise,
	} {
		if got := TroubleOf(err); got != want {
			t.Errorf("TroubleOf(%v) = %q, want %q", err, got, want)
		}
	}
}

// TestOnce: each call has a connection of its own, and the client that it came
// from keeps its own.
func TestOnce(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	kept := New(Config{AllowPrivate: true})
	once := Once(kept)
	for range 2 {
		if tr, err := trace(t, once, srv.URL); err != nil || tr.Reused || !tr.Connected {
			t.Errorf("once: %+v, %v", tr, err)
		}
	}
	_, err1 := trace(t, kept, srv.URL)
	if tr, err := trace(t, kept, srv.URL); err != nil || err1 != nil || !tr.Reused {
		t.Errorf("kept: %+v, %v %v", tr, err, err1)
	}
}
