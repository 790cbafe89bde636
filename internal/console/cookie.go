package console

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// The cookies. Those of the session and of the browser bear the prefix that ties them to this
// host and to encrypted connections, except on a plain loopback address, where browsers would not
// keep them.
const (
	sessionCookie = "tongbo"
	browserCookie = "tongbo_browser"
	langCookie    = "tongbo_lang"
	themeCookie   = "tongbo_theme"
	flashCookie   = "tongbo_flash"
	hostPrefix    = "__Host-"
)

// plainLoopback reports whether a request came without encryption to a loopback address, as
// from a browser on this machine.
func plainLoopback(r *http.Request) bool {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// hosted is a cookie's name on this connection.
func hosted(r *http.Request, name string) string {
	if plainLoopback(r) {
		return name
	}
	return hostPrefix + name
}

// sessionToken is the token that the browser brings; empty if it has none.
func sessionToken(r *http.Request) secret.Text {
	c, err := r.Cookie(hosted(r, sessionCookie))
	if err != nil {
		return ""
	}
	return secret.Text(c.Value)
}

// setSession gives the browser a session's token, or with an empty one takes it away. The
// server alone says when a session ends.
func setSession(w http.ResponseWriter, r *http.Request, token secret.Text) {
	c := cookie(r, hosted(r, sessionCookie), token.Reveal())
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// browserToken is what the browser was given when somebody signed in in it; empty if it has
// nothing.
func browserToken(r *http.Request) secret.Text {
	c, err := r.Cookie(hosted(r, browserCookie))
	if err != nil {
		return ""
	}
	return secret.Text(c.Value)
}

// setBrowser gives the browser what it is known again by. It stays when the session ends.
func setBrowser(w http.ResponseWriter, r *http.Request, token secret.Text) {
	if token == "" {
		return
	}
	c := cookie(r, hosted(r, browserCookie), token.Reveal())
	c.MaxAge = int(people.BrowserFor.Seconds())
	http.SetCookie(w, c)
}

// cookie is a cookie that scripts cannot read and other sites do not send.
func cookie(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: !plainLoopback(r), SameSite: http.SameSiteLaxMode}
}

// preference keeps a choice of look for a year, for pages before one is signed in.
func preference(w http.ResponseWriter, r *http.Request, name, value string) {
	c := cookie(r, name, value)
	c.MaxAge = 365 * 24 * 60 * 60
	http.SetCookie(w, c)
}

// langOf is the language of whoever is not signed in.
func langOf(r *http.Request) words.Lang {
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := words.ParseLang(c.Value); ok {
			return l
		}
	}
	return words.Accepted(r.Header.Get("Accept-Language"))
}

// themeOf is light, dark or system, by the browser's cookie.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return "system"
}

// A flash is what was done by the request before, told once.
type flash struct {
	Key  string
	Args []string
}

// mostFlash bounds a cookie.
const mostFlash = 2000

// setFlash has the next page say a text. Texts that are too long are left out: what they
// tell of is on the page as well.
func setFlash(w http.ResponseWriter, r *http.Request, key string, args []any) {
	f := flash{Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		f.Args = append(f.Args, name, words.Value(args[i+1]))
	}
	text, err := json.Marshal(f)
	if err != nil || len(text) > mostFlash {
		return
	}
	c := cookie(r, flashCookie, base64.RawURLEncoding.EncodeToString(text))
	c.MaxAge = 60
	http.SetCookie(w, c)
}

// takeFlash is the text to be said once, and takes it away; empty if there is none. It
// may have been made up by whoever holds the browser, so it is a text of the catalogue
// with arguments that are only ever text.
func takeFlash(w http.ResponseWriter, r *http.Request, l words.Lang) string {
	got, err := r.Cookie(flashCookie)
	if err != nil {
		return ""
	}
	gone := cookie(r, flashCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	text, err := base64.RawURLEncoding.DecodeString(got.Value)
	var f flash
	if err != nil || json.Unmarshal(text, &f) != nil || !words.Has(f.Key) {
		return ""
	}
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		args[i] = a
	}
	return page.Visible(words.Text(l, f.Key, args...))
}
