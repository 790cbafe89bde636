package console

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/words"
)

// TestEveryRoute asks for every page and verb as nobody, as every role and as somebody of
// another merchant: who has not the route's right is refused before anything is read.
func TestEveryRoute(t *testing.T) {
	h := newHouse(t)
	for _, r := range h.Console.routes() {
		if r.right == "" || r.path == Prefix+"/stream" {
			continue
		}
		path := r.path
		if !strings.HasPrefix(path, Prefix) {
			path = Prefix + "/" + string(main1) + "/test" + path
		}
		path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllStringFunc(path, func(s string) string {
			if s == "{$}" {
				return ""
			}
			return "01900000-0000-7000-8000-000000000000"
		})
		ask := func(as string) *httptest.ResponseRecorder {
			if r.method == http.MethodGet {
				return h.get(as, path)
			}
			return h.post(as, path, url.Values{})
		}
		name := r.method + " " + path
		if w := ask(""); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/login") {
			t.Errorf("%s: nobody got %d", name, w.Code)
		}
		for _, role := range member.Roles() {
			w := ask(string(role))
			if may := h.people[string(role)].May(r.right); may == (w.Code == http.StatusForbidden) || w.Code >= 500 {
				t.Errorf("%s: %s got %d", name, role, w.Code)
			}
			if r.confirm && h.people[string(role)].May(r.right) {
				if w := ask("stale-" + string(role)); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/confirm") {
					t.Errorf("%s: %s of an hour ago got %d", name, role, w.Code)
				}
			}
		}
		if strings.HasPrefix(path, Prefix+"/"+string(main1)) {
			for _, as := range []string{"rival", "branch"} {
				if w := ask(as); w.Code != http.StatusNotFound {
					t.Errorf("%s: %s got %d, want 404 for a store that is not theirs", name, as, w.Code)
				}
			}
		}
	}
}

// TestRail: sections that a role may not open are in the rail, without a link and with
// who may open them.
func TestRail(t *testing.T) {
	h := newHouse(t)
	shut := regexp.MustCompile(`<span class="shut" role="link" aria-disabled="true">([^<]+) <small>([^<]+)</small></span>`)
	english := h.people["manager"]
	english.Lang = "en"
	h.people["manager"] = english
	const all = Prefix + "/all/test"
	for _, c := range []struct{ as, path, want string }{
		{"owner", "/settings/stores", ""},
		{"admin", "/settings/stores", "감사 기록 Owner만, 시스템 운영자만"},
		{"dev", "/developers/keys", "설정 Admin부터"},
		{"read_only", "/", "웹훅 주소 Dev부터, 결제 채널 Dev부터, 개발자 Dev부터, 설정 Admin부터"},
		{"manager", "/", "Webhook endpoints needs Dev, Payment channels needs Dev, Developers needs Dev, Settings needs Admin"},
		{"read_only", "/developers/keys", "웹훅 주소 Dev부터, 결제 채널 Dev부터, 개발자 Dev부터, 설정 Admin부터"},
	} {
		page, _ := io.ReadAll(h.get(c.as, all+c.path).Result().Body)
		var got []string
		for _, m := range shut.FindAllStringSubmatch(string(page), -1) {
			got = append(got, m[1]+" "+m[2])
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s at %s: %q, want %q", c.as, c.path, strings.Join(got, ", "), c.want)
		}
	}
	page := h.shows(h.get("read_only", all+"/"), http.StatusOK)
	for _, s := range sections {
		_, rail, _ := strings.Cut(page, `<ul class="nav">`)
		rail, _, _ = strings.Cut(rail, "</nav>")
		if linked := strings.Contains(rail, `href="`+all+s.path+`"`); linked != member.ReadOnly.Gives(s.right) {
			t.Errorf("%s: a link is there: %v", s.key, linked)
		}
	}
}

func TestEnter(t *testing.T) {
	h := newHouse(t)
	h.goesTo(h.get("", Prefix+"/"), Prefix+"/login?back=%2Fconsole%2F")
	h.goesTo(h.get("owner", Prefix+"/"), Prefix+"/all/test/")
	h.goesTo(h.get("branch", Prefix), Prefix+"/"+string(branch1)+"/test/")
	h.shows(h.get("owner", Prefix+"/no/such/page"), http.StatusNotFound, "이 상점·모드에는 없어요")
}

func TestHeaders(t *testing.T) {
	h := newHouse(t)
	w := h.get("owner", Prefix+"/all/test/nowhere")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Referrer-Policy": "same-origin", "X-Request-Id": "-",
	} {
		if got := w.Header().Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	h := newHouse(t)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+Prefix+"/logout", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	h.shows(h.send("owner", r), http.StatusForbidden)
}

