package console

import (
	"bufio"
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// hears waits for a line of a stream, and returns the number of the news that it is of.
func (h *house) hears(lines <-chan string, want string) (number string) {
	h.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case l, open := <-lines:
			if !open {
				h.Fatalf("the stream ended before %q", want)
			}
			if l == want {
				return number
			}
			if n, is := strings.CutPrefix(l, "id: "); is {
				number = n
			}
		case <-late:
			h.Fatalf("the stream did not say %q", want)
		}
	}
}

// TestStreamSince tells a page what was written after it was read and before it listened;
// and a page that heard nothing knows from where to go on.
func TestStreamSince(t *testing.T) {
	h := newHouse(t)
	srv := httptest.NewServer(h.handler)
	t.Cleanup(srv.Close)
	t.Cleanup(h.Console.End)
	before := strconv.FormatInt(time.Now().UnixMicro(), 10)
	h.issued(ours, main1, oursTest, "order-1")
	mine := h.listen(srv.URL, "owner", "payments&since="+before)
	number := h.hears(mine, ": hello")
	if h.hears(mine, "data: payments") < number || number == "" {
		t.Errorf("the page goes on from %q", number)
	}
	hub := &h.Console.hub
	for name, x := range map[string]struct {
		merchant merchant.ID
		since    time.Time
		want     int
	}{
		"another merchant's page": {theirs, time.Now().Add(-time.Second), 0},
		"a page of just before":   {ours, time.Now().Add(-10 * time.Second), 1},
		"a page of long ago":      {ours, time.Now().Add(-time.Hour), 0},
		"a page of the future":    {ours, time.Now().Add(time.Hour), 0},
		"a page of no time":       {ours, time.UnixMicro(math.MinInt64), 0},
	} {
		s := newSubscriber("", scope{Merchant: x.merchant, Mode: merchant.Test}, topicSet(topicPayments))
		hub.join(t.Context(), h.Store.Reader, s, 0)
		hub.catchUp(t.Context(), h.Store.Reader, s, x.since)
		if len(s.news) != x.want {
			t.Errorf("%s hears %d events, want %d", name, len(s.news), x.want)
		}
		hub.leave(s)
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
	told := map[string]bool{h.hears(mine, "data: payments"): true}
	h.issued(theirs, rival1, rivalTest, "order-2")
	// Whatever is written has a number of its own: the same one is told to nobody else.
	others := []string{h.hears(rival, "data: payments")}
	h.Console.End()
	for l := range mine {
		told[strings.TrimPrefix(l, "id: ")] = true
	}
	for l := range rival {
		others = append(others, strings.TrimPrefix(l, "id: "))
	}
	for _, n := range others {
		if _, err := strconv.Atoi(n); err == nil && told[n] {
			t.Errorf("the rival heard of %s, as we did", n)
		}
	}
	if w := h.get("", Prefix+"/stream"); w.Code != http.StatusSeeOther {
		t.Errorf("nobody's stream: %d", w.Code)
	}
}
