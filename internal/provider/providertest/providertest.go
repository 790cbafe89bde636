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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

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
			t.Run("samples", func(t *testing.T) { checkSamples(t, p) })
			t.Run("round trip", func(t *testing.T) { checkRoundTrip(t, p) })
			t.Run("acknowledgement", func(t *testing.T) { checkAck(t, p) })
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

func checkInfo(t *testing.T, p provider.Provider) {
	i := p.Info()
	for what, text := range map[string]string{
		"code": i.Code, "Korean name": i.Name.KO, "English name": i.Name.EN, "admin site": i.Admin,
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

// Sample is a notice with every field that a PG may tell, as the simulator
// would ask for it. The names hold a syllable that only CP949 has.
func Sample(e payment.Event) notice.Notice {
	at := time.Date(2026, 8, 1, 12, 30, 15, 0, time.FixedZone("Asia/Seoul", 9*60*60))
	n := notice.Notice{
		Report: payment.Report{
			Event: e, Amount: payment.Won(10000), HasAmount: true, Account: "56211992494252",
			Bank: "SHINHAN", Depositor: "똠방각하", At: at, PGTx: "",
		},
		Order: "order-1001",
	}
	n.Deposit = "20260801123015000001"
	return n
}

// checkRoundTrip encodes each event that the module can tell and decodes it
// again: what both forms can carry must come back.
func checkRoundTrip(t *testing.T, p provider.Provider) {
	for _, e := range p.Info().Events {
		t.Run(string(e), func(t *testing.T) {
			n := Sample(e)
			if mids := p.Info().TestMIDs; len(mids) > 0 {
				n.Merchant = mids[0].MID
			}
			req := p.Encode(n, nil)
			got, err := p.Decode(req)
			if err != nil {
				t.Fatalf("Decode(Encode): %v\n%s", err, req.Body)
			}
			if got.Event != e {
				t.Errorf("event = %s, want %s", got.Event, e)
			}
			if got.Order != n.Order {
				t.Errorf("order = %q, want %q", got.Order, n.Order)
			}
			if got.Key == "" {
				t.Error("the notice has no key")
			}
			if got.HasAmount && got.Amount != n.Amount {
				t.Errorf("amount = %v, want %v", got.Amount, n.Amount)
			}
			if got.Merchant != "" && got.Merchant != n.Merchant {
				t.Errorf("merchant = %q, want %q", got.Merchant, n.Merchant)
			}
			if got.Depositor != "" && got.Depositor != n.Depositor {
				t.Errorf("depositor = %q, want %q", got.Depositor, n.Depositor)
			}
			if got.Account != "" && got.Account != n.Account {
				t.Errorf("account = %q, want %q", got.Account.Reveal(), n.Account.Reveal())
			}
			if !got.At.IsZero() && !got.At.Equal(n.At) {
				t.Errorf("at = %v, want %v", got.At, n.At)
			}
			again, err := p.Decode(p.Encode(n, nil))
			if err != nil || again.Key != got.Key {
				t.Errorf("the same notice again has key %q, was %q (%v)", again.Key, got.Key, err)
			}
		})
	}
}

func checkAck(t *testing.T, p provider.Provider) {
	req := p.Encode(Sample(p.Info().Events[0]), nil)
	yes, no := p.Ack(req, provider.Received), p.Ack(req, provider.Refused)
	if !p.Acked(yes) {
		t.Errorf("the PG would resend after %d %q", yes.Status, yes.Body)
	}
	if p.Acked(no) {
		t.Errorf("the PG would stop after the refusal %d %q", no.Status, no.Body)
	}
	if yes.Status != http.StatusOK {
		t.Errorf("status = %d, want 200", yes.Status)
	}
	if p.Acked(provider.Reply{Status: http.StatusServiceUnavailable}) {
		t.Error("the PG would stop after a 503")
	}
}

// checkBroken cuts a good request at every byte and damages it: an error is
// fine, a panic is not, and NUL is never read as text.
func checkBroken(t *testing.T, p provider.Provider) {
	req := p.Encode(Sample(p.Info().Events[0]), nil)
	body := req.Body
	for i := range body {
		req.Body = body[:i]
		_, _ = p.Decode(req)
	}
	req.Body = nil
	if req.Query == "" {
		if _, err := p.Decode(req); err == nil {
			t.Error("an empty body decodes")
		}
	}
	req.Body = bytes.Repeat([]byte{0xff}, 300)
	if _, err := p.Decode(req); err == nil && req.Query == "" {
		t.Error("300 bytes of 0xff decode")
	}
}

// Fuzz feeds arbitrary bodies to a module's Decode. A body that decodes must
// give a known event and a notice that can be shown.
func Fuzz(f *testing.F, p provider.Provider) {
	for _, s := range samples(f) {
		f.Add(s.request.Body, s.request.Query, s.request.ContentType())
	}
	f.Fuzz(func(t *testing.T, body []byte, query, contentType string) {
		req := notice.Request{Method: http.MethodPost, Query: query, Header: http.Header{"Content-Type": {contentType}}, Body: body}
		n, err := p.Decode(req)
		_ = p.Ack(req, provider.Refused)
		if err != nil {
			return
		}
		if !known(n.Event) {
			t.Fatalf("event %q is unknown", n.Event)
		}
		if _, err := json.Marshal(n); err != nil {
			t.Fatalf("the notice can't be shown: %v", err)
		}
		_ = p.Verify(req, n, nil, payment.Payment{})
	})
}

func known(e payment.Event) bool {
	return slices.Contains(payment.Events(), e)
}
