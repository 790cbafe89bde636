package ingress

import (
	"bytes"
	"net"
)

// maxHead bounds how much of a connection is looked at for a missing Host.
const maxHead = 16 << 10

// Lenient lets in HTTP/1.1 requests without a Host header, which simple PG
// senders leave out and Go's server refuses: the first request of such a
// connection gets one.
func Lenient(l net.Listener) net.Listener { return lenient{l} }

type lenient struct{ net.Listener }

func (l lenient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hostConn{Conn: c}, nil
}

// A hostConn holds back the head of its first request until it knows whether
// a Host header is in it. It is read by one goroutine, as net.Conn says.
type hostConn struct {
	net.Conn
	head   []byte // read and not yet handed out
	passed bool   // nothing is held back any more
}

func (c *hostConn) Read(p []byte) (int, error) {
	for !c.passed {
		buf := make([]byte, 4096)
		n, err := c.Conn.Read(buf)
		c.head = append(c.head, buf[:n]...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end >= 0 {
			c.head = withHost(c.head, end)
		}
		c.passed = end >= 0 || err != nil || len(c.head) > maxHead
		if err != nil && len(c.head) == 0 {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// withHost adds a Host header to an HTTP/1.1 head that has none.
func withHost(head []byte, end int) []byte {
	line := bytes.Index(head, []byte("\r\n"))
	if !bytes.HasSuffix(head[:line], []byte("HTTP/1.1")) || bytes.Contains(bytes.ToLower(head[:end]), []byte("\r\nhost:")) {
		return head
	}
	out := make([]byte, 0, len(head)+16)
	out = append(out, head[:line+2]...)
	out = append(out, "Host: tongbo\r\n"...)
	return append(out, head[line+2:]...)
}
