package delivery

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A FindingCode says in short what a test call found out.
type FindingCode string

// The codes: a closed list. Each has its sentence in the catalogue, under
// "calltest." and the code.
const (
	FoundGood         FindingCode = "good"
	FoundSlow         FindingCode = "slow"           // a good answer, after half the time or more
	FoundPage         FindingCode = "page"           // a good status, and a web page with it
	FoundRedirect     FindingCode = "redirect"       // elsewhere
	FoundSlash        FindingCode = "redirect_slash" // to the address with, or without, a slash at the end
	FoundDenied       FindingCode = "denied"         // 401 and 403
	FoundNoPath       FindingCode = "not_found"      // 404
	FoundNoPost       FindingCode = "no_post"        // 405
	FoundContentType  FindingCode = "content_type"   // 415
	FoundBody         FindingCode = "body"           // 422
	FoundStatus       FindingCode = "status"         // any other that is not good
	FoundTimeout      FindingCode = "timeout"
	FoundRefused      FindingCode = "refused"
	FoundDNS          FindingCode = "dns"
	FoundExpired      FindingCode = "tls_expired"
	FoundEarly        FindingCode = "tls_early" // the certificate is not valid yet
	FoundName         FindingCode = "tls_name"
	FoundIntermediate FindingCode = "tls_intermediate"
	FoundAuthority    FindingCode = "tls_authority"
	FoundTLS          FindingCode = "tls" // any other failure of TLS
	FoundPrivate      FindingCode = "private"
	FoundBroken       FindingCode = "broken" // anything else
)

// FindingCodes are all codes.
func FindingCodes() []FindingCode {
	return []FindingCode{
		FoundGood, FoundSlow, FoundPage, FoundRedirect, FoundSlash, FoundDenied, FoundNoPath, FoundNoPost, FoundContentType, FoundBody,
		FoundStatus, FoundTimeout, FoundRefused, FoundDNS, FoundExpired, FoundEarly, FoundName, FoundIntermediate, FoundAuthority,
		FoundTLS, FoundPrivate, FoundBroken,
	}
}

// A Finding is the one thing to say of a test call.
type Finding struct {
	Code     FindingCode
	Status   int
	Location string // where a redirect leads, as a whole address; it may be any text
	Days     int    // since the certificate ended
	Host     string // that was called
	Port     string
	Took     time.Duration
	Limit    time.Duration
	Error    string // in words of the program; empty if there was an answer
}

// OK reports whether the receiver has the webhook: what is left to say is
// advice.
func (f Finding) OK() bool { return f.Code == FoundGood || f.Code == FoundSlow || f.Code == FoundPage }

