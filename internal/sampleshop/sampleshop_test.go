package sampleshop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// client asks the shop as a browser would.
var client = &http.Client{Timeout: 20 * time.Second}

// A street is a shop, and the API that it asks.
type street struct {
	*testing.T
	shop   *Shop
	url    string
	secret secret.Text

	mu      sync.Mutex
	status  int    // of the API's answers
	payment string // its answer; %s stands for the payment's id
	reads   int
	changed []State
}

func openStreet(t *testing.T) *street {
	t.Helper()
	s := &street{T: t, secret: webhook.NewSecret(), status: http.StatusOK}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reads++
		if r.Header.Get("Authorization") != "PortOne s3cret" {
			t.Errorf("asked with %q", r.Header.Get("Authorization"))
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, strings.ReplaceAll(s.payment, "%s", strings.TrimPrefix(r.URL.Path, "/payments/")))
	}))
	t.Cleanup(api.Close)
	var err error
	s.shop, err = Open(Config{Origin: "http://127.0.0.1:1", Hub: api.URL, StoreID: "store-1", ChannelKey: "channel-1",
		Wallets: map[payment.Wallet]string{payment.NaverPay: "channel-n", payment.PayPal: "channel-p"}, APISecret: "s3cret", WebhookSecret: s.secret,
		Changed: func(o Order) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed = append(s.changed, o.State)
		}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.shop.Routes())
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// says has the API say something of every payment.
func (s *street) says(status int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.payment = status, text
}

// buy orders a thing and returns the order's id.
func (s *street) buy(product string) string {
	s.Helper()
	resp, err := client.PostForm(s.url+"/orders?lang=en", url.Values{"product": {product}, "amount": {"1"}})
	if err != nil {
		s.Fatal(err)
	}
	_ = resp.Body.Close()
	id, ok := strings.CutPrefix(resp.Request.URL.Path, "/orders/shop-")
	if !ok || resp.StatusCode != http.StatusOK {
		s.Fatalf("ordering %s: %s at %s", product, resp.Status, resp.Request.URL)
	}
	return "shop-" + id
}

