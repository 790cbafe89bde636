package console

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// issued registers an account of a store, which is an event of its payment.
func (h *house) issued(m merchant.ID, s merchant.StoreID, c merchant.ChannelKey, id payment.ID) payment.Payment {
	h.Helper()
	p, _, err := h.Actions.RegisterAccount(h.Context(), action.Caller{Merchant: m, Store: s, Mode: merchant.Test}, payment.Registration{
		ID: id, Channel: c, OrderName: "사과 한 상자", Amount: payment.Won(59000),
		Account:  payment.Account{Bank: "SHINHAN", Number: "110123456789", Holder: "홍길동"},
		Customer: payment.Customer{Name: "홍길동"},
	})
	if err != nil {
		h.Fatal(err)
	}
	return p
}

// listen opens the stream as somebody, and returns its lines.
func (h *house) listen(url, as, topics string) <-chan string {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+Prefix+"/stream?store=all&mode=test&topics="+topics, nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: as})
	resp, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		cancel()
		h.Fatal(err)
	}
	h.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		h.Fatalf("the stream is %q, status %d", got, resp.StatusCode)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

// hears waits for a line of a stream.
func (h *house) hears(lines <-chan string, want string) {
	h.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case l, open := <-lines:
			if !open {
				h.Fatalf("the stream ended before %q", want)
			}
			if l == want {
				return
			}
		case <-late:
			h.Fatalf("the stream did not say %q", want)
		}
	}
}

// TestStream tells an open page what was written for its merchant, and nothing of others.
func TestStream(t *testing.T) {
	h := newHouse(t)
	srv := httptest.NewServer(h.handler)
	t.Cleanup(srv.Close)
	t.Cleanup(h.Console.End)
	mine := h.listen(srv.URL, "owner", "payments,notices")
	rival := h.listen(srv.URL, "rival", "payments")
	h.hears(mine, ": hello")
	h.hears(rival, ": hello")
	h.issued(ours, main1, oursTest, "order-1")
	h.hears(mine, "data: payments")
	h.issued(theirs, rival1, rivalTest, "order-2")
	h.hears(rival, "data: payments")
	h.Console.End()
	heard := 0
	for l := range rival {
		if strings.HasPrefix(l, "data: payments") {
			heard++
		}
	}
	if heard > 0 {
		t.Errorf("the rival heard %d events more than its own", heard)
	}
	if w := h.get("", Prefix+"/stream"); w.Code != http.StatusSeeOther {
		t.Errorf("nobody's stream: %d", w.Code)
	}
}
