package delivery

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/webhook"
)

// traceOf is what is kept of how a call went; resp is nil, and err not, if it had
// no answer. answered is when its first byte was there, zero if nobody knows.
func traceOf(t safehttp.Trace, resp *http.Response, err error, answered time.Time) webhook.Trace {
	out := webhook.Trace{
		Reused: t.Reused, DNS: t.DNSTook, Connect: t.ConnectTook, Handshake: t.TLSTook, Wait: t.WaitTook,
	}
	if t.Remote.IsValid() {
		out.Peer = t.Remote.String()
	}
	shown := t.Certs
	if resp != nil {
		if !answered.IsZero() {
			out.Read = time.Since(answered)
		}
		if resp.TLS != nil {
			out.TLS, shown = tls.VersionName(resp.TLS.Version), resp.TLS.PeerCertificates
		}
	}
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		shown = refused.UnverifiedCertificates
	}
	if leaf := first(shown); leaf != nil {
		out.Certificate = leaf.NotAfter
	}
	return out
}

func first(certs []*x509.Certificate) *x509.Certificate {
	if len(certs) == 0 {
		return nil
	}
	return certs[0]
}

// causes are why calls get no answer, by what their errors mean.
var causes = map[safehttp.Trouble]webhook.Cause{
	safehttp.NoSuchName: webhook.CauseDNS, safehttp.DNSFailed: webhook.CauseDNS,
	safehttp.Private: webhook.CauseBlocked, safehttp.ConnRefused: webhook.CauseRefused,
	safehttp.TimedOut: webhook.CauseTimeout, safehttp.Unreachable: webhook.CauseTimeout,
	safehttp.CertExpired: webhook.CauseTLS, safehttp.CertEarly: webhook.CauseTLS, safehttp.CertName: webhook.CauseTLS,
	safehttp.CertAlone: webhook.CauseTLS, safehttp.CertSelf: webhook.CauseTLS, safehttp.CertUntrusted: webhook.CauseTLS,
	safehttp.NoTLS: webhook.CauseTLS, safehttp.TLSFailed: webhook.CauseTLS,
	safehttp.BrokenOff: webhook.CauseBroken, safehttp.Stopped: webhook.CauseBroken, safehttp.Otherwise: webhook.CauseBroken,
}

// cause is why an error left a call without an answer.
func cause(err error) webhook.Cause { return causes[safehttp.TroubleOf(err)] }