// hears sends a webhook and returns the answer's status.
func (s *street) hears(id, event, payment string, key secret.Text, at time.Time) int {
	s.Helper()
	body := fmt.Appendf(nil, `{"type":%q,"timestamp":"2026-11-22T10:00:00Z","data":{"paymentId":%q,"storeId":"store-1","transactionId":"t-1"}}`, event, payment)
	signature, err := webhook.Sign(id, at, body, key)
	if err != nil {
		s.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+"/webhook", bytes.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	resp, err := client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (s *street) order(id string) Order {
	s.Helper()
	o, _, ok := s.shop.orders.watch(id)
	if !ok {
		s.Fatalf("no order %s", id)
	}
	return o
}

// is checks an order's state, and how often the payments were read.
func (s *street) is(id string, want State, reads int) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.order(id); o.State != want || s.reads != reads {
		s.Errorf("the order is %s after %d readings, want %s after %d", o.State, s.reads, want, reads)
	}
}

const whole = `{"id":"%s","status":"PAID","currency":"KRW","amount":{"total":11000}}`

// TestWebhook: only a webhook that is signed has the payment read, each one once, and the
// order is what the payment says.
func TestWebhook(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	id, now := s.buy("book"), time.Now()
	s.says(200, whole)
	for name, status := range map[string]int{
		"another's secret": s.hears("w-1", "Transaction.Paid", id, webhook.NewSecret(), now),
		"an old one":       s.hears("w-1", "Transaction.Paid", id, s.secret, now.Add(-time.Hour)),
	} {
		if status != http.StatusUnauthorized {
			t.Errorf("%s is answered %d", name, status)
		}
	}
	s.is(id, New, 0)
	s.says(500, "")
	if status := s.hears("w-1", "Transaction.Paid", id, s.secret, now); status != http.StatusInternalServerError {
		t.Errorf("a payment that cannot be read is answered %d", status)
	}
	s.is(id, New, 1)
	s.says(200, whole)
	for range 3 { // sent again, and once more after the answer was lost
		if status := s.hears("w-1", "Transaction.Paid", id, s.secret, now); status != http.StatusOK {
			t.Errorf("answered %d", status)
		}
	}
	s.is(id, Paid, 2)
	if page := s.get(200, "/orders/"+id+"?lang=en"); !strings.Contains(page, `href="`+s.shop.Hub+"/console/go/"+id+`"`) {
		t.Errorf("the order's page does not lead to its payment in the console:\n%s", page)
	}
	if page := s.get(200, "/orders/"+s.buy("mug")+"?lang=en"); strings.Contains(page, "/console/go/") {
		t.Error("an order of which no payment is known leads to one in the console")
	}
	if diff := cmp.Diff([]State{Paid}, s.changed); diff != "" {
		t.Error(diff)
	}
	for _, event := range []string{"Transaction.Paid", "BillingKey.Issued"} { // of others, and of other things
		if status := s.hears("w-2"+event, event, "somebody-else's", s.secret, now); status != http.StatusOK {
			t.Errorf("%s of another is answered %d", event, status)
		}
	}
	s.is(id, Paid, 2)
}

// TestStates: what becomes of an order by what the API says.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		want         State
	}{
		{"ready", `{"id":"%s","status":"READY","currency":"KRW","amount":{"total":11000}}`, New},
		{"issued", `{"id":"%s","status":"VIRTUAL_ACCOUNT_ISSUED","currency":"KRW","amount":{"total":11000},"method":{"bank":"SHINHAN","accountNumber":"T1"}}`, Awaiting},
		{"paid", whole, Paid},
		{"less", `{"id":"%s","status":"PAID","currency":"KRW","amount":{"total":100}}`, Held},
		{"more", `{"id":"%s","status":"PAID","currency":"KRW","amount":{"total":110000}}`, Held},
		{"other money", `{"id":"%s","status":"PAID","currency":"JPY","amount":{"total":11000}}`, Held},
		{"another payment", `{"id":"x","status":"PAID","currency":"KRW","amount":{"total":11000}}`, Held},
		{"an account over less", `{"id":"%s","status":"VIRTUAL_ACCOUNT_ISSUED","currency":"KRW","amount":{"total":1}}`, Held},
		{"failed", `{"id":"%s","status":"FAILED","currency":"KRW","amount":{"total":11000}}`, Failed},
		{"cancelled", `{"id":"%s","status":"CANCELLED","currency":"KRW","amount":{"total":11000}}`, Refunded},
		{"in part", `{"id":"%s","status":"PARTIAL_CANCELLED","currency":"KRW","amount":{"total":11000}}`, Refunded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openStreet(t)
			id := s.buy("book")
			s.says(200, c.answer)
			if status := s.hears("w-1", "Transaction.X", id, s.secret, time.Now()); status != http.StatusOK {
				t.Errorf("answered %d", status)
			}
			s.is(id, c.want, 1)
			for _, l := range words.Langs() {
				if text := s.get(200, "/orders/"+id+"?lang="+string(l)); !strings.Contains(html.UnescapeString(text), words.Text(l, "shop.means."+string(c.want))) {
					t.Errorf("the page in %s does not say that it is %s:\n%s", l, c.want, text)
				}
			}
		})
	}
}

func (s *street) get(status int, path string) string {
	s.Helper()
	resp, err := client.Get(s.url + path)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		s.Errorf("GET %s: %s, %v", path, resp.Status, err)
	}
	return string(text)
}

