package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

// nastyValues are what somebody may write into an address or a form. The last two are those
// that PostgreSQL takes otherwise than SQLite.
var nastyValues = []string{
	"-1", "<script>alert(1)</script>\u202e", "0000-01-01T00:00:00Z", "\xed\xa0\x80", "a\x00b", "9223372036854775808",
	"9223372036854775807-01900000-0000-7000-8000-000000000000", "urn:uuid:01900000-0000-7000-8000-000000000000",
}

// parameters are the names by which the console's code reads what matches.
func parameters(t *testing.T, reading string) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(reading).FindAllStringSubmatch(string(text), -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestNasty: whatever somebody writes into an address, a filter, a cursor or a form, on either
// engine, is answered, and is never an error of the program.
func TestNasty(t *testing.T) {
	queries := parameters(t, `\.(?:query|text|tick|one|moment|amount)\("([a-z_]+)"`)
	fields := parameters(t, `value\("([a-z_]+)"`)
	if len(queries) < 30 || len(fields) < 50 {
		t.Fatalf("the code reads %q and %q: the test does not find what it reads", queries, fields)
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		h := newHouseOn(t, db.Open(t))
		h.issued(ours, main1, oursTest, "order-1")
		ask := func(r *http.Request) {
			w := h.send("owner", r)
			body := w.Body.String()
			if w.Code >= 500 {
				t.Errorf("%s %.300q: %d %s", r.Method, r.URL.String(), w.Code, firstLines(body))
			}
			if strings.Contains(body, "<script>alert") {
				t.Errorf("%s %.300q: what was sent became an element", r.Method, r.URL.String())
			}
		}
		pathOf := func(r route, id string) string {
			path := r.path
			if !strings.HasPrefix(path, Prefix) {
				path = Prefix + "/all/test" + path
			}
			return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllStringFunc(path, func(s string) string {
				if s == "{$}" {
					return ""
				}
				return url.PathEscape(id)
			})
		}
		for _, r := range h.Console.routes() {
			if r.path == Prefix+"/stream" || r.path == Prefix+"/logout" {
				continue
			}
			named := strings.Contains(r.path, "{id}")
			values := nastyValues
			if db.Postgres {
				values = values[len(values)-2:]
			}
			for _, v := range values {
				if named {
					ask(httptest.NewRequest(r.method, "http://127.0.0.1"+pathOf(r, v), nil))
				}
				if r.method == http.MethodPost {
					form := url.Values{}
					for _, name := range fields {
						form.Set(name, v)
					}
					req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+pathOf(r, "order-1"), strings.NewReader(form.Encode()))
					req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					ask(req)
					continue
				}
				if named {
					continue
				}
				every := url.Values{}
				for _, name := range queries {
					every.Set(name, v)
				}
				ask(httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+pathOf(r, "")+"?"+every.Encode(), nil))
			}
		}
		if log := h.Log.String(); strings.Contains(log, "page failed") {
			t.Errorf("the log tells of a page that failed: %.1000s", log[strings.Index(log, "page failed"):])
		}
	})
}