// Words are the key of the finding's sentence in the catalogue, and its
// arguments. egress is the address that webhooks come from, in words.
func (f Finding) Words(egress string) (key string, args []any) {
	return "calltest." + string(f.Code), []any{
		"status", f.Status, "location", f.Location, "days", f.Days, "host", f.Host, "port", f.Port, "egress", egress,
		"took", seconds(f.Took), "limit", seconds(f.Limit), "error", f.Error,
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s" }

// ofCause is what a cause that was kept with a try comes to.
var ofCause = map[webhook.Cause]FindingCode{
	webhook.CauseTimeout: FoundTimeout, webhook.CauseRefused: FoundRefused, webhook.CauseDNS: FoundDNS,
	webhook.CauseTLS: FoundTLS, webhook.CauseBlocked: FoundPrivate, webhook.CauseBroken: FoundBroken,
}

// Diagnose finds what is to be said of a try that was made and kept, as a call test would
// say it: less of TLS, since only the cause was kept. It reports false if the receiver did
// well, or if nothing is known.
func Diagnose(a webhook.Attempt) (Finding, bool) {
	f := find(a, nil, or(a.Trace.Limit, longestTry), a.At)
	if a.Status == 0 {
		f.Code, f.Location = ofCause[a.Cause], ""
	}
	return f, f.Code != "" && f.Code != FoundGood
}

// find classifies a try. err is that of the HTTP client, nil if it answered;
// limit is how long it might have taken, and now when it was made.
func find(a webhook.Attempt, err error, limit time.Duration, now time.Time) Finding {
	f := Finding{Status: a.Status, Took: a.Took, Limit: limit, Error: a.Error}
	if u, parsed := url.Parse(a.URL); parsed == nil {
		f.Host, f.Port = u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if err != nil {
		f.Code, f.Days = failed(a, err, now)
		return f
	}
	if to := redirect(a); to != "" {
		f.Code, f.Location = FoundRedirect, to
		if slashOnly(a.URL, to) {
			f.Code = FoundSlash
		}
		return f
	}
	f.Code = ofStatus(a)
	if f.Code == FoundGood && a.Took >= limit/2 {
		f.Code = FoundSlow
	}
	return f
}

func ofStatus(a webhook.Attempt) FindingCode {
	switch a.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return FoundDenied
	case http.StatusNotFound:
		return FoundNoPath
	case http.StatusMethodNotAllowed:
		return FoundNoPost
	case http.StatusUnsupportedMediaType:
		return FoundContentType
	case http.StatusUnprocessableEntity:
		return FoundBody
	}
	switch {
	case a.Outcome != webhook.Good:
		return FoundStatus
	case isPage(a):
		return FoundPage
	}
	return FoundGood
}

// isPage reports whether an answer is a web page, by what it says or holds.
func isPage(a webhook.Attempt) bool {
	for line := range strings.Lines(a.ResponseHeader) {
		if kind, ok := strings.CutPrefix(line, "content-type: "); ok && strings.HasPrefix(strings.ToLower(kind), "text/html") {
			return true
		}
	}
	return strings.HasPrefix(http.DetectContentType(bytes.TrimSpace(a.ResponseBody)), "text/html")
}

// redirect is where an answer sends its caller, if it does.
func redirect(a webhook.Attempt) string {
	switch a.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return ""
	}
	for line := range strings.Lines(a.ResponseHeader) {
		to, ok := strings.CutPrefix(strings.TrimSpace(line), "location: ")
		if !ok {
			continue
		}
		from, err := url.Parse(a.URL)
		if err != nil {
			return to
		}
		if whole, err := from.Parse(to); err == nil {
			return whole.String()
		}
		return to
	}
	return ""
}

// slashOnly reports whether two addresses differ by the slash at the end of
// their paths alone.
func slashOnly(a, b string) bool {
	from, err := url.Parse(a)
	if err != nil {
		return false
	}
	to, err := url.Parse(b)
	if err != nil || from.Path == to.Path {
		return false
	}
	return from.Scheme == to.Scheme && from.Host == to.Host && from.RawQuery == to.RawQuery &&
		strings.TrimSuffix(from.Path, "/") == strings.TrimSuffix(to.Path, "/")
}

// failures are what errors of calls are told as.
var failures = map[safehttp.Trouble]FindingCode{
	safehttp.NoSuchName: FoundDNS, safehttp.DNSFailed: FoundDNS, safehttp.Private: FoundPrivate,
	safehttp.ConnRefused: FoundRefused, safehttp.Unreachable: FoundTimeout, safehttp.TimedOut: FoundTimeout,
	safehttp.CertExpired: FoundExpired, safehttp.CertEarly: FoundEarly, safehttp.CertName: FoundName,
	safehttp.CertAlone: FoundIntermediate, safehttp.CertSelf: FoundAuthority, safehttp.CertUntrusted: FoundAuthority,
	safehttp.NoTLS: FoundTLS, safehttp.TLSFailed: FoundTLS,
	safehttp.BrokenOff: FoundBroken, safehttp.Stopped: FoundBroken, safehttp.Otherwise: FoundBroken,
}

// failed classifies an error of an HTTP client. days is since when a certificate
// is not valid any more.
func failed(a webhook.Attempt, err error, now time.Time) (code FindingCode, days int) {
	code = failures[safehttp.TroubleOf(err)]
	if code == FoundExpired {
		days = int(now.Sub(a.Trace.Certificate) / (24 * time.Hour))
	}
	return code, days
}
