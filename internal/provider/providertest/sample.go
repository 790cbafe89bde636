package providertest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A sample is one recorded or published request with what it means.
type sample struct {
	name     string
	provider string // empty if it is for every module of the folder
	request  notice.Request
	want     map[string]any // fields of the notice; nil if an error is wanted
	wrong    string         // part of the error's text
	ack      []byte         // nil if the sample has none
}

// samples reads those of the folder. Those that break a rule of their format
// fail the test.
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
		s, err := parseSample(filepath.Base(f), txtar.Parse(b))
		if err != nil {
			tb.Errorf("%s: %v", f, err)
		}
		out = append(out, s)
	}
	return out
}

// parseSample reads a sample, and says what is wrong with it if it has neither
// or both of a notice and an error, or a notice without an acknowledgement.
func parseSample(name string, a *txtar.Archive) (sample, error) {
	s := sample{name: name, request: notice.Request{Method: http.MethodPost, Header: http.Header{}}}
	for line := range strings.Lines(string(a.Comment)) {
		if code, ok := strings.CutPrefix(line, "provider:"); ok {
			s.provider = strings.TrimSpace(code)
		}
	}
	has := make(map[string]bool)
	for _, f := range a.Files {
		has[f.Name] = true
		if err := s.read(f.Name, f.Data); err != nil {
			return s, fmt.Errorf("section %s: %w", f.Name, err)
		}
	}
	switch {
	case !has["request"] && !has["request.b64"] && !has["query"]:
		return s, errors.New("it has none of the sections request, request.b64 and query")
	case has["notice.json"] == has["error"]:
		return s, errors.New("it wants one of the sections notice.json (what it means) and error (that it is no notice)")
	case has["notice.json"] && len(s.want) == 0:
		return s, errors.New("section notice.json names no field: write at least event, order and amount")
	case has["notice.json"] && !has["ack"]:
		return s, errors.New("it has no section ack: write the exact answer to a notice that was taken")
	}
	return s, nil
}

// read takes one section of a sample.
func (s *sample) read(section string, data []byte) error {
	text := bytes.TrimSuffix(data, []byte("\n"))
	switch section {
	case "request":
		s.request.Body = text
	case "request.b64":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		s.request.Body = raw
		return err
	case "query":
		s.request.Method, s.request.Query = http.MethodGet, string(text)
	case "header":
		for line := range strings.Lines(string(text)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
			s.request.Header.Set(k, strings.TrimSpace(v))
		}
	case "notice.json":
		return json.Unmarshal(data, &s.want)
	case "error":
		s.wrong = strings.TrimSpace(string(text))
	case "ack":
		s.ack = text
	default:
		return errors.New("there is no section of this name")
	}
	return nil
}

// checkSamples decodes the samples that are for a module. Together they must
// show every event that it tells, and something that is no notice of it.
func checkSamples(t *testing.T, p provider.Provider) {
	var shown []payment.Event
	bad := 0
	for _, s := range samples(t) {
		if s.provider != "" && s.provider != p.Info().Code {
			continue
		}
		if s.want == nil {
			bad++
		}
		t.Run(s.name, func(t *testing.T) { shown = append(shown, checkSample(t, p, s)) })
	}
	for _, e := range p.Info().Events {
		if !slices.Contains(shown, e) {
			t.Errorf("no sample for this module decodes as %q, which is one of Info.Events: add a testdata/*.txtar", e)
		}
	}
	if bad == 0 {
		t.Error("no sample for this module has a section error: add a testdata/*.txtar that must not decode")
	}
}

// checkSample is one sample. It returns the event that it decodes as, empty if
// it is no notice.
func checkSample(t *testing.T, p provider.Provider, s sample) payment.Event {
	n, err := p.Decode(s.request)
	switch {
	case s.want == nil && err == nil:
		t.Errorf("Decode = %+v, want an error", n)
	case s.want == nil && !strings.Contains(err.Error(), s.wrong):
		t.Errorf("Decode reports %q, want an error with %q", err, s.wrong)
	case s.want != nil && err != nil:
		t.Errorf("Decode: %v", err)
	case s.want != nil:
		compareSample(t, p, s, n)
		return n.Event
	}
	return ""
}

// compareSample compares what a good sample decodes to with what it should.
func compareSample(t *testing.T, p provider.Provider, s sample, n notice.Notice) {
	t.Helper()
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
	checkNames(t, n)
	if !slices.Contains(notice.Charsets(), n.Charset) {
		t.Errorf("it was read in charset %q: say in which, as wire.Values.Charset does", n.Charset)
	}
	if r := p.Ack(s.request, provider.Received); !bytes.Equal(r.Body, s.ack) {
		t.Errorf("Ack = %q, want %q", r.Body, s.ack)
	}
}
