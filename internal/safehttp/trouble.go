package safehttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// A Trouble is why a call got no answer.
type Trouble string

// The troubles. None is that of a call without an error.
const (
	None          Trouble = ""
	NoSuchName    Trouble = "no_such_name"   // DNS knows no address of it
	DNSFailed     Trouble = "dns_failed"     // DNS did not answer
	Private       Trouble = "private"        // ErrPrivate
	ConnRefused   Trouble = "refused"        // nobody listens there
	Unreachable   Trouble = "unreachable"    // there is no way to it
	TimedOut      Trouble = "timeout"        // nothing came in time
	CertExpired   Trouble = "cert_expired"   // it was valid once
	CertEarly     Trouble = "cert_early"     // it is not valid yet
	CertName      Trouble = "cert_name"      // it is for other names
	CertAlone     Trouble = "cert_alone"     // the certificates between it and its root were not sent
	CertSelf      Trouble = "cert_self"      // it is signed by itself
	CertUntrusted Trouble = "cert_untrusted" // its root is nobody that this machine trusts
	NoTLS         Trouble = "no_tls"         // the other side does not speak TLS
	TLSFailed     Trouble = "tls_failed"     // the handshake failed otherwise
	BrokenOff     Trouble = "broken_off"     // the connection ended without an answer
	Stopped       Trouble = "stopped"        // the caller gave up
	Otherwise     Trouble = "other"
)

// Troubles lists every trouble but None.
func Troubles() []Trouble {
	return []Trouble{
		NoSuchName, DNSFailed, Private, ConnRefused, Unreachable, TimedOut, CertExpired, CertEarly, CertName, CertAlone, CertSelf,
		CertUntrusted, NoTLS, TLSFailed, BrokenOff, Stopped, Otherwise,
	}
}

// TroubleOf sorts the error of an HTTP call.
func TroubleOf(err error) Trouble {
	if err == nil {
		return None
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return NoSuchName
		}
		return DNSFailed
	}
	if t := certTrouble(err); t != None {
		return t
	}
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, ErrPrivate):
		return Private
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return Unreachable
	case errors.Is(err, context.Canceled):
		return Stopped
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return TimedOut
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return NoTLS
	case errors.As(err, &alert):
		return TLSFailed
	case brokenOff(err):
		return BrokenOff
	}
	return Otherwise
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// certTrouble is what is wrong with the other side's certificate; None if nothing
// is.
func certTrouble(err error) Trouble {
	bad, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return None
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return CertName
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired && invalid.Cert != nil {
			if time.Now().Before(invalid.Cert.NotBefore) {
				return CertEarly
			}
			return CertExpired
		}
		return CertUntrusted
	}
	if len(bad.UnverifiedCertificates) == 0 {
		return CertUntrusted
	}
	leaf := bad.UnverifiedCertificates[0]
	switch {
	case bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		return CertSelf
	case len(bad.UnverifiedCertificates) == 1:
		return CertAlone
	}
	return CertUntrusted
}

// brokenOff reports whether the other side ended the connection.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
