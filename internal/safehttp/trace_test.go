package safehttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A made is a certificate with its key.
type made struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certify makes a certificate for a name, signed by another or, if that is nil, by
// itself.
func certify(t *testing.T, by *made, name string, from, until time.Time) *made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		BasicConstraintsValid: true, IsCA: strings.HasPrefix(name, "ca"), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		form.IPAddresses = []net.IP{ip}
	} else {
		form.DNSNames = []string{name}
	}
	parent, signer := form, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, form, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &made{cert, key}
}

// trusting is a client that trusts one root alone.
func trusting(root *made) *http.Client {
	c := New(Config{AllowPrivate: true, Timeout: 10 * time.Second})
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	c.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
	return Once(c)
}

// secured serves with a chain of certificates, the server's own first.
func secured(t *testing.T, chain ...*made) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	shown := tls.Certificate{PrivateKey: chain[0].key}
	for _, m := range chain {
		shown.Certificate = append(shown.Certificate, m.cert.Raw)
	}
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{shown}, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestCertificateTroubles(t *testing.T) {
	t.Parallel()
	now, day := time.Now(), 24*time.Hour
	root := certify(t, nil, "ca root", now.Add(-day), now.Add(day))
	middle := certify(t, root, "ca middle", now.Add(-day), now.Add(day))
	foreign := certify(t, nil, "ca foreign", now.Add(-day), now.Add(day))
	leaf := func(by *made, name string, from, until time.Duration) *made {
		return certify(t, by, name, now.Add(from), now.Add(until))
	}
	good := leaf(middle, "127.0.0.1", -day, day)
	for _, c := range []struct {
		name  string
		chain []*made
		want  Trouble
	}{
		{"all is well", []*made{good, middle}, None},
		{"ended yesterday", []*made{leaf(middle, "127.0.0.1", -2*day, -day), middle}, CertExpired},
		{"begins tomorrow", []*made{leaf(middle, "127.0.0.1", day, 2*day), middle}, CertEarly},
		{"of another name", []*made{leaf(middle, "shop.example", -day, day), middle}, CertName},
		{"without the one between", []*made{good}, CertAlone},
		{"signed by itself", []*made{leaf(nil, "127.0.0.1", -day, day)}, CertSelf},
		{"of a root nobody trusts", []*made{leaf(foreign, "127.0.0.1", -day, day), foreign}, CertUntrusted},
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
