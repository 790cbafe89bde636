package checkout

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// fetch asks for a path as a browser would, after change.
func fetch(t *testing.T, publicURL, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://hub.example:8080"+path, http.NoBody)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	Scripts(publicURL).ServeHTTP(w, r)
	return w
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for path, global := range map[string]string{ScriptV2: "window.PortOne = SDK", ScriptV1: "window.IMP = SDK"} {
		w := fetch(t, "https://pay.example.kr", path, nil)
		for name, want := range map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Set-Cookie": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		body := w.Body.String()
		for _, want := range []string{`const ORIGIN = "https://pay.example.kr"`, "결제창", "Payment window", global, "function begin(call)"} {
			if w.Code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d without %q", path, w.Code, want)
			}
		}
		again := fetch(t, "https://pay.example.kr", path, func(r *http.Request) { r.Header.Set("If-None-Match", w.Header().Get("ETag")) })
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s, asked about again: %d, %d bytes", path, again.Code, again.Body.Len())
		}
		if other := fetch(t, "https://other.example.kr", path, nil); other.Header().Get("ETag") == w.Header().Get("ETag") {
			t.Errorf("%s: another server's script has the same ETag", path)
		}
	}
}

func TestScriptsRefuse(t *testing.T) {
	t.Parallel()
	if w := fetch(t, "", "/v2/other.js", nil); w.Code != http.StatusNotFound {
		t.Errorf("another path: %d", w.Code)
	}
	if w := fetch(t, "", ScriptV2, func(r *http.Request) { r.Method = http.MethodPost }); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	for _, host := range []string{"", "a b", `x";alert(1)//`, "user@hub.example", "hub.example/path", "hub.example?q", "[::1", ":8080"} {
		if w := fetch(t, "", ScriptV2, func(r *http.Request) { r.Host = host }); w.Code != http.StatusBadRequest {
			t.Errorf("host %q: %d\n%s", host, w.Code, firstLines(w.Body.String()))
		}
	}
}

// TestScriptOrigin looks at what a server that was told no address of its own says.
func TestScriptOrigin(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*http.Request){
		"http://hub.example:8080": func(*http.Request) {},
		"https://pay.example.kr":  func(r *http.Request) { r.Host, r.TLS = "pay.example.kr", &tls.ConnectionState{} },
		"https://[::1]:8443":      func(r *http.Request) { r.Host = "[::1]:8443"; r.Header.Set("X-Forwarded-Proto", "https") },
	} {
		if body := fetch(t, "", ScriptV1, change).Body.String(); !strings.Contains(body, `const ORIGIN = "`+want+`"`) {
			t.Errorf("want the origin %s:\n%s", want, firstLines(body))
		}
	}
}

func firstLines(text string) string {
	return strings.Join(strings.SplitN(text, "\n", 6)[:min(5, strings.Count(text, "\n"))], "\n")
}

// What a page with a strict Content-Security-Policy refuses, and what browsers of 2020 do
// not read.
var unwanted = regexp.MustCompile(`\beval\b|new Function|innerHTML|insertAdjacentHTML|document\.write|setAttribute\("style"|localStorage|sessionStorage|document\.cookie|[\w)\]]\?\.[\w[(]| \?\? |\|\|=|&&=|\?\?=`)

func TestScriptsAreModest(t *testing.T) {
	t.Parallel()
	for path := range faces {
		body := fetch(t, "https://pay.example.kr", path, nil).Body.String()
		if m := unwanted.FindString(body); m != "" {
			t.Errorf("%s has %q", path, m)
		}
		if n := len(body); n > 24<<10 {
			t.Errorf("%s has %d bytes, want 24 KiB at most", path, n)
		}
		node, err := exec.LookPath("node")
		if err != nil {
			continue // the browser tests run it anyway
		}
		c := exec.CommandContext(t.Context(), node, "--check", "-")
		c.Stdin = strings.NewReader(body)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}
