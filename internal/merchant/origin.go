package merchant

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// How long a store that answers browsers after the webhook waits for that: by itself,
// and as its operator may say.
const (
	DefaultWebhookLimit = 10 * time.Second
	ShortestLimit       = time.Second
	LongestLimit        = 30 * time.Second // as long as a try of a webhook lasts
)

// WebhookLimit is how long a browser waits at most for the first try of a webhook.
func (s Store) WebhookLimit() time.Duration {
	if s.WebhookFirstLimit <= 0 {
		return DefaultWebhookLimit
	}
	return min(s.WebhookFirstLimit, LongestLimit)
}

// ParseOrigin reads an origin (출처) such as https://shop.example or
// http://localhost:3000, and returns it as browsers write it. It reports fault.Invalid
// for anything else: an origin has no path, and a host outside ASCII is written as
// xn--….
func ParseOrigin(s string) (string, error) {
	bad := fault.Errorf(fault.Invalid, "%.200q is no origin: want one such as https://shop.example, without a path", s)
	u, err := url.Parse(s)
	if err != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil || strings.HasSuffix(s, "#") {
		return "", bad
	}
	out, ok := OriginOf(u)
	if !ok {
		return "", bad
	}
	return out, nil
}

// OriginOf is the origin of an address, as browsers write it. It is false for what has
// none: anything but http and https.
func OriginOf(u *url.URL) (string, bool) {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if scheme != "http" && scheme != "https" || !isHost(host) {
		return "", false
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return "", false
	}
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host, true
	}
	return scheme + "://" + net.JoinHostPort(host, port), true
}

// isHost reports whether a host can stand in an origin: a name of letters, digits,
// dashes and dots, or an address.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return !strings.Contains(host, "%")
	}
	return host != "" && len(host) <= 253 && host[0] != '.' && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// LoopbackOrigin reports whether an origin is of the buyer's own machine: nobody else
// can serve its pages.
func LoopbackOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// webSchemes are no schemes of apps: they lead into the browser itself, or to the web.
var webSchemes = []string{
	"http", "https", "ftp", "file", "data", "javascript", "vbscript", "blob", "about", "ws", "wss", "view-source", "filesystem", "chrome", "mailto", "tel", "sms",
}

// ParseAppScheme reads the scheme by which an app is opened, such as myshop. It reports
// fault.Invalid for what is no scheme, and for those that are the browser's own.
func ParseAppScheme(s string) (string, error) {
	out := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(s, "//"), ":"))
	ok := len(out) >= 2 && len(out) <= 100 && out[0] >= 'a' && out[0] <= 'z' && strings.Trim(out, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
	switch {
	case !ok:
		return "", fault.Errorf(fault.Invalid, "%.200q is no scheme of an app: want one such as myshop", s)
	case slices.Contains(webSchemes, out):
		return "", fault.Errorf(fault.Invalid, "%s: is the browser's own, and no app's", out)
	}
	return out, nil
}
