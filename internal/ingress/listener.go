package ingress

import (
	"bytes"
	"net"
)

// maxHead bounds how much of a connection is looked at for a missing Host.
const maxHead = 16 << 10

// Lenient lets in what simple PG senders write and Go's server refuses: an
// HTTP/1.1 request without a Host header, and one with blanks in its query,
// which are read as %20. It looks at the first request of a connection, and one
// that it had to mend is the last that the connection carries.
func Lenient(l net.Listener) net.Listener { return lenient{l} }

type lenient struct{ net.Listener }

// Accept waits for the next connection.
func (l lenient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hostConn{Conn: c}, nil
}

// closeWriter is what the HTTP server looks for when it ends a connection: a
// sender that is still talking hears the answer before the line goes dead.
type closeWriter interface{ CloseWrite() error }

// CloseWrite ends the connection's sending half, where it has halves.
func (c *hostConn) CloseWrite() error {
	if half, ok := c.Conn.(closeWriter); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// A hostConn holds back the head of its first request until all of it is there
// and can be mended. It is read by one goroutine, as net.Conn says.
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
		end := endOfHead(c.head)
		if end >= 0 {
			c.head = mended(c.head, end)
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

// endOfHead is where the empty line after the headers begins, or -1. Lines may
// end in a bare line feed, as HTTP's server allows.
func endOfHead(head []byte) int {
	crlf, lf := bytes.Index(head, []byte("\n\r\n")), bytes.Index(head, []byte("\n\n"))
	if crlf < 0 || lf >= 0 && lf < crlf {
		return lf
	}
	return crlf
}

// mended is a head that Go's server reads. What comes after a request that was
// mended could not be looked at, so the connection is to close.
func mended(head []byte, end int) []byte {
	line := bytes.IndexByte(head, '\n')
	request := bytes.TrimSuffix(head[:line], []byte("\r"))
	whole := withoutBlanks(request)
	hostless := bytes.HasSuffix(request, []byte(" HTTP/1.1")) && !bytes.Contains(bytes.ToLower(head[:end]), []byte("\nhost:"))
	if !hostless && len(whole) == len(request) {
		return head
	}
	out := make([]byte, 0, len(head)+len(whole)+64)
	out = append(append(out, whole...), "\r\nConnection: close\r\n"...)
	if hostless {
		out = append(out, "Host: tongbo\r\n"...)
	}
	return append(out, head[line+1:]...)
}

// withoutBlanks escapes the blanks in the query of a request line: of all its
// blanks only the first and the last are HTTP's.
func withoutBlanks(request []byte) []byte {
	query, last := bytes.IndexByte(request, '?'), bytes.LastIndex(request, []byte(" HTTP/1."))
	if query < 0 || last < query || bytes.Count(request[:query], []byte(" ")) != 1 {
		return request
	}
	out := bytes.ReplaceAll(request[query:last], []byte(" "), []byte("%20"))
	return append(append(bytes.Clone(request[:query]), out...), request[last:]...)
}
