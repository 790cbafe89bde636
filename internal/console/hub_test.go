package console

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
)

func TestWants(t *testing.T) {
	n := store.News{Topic: topicDeliveries, ID: "d1", Merchant: ours, Store: main1, Mode: merchant.Test, Payment: "p1"}
	sub := func(store merchant.StoreID, mode merchant.Mode, topics string) *subscriber {
		return &subscriber{merchant: ours, store: store, mode: mode, topics: topicSet(topics)}
	}
	for _, c := range []struct {
		name string
		s    *subscriber
		want int
	}{
		{"its topic", sub("", merchant.Test, "deliveries"), 1},
		{"its object", sub(main1, merchant.Test, "deliveries:d1"), 1},
		{"its payment", sub(main1, merchant.Test, "payments:p1"), 1},
		{"another topic", sub("", merchant.Test, "notices"), 0},
		{"another object", sub("", merchant.Test, "deliveries:d2"), 0},
		{"another store", sub(branch1, merchant.Test, "deliveries"), 0},
		{"another mode", sub("", merchant.Live, "deliveries"), 0},
		{"another merchant", &subscriber{merchant: theirs, mode: merchant.Test, topics: topicSet("deliveries")}, 0},
	} {
		if got := c.s.wants(n); len(got) != c.want {
			t.Errorf("%s: %v, want %d topics", c.name, got, c.want)
		}
	}
}

func TestSeen(t *testing.T) {
	start := time.Now()
	s := newSeen(start)
	old := store.News{Topic: "notices", Row: "1", At: start.Add(-time.Second)}
	fresh := store.News{Topic: "notices", Row: "2", At: start}
	if got := s.fresh([]store.News{old, fresh}, start); len(got) != 1 || got[0].Row != "2" {
		t.Errorf("the first look tells %v", got)
	}
	if got := s.fresh([]store.News{old, fresh}, start.Add(time.Second)); len(got) != 0 {
		t.Errorf("the second look tells %v again", got)
	}
	late := store.News{Topic: "notices", Row: "3", At: start.Add(time.Second)}
	if got := s.fresh([]store.News{late}, start.Add(3*time.Second)); len(got) != 1 {
		t.Error("what was committed late is not told")
	}
	s.fresh(nil, start.Add(time.Hour))
	if len(s.at) != 0 {
		t.Errorf("%d rows are remembered for ever", len(s.at))
	}
}

// TestJoin goes on from where a page was, and says when that is too long ago.
func TestJoin(t *testing.T) {
	h := newHouse(t)
	hub := &h.Console.hub
	page := func() *subscriber {
		return newSubscriber("", scope{Merchant: ours, Mode: merchant.Test}, topicSet(topicNotices))
	}
	first := page()
	if hub.join(t.Context(), h.Store.Reader, first, 0) {
		t.Error("a first page is told that it missed something")
	}
	from := hub.seq
	hub.mu.Lock()
	for i := range 3 {
		hub.seq++
		x := heard{hub.seq, store.News{Topic: topicNotices, Row: string(rune('a' + i)), Merchant: ours, Store: main1, Mode: merchant.Test}}
		hub.past = append(hub.past, x)
		hub.tell(first, x)
	}
	hub.mu.Unlock()
	again := page()
	reset := hub.join(t.Context(), h.Store.Reader, again, from+1)
	if reset || len(again.news) != 1 || len(first.news) != 3 {
		t.Errorf("reset %v, %d events for what was missed, want 1; the first page has %d, want 3", reset, len(again.news), len(first.news))
	}
	if n := <-again.news; n.seq != hub.seq || len(n.topics) != 1 {
		t.Errorf("what was missed is told as %+v", n)
	}
	if !hub.join(t.Context(), h.Store.Reader, page(), from-10) {
		t.Error("a page that was away too long is not told so")
	}
	for range keptWaiting - 3 + 1 {
		hub.mu.Lock()
		hub.tell(first, heard{hub.seq, store.News{Topic: topicNotices, Merchant: ours, Mode: merchant.Test}})
		hub.mu.Unlock()
	}
	for range first.news {
		continue // it was cut off, so this ends
	}
	hub.leave(again)
	hub.end()
	late := page()
	hub.join(t.Context(), h.Store.Reader, late, 0)
	if _, open := <-late.news; open {
		t.Error("a server that stops takes pages")
	}
}
