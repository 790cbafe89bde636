package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
)

// lookEvery is how often the hub looks for what was written, while a page is open.
const lookEvery = 400 * time.Millisecond

// keptNews is how much of the past a page that comes back may go on from.
const keptNews = 512

// keptWaiting is how many events may wait for one page.
const keptWaiting = 16

// mostPages is how many pages of one member are told of news: of more the oldest is cut
// off. Pages that were left are among them until a heartbeat cannot be written, so it is more
// than anybody looks at.
const mostPages = 64

// A hub tells open pages what was written. It looks into the store, a few index ranges a
// time, only while a page is open: so it hears of what other nodes and other programs
// write as well, and costs the notice path nothing. The zero hub is ready.
type hub struct {
	mu     sync.Mutex
	subs   map[*subscriber]bool
	past   []heard // the last of them, oldest first
	seq    int64   // of the last
	joined int64   // how many pages have come
	seeing bool    // a look is under way
	ended  bool
	beat   time.Duration // between signs of life to pages; zero is heartbeat
}

// A heard is a thing that was written.
type heard struct {
	seq int64
	store.News
}

// A news is what a page is told at once.
type news struct {
	seq    int64
	topics []string
}

// A subscriber is an open page.
type subscriber struct {
	number   int64     // the older the page, the smaller
	from     int64     // the last event when it came
	member   member.ID // whose page it is
	merchant merchant.ID
	store    merchant.StoreID // empty: all
	mode     merchant.Mode
	topics   map[string]bool
	news     chan news
	doubts   chan struct{} // holds one while it is to be seen whether the page may stay
}

// newSubscriber is a page of a member's in a scope. Whether it may stay is in doubt: who
// loses the right to it before it has joined is not told.
func newSubscriber(m member.ID, at scope, topics map[string]bool) *subscriber {
	s := &subscriber{
		member: m, merchant: at.Merchant, store: at.Store, mode: at.Mode, topics: topics,
		news: make(chan news, keptWaiting), doubts: make(chan struct{}, 1),
	}
	s.doubt()
	return s
}

// doubt has it seen again, soon, whether the page may stay.
func (s *subscriber) doubt() {
	select {
	case s.doubts <- struct{}{}:
	default: // it is in doubt already
	}
}

// wants are the page's topics that a thing is of.
func (s *subscriber) wants(n store.News) (topics []string) {
	if n.Merchant != s.merchant || n.Mode != s.mode || s.store != "" && n.Store != s.store {
		return nil
	}
	for _, t := range []string{n.Topic, n.Topic + ":" + n.ID} {
		if s.topics[t] {
			topics = append(topics, t)
		}
	}
	if t := topicPayments + ":" + string(n.Payment); n.Payment != "" && s.topics[t] {
		topics = append(topics, t)
	}
	return topics
}

// join adds a page. from is the last event it saw, 0 if none; reset says that what came
// after that is no longer known. What it missed, it is told as one event.
func (h *hub) join(ctx context.Context, r *store.Reader, s *subscriber, from int64) (reset bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = make(map[*subscriber]bool)
		// Numbers go on from the clock, so that one of an earlier run is never taken for one of this.
		h.seq = time.Now().UnixMicro()
	}
	if h.ended {
		close(s.news)
		return false
	}
	h.makeRoom(s.member)
	h.joined++
	s.number, s.from = h.joined, h.seq
	h.subs[s] = true
	if from != 0 {
		missed, known := h.since(s, from)
		if reset = !known; known && len(missed) > 0 {
			s.news <- news{h.seq, missed}
		}
	}
	if !h.seeing {
		h.seeing = true
		go h.look(context.WithoutCancel(ctx), r, newSeen(time.Now()))
	}
	return reset
}