// TestBack: whoever is sent on stays on a page of the console, whatever a link says.
func TestBack(t *testing.T) {
	for _, same := range []string{
		"/console/", "/console/all/test/payments", "/console/all/test/payments?state=PAID&q=a%20b", "/console/go/order..1", "/console/go/...",
		"/console/go/%EC%A3%BC%EB%AC%B8", "/console/go/a%2Fb", "/console/go/%252e%252e", "/console/all/test/?back=/../../x", "/console/go/a;b",
	} {
		if got := back(same, "-"); got != same {
			t.Errorf("back(%q) = %q, want it as it is", same, got)
		}
	}
	for _, nasty := range []string{
		"", "/", "/payments", "/consolevil", "/console", "console/", "./console/", "?x", "#x",
		"//evil.example/console/", "///evil.example/console/", "/\\evil.example", "\\\\evil.example", "/console/\\evil", "/console/%5C..%5C..%5Cpay",
		"https://evil.example/console/", "http:/console/", "javascript:alert(1)", "data:text/html,x", "//you@/console/",
		"/console/../payments", "/console/..", "/console/../", "/console/all/../../payments", "/console/./../payments", "/console/.",
		"/console/%2e%2e/payments", "/console/%2E%2E/payments", "/console/.%2e/payments", "/console/%2e./payments", "/console/%2e",
		"/console/..%2fpayments", "/console/..%2F..%2Fpayments", "/console/all%2f..%2f..%2fpayments", "/console/..;/payments", "/console/..;a=b/x",
		"/console/..%3b/payments", "/../console/", "/console/../console/../payments", "/console//../../payments",
		"/console/\r\nSet-Cookie: a=b", "/console/%0d%0aSet-Cookie:%20a=b", "/console/\tx", "/console/%00", "/console/\x7f", "/con\tsole/",
		"/console/%", "/console/%zz", " /console/", "\t/console/",
	} {
		if got := back(nasty, "-"); got != "-" {
			t.Errorf("back(%q) = %q, want the fallback", nasty, got)
		}
	}
	got := back("/console/all/test/#there", "-")
	if want := "/console/all/test/"; got != want {
		t.Errorf("with a part of the page: %q, want %q", got, want)
	}
}

// TestBackStays asks as a browser does: the way back from signing in leads out of the
// console neither by the form nor by the address.
func TestBackStays(t *testing.T) {
	h := newHouse(t)
	for _, named := range []string{"/console/../payments", "/console/%2e%2e/payments", "//evil.example/", "/console/all%2f..%2f..%2fpayments"} {
		h.goesTo(h.get("owner", Prefix+"/login?back="+url.QueryEscape(named)), Prefix+"/")
	}
	h.goesTo(h.get("owner", Prefix+"/login?back="+url.QueryEscape("/console/all/test/notices")), Prefix+"/all/test/notices")
}

