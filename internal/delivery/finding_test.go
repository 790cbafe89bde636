package delivery

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/safehttp"
	catalogue "github.com/tongbo/tongbo/internal/words"
)

// Each trouble of a call has its cause and its finding, and each finding its
// sentence.
func TestTroublesAndSentences(t *testing.T) {
	for _, x := range safehttp.Troubles() {
		if causes[x] == "" || failures[x] == "" {
			t.Errorf("%s is cause %q and finding %q", x, causes[x], failures[x])
		}
	}
	for _, code := range FindingCodes() {
		key, args := Finding{Code: code, Status: 200, Location: "there", Days: 3, Host: "shop.example", Port: "443"}.Words("192.0.2.1")
		for _, l := range catalogue.Langs() {
			if text := catalogue.Text(l, key, args...); !catalogue.Has(key) || strings.ContainsAny(text, "{}") {
				t.Errorf("finding %s is told as %q", code, text)
			}
		}
	}
}