// catchUp tells a page that has joined what was written since it was read, as one event. It
// looks back no further than longestShown: a page that waited longer is shown anew by then.
func (h *hub) catchUp(ctx context.Context, r *store.Reader, s *subscriber, since time.Time) {
	if time.Since(since) > longestShown {
		return
	}
	list, err := r.News(ctx, since.Add(-idSlack))
	if err != nil {
		return // the store is away: pages say so by themselves
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range list {
		if s.wants(n) != nil {
			h.tell(s, heard{h.seq, n})
			return
		}
	}
}

// longestShown is how long a page may take from being read until it is told of news, and
// idSlack how much earlier than its row an id may have been made: what was read already is
// then told of once more, which costs the page one request.
const (
	longestShown = time.Minute
	idSlack      = 200 * time.Millisecond
)

// doubt has it seen again whether the pages of a member may stay.
func (h *hub) doubt(m member.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		if s.member == m {
			s.doubt()
		}
	}
}

// since are the page's topics of which something was written after an event; known is false if
// that cannot be told. h.mu is held.
func (h *hub) since(s *subscriber, from int64) (topics []string, known bool) {
	switch {
	case from == h.seq && !h.seeing:
		// Nobody has looked since the last page was left: anything may have been written.
		for t := range s.topics {
			topics = append(topics, t)
		}
		return topics, true
	case from != h.seq && (from > h.seq || len(h.past) == 0 || from < h.past[0].seq-1):
		return nil, false
	}
	for _, n := range h.past {
		if n.seq > from {
			topics = append(topics, s.wants(n.News)...)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics), true
}

// makeRoom cuts off the oldest page of a member who has too many. h.mu is held.
func (h *hub) makeRoom(who member.ID) {
	var oldest *subscriber
	n := 0
	for s := range h.subs {
		if s.member != who {
			continue
		}
		if n++; oldest == nil || s.number < oldest.number {
			oldest = s
		}
	}
	if n >= mostPages {
		delete(h.subs, oldest)
		close(oldest.news)
	}
}

// leave takes a page away.
func (h *hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// end cuts off all pages, and those that come.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for s := range h.subs {
		delete(h.subs, s)
		close(s.news)
	}
}

// tell gives a page what it wants to hear. One that has too much waiting is cut off, and
// comes again. h.mu is held.
func (h *hub) tell(s *subscriber, n heard) {
	topics := s.wants(n.News)
	if topics == nil || !h.subs[s] {
		return
	}
	select {
	case s.news <- news{n.seq, topics}:
	default:
		delete(h.subs, s)
		close(s.news)
	}
}

// look reads what was written, again and again, until no page is open.
func (h *hub) look(ctx context.Context, r *store.Reader, seen *seen) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for range tick.C {
		h.mu.Lock()
		if len(h.subs) == 0 {
			h.seeing, h.past = false, nil
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		now := time.Now()
		list, err := r.News(ctx, now.Add(-lookBack))
		if err != nil {
			continue // the store is away: pages say so by themselves
		}
		fresh := seen.fresh(list, now)
		h.mu.Lock()
		for _, n := range fresh {
			h.seq++
			x := heard{h.seq, n}
			if h.past = append(h.past, x); len(h.past) > keptNews {
				h.past = h.past[len(h.past)-keptNews:]
			}
			for s := range h.subs {
				h.tell(s, x)
			}
		}
		h.mu.Unlock()
	}
}

// lookBack is how far a look goes back: an id is made before its row can be seen.
const lookBack = 5 * time.Second

// A seen remembers what was told within the time of a look back.
type seen struct {
	since time.Time
	at    map[string]time.Time
}

func newSeen(now time.Time) *seen { return &seen{now, make(map[string]time.Time)} }

// fresh are those that were not told yet.
func (s *seen) fresh(list []store.News, now time.Time) (out []store.News) {
	for _, n := range list {
		k := n.Topic + n.Row
		if _, told := s.at[k]; told {
			continue
		}
		s.at[k] = now
		if n.At.Before(s.since) {
			continue // it was there before any page was open
		}
		out = append(out, n)
	}
	for k, at := range s.at {
		if now.Sub(at) > 2*lookBack {
			delete(s.at, k)
		}
	}
	return out
}
