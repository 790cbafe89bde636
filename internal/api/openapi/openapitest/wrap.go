package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Handler passes every call on to h, and fails the test where a call or its answer is
// not what the named documents, or all, say. It must not outlive the test.
func Handler(tb testing.TB, h http.Handler, docs ...string) http.Handler {
	tb.Helper()
	s := served(tb)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := &bytes.Buffer{}
		inner := r.Clone(r.Context())
		inner.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, sent), r.Body}
		got := &recorder{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(got, inner)
		_, _ = io.Copy(sent, r.Body) // what the handler left
		e := Exchange{
			Method: r.Method, URL: r.URL, Header: r.Header, Body: sent.Bytes(),
			Status: got.status, AnswerHeader: w.Header(), Answer: got.body.Bytes(),
		}
		if err := s.Check(e, docs...); err != nil {
			tb.Errorf("not as documented: %v", err)
		}
	})
}

// A recorder keeps what it passes on.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap returns what it passes on to.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Transport makes calls through base, and fails the test where
// a call or its answer is not what the named documents, or all, say.
func Transport(tb testing.TB, base http.RoundTripper, docs ...string) http.RoundTripper {
	tb.Helper()
	return transport{tb, base, served(tb), docs}
}

type transport struct {
	testing.TB
	base http.RoundTripper
	set  *Set
	docs []string
}

// RoundTrip makes a call. The answer's body is read whole.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	e := Exchange{Method: r.Method, URL: r.URL, Header: r.Header, Body: sent, Status: resp.StatusCode, AnswerHeader: resp.Header, Answer: got}
	if err := t.set.Check(e, t.docs...); err != nil {
		t.Errorf("not as documented: %v", err)
	}
	return resp, nil
}

// CloseIdleConnections closes those of what the calls are made through.
func (t transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func served(tb testing.TB) *Set {
	tb.Helper()
	s, err := Served()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Proxy serves the address to by way of Transport, for clients in other languages,
// and returns where it does. It ends with the test.
func Proxy(tb testing.TB, to string, docs ...string) string {
	tb.Helper()
	target, err := url.Parse(to)
	if err != nil {
		tb.Fatal(err)
	}
	connections := &http.Transport{}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: Transport(tb, connections, docs...),
	})
	tb.Cleanup(func() {
		proxy.Close()
		connections.CloseIdleConnections()
	})
	return proxy.URL
}
