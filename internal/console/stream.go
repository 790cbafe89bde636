package console

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// What a page can be told of. A topic with an id after a colon is of one object.
const (
	topicPayments   = "payments"
	topicNotices    = "notices"
	topicDeliveries = "deliveries"
)

// Times of the stream. A page that hears nothing for some 40 s says that it is not live.
const (
	heartbeat = 15 * time.Second
	// A write to a browser that takes no more ends its stream.
	streamWrite = 10 * time.Second
)

// mostTopics bounds what one page may ask for, and longestTopic each of it: the name of a
// topic with an id of ours.
const (
	mostTopics   = 8
	longestTopic = 64
)

// stream tells a page that things of its topics were written, as server-sent events: an
// id to go on from, and the topic; never what was written. It ends with the session: at
// once if that ends on this node, and else with the next beat.
//
// A page stays open for hours and mostly hears nothing, so its connection is taken over
// from the HTTP server, with whose buffers it would be three times as dear.
func (c *Console) stream(v *visit) error {
	if v.r.Method != http.MethodGet {
		return errNoPage // a HEAD would be answered for hours
	}
	from, _ := strconv.ParseInt(v.r.Header.Get("Last-Event-ID"), 10, 64) // none: from now on
	p := c.openPage(v)
	at := v.Scope
	if p.store != "" {
		at.Store = p.store
	}
	conn, _, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		return fmt.Errorf("take over the connection of an open page: %w", err)
	}
	p.conn = conn
	head := v.w.Header().Clone()
	head.Set("Content-Type", "text/event-stream")
	head.Set("X-Accel-Buffering", "no") // nginx would keep the events to itself
	head.Set("Connection", "close")
	var text strings.Builder
	_ = head.Write(&text) // a Builder takes all
	p.sub = newSubscriber(p.member, at, topicSet(v.query("topics")))
	if c.hub.join(v.ctx(), c.Store, p.sub, from) {
		text.WriteString("\r\nevent: reset\ndata: -\n")
	}
	if since, err := strconv.ParseInt(v.query("since"), 10, 64); err == nil && from == 0 {
		c.hub.catchUp(v.ctx(), c.Store, p.sub, time.UnixMicro(since))
	}
	// The number is that of a page that has heard nothing yet, should it be cut off.
	go p.serve(fmt.Sprintf("HTTP/1.1 200 OK\r\n%s\r\nretry: 2000\nid: %d\n: hello\n\n", text.String(), p.sub.from))
	return nil
}

// An openPage is the connection of a page that is told of news, and all that is held for it.
type openPage struct {
	console *Console
	conn    net.Conn
	sub     *subscriber
	token   secret.Text
	member  member.ID
	role    member.Role
	store   merchant.StoreID
	from    netip.Addr // invalid if that cannot be told
}

// openPage is what is held for the visitor's page.
func (c *Console) openPage(v *visit) *openPage {
	from, _ := netip.ParseAddr(v.address()) // what is none is in no list
	return &openPage{console: c, token: sessionToken(v.r), member: v.Member.ID, role: v.Member.Role, store: v.Member.Store, from: from}
}

// serve tells the page until it is gone, does not keep up, or may not hear more. A page that
// was cut off comes again and asks from where it was.
func (p *openPage) serve(hello string) {
	defer func() {
		p.console.hub.leave(p.sub)
		_ = p.conn.Close() // it may be closed
	}()
	if !p.say(hello) {
		return
	}
	beat := time.NewTicker(cmp.Or(p.console.hub.beat, heartbeat))
	defer beat.Stop()
	for {
		select {
		case n, open := <-p.sub.news:
			if !open || !p.say(fmt.Sprintf("id: %d\nevent: news\ndata: %s\n\n", n.seq, strings.Join(n.topics, ","))) {
				return
			}
		case <-p.sub.doubts:
			if !p.stays() {
				p.say(gone)
				return
			}
		case <-beat.C:
			if !p.stays() {
				p.say(gone)
				return
			}
			if !p.say("event: beat\ndata: -\n\n") {
				return
			}
		}
	}
}

// gone tells a page that it may not hear more.
const gone = "event: gone\ndata: -\n\n"

// say writes to the page; false means that it is gone.
func (p *openPage) say(text string) bool {
	if p.conn.SetWriteDeadline(time.Now().Add(streamWrite)) != nil {
		return false
	}
	_, err := io.WriteString(p.conn, text)
	return err == nil
}

// stays reports whether whoever opened the page is still signed in, with what they had then,
// and comes from where they still may. While the store is away nobody is sent off.
func (p *openPage) stays() bool {
	ctx, cancel := context.WithTimeout(context.Background(), streamWrite)
	defer cancel()
	m, _, err := p.console.Sessions.Standing(ctx, p.token)
	if err == nil && (m.ID != p.member || m.Role != p.role || m.Store != p.store) {
		return false
	}
	if err != nil {
		return fault.Is(err, fault.Unavailable)
	}
	all, err := p.console.settings(ctx)
	if err != nil {
		return fault.Is(err, fault.Unavailable)
	}
	return all.OpensConsole(m.Merchant, m.Store, p.from, time.Now()).OK
}

// topicSet are the topics that a page asks for.
func topicSet(list string) map[string]bool {
	out := make(map[string]bool)
	for t := range strings.SplitSeq(list, ",") {
		if t != "" && len(t) <= longestTopic && len(out) < mostTopics {
			out[strings.Clone(t)] = true // the page's address is not held with it
		}
	}
	return out
}
