package console

import (
	"net/http"
	"strings"
	"testing"
)

// TestKnownBrowser: somebody else's guesses keep a member out of browsers that are not known,
// and not out of one in which the member signed in before.
func TestKnownBrowser(t *testing.T) {
	d := newDoor(t)
	d.Console.People.Hash = fakeHash
	b, _ := d.owner()
	known := b.cookies[browserCookie]
	if known == nil || !known.HttpOnly || known.SameSite != http.SameSiteLaxMode || known.MaxAge < 1e7 {
		t.Fatalf("the browser was given %v", known)
	}
	if strings.Contains(known.Value, "saebyeok") {
		t.Error("it names its member")
	}
	d.goesTo(b.send(Prefix+"/logout"), Prefix+"/login")
	for range 6 {
		d.browser().send(Prefix+"/login", "email", "owner@saebyeok.example", "password", otherPassword)
	}
	in := []string{"email", "owner@saebyeok.example", "password", password}
	d.shows(d.browser().send(Prefix+"/login", in...), http.StatusTooManyRequests)
	thief := d.browser()
	thief.cookies[browserCookie] = &http.Cookie{Name: browserCookie, Value: known.Value[:len(known.Value)-1] + "x"}
	d.shows(thief.send(Prefix+"/login", in...), http.StatusTooManyRequests)
	d.goesTo(b.send(Prefix+"/login", in...), Prefix+"/login?back=%2Fconsole%2F") // the code is asked for
	if w := thief.send(Prefix+"/login", "email", "nobody@saebyeok.example", "password", password); strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), browserCookie+"=") {
		t.Error("who does not get in has the browser known")
	}
}
