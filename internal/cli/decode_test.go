package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// run runs a command line and returns all that came of it.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(args, Env{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs})
	return code, out.String(), errs.String()
}

// watch runs a command line as somebody sees it on a terminal without colours.
func watch(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Terminal: true})
	return code, out.String(), errs.String()
}

// sampleOf returns the sections of a module's first sample of a deposit that
// needs no headers, or else of its first one that is a notice. A request that is
// kept as a query or as base64 is in "request" all the same.
func sampleOf(t *testing.T, p provider.Provider) map[string][]byte {
	t.Helper()
	folder := path.Base(reflect.TypeOf(p).PkgPath())
	files, err := filepath.Glob(filepath.Join("..", "provider", folder, "testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var first map[string][]byte
	for _, file := range files {
		sections := readSample(t, file)
		if code := sections["provider"]; sections["notice.json"] == nil || code != nil && string(code) != p.Info().Code {
			continue
		}
		if first == nil {
			first = sections
		}
		var n struct{ Event payment.Event }
		if err := json.Unmarshal(sections["notice.json"], &n); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if n.Event == payment.EventDeposited && !needsHeaders(sections["header"]) {
			return sections
		}
	}
	if first == nil {
		t.Fatalf("internal/provider/%s/testdata has no sample with notice.json for %s", folder, p.Info().Code)
	}
	return first
}

// readSample returns a sample's sections, and as "provider" the module that it
// is for.
func readSample(t *testing.T, file string) map[string][]byte {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := make(map[string][]byte)
	for _, f := range a.Files {
		sections[f.Name] = bytes.TrimSuffix(f.Data, []byte("\n"))
	}
	if query, ok := sections["query"]; ok {
		sections["request"] = query
	}
	if text, ok := sections["request.b64"]; ok {
		if sections["request"], err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), "")); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	for line := range bytes.Lines(a.Comment) {
		if code, ok := bytes.CutPrefix(line, []byte("provider:")); ok {
			sections["provider"] = bytes.TrimSpace(code)
		}
	}
	return sections
}

// needsHeaders reports whether there is any but the one that decode guesses.
func needsHeaders(header []byte) bool {
	for line := range bytes.Lines(header) {
		if !bytes.HasPrefix(bytes.ToLower(line), []byte("content-type:")) {
			return true
		}
	}
	return false
}

// requestOf is the request of a module's sample.
func requestOf(t *testing.T, code string) string {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("there is no module %s", code)
	}
	return string(sampleOf(t, p)["request"])
}

