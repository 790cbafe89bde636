package delivery_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/safehttp/safehttptest"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// receiver serves on loopback until the test ends: over TLS if it is given a chain.
func receiver(t *testing.T, h http.HandlerFunc, chain ...*safehttptest.Certificate) string {
	t.Helper()
	return safehttptest.Serve(t, h, chain...)
}

// answering answers with a status, headers in pairs and a body.
func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// tester calls loopback, trusts a root, and finds no name.
func tester(root *safehttptest.Certificate) *delivery.CallTester {
	client := safehttp.New(safehttp.Config{AllowPrivate: true})
	if tr, ok := client.Transport.(*http.Transport); ok && root != nil {
		tr.TLSClientConfig.RootCAs = safehttptest.Pool(root)
	}
	return &delivery.CallTester{Client: client}
}

func calling(url string) delivery.TestCall {
	return delivery.TestCall{
		URL: url, Type: webhook.Paid, Version: webhook.V20240425, ContentType: webhook.JSON, Secrets: []secret.Text{oldKey},
		Store: merchant.Store{ID: "store-1", Merchant: "m"}, Mode: merchant.Test,
	}
}

// free is an address at which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

// Each way in which a receiver may answer, or not, has its one finding. It is
// long, since each line is a receiver.
func TestCallTestFindings(t *testing.T) {
	t.Parallel()
	root := safehttptest.Certify(t, nil, safehttptest.Authority)
	between := safehttptest.Certify(t, root, safehttptest.Authority)
	stranger := safehttptest.Certify(t, nil, safehttptest.Authority)
	ok := answering(200, "ok")
	leaf := func(above *safehttptest.Certificate, edit func(*x509.Certificate)) *safehttptest.Certificate {
		return safehttptest.Certify(t, above, edit)
	}
	plain := func(*x509.Certificate) {}
	slow := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusOK)
	}
	hanging := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the caller left
		<-r.Context().Done()
	}
	for _, c := range []struct {
		name  string
		url   string
		limit time.Duration
		want  delivery.FindingCode
		ok    bool
		check func(delivery.Finding) bool
	}{
		{"a good answer", receiver(t, ok), 0, delivery.FoundGood, true, nil},
		{"a good answer over TLS", receiver(t, ok, leaf(root, plain)), 0, delivery.FoundGood, true, nil},
		{"a whole chain", receiver(t, ok, leaf(between, plain), between), 0, delivery.FoundGood, true, nil},
		{"another path", receiver(t, answering(302, "", "Location", "/login")) + "/hook", 0, delivery.FoundRedirect, false,
			func(f delivery.Finding) bool {
				return strings.HasSuffix(f.Location, "/login") && strings.HasPrefix(f.Location, "http://127")
			}},
		{"a slash at the end", receiver(t, answering(308, "", "Location", "/hook/")) + "/hook", 0, delivery.FoundSlash, false, nil},
		{"a slash less, and another query", receiver(t, answering(301, "", "Location", "/hook?a=1")) + "/hook/", 0, delivery.FoundRedirect, false, nil},
		{"a redirect to nowhere", receiver(t, answering(302, "")) + "/hook", 0, delivery.FoundStatus, false, nil},
		{"401", receiver(t, answering(401, "")), 0, delivery.FoundDenied, false, nil},
		{"403", receiver(t, answering(403, "")), 0, delivery.FoundDenied, false, nil},
		{"404", receiver(t, answering(404, "")), 0, delivery.FoundNoPath, false, nil},
		{"405", receiver(t, answering(405, "")), 0, delivery.FoundNoPost, false, nil},
		{"415", receiver(t, answering(415, "")), 0, delivery.FoundContentType, false, nil},
		{"422", receiver(t, answering(422, "")), 0, delivery.FoundBody, false, nil},
		{"500", receiver(t, answering(500, "")), 0, delivery.FoundStatus, false, func(f delivery.Finding) bool { return f.Status == 500 }},
		{"a web page", receiver(t, answering(200, "<p>log in", "Content-Type", "text/html; charset=utf-8")), 0, delivery.FoundPage, true, nil},
		{"a web page that says it is text", receiver(t, answering(200, " \n<!doctype html><p>log in", "Content-Type", "text/plain")), 0,
			delivery.FoundPage, true, nil},
		{"slow", receiver(t, slow), 500 * time.Millisecond, delivery.FoundSlow, true,
			func(f delivery.Finding) bool {
				return f.Took >= 300*time.Millisecond && f.Limit == 500*time.Millisecond
			}},
		{"no answer", receiver(t, hanging), 200 * time.Millisecond, delivery.FoundTimeout, false, nil},
		{"nobody listens", free(t), 0, delivery.FoundRefused, false, func(f delivery.Finding) bool { return f.Port != "" && f.Host == "127.0.0.1" }},
		{"expired", receiver(t, ok, leaf(root, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-99*24*time.Hour), time.Now().Add(-73*time.Hour)
		})), 0, delivery.FoundExpired, false, func(f delivery.Finding) bool { return f.Days == 3 }},
		{"not valid yet", receiver(t, ok, leaf(root, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })), 0,
			delivery.FoundEarly, false, nil},
		{"another name", receiver(t, ok, leaf(root, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"shop.example"} })), 0,
			delivery.FoundName, false, nil},
		{"no intermediate", receiver(t, ok, leaf(between, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.example/x.crt"} })), 0,
			delivery.FoundIntermediate, false, nil},
		{"signed by itself", receiver(t, ok, leaf(nil, plain)), 0, delivery.FoundAuthority, false, nil},
		{"signed by a stranger", receiver(t, ok, leaf(stranger, plain), stranger), 0, delivery.FoundAuthority, false, nil},
		{"no TLS where it is asked for", strings.Replace(receiver(t, ok), "http:", "https:", 1), 0, delivery.FoundTLS, false, nil},
		{"TLS where none is asked for", strings.Replace(receiver(t, ok, leaf(root, plain)), "https:", "http:", 1), 0, delivery.FoundStatus, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test := tester(root)
			test.Timeout = c.limit
			got, err := test.Call(t.Context(), "me", calling(c.url))
			if err != nil {
				t.Fatal(err)
			}
			if f := got.Finding; f.Code != c.want || f.OK() != c.ok || (c.check != nil && !c.check(f)) {
				t.Errorf("found %+v, want %s (%q)", f, c.want, got.Attempt.Error)
			}
		})
	}
}

