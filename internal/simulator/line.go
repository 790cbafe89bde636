package simulator

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/provider"
)

// A Line is how the bytes of a request are put on the connection.
type Line int

// The lines.
const (
	Whole      Line = iota // as any client does
	HalfClosed             // all of it, and then the end of the sending half
	Cut                    // two thirds of it, and then the end
	Slow                   // in twenty pieces, [PG].Drip apart
)

const (
	dripPieces = 20
	dripPause  = 200 * time.Millisecond
)

// callOn makes one call on a connection of its own. An answer is read even if
// it comes before all was sent.
func (g *PG) callOn(l Line, r *http.Request) (provider.Reply, error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var raw bytes.Buffer
	r.Close = true
	if err := r.Write(&raw); err != nil {
		return provider.Reply{}, err
	}
	c, err := dial(ctx, r)
	if err != nil {
		return provider.Reply{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	var sending sync.WaitGroup
	sending.Go(func() { _ = g.put(ctx, c, raw.Bytes(), l) }) // the answer is all that counts
	defer sending.Wait()
	defer func() { _ = c.Close() }() // ends the sending, too
	// An endless head must not fill the memory.
	answer := bufio.NewReader(io.LimitReader(c, maxHead+MaxAnswer))
	for {
		resp, err := http.ReadResponse(answer, r)
		if err != nil {
			return provider.Reply{}, fmt.Errorf("%w: %w", errBrokenOff, err)
		}
		defer func() { _ = resp.Body.Close() }() // what matters was read
		if resp.StatusCode >= http.StatusOK {
			return read(resp)
		} // else the answer is yet to come
	}
}

// maxHead is the longest head of an answer that is read.
const maxHead = 64 << 10

// errBrokenOff says that the connection ended before there was an answer.
var errBrokenOff = errors.New("the connection ended without an answer")

func dial(ctx context.Context, r *http.Request) (net.Conn, error) {
	port := r.URL.Port()
	if r.URL.Scheme == "https" {
		if port == "" {
			port = "443"
		}
		return (&tls.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(r.URL.Hostname(), port))
	}
	if port == "" {
		port = "80"
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(r.URL.Hostname(), port))
}

// put writes a request in the manner of the line.
func (g *PG) put(ctx context.Context, c net.Conn, raw []byte, l Line) error {
	switch l {
	case Slow:
		return g.drip(ctx, c, raw)
	case Cut:
		// Of a GET this is the middle of its head, else of its body.
		end := len(raw) * 2 / 3
		if head := bytes.Index(raw, []byte("\r\n\r\n")) + 4; head < len(raw) {
			end = head + (len(raw)-head)*2/3
		}
		raw = raw[:end]
	case Whole, HalfClosed:
	}
	if _, err := c.Write(raw); err != nil {
		return err
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (g *PG) drip(ctx context.Context, c net.Conn, raw []byte) error {
	between := g.Drip
	if between <= 0 {
		between = dripPause
	}
	size := len(raw)/dripPieces + 1
	for len(raw) > 0 {
		n := min(len(raw), size)
		if _, err := c.Write(raw[:n]); err != nil {
			return err
		}
		raw = raw[n:]
		if len(raw) > 0 {
			if err := wait(ctx, between); err != nil {
				return err
			}
		}
	}
	return nil
}