func TestDecodeSamples(t *testing.T) {
	for _, p := range all.Providers() {
		code := p.Info().Code
		t.Run(code, func(t *testing.T) {
			sample := sampleOf(t, p)
			body := sample["request"]
			file := filepath.Join(t.TempDir(), "body")
			if err := os.WriteFile(file, body, 0o600); err != nil {
				t.Fatal(err)
			}
			exit, fromFile, errs := run(t, "", "decode", code, file)
			if exit != exitOK || errs != "" {
				t.Fatalf("exit %d, stderr %q", exit, errs)
			}
			_, fromStdin, _ := run(t, string(body), "decode", code)
			_, fromDash, _ := run(t, string(body), "decode", code, "-")
			if fromFile != fromStdin || fromFile != fromDash {
				t.Errorf("file, standard input and - differ:\n%s%s%s", fromFile, fromStdin, fromDash)
			}
			if strings.Count(fromFile, "\n") != 1 || !strings.HasSuffix(fromFile, "}\n") {
				t.Errorf("want one line: %q", fromFile)
			}
			var got, want map[string]any
			if err := json.Unmarshal([]byte(fromFile), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(sample["notice.json"], &want); err != nil {
				t.Fatal(err)
			}
			want["ack"] = string(sample["ack"])
			for k, v := range want {
				if d := cmp.Diff(v, got[k]); d != "" {
					t.Errorf("%s (-want +got):\n%s", k, d)
				}
			}
		})
	}
}

func TestDecodeWhatIsSimulated(t *testing.T) {
	for _, p := range all.Providers() {
		i := p.Info()
		for _, e := range i.Events {
			t.Run(i.Code+"/"+string(e), func(t *testing.T) {
				exit, body, errs := run(t, "", "simulate", i.Code, string(e), "--raw", "--order", "주문-1", "--amount", "70000",
					"--depositor", "똠방각하", "--bank", "신한은행", "--account", "56211992494252", "--at", "2026-08-01 12:30:15")
				if exit != exitOK {
					t.Fatalf("simulate: exit %d, %s", exit, errs)
				}
				exit, out, errs := run(t, body, "decode", i.Code)
				if exit != exitOK {
					t.Fatalf("decode: exit %d, %s", exit, errs)
				}
				var got struct {
					Event, Order, Depositor, Account, Bank, At string
					Amount                                     *int64
				}
				if err := json.Unmarshal([]byte(out), &got); err != nil {
					t.Fatal(err)
				}
				if got.Event != string(e) || got.Order != "주문-1" || got.Amount != nil && *got.Amount != 70000 {
					t.Errorf("decode = %s", out)
				}
				for _, pair := range [][2]string{
					{got.Depositor, "똠방각하"}, {got.Account, "56211992494252"}, {got.Bank, "SHINHAN"},
					{got.At, "2026-08-01T12:30:15+09:00"},
				} {
					if pair[0] != "" && pair[0] != pair[1] {
						t.Errorf("%q, want %q: %s", pair[0], pair[1], out)
					}
				}
			})
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	kcp := requestOf(t, "kcp")
	tests := []struct {
		name  string
		stdin string
		args  []string
		exit  int
		want  []string // parts of standard error
	}{
		{"nonsense", "hello", []string{"decode", "kcp"}, exitFailed, []string{"not a notice of kcp", "No provider can read it"}},
		{"another PG's notice", kcp, []string{"decode", "nice"}, exitFailed, []string{"not a notice of nice", "It reads as a notice of kcp or kcp_v2"}},
		{"nothing", "", []string{"decode", "tosspayments"}, exitFailed, []string{"not a notice of tosspayments"}},
		{"a byte too many", kcp + "&x=" + strings.Repeat("1", maxNotice-len(kcp)-2), []string{"decode", "kcp"}, exitFailed, []string{"65536 bytes"}},
		{"an unknown provider", kcp, []string{"decode", "kpc"}, exitUsage, []string{`no provider "kpc"`, "html5_inicis, inicis_v2, kcp,"}},
		{"no such file", "", []string{"decode", "kcp", filepath.Join(t.TempDir(), "none")}, exitFailed, []string{"none"}},
		{"a query and no body", "", []string{"decode", "kcp", "--query", "tx_cd=TX00"}, exitFailed, []string{"not a notice"}},
		{"no provider", "", []string{"decode"}, exitUsage, []string{"provider"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			exit, out, errs := run(t, tt.stdin, tt.args...)
			if exit != tt.exit || out != "" {
				t.Errorf("exit %d, want %d; stdout %q", exit, tt.exit, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(errs, want) {
					t.Errorf("stderr lacks %q:\n%s", want, errs)
				}
			}
		})
	}
	exit, out, errs := run(t, kcp+"&x="+strings.Repeat("1", maxNotice-len(kcp)-3), "decode", "kcp")
	if exit != exitOK || out == "" {
		t.Errorf("64 KiB exactly: exit %d, %s", exit, errs)
	}
}

func TestDecodeOnTerminal(t *testing.T) {
	var out bytes.Buffer
	body := requestOf(t, "nice")
	if exit := Main([]string{"decode", "nice"}, Env{Stdin: strings.NewReader(body), Stdout: &out, Stderr: &out, Terminal: true}); exit != exitOK {
		t.Fatalf("exit %d: %s", exit, &out)
	}
	if !strings.HasPrefix(out.String(), "{\n  \"event\": \"deposited\",\n") || !json.Valid(out.Bytes()) {
		t.Errorf("not indented JSON:\n%s", &out)
	}
}