func TestCallTestOfNamesAndPrivateAddresses(t *testing.T) {
	t.Parallel()
	test := tester(nil)
	if tr, ok := test.Client.Transport.(*http.Transport); ok {
		d := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no name server")
		}}}
		tr.DialContext = d.DialContext
	}
	got, err := test.Call(t.Context(), "me", calling("https://shop.invalid/hook"))
	if err != nil || got.Finding.Code != delivery.FoundDNS || got.Finding.Port != "443" || got.Attempt.Cause != webhook.CauseDNS {
		t.Errorf("a name that leads nowhere: %+v, %v", got.Finding, err)
	}
	careful := &delivery.CallTester{Client: safehttp.New(safehttp.Config{})}
	for _, url := range []string{receiver(t, answering(200, "secret")), "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]:9/"} {
		got, err := careful.Call(t.Context(), "me", calling(url))
		if err != nil || got.Finding.Code != delivery.FoundPrivate || len(got.Attempt.ResponseBody) > 0 {
			t.Errorf("%s: %+v, %v; want %s", url, got.Finding, err, delivery.FoundPrivate)
		}
	}
}

// A test call is like a webhook, and its result says how it went.
func TestCallTestIsAsReal(t *testing.T) {
	t.Parallel()
	root := safehttptest.Certify(t, nil, safehttptest.Authority)
	heard := make(chan *http.Request, 1)
	long := strings.Repeat("a", 20<<10)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		heard <- r.Clone(context.WithoutCancel(r.Context()))
		w.Header().Set("X-Said", "hello")
		_, _ = w.Write([]byte(long))
	}, safehttptest.Certify(t, root, func(*x509.Certificate) {}))
	c := calling(url + "/hook?key=1")
	c.Secrets = []secret.Text{newKey, oldKey}
	got, err := tester(root).Call(t.Context(), "me", c)
	if err != nil {
		t.Fatal(err)
	}
	r, a := <-heard, got.Attempt
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.RawQuery != "key=1" {
		t.Errorf("the receiver got %s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	want, err := webhook.Sign(a.Webhook.WebhookID(), a.At, a.RequestBody, newKey, oldKey)
	if err != nil || r.Header.Get(webhook.HeaderSignature) != want || strings.Count(want, "v1,") != 2 {
		t.Errorf("it was signed %q, want %q, %v", r.Header.Get(webhook.HeaderSignature), want, err)
	}
	if !strings.Contains(string(a.RequestBody), `"type":"Transaction.Paid"`) || !strings.Contains(a.RequestHeader, "webhook-id: "+a.Webhook.WebhookID()) {
		t.Errorf("sent %s\n%s", a.RequestHeader, a.RequestBody)
	}
	if a.Status != 200 || string(a.ResponseBody) != long[:16<<10] || !a.Truncated || !strings.Contains(a.ResponseHeader, "x-said: hello") {
		t.Errorf("status %d, %d bytes, cut off: %v\n%s", a.Status, len(a.ResponseBody), a.Truncated, a.ResponseHeader)
	}
	tr := a.Trace
	if !strings.HasPrefix(tr.Peer, "127.0.0.1:") || tr.Reused || !strings.HasPrefix(tr.TLS, "TLS 1.") ||
		tr.Connect <= 0 || tr.Handshake <= 0 || tr.Wait <= 0 || tr.Read < 0 || tr.Connect+tr.Handshake+tr.Wait > a.Took {
		t.Errorf("the trace is %+v of %v", tr, a.Took)
	}
	if days := int(time.Until(tr.Certificate).Hours() / 24); days != 90 {
		t.Errorf("the certificate is good for %d days, want 90", days)
	}
}

func TestCallTestRefusals(t *testing.T) {
	t.Parallel()
	url := receiver(t, answering(200, ""))
	test := tester(nil)
	for name, edit := range map[string]func(*delivery.TestCall){
		"no URL":             func(c *delivery.TestCall) { c.URL = "shop" },
		"another scheme":     func(c *delivery.TestCall) { c.URL = "file:///etc/passwd" },
		"no such version":    func(c *delivery.TestCall) { c.Version = "v9" },
		"a form of JSON":     func(c *delivery.TestCall) { c.ContentType = webhook.Form },
		"an event it lacks":  func(c *delivery.TestCall) { c.Version, c.Type = webhook.V1, webhook.Failed },
		"a secret that none": func(c *delivery.TestCall) { c.Secrets = []secret.Text{"whsec_*"} },
	} {
		c := calling(url)
		edit(&c)
		if _, err := test.Call(t.Context(), "me", c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want fault.Invalid", name, err)
		}
	}
	for range delivery.TestsPerMinute {
		if _, err := test.Call(t.Context(), "me", calling(url)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := test.Call(t.Context(), "me", calling(url))
	if many, ok := errors.AsType[delivery.TooManyTestsError](err); !ok || !fault.Is(err, fault.Unavailable) || many.After < time.Second || many.After > time.Minute {
		t.Errorf("one too many: %v", err)
	}
	if _, err := test.Call(t.Context(), "another", calling(url)); err != nil {
		t.Errorf("another caller's first: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := test.Call(ctx, "third", calling(url)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a caller that went away: %v", err)
	}
}

// Every type has a sample in each version that carries it, and all of a
// version's samples of one type are the same but for the time.
func TestSamples(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, typ := range append(webhook.PortOneTypes(), webhook.OwnTypes()...) {
		for _, v := range []webhook.Version{webhook.V20240425, webhook.V20240101, webhook.V1} {
			if !v.Carries(typ) {
				continue
			}
			b, err := webhook.Render(webhook.Sample(typ, merchant.Store{ID: "store-1"}, merchant.Test, "e", at), v, webhook.JSON)
			if err != nil || len(b) == 0 || strings.Contains(string(b), `""`) {
				t.Errorf("%s in %s: %s, %v", typ, v, b, err)
			}
		}
	}
}
