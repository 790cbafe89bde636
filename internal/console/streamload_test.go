package console

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
)

// opens opens a stream over a bare connection, as somebody, and returns its first lines, up to
// the greeting.
func (h *house) opens(address, as, lines, topics string) (net.Conn, *bufio.Reader, string) {
	h.Helper()
	c, err := (&net.Dialer{}).DialContext(h.Context(), "tcp", address)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		h.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s/stream?store=all&mode=test&topics=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sCookie: %s=%s\r\n\r\n", Prefix, topics, lines, sessionCookie, as)
	r := bufio.NewReader(c)
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == ": hello\n" {
			return c, r, head.String()
		}
	}
}

// TestMissedMuch: a page that missed more than may wait for it, and one that names an event that
// never was, are answered like others, and neither holds up the hub.
func TestMissedMuch(t *testing.T) {
	h := newHouse(t)
	srv := httptest.NewServer(h.handler)
	t.Cleanup(srv.Close)
	t.Cleanup(h.Console.End)
	address := srv.Listener.Addr().String()
	h.opens(address, "owner", "", topicNotices) // the hub goes on while it is open
	hub := &h.Console.hub
	hub.mu.Lock()
	from := hub.seq
	for i := range 3 * keptWaiting {
		hub.seq++
		hub.past = append(hub.past, heard{hub.seq, store.News{Topic: topicNotices, Row: fmt.Sprint(i), Merchant: ours, Store: main1, Mode: merchant.Test}})
	}
	last := hub.seq
	hub.mu.Unlock()
	for id, reset := range map[string]bool{
		fmt.Sprint(from): false, fmt.Sprint(last): false, "": false, "0": false, "nonsense": false,
		"-1": true, fmt.Sprint(last + 1): true, "9223372036854775807": true, "-9223372036854775808": true,
	} {
		_, r, head := h.opens(address, "owner", "Last-Event-ID: "+id+"\r\n", topicNotices)
		if !strings.HasPrefix(head, "HTTP/1.1 200 OK") || !strings.HasSuffix(head, ": hello\n") || strings.Contains(head, "event: reset") != reset {
			t.Errorf("from %q, reset %v:\n%s", id, reset, head)
		}
		if id != fmt.Sprint(from) {
			continue
		}
		var told strings.Builder
		for range 4 {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			told.WriteString(line)
		}
		if want := fmt.Sprintf("id: %d\nevent: news\ndata: notices\n", last); !strings.Contains(told.String(), want) {
			t.Errorf("what was missed is told as %q, want %q", told.String(), want)
		}
	}
}

// TestManyPages: however many streams one member opens, the newest are held, and nobody else's
// is cut off; a topic that is none costs no memory.
func TestManyPages(t *testing.T) {
	h := newHouse(t)
	srv := httptest.NewServer(h.handler)
	t.Cleanup(srv.Close)
	t.Cleanup(h.Console.End)
	address := srv.Listener.Addr().String()
	h.opens(address, "rival", "", topicNotices)
	var first *bufio.Reader
	for i := range 3 * mostPages {
		if _, r, _ := h.opens(address, "owner", "", topicNotices+","+strings.Repeat("x", 8000)); i == 0 {
			first = r
		}
	}
	if rest, err := first.ReadString(0); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the oldest is not cut off: %q, %v", rest, err)
	}
	hub := &h.Console.hub
	hub.mu.Lock()
	defer hub.mu.Unlock()
	held := map[merchant.ID]int{}
	for s := range hub.subs {
		held[s.merchant]++
		for topic := range s.topics {
			if len(topic) > longestTopic {
				t.Errorf("a topic of %d bytes is held", len(topic))
			}
		}
	}
	if held[ours] != mostPages || held[theirs] != 1 {
		t.Errorf("%d pages of one member are held and %d of another, want %d and 1", held[ours], held[theirs], mostPages)
	}
	if w := h.send("owner", httptest.NewRequest("HEAD", "http://127.0.0.1"+Prefix+"/stream?store=all&mode=test", nil)); w.Code != 404 {
		t.Errorf("HEAD is answered with %d", w.Code)
	}
}
