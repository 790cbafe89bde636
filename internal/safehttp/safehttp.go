// Package safehttp makes the HTTP client for calls whose address somebody else
// chose: webhooks above all.
//
// The client refuses private, local and reserved addresses. It looks at the
// address that is about to be dialled, after every name has been resolved and
// every notation undone, so a host name that changes its mind between a check
// and the connection gains nothing. It follows no redirects, uses no proxy and
// decompresses nothing: what the other side answered is what the caller sees.
package safehttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// ErrPrivate is wrapped by the error of a call to an address that is not part
// of the public internet. No connection was made.
var ErrPrivate = errors.New("private or reserved address: allow it with --allow-private-webhooks")

// Limits of a client that the Config does not set.
const (
	defaultConnectTimeout = 10 * time.Second
	defaultTimeout        = 30 * time.Second
	defaultIdlePerHost    = 16
	maxIdle               = 1024 // over all hosts: a hub serves many shops from one file table
	idleTimeout           = 90 * time.Second
	maxHeaderBytes        = 64 << 10
)

// A Config says how a client connects. The zero value is the careful choice.
type Config struct {
	// AllowPrivate lets the client call any address, also this machine's.
	AllowPrivate bool
	// Bind is the address that calls come from; the zero value leaves the
	// choice to the system. Hosts of the other address family are then out of
	// reach.
	Bind netip.Addr
	// ConnectTimeout limits the connection and, again, the TLS handshake.
	// Zero means 10 seconds.
	ConnectTimeout time.Duration
	// Timeout limits a whole call, from looking up the name to the last byte
	// of the answer. Zero means 30 seconds.
	Timeout time.Duration
	// MaxIdlePerHost is how many idle connections are kept for each host.
	// Zero means 16.
	MaxIdlePerHost int

	resolver *net.Resolver // nil means the system's
}

// New returns a client for c, safe for concurrent use. Its calls to private
// addresses end with an error that wraps ErrPrivate. It returns redirects as
// they are, and bodies as they were sent, compressed or not. Callers share one
// client, since idle connections belong to it.
func New(c Config) *http.Client {
	return &http.Client{
		Transport: c.transport(),
		Timeout:   or(c.Timeout, defaultTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

func (c Config) transport() *http.Transport {
	connect := or(c.ConnectTimeout, defaultConnectTimeout)
	return &http.Transport{
		Proxy:                  nil, // a proxy would resolve the name again, behind our back
		DialContext:            c.dial(connect),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connect,
		ForceAttemptHTTP2:      true, // a dialer of one's own turns HTTP/2 off otherwise
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    or(c.MaxIdlePerHost, defaultIdlePerHost),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

func (c Config) dial(timeout time.Duration) func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout, Resolver: c.resolver}
	if c.Bind.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Bind, 0))
	}
	if !c.AllowPrivate {
		d.Control = guard()
	}
	return d.DialContext
}

// guard returns the check that runs on every socket before it connects. Any
// port is fine: shops listen on odd ones.
func guard() func(network, address string, _ syscall.RawConn) error {
	g := ssrf.New(ssrf.WithAnyPort(), ssrf.WithNetworks("tcp4", "tcp6"))
	return func(network, address string, conn syscall.RawConn) error {
		err := g.Safe(network, address, conn)
		if errors.Is(err, ssrf.ErrProhibitedIP) {
			return fmt.Errorf("%s: %w", address, ErrPrivate)
		}
		return err
	}
}

// or returns v, or def where v is zero or less.
func or[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
