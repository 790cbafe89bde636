package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A street is a demo with its sample shop, and a buyer without a browser.
type street struct {
	*testing.T
	shop, hub string
	out       *watched
}

// openStreet runs `demo --shop` until the test ends.
func openStreet(t *testing.T) *street {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	told, ended := make(chan struct{}), make(chan int, 1)
	s := &street{T: t, out: &watched{until: "order-9 -H", seen: sync.OnceFunc(func() { close(told) })}}
	go func() {
		ended <- Main([]string{"demo", "--shop", "--rate=0", "--lang=en", "--listen=127.0.0.1:0"}, Env{
			Stdin: strings.NewReader(""), Stdout: s.out, Stderr: s.out,
			Signals: func() (context.Context, context.CancelFunc) { return ctx, func() {} },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("the demo ended with %d:\n%s", code, s.out.text())
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
	select {
	case <-told:
	case <-time.After(demoTimeout):
		t.Fatalf("no story:\n%s", s.out.text())
	}
	m := regexp.MustCompile(`(?s)sample shop  (http://\S+)/\n.*console  (http://\S+)/console/`).FindStringSubmatch(s.out.text())
	if m == nil {
		t.Fatalf("no sample shop before the console:\n%s", s.out.text())
	}
	s.shop, s.hub = m[1], m[2]
	return s
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// do sends a request and returns the answer's text, whose status must be that.
func (s *street) do(status int, method, at, kind, body string, header ...string) (text, landed string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, at, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		s.Fatalf("%s %s: %s, %v\n%s", method, at, resp.Status, err, b)
	}
	return string(b), resp.Request.URL.String()
}

const form = "application/x-www-form-urlencoded"

// order orders a thing, and returns the order's page and what that would give
// PortOne.requestPayment.
func (s *street) order(product string) (at string, request map[string]any) {
	s.Helper()
	text, at := s.do(200, "POST", s.shop+"/orders?lang=en", form, "product="+product)
	m := regexp.MustCompile(`data-request="([^"]*)"`).FindStringSubmatch(text)
	if m == nil {
		s.Fatalf("no request on\n%s", text)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &request); err != nil {
		s.Fatal(err)
	}
	return at, request
}

// pay does what the script and the buyer do: a window is opened, and its form sent.
func (s *street) pay(request map[string]any, method string, choice url.Values) (window string) {
	s.Helper()
	request["payMethod"] = method
	body, err := json.Marshal(map[string]any{"sdk": "v2", "window": "IFRAME", "request": request})
	if err != nil {
		s.Fatal(err)
	}
	text, _ := s.do(200, "POST", s.hub+"/checkout/requests", "application/json", string(body), "Origin", s.shop)
	var opened struct{ Page string }
	if err := json.Unmarshal([]byte(text), &opened); err != nil {
		s.Fatal(err)
	}
	s.do(200, "POST", opened.Page+"/pay", form, choice.Encode())
	return opened.Page
}

// shows waits until a page shows texts.
func (s *street) shows(at string, texts ...string) {
	s.Helper()
	late := time.After(20 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		page, _ := s.do(200, "GET", at, "", "")
		missing := ""
		for _, text := range texts {
			if !strings.Contains(html.UnescapeString(page), text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("no %q on\n%s", missing, page)
		}
	}
}

// TestDemoShop buys in the sample shop of a demo: what the shop knows it has from webhooks
// and the API, over the network, as a merchant's server would.
func TestDemoShop(t *testing.T) {
	s := openStreet(t)
	account := url.Values{"bank": {"SHINHAN"}, "depositor": {"Kim"}}

	at, request := s.order("mug")
	window := s.pay(request, "VIRTUAL_ACCOUNT", account)
	s.shows(at, "Waiting for the deposit", "Webhook Transaction.VirtualAccountIssued", "신한은행")
	s.do(200, "POST", window+"/deposit", form, "")
	s.shows(at, ">Paid<", "Webhook Transaction.Paid", "PAID, ₩18,000, which is the order's amount")

	// The buyer's bank, from the shop's own page.
	at, request = s.order("book")
	s.pay(request, "VIRTUAL_ACCOUNT", account)
	s.shows(at, "Waiting for the deposit")
	s.do(200, "POST", strings.Replace(at, "?", "/deposit?", 1), form, "")
	s.shows(at, ">Paid<", "PAID, ₩11,000")

	// A buyer who changes the amount on the page has paid, and gets nothing.
	at, request = s.order("tulips")
	request["totalAmount"] = 100
	s.pay(request, "CARD", url.Values{"ending": {"approve"}})
	s.shows(at, ">Amount differs<", "PAID, ₩100, which is not what was ordered")

	// Who forges a webhook is refused, and the order stays what it was.
	at, request = s.order("tulips")
	forged := fmt.Sprintf(`{"type":"Transaction.Paid","data":{"paymentId":%q}}`, request["paymentId"])
	s.do(401, "POST", s.shop+"/webhook", "application/json", forged,
		"webhook-id", "w-1", "webhook-timestamp", fmt.Sprint(time.Now().Unix()), "webhook-signature", "v1,AAAA")
	s.shows(at, ">Not paid<", "Nothing yet.")
	s.do(200, "POST", strings.Replace(at, "?", "/deposit?", 1), form, "") // there is no account to pay into
	s.shows(at, ">Not paid<", "Nothing yet.")

	for _, line := range []string{"A mug ₩18,000: Waiting for the deposit\n", "A mug ₩18,000: Paid\n", "A book ₩11,000: Paid\n", "A bunch of tulips ₩32,000: Amount differs\n"} {
		s.prints(line)
	}
}

// prints waits until the demo has printed a text.
func (s *street) prints(text string) {
	s.Helper()
	late := time.After(20 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); !strings.Contains(s.out.text(), text); {
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("no %q in\n%s", text, s.out.text())
		}
	}
}

func TestDemoShopOnce(t *testing.T) {
	var out bytes.Buffer
	if code := Main([]string{"demo", "--once", "--shop"}, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}); code != exitUsage || !strings.Contains(out.String(), "--once ends before anybody could buy") {
		t.Errorf("exit %d: %s", code, &out)
	}
}
