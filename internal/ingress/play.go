package ingress

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
)

// Play takes a notice that was made in this program, as ServeHTTP takes what comes
// over a connection from this machine: nothing is made easier for it. It returns the
// answer that a PG would have got, and what became of the notice; the error says why
// it was not committed, and then the answer is 503. It reports fault.Invalid if the
// path is none of notices.
func (i *Ingress) Play(ctx context.Context, n notice.Request) (provider.Reply, notice.Result, error) {
	return i.PlayFrom(ctx, netip.AddrFrom4([4]byte{127, 0, 0, 1}), n)
}

// PlayFrom is Play for a notice as if it came from another address.
func (i *Ingress) PlayFrom(ctx context.Context, from netip.Addr, n notice.Request) (provider.Reply, notice.Result, error) {
	rt, ok := i.route(n.Path)
	if !ok {
		return provider.Reply{}, notice.Result{}, fault.Errorf(fault.Invalid, "no notices are taken at %q", n.Route())
	}
	target := n.Path
	if n.Query != "" {
		target += "?" + n.Query
	}
	r, err := http.NewRequestWithContext(ctx, n.Method, target, io.NopCloser(bytes.NewReader(n.Body)))
	if err != nil {
		return provider.Reply{}, notice.Result{}, fault.Errorf(fault.Invalid, "a notice that is no request: %w", err)
	}
	r.RequestURI, r.RemoteAddr = target, netip.AddrPortFrom(from, 0).String()
	if r.Header = n.Header.Clone(); r.Header == nil {
		r.Header = http.Header{}
	}
	w := recorder{header: http.Header{}}
	res, err := i.take(&w, r, rt)
	return provider.Reply{Status: w.status, ContentType: w.header.Get("Content-Type"), Body: w.body.Bytes()}, res, err
}

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's header.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write keeps the body.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