// TestPages: what a page says of a payment has it read, and proves nothing.
func TestPages(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	id := s.buy("book")
	if o := s.order(id); o.Amount != payment.Won(11000) {
		t.Errorf("the page set the price to %v", o.Amount)
	}
	s.says(404, `{"type":"PAYMENT_NOT_FOUND"}`)
	text := s.get(200, "/orders/"+id+"?lang=en&paymentId="+id+"&message=%3Cb%3Eno%3C/b%3E")
	if s.is(id, New, 1); !strings.Contains(text, "&lt;b&gt;no&lt;/b&gt;") || strings.Contains(text, "s3cret") || strings.Contains(text, "whsec_") {
		t.Errorf("the page is\n%s", text)
	}
	if o := s.order(id); len(o.Steps) != 0 {
		t.Errorf("nothing was paid, and it says %+v", o.Steps)
	}
	s.says(200, whole)
	resp, err := client.Post(s.url+"/orders/"+id+"/check", "", nil)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	s.is(id, Paid, 2)
	s.get(404, "/orders/shop-nobody's")
	s.get(404, "/orders/shop-nobody's/news")
	for what, from := range map[string]string{"product=yacht": "", "product=book": "https://evil.example"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/orders", strings.NewReader(what))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if from != "" {
			req.Header.Set("Origin", from)
		}
		if resp, err = client.Do(req); err != nil || resp.StatusCode < 400 {
			t.Errorf("%s from %q: %v, %v", what, from, resp, err)
		}
		_ = resp.Body.Close()
	}
}

// TestMethods: an order offers what takes its money, and is settled by its own currency.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	for product, want := range map[string]string{
		"book": "VIRTUAL_ACCOUNT VIRTUAL_ACCOUNT channel-1, CARD CARD channel-1, NAVERPAY EASY_PAY channel-n", "postcards": "PAYPAL PAYPAL channel-p",
	} {
		text := s.get(200, "/orders/"+s.buy(product)+"?lang=en")
		var got []string
		for _, m := range regexp.MustCompile(`value="(\w+)" data-pay-method="(\w+)" data-channel="([^"]+)"`).FindAllStringSubmatch(text, -1) {
			got = append(got, strings.Join(m[1:], " "))
		}
		if strings.Join(got, ", ") != want || strings.Count(text, " checked> ") != 2 {
			t.Errorf("%s is paid by %q, want %s", product, got, want)
		}
	}
	for answer, want := range map[string]State{
		`{"id":"%s","status":"PAID","currency":"USD","amount":{"total":1250}}`: Paid, `{"id":"%s","status":"PAID","currency":"KRW","amount":{"total":1250}}`: Held,
	} {
		id := s.buy("postcards")
		s.says(200, answer)
		s.hears("w-"+id, "Transaction.Paid", id, s.secret, time.Now())
		if o := s.order(id); o.State != want {
			t.Errorf("by %s the order is %s, want %s", answer, o.State, want)
		}
	}
}

// TestNews: who looks on is told of each change.
func TestNews(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	id := s.buy("book")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/orders/"+id+"/news", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	for version := range 3 {
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", version) {
			t.Fatalf("heard %q, %v, want version %d", line, err, version)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		s.says(200, whole)
		s.hears(fmt.Sprint("w-", version), "Transaction.Paid", id, s.secret, time.Now())
	}
}

// TestForgets: a shop that is left open does not fill the memory.
func TestForgets(t *testing.T) {
	t.Parallel()
	var l orders
	for i := range mostOrders + 1 {
		l.add(Order{ID: strconv.Itoa(i)})
	}
	_, _, first := l.watch("0")
	_, _, second := l.watch("1")
	if first || !second || len(l.byID) != mostOrders {
		t.Errorf("%d orders, the first is there: %v, the second: %v", len(l.byID), first, second)
	}
	e := l.find("1")
	for range mostSteps + 3 {
		l.change(e, func(o *Order) { o.Steps = append(o.Steps, Step{Status: "PAID"}) })
	}
	if len(e.Steps) != mostSteps || e.Version != mostSteps+3 {
		t.Errorf("%d steps at version %d", len(e.Steps), e.Version)
	}
}

func TestNoSecret(t *testing.T) {
	t.Parallel()
	if _, err := Open(Config{WebhookSecret: "whsec_!"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("opened without a secret: %v", err)
	}
}
