package ingress_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// FuzzIngress hands arbitrary requests to an ingress on a real store: it never
// panics, always answers, and never says yes to what was not stored.
func FuzzIngress(f *testing.F) {
	var list []merchant.Channel
	for i, p := range all.Providers() {
		key := merchant.ChannelKey("channel-key-" + string(rune('a'+i)))
		list = append(list, testChannel(keyed(key), of(p.Info().Code, "M1"), adopts))
		n := deposit("o-1", toMID("M1"))
		r := p.Encode(n, nil)
		f.Add(r.Method, r.Path, "Content-Type", r.ContentType(), r.Body)
		f.Add(r.Method, r.Path+"/"+string(key)+"/x", "X-Forwarded-For", "1.2.3.4", r.Body)
		f.Add("GET", r.Path, "", "", []byte(nil))
	}
	f.Add("POST", "/kcp-v2//%2f?x=%zz", "Content-Encoding", "gzip", []byte("tno=%"))
	f.Add("POST", "/nicepay-v2", "Content-Type", "application/json", []byte(`{"tid":"1","status":"paid","amount":1e99}`))
	s := newSite(f, list...).run()
	f.Fuzz(func(t *testing.T, method, path, name, value string, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		u, err := url.ParseRequestURI(path)
		if err != nil || method == "" || strings.ContainsAny(method, " \r\n") {
			t.Skip("the server itself turns it away")
		}
		r.Method, r.URL, r.RequestURI, r.RemoteAddr = method, u, path, "127.0.0.1:1"
		if name != "" {
			r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		here := *s
		here.TB = t
		rows := func() string {
			return here.texts(`select count(*) || '' from notice union all select coalesce(sum(dropped), 0) || '' from refusal`)
		}
		before := rows()
		w := httptest.NewRecorder()
		s.ingress.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			looks := (method == http.MethodGet || method == http.MethodHead) && u.RawQuery == ""
			if !looks && rows() == before {
				t.Errorf("acknowledged and not stored: %s %s %q", method, path, body)
			}
		case http.StatusBadRequest, http.StatusNotFound:
		case http.StatusServiceUnavailable:
			if name == "" {
				t.Errorf("not committed: %s %s %q\n%s", method, path, body, s.log)
			}
		default:
			t.Errorf("status = %d", w.Code)
		}
		if w.Code != http.StatusNotFound && w.Header().Get("Content-Length") == "" {
			t.Error("the answer has no Content-Length")
		}
	})
}
