package safehttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"time"
)

// A Trace is how one call went, part by part. What was not gone through is zero:
// a literal address needs no DNS, plain HTTP no TLS, and a connection that was
// kept from an earlier call none of the first three.
type Trace struct {
	Found     []netip.Addr   // to which the name led
	Remote    netip.AddrPort // that was connected to
	Connected bool
	Secured   bool                // the TLS handshake ended well
	TLS       tls.ConnectionState // if Secured
	Certs     []*x509.Certificate // that the other side showed, its own first; also bad ones
	Reused    bool

	DNSTook, ConnectTook, TLSTook time.Duration
	// WaitTook is from the written request to the first byte of the answer.
	WaitTook time.Duration
}

// A tracer fills a Trace. Its hooks may be called by several goroutines: the
// transport tries IPv4 and IPv6 side by side.
type tracer struct {
	mu                      sync.Mutex
	t                       Trace
	dns, dial, tls, written time.Time
}

// Traced returns a context whose HTTP call is traced, and what returns the trace
// once the call has ended. It serves one call without redirects.
func Traced(ctx context.Context) (context.Context, func() Trace) {
	r := &tracer{}
	return httptrace.WithClientTrace(ctx, r.hooks()), func() Trace {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.t
	}
}

func (r *tracer) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { r.note(func() { r.dns = time.Now() }) },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			r.note(func() {
				r.t.DNSTook = time.Since(r.dns)
				for _, a := range i.Addrs {
					if ip, ok := netip.AddrFromSlice(a.IP); ok {
						r.t.Found = append(r.t.Found, ip.Unmap())
					}
				}
			})
		},
		ConnectStart: func(_, _ string) {
			r.note(func() {
				if r.dial.IsZero() {
					r.dial = time.Now()
				}
			})
		},
		ConnectDone: func(_, address string, err error) {
			r.note(func() {
				if err != nil || r.t.Connected {
					return
				}
				r.t.Connected, r.t.ConnectTook = true, time.Since(r.dial)
				r.t.Remote, _ = netip.ParseAddrPort(address)
			})
		},
		TLSHandshakeStart: func() { r.note(func() { r.tls = time.Now() }) },
		TLSHandshakeDone: func(s tls.ConnectionState, err error) {
			r.note(func() {
				r.t.TLSTook = time.Since(r.tls)
				if r.t.Certs = s.PeerCertificates; err == nil {
					r.t.Secured, r.t.TLS = true, s
				}
			})
		},
		GotConn: func(i httptrace.GotConnInfo) {
			r.note(func() {
				r.t.Reused = i.Reused
				if a, ok := i.Conn.RemoteAddr().(*net.TCPAddr); ok && i.Reused {
					r.t.Remote = a.AddrPort()
				}
			})
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			r.note(func() { r.written = time.Now() })
		},
		GotFirstResponseByte: func() {
			r.note(func() {
				if r.t.WaitTook == 0 && !r.written.IsZero() {
					r.t.WaitTook = time.Since(r.written)
				}
			})
		},
	}
}

func (r *tracer) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// Once returns a client like c that makes a new connection for each call, so that
// a Trace has all its parts, and closes it after. c itself stays as it is.
func Once(c *http.Client) *http.Client {
	once := *c
	if t, ok := c.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		once.Transport = t
	}
	return &once
}
