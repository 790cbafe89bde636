// Package safehttptest makes certificates, and servers that show them, for tests of what
// calls them.
package safehttptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A Certificate is one with its key.
type Certificate struct {
	*x509.Certificate
	Key *ecdsa.PrivateKey
}

// Certify makes a certificate, signed by another or, if that is nil, by itself. Unless edit
// says otherwise it is of 127.0.0.1, began an hour ago and ends in 90 days and an hour.
func Certify(t testing.TB, by *Certificate, edit func(*x509.Certificate)) *Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: serial.String()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90*24*time.Hour + time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	edit(form)
	parent, signer := form, key
	if by != nil {
		parent, signer = by.Certificate, by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, form, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Certificate{made, key}
}

// Authority edits a certificate into one that signs others.
func Authority(c *x509.Certificate) { c.IsCA = true }

// Pool holds one root alone.
func Pool(root *Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(root.Certificate)
	return pool
}

// Serve serves on loopback until the test ends, over TLS if it is given a chain, the server's
// own certificate first, and returns the address. What clients do wrong is not logged.
func Serve(t testing.TB, h http.Handler, chain ...*Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if len(chain) == 0 {
		s.Start()
	} else {
		shown := tls.Certificate{PrivateKey: chain[0].Key}
		for _, c := range chain {
			shown.Certificate = append(shown.Certificate, c.Raw)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{shown}, MinVersion: tls.VersionTLS12}
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}
