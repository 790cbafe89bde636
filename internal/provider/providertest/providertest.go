// Package providertest is what every PG module must pass: its samples decode
// as written, its two halves agree, its acknowledgements are told apart, what it
// reads twice or in part is not guessed at, its guides can be filled in, and no
// bytes make it panic.
package providertest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// Run tests modules that share a folder. Samples in testdata/*.txtar are for
// every module given, or for the one that the text above the archive's first
// section names on a line "provider: kcp_v2". Each module needs one for each of
// its events and one that is no notice. The sections of a sample are
//
//   - request: the body of a POST, or request.b64 for bytes outside ASCII;
//   - query: the query of a GET, instead of a body;
//   - header: the request's headers if they matter, a "Name: value" each line;
//   - notice.json: what it means. Each field named there must be so, others are
//     free;
//   - ack: the exact bytes of the answer to a notice that was taken; wherever
//     there is notice.json;
//   - error: instead of these two, if it is no notice. Its text, if it has any,
//     is a part of the error's.
func Run(t *testing.T, providers ...provider.Provider) {
	t.Helper()
	for _, p := range providers {
		t.Run(p.Info().Code, func(t *testing.T) {
			t.Run("info", func(t *testing.T) { checkInfo(t, p) })
			t.Run("guides", func(t *testing.T) { checkGuides(t, p) })
			t.Run("samples", func(t *testing.T) { checkSamples(t, p) })
			t.Run("round trip", func(t *testing.T) { checkRoundTrip(t, p) })
			t.Run("promises", func(t *testing.T) { checkPromises(t, p) })
			t.Run("broken", func(t *testing.T) { checkBroken(t, p) })
		})
	}
}

// checkBroken cuts a good request at every byte and damages it: an error is
// fine, a panic is not, and what is no notice at all is never taken for one.
func checkBroken(t *testing.T, p provider.Provider) {
	good := p.Encode(Sample(p.Info().Events[0]), nil)
	whole := payload(good)
	for i := range whole {
		_, _ = p.Decode(withPayload(good, whole[:i]))
	}
	for what, b := range map[string][]byte{
		"nothing": nil, "300 bytes of 0xff": bytes.Repeat([]byte{0xff}, 300),
		"a page": []byte("<html></html>"), "an empty object": []byte("{}"), "a list": []byte("[]"), "an unknown form": []byte("a=1&b=2"),
	} {
		if _, err := p.Decode(withPayload(good, b)); err == nil {
			t.Errorf("%s decodes", what)
		}
	}
}

// payload is the part of a request that speaks: the body, or the query of a
// PG that has none.
func payload(r notice.Request) []byte {
	if r.Method == http.MethodGet {
		return []byte(r.Query)
	}
	return r.Body
}

// withPayload is a request that says something else.
func withPayload(r notice.Request, b []byte) notice.Request {
	if r.Method == http.MethodGet {
		r.Query = string(b)
	} else {
		r.Body = b
	}
	return r
}

// Fuzz feeds arbitrary requests to a module's Decode. What decodes must give a
// known event and a notice that can be shown and is not much larger than what
// came.
func Fuzz(f *testing.F, p provider.Provider) {
	for _, s := range samples(f) {
		f.Add(s.request.Body, s.request.Query, s.request.ContentType())
	}
	f.Fuzz(func(t *testing.T, body []byte, query, contentType string) {
		req := notice.Request{Method: http.MethodPost, Query: query, Header: http.Header{"Content-Type": {contentType}}, Body: body}
		if len(body) == 0 {
			req.Method = http.MethodGet
		}
		n, err := p.Decode(req)
		_ = p.Ack(req, provider.Refused)
		if err != nil {
			return
		}
		if !known(n.Event) {
			t.Fatalf("event %q is unknown", n.Event)
		}
		if n.HasAmount && n.Amount.Amount < 0 {
			t.Fatalf("amount %v is less than nothing", n.Amount)
		}
		shown, err := json.Marshal(n)
		if err != nil {
			t.Fatalf("the notice can't be shown: %v", err)
		}
		if came := len(body) + len(query); len(shown) > 32*came+4096 {
			t.Fatalf("a request of %d bytes became a notice of %d", came, len(shown))
		}
		_ = p.Verify(req, n, merchant.Channel{}, payment.Payment{})
	})
}

func known(e payment.Event) bool {
	return slices.Contains(payment.Events(), e)
}
