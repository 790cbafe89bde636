package browser

import (
	"fmt"
	"net/http"
	"testing"
)

// TestEveryPage visits a page of every kind that links lead to, in both languages, both
// themes, wide and narrow, with scripts and without, and looks for what is wrong with it.
// Wide looks also try the widths between. With TONGBO_SCREENSHOTS=FOLDER a picture of
// each is kept, and with TONGBO_PICTURES=docs/images those of the documents are made anew.
func TestEveryPage(t *testing.T) {
	s := openSite(t)
	shop := openShop(t)
	shop.answers(func(w http.ResponseWriter, r *http.Request) {
		if shop.heard()%3 == 0 {
			http.Error(w, "<h1>TypeError</h1> order is null", http.StatusInternalServerError)
		}
	})
	b := openBrowser(t)
	first := b.tab(t, s.url, look{})
	s.owner(first, "가나상점")
	s.town("가나상점", shop.url)
	for name, l := range map[string]struct {
		look
		lang string
	}{
		"ko-light":        {look{}, "ko"},
		"en-dark":         {look{dark: true}, "en"},
		"ko-dark-narrow":  {look{width: 360, height: 740, dark: true}, "ko"},
		"en-light-narrow": {look{width: 320, height: 640, noScript: true}, "en"},
	} {
		t.Run(name, func(t *testing.T) {
			x := b.tab(t, s.url, l.look)
			x.speak(l.lang)
			if name == "ko-light" { // of which the documents' picture is: Home as on any day
				x.open("/console/all/test/")
				x.press("목록 치우기")
			}
			visited := x.crawl("/console/all/test/", func(path string) {
				x.sound()
				x.shot(fmt.Sprintf("%s/%s", name, called(path)))
				x.fits(path, l.look, between[name])
			})
			t.Logf("%d pages: %s", len(visited), visited)
			if len(visited) < 30 {
				t.Errorf("only %d kinds of pages were found", len(visited))
			}
		})
	}
	refresh(t, documented)
}
