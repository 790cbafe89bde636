// Package providertest is what every PG module must pass: its samples decode
// as written, its two halves agree, its acknowledgements are told apart, and
// no bytes make it panic.
package providertest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// Run tests modules that share a folder. Samples in testdata/*.txtar are for
// every module given, or for the one named on the first line of the archive's
// comment ("provider: kcp_v2").
//
// A sample has the sections request (or request.b64 for bytes outside ASCII),
// notice.json (each field named there must be so; others are free) or error,
// and ack (the exact bytes of the answer to a notice that was taken). Request
// headers may be given in section header, one "Name: value" a line.
func Run(t *testing.T, providers ...provider.Provider) {
	t.Helper()
	for _, p := range providers {
		t.Run(p.Info().Code, func(t *testing.T) {
			t.Run("info", func(t *testing.T) { checkInfo(t, p) })
			t.Run("guides", func(t *testing.T) { checkGuides(t, p) })
			t.Run("samples", func(t *testing.T) { checkSamples(t, p) })
			t.Run("round trip", func(t *testing.T) { checkRoundTrip(t, p) })
			t.Run("broken", func(t *testing.T) { checkBroken(t, p) })
		})
	}
}

// A sample is one recorded or published request with what it means.
type sample struct {
	name     string
	request  notice.Request
	want     map[string]any // nil if an error is wanted
	ack      []byte
	hasAck   bool
	provider string
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no samples in testdata: %v", err)
	}
	out := make([]sample, 0, len(files))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, parseSample(tb, f, txtar.Parse(b)))
	}
	return out
}

func parseSample(tb testing.TB, name string, a *txtar.Archive) sample {
	tb.Helper()
	s := sample{name: filepath.Base(name), request: notice.Request{Method: http.MethodPost, Header: http.Header{}}}
	for line := range strings.Lines(string(a.Comment)) {
		if code, ok := strings.CutPrefix(line, "provider:"); ok {
			s.provider = strings.TrimSpace(code)
		}
	}
	for _, f := range a.Files {
		text := bytes.TrimSuffix(f.Data, []byte("\n"))
		switch f.Name {
		case "request":
			s.request.Body = text
		case "request.b64":
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
			if err != nil {
				tb.Fatalf("%s: request.b64: %v", name, err)
			}
			s.request.Body = raw
		case "query":
			s.request.Method, s.request.Query = http.MethodGet, string(text)
		case "header":
			for line := range strings.Lines(string(text)) {
				k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
				s.request.Header.Set(k, strings.TrimSpace(v))
			}
		case "notice.json":
			if err := json.Unmarshal(f.Data, &s.want); err != nil {
				tb.Fatalf("%s: notice.json: %v", name, err)
			}
		case "ack":
			s.ack, s.hasAck = text, true
		case "error":
		default:
			tb.Fatalf("%s: unknown section %q", name, f.Name)
		}
	}
	return s
}

func checkSamples(t *testing.T, p provider.Provider) {
	ran := 0
	for _, s := range samples(t) {
		if s.provider != "" && s.provider != p.Info().Code {
			continue
		}
		ran++
		t.Run(s.name, func(t *testing.T) { checkSample(t, p, s) })
	}
	if ran == 0 {
		t.Error("no sample is for this module")
	}
}

func checkSample(t *testing.T, p provider.Provider, s sample) {
	n, err := p.Decode(s.request)
	if s.want == nil {
		if err == nil {
			t.Fatalf("Decode = %+v, want an error", n)
		}
		return
	}
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for k, want := range s.want {
		if d := cmp.Diff(want, got[k]); d != "" {
			t.Errorf("%s (-want +got):\n%s", k, d)
		}
	}
	if !s.hasAck {
		return
	}
	if r := p.Ack(s.request, provider.Received); !bytes.Equal(r.Body, s.ack) {
		t.Errorf("Ack = %q, want %q", r.Body, s.ack)
	}
}

// unclosed is bold text that Markdown does not end: no letter may follow at
// once where a sign stands before the asterisks.
var unclosed = regexp.MustCompile(`[^\pL\pN\s*]\*\*\pL`)

func checkGuides(t *testing.T, p provider.Provider) {
	for _, lang := range []string{"ko", "en"} {
		g := p.Guide(lang)
		if !strings.Contains(g, provider.NoticeURLMark) {
			t.Errorf("guide %s does not show the address of notices", lang)
		}
		if second := len(p.Info().Paths) > 1; strings.Contains(g, provider.SecondURLMark) != second {
			t.Errorf("guide %s shows the second address: %v, want %v", lang, !second, second)
		}
		for _, m := range unclosed.FindAllString(g, -1) {
			t.Errorf("guide %s prints the asterisks of %q", lang, m)
		}
	}
}

func checkInfo(t *testing.T, p provider.Provider) {
	i := p.Info()
	for what, text := range map[string]string{
		"code": i.Code, "Korean name": i.Name.KO, "English name": i.Name.EN,
		"modules": i.Modules, "charset": i.Charset, "class": string(i.Class), "proves (ko)": i.Proves.KO,
		"proves (en)": i.Proves.EN, "resend note (ko)": i.ResendNote.KO, "resend note (en)": i.ResendNote.EN,
	} {
		if strings.TrimSpace(text) == "" {
			t.Errorf("Info has no %s", what)
		}
	}
	if len(i.Paths) == 0 || len(i.Methods) == 0 || len(i.Events) == 0 {
		t.Errorf("Info lacks paths %v, methods %v or events %v", i.Paths, i.Methods, i.Events)
	}
	names := make(map[string]bool)
	for _, f := range i.Fields {
		if f.Name == "" || f.Label.KO == "" || f.Label.EN == "" || names[f.Name] {
			t.Errorf("credential field %+v is incomplete or told twice", f)
		}
		names[f.Name] = true
	}
	for _, m := range i.TestMIDs {
		for name := range m.Credentials {
			if !names[name] {
				t.Errorf("test MID %s has credential %q, which is not a field", m.MID, name)
			}
		}
	}
	if i.LiveSenders != nil && i.SendersAsOf == "" {
		t.Error("sender addresses have no date")
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
