package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
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

// mostTopics bounds what one page may ask for.
const mostTopics = 8

// stream tells a page that things of its topics were written, as server-sent events: an
// id to go on from, and the topic; never what was written. It ends with the session.
func (c *Console) stream(v *visit) error {
	topics := topicSet(v.query("topics"))
	ctl := http.NewResponseController(v.w)
	// The server's limit of time for a request would end the stream.
	if err := ctl.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events to itself
	v.w.WriteHeader(http.StatusOK)
	from, _ := strconv.ParseInt(v.r.Header.Get("Last-Event-ID"), 10, 64) // none: from now on
	sub, reset := c.hub.join(v.ctx(), c.Store, v.Scope, v.Member.Store, topics, from)
	defer c.hub.leave(sub)
	say := func(format string, args ...any) error {
		if err := ctl.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(v.w, format, args...); err != nil {
			return err
		}
		return ctl.Flush()
	}
	if reset {
		if say("event: reset\ndata: -\n\n") != nil {
			return nil
		}
	}
	if say("retry: 2000\n: hello\n\n") != nil {
		return nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-v.ctx().Done():
			return nil
		case n, open := <-sub.news:
			if !open { // it did not keep up: it comes again and asks from where it was
				return nil
			}
			err = say("id: %d\nevent: news\ndata: %s\n\n", n.seq, strings.Join(n.topics, ","))
		case <-beat.C:
			if !c.stays(v) {
				_ = say("event: gone\ndata: -\n\n") // it ends either way
				return nil
			}
			err = say("event: beat\ndata: -\n\n")
		}
		if err != nil {
			return nil // the browser is gone
		}
	}
}

// stays reports whether the visitor is still signed in, with what they had when they came,
// and comes from where they still may.
func (c *Console) stays(v *visit) bool {
	ctx, cancel := context.WithTimeout(v.ctx(), streamWrite)
	defer cancel()
	m, _, err := c.Sessions.Session(ctx, sessionToken(v.r))
	if err != nil || m.ID != v.Member.ID || m.Role != v.Member.Role || m.Store != v.Member.Store {
		return false
	}
	v.All, err = c.settings(ctx)
	return err == nil && v.admitted() == nil
}

// topicSet are the topics that a page asks for.
func topicSet(list string) map[string]bool {
	out := make(map[string]bool)
	for t := range strings.SplitSeq(list, ",") {
		if t != "" && len(out) < mostTopics {
			out[t] = true
		}
	}
	return out
}
