package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// A tracer notes how one request goes on the wire. Its hooks may be called from
// other goroutines, and even after the request has ended.
type tracer struct {
	mu                              sync.Mutex
	t                               webhook.Trace
	lookup, dial, shake, sent, told time.Time
}

// traced returns a context whose request is noted. It costs some ten small
// allocations.
func (t *tracer) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { t.begin(&t.lookup) },
		DNSDone:              func(httptrace.DNSDoneInfo) { t.end(&t.lookup, &t.t.DNS) },
		ConnectStart:         t.connecting,
		ConnectDone:          func(string, string, error) { t.end(&t.dial, &t.t.Connect) },
		TLSHandshakeStart:    func() { t.begin(&t.shake) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { t.end(&t.shake, &t.t.Handshake) },
		GotConn:              t.connected,
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.begin(&t.sent) },
		GotFirstResponseByte: t.answered,
	})
}

func (t *tracer) begin(at *time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*at = time.Now()
}

func (t *tracer) end(from *time.Time, took *time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*took = since(*from)
}

// connecting notes the last address that was called: a name may have several.
func (t *tracer) connecting(_, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dial, t.t.Peer = time.Now(), address
}

func (t *tracer) connected(c httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A connection that was asked for and not needed may be dialled beside it.
	t.t.Peer, t.t.Reused = c.Conn.RemoteAddr().String(), c.Reused
	if c.Reused {
		t.t.DNS, t.t.Connect, t.t.Handshake = 0, 0, 0
	}
}

func (t *tracer) answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = time.Now()
	t.t.Wait = since(t.sent)
}

// trace is what was noted, now that the answer was read or did not come; resp
// is nil without one.
func (t *tracer) trace(resp *http.Response, err error) webhook.Trace {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.t
	out.Read = since(t.told)
	var leaf *x509.Certificate
	if resp != nil && resp.TLS != nil {
		out.TLS = tls.VersionName(resp.TLS.Version)
		if len(resp.TLS.PeerCertificates) > 0 {
			leaf = resp.TLS.PeerCertificates[0]
		}
	} else if refused := certificateOf(err); refused != nil {
		leaf = refused
	}
	if leaf != nil {
		out.Certificate = leaf.NotAfter
	}
	return out
}

// certificateOf is the certificate that an error speaks of, if any.
func certificateOf(err error) *x509.Certificate {
	var wrong *tls.CertificateVerificationError
	if errors.As(err, &wrong) && len(wrong.UnverifiedCertificates) > 0 {
		return wrong.UnverifiedCertificates[0]
	}
	return nil
}

func since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return time.Since(t)
}
