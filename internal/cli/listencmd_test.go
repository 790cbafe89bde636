package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

func TestForwardURL(t *testing.T) {
	for in, want := range map[string]string{
		"3000": "http://localhost:3000", "localhost:3000/webhook": "http://localhost:3000/webhook", "https://x.test/a?b=1": "https://x.test/a?b=1",
		"127.0.0.1:80": "http://127.0.0.1:80", "": "", "ftp://x": "", "http://user@x/": "", "70000": "http://70000",
	} {
		got, err := forwardURL(in)
		if got != want || (err != nil) != (want == "") || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("forwardURL(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestRemoteFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := remoteFlags{Server: "http://127.0.0.1:8080/", Secret: "flag", SecretFile: file}.remote()
	if err != nil || r.base != "http://127.0.0.1:8080" || r.secret.Reveal() != "from-the-file" {
		t.Errorf("remote = %+v, %v", r, err)
	}
	for name, f := range map[string]remoteFlags{
		"no secret":     {Server: "http://x"},
		"no file":       {Server: "http://x", SecretFile: file + "x"},
		"no server":     {Server: "x", Secret: "s"},
		"a name in it":  {Server: "http://a:b@x", Secret: "s"},
		"a query":       {Server: "http://x?a=b", Secret: "s"},
		"a broken line": {Server: "http://x", Secret: "a\nb"},
	} {
		if _, err := f.remote(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: remote = %v, want fault.Invalid", name, err)
		}
	}
}

// TestWhatAServerAnswers checks that a failed call says what to do, and shows no
// secret and no terminal codes.
func TestWhatAServerAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
		code   int
	}{
		"unauthorized":   {401, `{"type":"UNAUTHORIZED","message":"the API secret is not known here"}`, "TONGBO_API_SECRET", exitFailed},
		"another server": {404, `<html>`, "a Tongbo server", exitFailed},
		"no JSON":        {200, `<html>`, "a Tongbo server", exitFailed},
		"busy":           {503, `{"type":"UNAVAILABLE","message":"not now"}`, "not now", exitAway},
		"hostile":        {400, `{"type":"X","message":"a\u001b[2Jb"}`, "a\uFFFD[2Jb", exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "PortOne hush" {
					t.Errorf("Authorization = %q", r.Header.Get("Authorization"))
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer srv.Close()
			r, err := remoteFlags{Server: srv.URL, Secret: "hush"}.remote()
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			code := report(&out, r.call(t.Context(), http.MethodGet, "/x", nil, new(map[string]any)))
			if code != c.code || !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "hush") {
				t.Errorf("code %d, %s; want %d and %q", code, out.String(), c.code, c.want)
			}
		})
	}
	r, err := remoteFlags{Server: "http://127.0.0.1:1", Secret: "hush"}.remote()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := report(&out, r.call(t.Context(), http.MethodGet, "/x", nil, nil)); code != exitAway || !strings.Contains(out.String(), "--server") {
		t.Errorf("a server that is away: code %d, %s", code, out.String())
	}
}
