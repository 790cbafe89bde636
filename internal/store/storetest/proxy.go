//go:build unix

package storetest

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Proxy stands between a client and a database, and can fall silent as a
// network does: connections stay open, and nothing comes through. Its methods
// are safe for concurrent use.
type Proxy struct {
	URL string // of the database, by way of the proxy

	listener net.Listener
	server   string // host:port of the database
	work     sync.WaitGroup

	mu    sync.Mutex
	open  chan struct{} // closed while bytes pass
	conns map[net.Conn]bool
	ended bool
}

// NewProxy starts a proxy before the database with the given URL. It ends with
// the test.
func NewProxy(tb testing.TB, database string) *Proxy {
	tb.Helper()
	u, err := url.Parse(database)
	if err != nil {
		tb.Fatalf("the database's URL: %v", err)
	}
	p := &Proxy{server: u.Host, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.open)
	if p.listener, err = (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	p.URL = u.String()
	p.work.Go(p.accept)
	tb.Cleanup(p.end)
	return p
}

// Cut lets nothing through any more, in either direction. What was sent stays
// on the way.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// Mend lets everything through again, beginning with what is on the way.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// passing is closed once bytes pass.
func (p *Proxy) passing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// end hangs up on everybody and waits until nothing is carried any more.
func (p *Proxy) end() {
	p.Mend()
	_ = p.listener.Close() // nobody else closes it
	p.mu.Lock()
	p.ended = true
	for c := range p.conns {
		_ = c.Close() // its reader says so
	}
	p.mu.Unlock()
	p.work.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // the test ends
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// serve carries bytes between a client and the database until either hangs
// up.
func (p *Proxy) serve(client net.Conn) {
	defer p.forget(client)
	p.keep(client)
	<-p.passing()
	server, err := (&net.Dialer{}).Dial("tcp", p.server)
	if err != nil {
		return // a database that is away looks so through the proxy too
	}
	defer p.forget(server)
	p.keep(server)
	var back sync.WaitGroup
	back.Go(func() { p.carry(client, server) })
	p.carry(server, client)
	back.Wait()
}

// keep remembers a connection, to hang up at the end.
func (p *Proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	if p.ended {
		_ = c.Close() // too late
	}
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close() // it may be closed already
}

// carry copies bytes one way, and then hangs up at the other end: as late as
// the bytes that came before.
func (p *Proxy) carry(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		<-p.passing()
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = errors.Join(err, werr)
			}
		}
		if err != nil {
			_ = to.Close() // it may be closed already
			_, _ = io.Copy(io.Discard, from)
			return
		}
	}
}
