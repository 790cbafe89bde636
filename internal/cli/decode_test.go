package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/provider/all"
)

// run runs a command line and returns all that came of it.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(args, Env{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs})
	return code, out.String(), errs.String()
}

// published are samples that a PG or a public receiver shows, by module.
var published = map[string]string{
	"html5_inicis": "inicis/a-deposit", "inicis_v2": "inicis/b-deposit",
	"kcp": "kcp/deposit", "kcp_v2": "kcp/deposit_euckr",
	"nice": "nice/deposit", "nice_v2": "nice/webhook_paid",
	"kicc": "kicc/json_deposit", "settle": "settle/deposit", "daou": "daou/deposit",
	"tosspayments": "tosspayments/deposit-published", "smartro_v2": "smartro/deposit",
	"welcome": "welcome/a-deposit", "kpn": "kpn/deposit", "ksnet": "ksnet/deposit_old",
}

// section returns a part of a sample, decoded if it is kept as base64.
func section(t *testing.T, sample, name string) []byte {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("..", "provider", filepath.FromSlash(samplePath(sample))))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		text := bytes.TrimSuffix(f.Data, []byte("\n"))
		switch f.Name {
		case name, map[string]string{"request": "query"}[name]:
			return text
		case name + ".b64":
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	t.Fatalf("%s has no section %s", sample, name)
	return nil
}

func samplePath(sample string) string {
	folder, name, _ := strings.Cut(sample, "/")
	return folder + "/testdata/" + name + ".txtar"
}

func TestDecodePublishedSamples(t *testing.T) {
	for _, p := range all.Providers() {
		code := p.Info().Code
		t.Run(code, func(t *testing.T) {
			sample := published[code]
			body := section(t, sample, "request")
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
			if err := json.Unmarshal(section(t, sample, "notice.json"), &want); err != nil {
				t.Fatal(err)
			}
			want["ack"] = string(section(t, sample, "ack"))
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
	kcp := string(section(t, published["kcp"], "request"))
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
	body := section(t, published["nice"], "request")
	if exit := Main([]string{"decode", "nice"}, Env{Stdin: bytes.NewReader(body), Stdout: &out, Stderr: &out, Terminal: true}); exit != exitOK {
		t.Fatalf("exit %d: %s", exit, &out)
	}
	if !strings.HasPrefix(out.String(), "{\n  \"event\": \"deposited\",\n") || !json.Valid(out.Bytes()) {
		t.Errorf("not indented JSON:\n%s", &out)
	}
}