func TestFlash(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/console/", nil)
	setFlash(w, r, "frame.new_rows", []any{"n", 3})
	r.AddCookie(w.Result().Cookies()[0])
	if got := takeFlash(httptest.NewRecorder(), r, words.En); got != "Show 3 new" {
		t.Errorf("the flash says %q", got)
	}
	r = httptest.NewRequest(http.MethodGet, "http://127.0.0.1/console/", nil)
	r.AddCookie(&http.Cookie{Name: flashCookie, Value: "bm90IGpzb24"})
	if got := takeFlash(httptest.NewRecorder(), r, words.En); got != "" {
		t.Errorf("a cookie that somebody made says %q", got)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"홍길동": "홍길동", "a\x00b": "a␀b", "a\u202eb": "a⟨U+202E⟩b", "\x1b[31m": "␛[31m", "a\u200bb": "a⟨U+200B⟩b", "두\n줄": "두\n줄", "\x7f": "␡",
	} {
		if got := page.Visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTemplates parses every page in every language, and looks for what the policy
// would stop.
func TestTemplates(t *testing.T) {
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|javascript:|<script(?: type="module")?>|\sdata-on`)
	for _, name := range pageNames() {
		for _, l := range words.Langs() {
			if _, err := templates(speech{l, page.KST}, name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !words.Has("page." + name) {
			t.Errorf("page.%s: the page has no title in the catalogue", name)
		}
		text, _ := pageFiles.ReadFile("pages/" + name + ".html")
		if found := inline.FindString(string(text)); found != "" {
			t.Errorf("%s: %q would be stopped by the policy", name, found)
		}
	}
}

// TestTexts finds every key that pages and handlers name in the catalogue; x.… are examples.
func TestTexts(t *testing.T) {
	keys := regexp.MustCompile(`(?:\bt|\bchip|\bv\.t|\bwords\.Text|\.done)\(?[^"\n]*? ?"([a-z_]+(?:\.[a-zA-Z0-9_]+)+)"`)
	check := func(file, text string) {
		for _, m := range keys.FindAllStringSubmatch(text, -1) {
			if !words.Has(m[1]) && !strings.HasPrefix(m[1], "x.") {
				t.Errorf("%s: the catalogue has no %q", file, m[1])
			}
		}
	}
	files, _ := fs.Glob(pageFiles, "pages/*.html")
	for _, f := range files {
		text, _ := pageFiles.ReadFile(f)
		check(f, string(text))
	}
	sources, _ := os.ReadDir(".")
	for _, f := range sources {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			text, _ := os.ReadFile(f.Name())
			check(f.Name(), string(text))
		}
	}
	for _, r := range member.Rights() {
		if !words.Has("right." + string(r)) {
			t.Errorf("right.%s: nothing says which role it needs", r)
		}
	}
}

// TestAssets keeps to the budgets, and to names that change with the content.
func TestAssets(t *testing.T) {
	scripts := 0
	for _, name := range assets.Names() {
		switch size := len(assets.Text(name)); {
		case strings.HasSuffix(name, ".css") && size > 20<<10:
			t.Errorf("%s has %d bytes", name, size)
		case strings.HasSuffix(name, ".js"):
			scripts += size
		}
	}
	if scripts > 12<<10 {
		t.Errorf("scripts have %d bytes", scripts)
	}
	h := newHouse(t)
	w := h.get("", assets.Path("console.css"))
	h.shows(w, http.StatusOK, "--accent")
	if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control: %q", got)
	}
	h.shows(h.get("", Prefix+"/assets/console-000000000000.css"), http.StatusNotFound)
	h.shows(h.get("", Prefix+"/assets/..%2fpages%2fframe-0.html"), http.StatusNotFound)
}

// TestContrast computes the ratios of WCAG 2.2 for what stands on what.
func TestContrast(t *testing.T) {
	light, dark := tokens(t, ":root{"), tokens(t, "[data-theme=dark]{")
	if system := tokens(t, "[data-theme=system]{"); fmt.Sprint(system) != fmt.Sprint(dark) {
		t.Error("the dark theme that the system asks for is not the one that a person chooses")
	}
	for name, theme := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, c := range []struct {
			front, back string
			least       float64
		}{
			{"text", "card", 7}, {"text", "page", 7}, {"second", "card", 4.5}, {"second", "page", 4.5}, {"faint", "card", 4.5}, {"faint", "page", 4.5},
			{"accent", "card", 4.5}, {"accent", "page", 4.5}, {"on-accent", "accent", 4.5}, {"on-danger", "danger", 4.5},
			{"input", "card", 3}, {"danger", "card", 4.5}, {"strip", "strip-bg", 7}, {"second", "hover", 4.5}, {"text", "hover", 7}, {"accent", "hover", 4.5},
			{"ok", "ok-bg", 4.5}, {"run", "run-bg", 4.5}, {"wait", "wait-bg", 4.5}, {"bad", "bad-bg", 4.5}, {"off", "off-bg", 4.5}, {"odd", "odd-bg", 4.5},
			{"bad", "card", 4.5}, {"c-ok", "card", 3}, {"c-bad", "card", 3}, {"c-wait", "card", 3}, {"c-run", "card", 3}, {"text", "run-bg", 4.5},
		} {
			if got := contrast(t, theme[c.front], theme[c.back]); got < c.least {
				t.Errorf("%s: %s on %s is %.1f, want %.1f", name, c.front, c.back, got, c.least)
			}
		}
	}
}

// tokens reads the colours of a theme from the sheet.
func tokens(t *testing.T, after string) map[string]string {
	t.Helper()
	_, rest, ok := strings.Cut(string(assets.Text("console.css")), after)
	block, _, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		t.Fatalf("the sheet has no %s", after)
	}
	out := make(map[string]string)
	for _, m := range regexp.MustCompile(`--([a-z-]+):(#[0-9A-Fa-f]+)`).FindAllStringSubmatch(block, -1) {
		out[m[1]] = m[2]
	}
	return out
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	l := []float64{luminance(t, a), luminance(t, b)}
	slices.Sort(l)
	return (l[1] + 0.05) / (l[0] + 0.05)
}

// luminance is the relative luminance of a colour.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = strings.Repeat(hex[:1], 2) + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:], 2)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
