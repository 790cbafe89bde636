package browser

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/secret"
)

// heaviest is how much HTML a page may have.
const heaviest = 60 << 10

var hrefs = regexp.MustCompile(`(?:href|src)="(/console/[^"]*)"`)

// walk asks for a page of every kind that links lead to, as somebody who is signed in, and
// hands each to a function.
func (s *site) walk(session secret.Text, each func(path, page string)) {
	s.Helper()
	queue, known := []string{"/console/all/test/", "/console/me"}, map[string]bool{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			s.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "tongbo", Value: session.Reveal()})
		status, page := s.answer(r)
		if status != http.StatusOK {
			s.Errorf("%s: %d", path, status)
		}
		each(path, page)
		for _, m := range hrefs.FindAllStringSubmatch(page, -1) {
			l := html.UnescapeString(m[1])
			if !known[kind(l)] && !strings.Contains(l, "/go/") && !strings.Contains(l, "/stream") {
				known[kind(l)] = true
				queue = append(queue, l)
			}
		}
	}
}

// TestNoSecrets looks for what must not be seen in every page, and in all that was logged:
// API secrets, signing secrets, endpoints' headers, credentials of PGs, the session's token. It holds the pages
// to their weight as well.
func TestNoSecrets(t *testing.T) {
	s := openSite(t, "--log-level", "debug")
	b := openBrowser(t)
	x := b.tab(t, s.url, look{})
	session := s.owner(x, "가나상점")
	s.town("가나상점", openShop(t).url)
	hidden := map[string]string{
		"the API secret": townSecret, "the V1 secret": "town-key-secret-0123456789", "the session": session.Reveal(),
		"the signing secret": townSigning, "the PG's key": townPGKey, "the password": townPassword, "the endpoint's header": townHeader,
	}
	pages := 0
	s.walk(session, func(path, page string) {
		pages++
		if len(page) > heaviest {
			t.Errorf("%s: %d bytes", path, len(page))
		}
		for what, text := range hidden {
			if strings.Contains(page, text) {
				t.Errorf("%s shows %s", path, what)
			}
		}
	})
	log := s.out.String()
	for what, text := range hidden {
		if strings.Contains(log, text) {
			t.Errorf("the log has %s", what)
		}
	}
	t.Logf("%d kinds of pages", pages)
}
