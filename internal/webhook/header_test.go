package webhook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestCheckHeaders(t *testing.T) {
	t.Parallel()
	one := func(name string, value secret.Text) []webhook.Header {
		return []webhook.Header{{Name: name, Value: value}}
	}
	many := func(n int, length int) (out []webhook.Header) {
		for i := range n {
			out = append(out, webhook.Header{Name: fmt.Sprintf("X-H%d", i), Value: secret.Text(strings.Repeat("v", length))})
		}
		return out
	}
	for name, c := range map[string]struct {
		list []webhook.Header
		ok   bool
	}{
		"none":                 {nil, true},
		"a token":              {one("Authorization", "Bearer hush-hush"), true},
		"odd, but a token":     {one("x!#$%&'*+-.^_`|~1", "v"), true},
		"a cookie":             {one("Cookie", "a=b; c=d"), true},
		"ten":                  {many(10, 8), true},
		"eleven":               {many(11, 8), false},
		"the longest value":    {one("X-A", secret.Text(strings.Repeat("v", 2048))), true},
		"a longer value":       {one("X-A", secret.Text(strings.Repeat("v", 2049))), false},
		"too much together":    {many(4, 2000), false},
		"no name":              {one("", "v"), false},
		"a name with a space":  {one("X A", "v"), false},
		"a name with a colon":  {one("X:", "v"), false},
		"a name beyond ASCII":  {one("X-가", "v"), false},
		"a name that breaks":   {one("X\r\nHost", "v"), false},
		"too long a name":      {one(strings.Repeat("x", 65), "v"), false},
		"no value":             {one("X-A", ""), false},
		"a value that breaks":  {one("X-A", "hush\r\nHost: evil"), false},
		"a value with NUL":     {one("X-A", "hush\x00"), false},
		"a value with DEL":     {one("X-A", "hush\x7f"), false},
		"a value beyond ASCII": {one("X-A", "hush가"), false},
		"space around a value": {one("X-A", " hush"), false},
		"twice":                {append(one("X-A", "hush"), one("x-a", "hush")...), false},
		"a signature":          {one("Webhook-Signature", "v1,hush"), false},
		"a signature's kin":    {one("webhook-anything", "hush"), false},
		"a content type":       {one("content-type", "text/html"), false},
		"an encoding":          {one("Content-Encoding", "gzip"), false},
		"a length":             {one("Content-Length", "1"), false},
		"a host":               {one("HOST", "evil.example"), false},
		"a user agent":         {one("User-Agent", "hush"), false},
		"a connection":         {one("Connection", "close"), false},
		"a proxy's":            {one("Proxy-Authorization", "hush"), false},
		"an encoding of parts": {one("Transfer-Encoding", "chunked"), false},
		"an upgrade":           {one("Upgrade", "websocket"), false},
		"a trailer":            {one("Trailer", "X-A"), false},
		"an expectation":       {one("Expect", "100-continue"), false},
		"what can be accepted": {one("Accept-Encoding", "gzip"), false},
	} {
		err := webhook.CheckHeaders(c.list)
		if c.ok != (err == nil) || err != nil && (!fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: CheckHeaders = %v, want good: %v", name, err, c.ok)
		}
		e := endpoint("e1", func(e *webhook.Endpoint) { e.Headers = c.list })
		if err := e.Check(); c.ok != (err == nil) {
			t.Errorf("%s: Check = %v, want good: %v", name, err, c.ok)
		}
	}
}

func TestTimeoutCheck(t *testing.T) {
	t.Parallel()
	for d, ok := range map[time.Duration]bool{
		0: true, time.Second: true, 30 * time.Second: true, 31 * time.Second: false, 999 * time.Millisecond: false,
		1500 * time.Millisecond: false, -time.Second: false,
	} {
		if err := endpoint("e1", func(e *webhook.Endpoint) { e.Timeout = d }).Check(); ok != (err == nil) {
			t.Errorf("a time-out of %v: %v, want good: %v", d, err, ok)
		}
	}
}

func TestMaskedHeader(t *testing.T) {
	t.Parallel()
	for value, want := range map[secret.Text]string{
		"": "••••", "short": "••••", "fifteen letters": "••••", "Bearer 0123456789abcdef": "••••cdef",
	} {
		if got := (webhook.Header{Name: "A", Value: value}).Masked(); got != want {
			t.Errorf("Masked() = %q, want %q", got, want)
		}
	}
	list := []webhook.Header{{Name: "A", Value: "opensesame"}, {Name: "B", Value: "1"}}
	if got := string(webhook.Conceal([]byte(`{"you sent":"opensesame","n":1}`), list)); got != `{"you sent":"••••","n":1}` {
		t.Errorf("Conceal = %s", got)
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://shop.example/a", "https://SHOP.example/b?c=d", true},
		{"https://shop.example/", "http://shop.example/", false},
		{"https://shop.example/", "https://shop.example:8443/", false},
		{"https://shop.example/", "https://shop.example.evil/", false},
		{"", "", false}, {"https://%", "https://%", false}, {"/a", "/a", false},
	} {
		if got := webhook.SameOrigin(c.a, c.b); got != c.same {
			t.Errorf("SameOrigin(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

// An endpoint's headers and time-out go where the endpoint is; the headers go nowhere else.
func TestDestinationOfHeaders(t *testing.T) {
	t.Parallel()
	pl := planner(endpoint("e1", func(e *webhook.Endpoint) {
		e.Timeout, e.Headers = 5*time.Second, []webhook.Header{{Name: "Authorization", Value: "Bearer hush"}}
	}))
	for name, c := range map[string]struct {
		d    webhook.Delivery
		want int
	}{
		"its own":                          {webhook.Delivery{Endpoint: "e1"}, 1},
		"again, to a path of before":       {webhook.Delivery{Endpoint: "e1", URL: "https://shop.example/before"}, 1},
		"again, to where it went before":   {webhook.Delivery{Endpoint: "e1", URL: "https://before.example/e1"}, 0},
		"a notice URL, even of its origin": {webhook.Delivery{Merchant: "m", Store: "main", Mode: "test", URL: "https://shop.example/e1"}, 0},
	} {
		to, ok := pl.Destination(c.d, time.Unix(1, 0))
		if !ok || len(to.Headers) != c.want || to.Timeout != 5*time.Second {
			t.Errorf("%s: %d headers, %v, %v", name, len(to.Headers), to.Timeout, ok)
		}
	}
}

// TestConcealEnd: of a text that was cut off within a value, nothing of the value is left.
func TestConcealEnd(t *testing.T) {
	t.Parallel()
	own := []webhook.Header{{Name: "a", Value: "opensesame"}, {Name: "b", Value: "message-2"}, {Name: "c", Value: "short"}}
	for text, want := range map[string]string{
		"said opensesam": "said ", "said o": "said ", "openopen": "open", "opens": "", "the message": "the ", "it is shor": "it is shor", "nothing!": "nothing!", "": "",
	} {
		if got := string(webhook.ConcealEnd([]byte(text), own)); got != want {
			t.Errorf("of %q is left %q, want %q", text, got, want)
		}
	}
}
