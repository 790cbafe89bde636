package listen

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Times and bounds of connections.
const (
	// Heartbeat is how often a connection says that it lives.
	Heartbeat = 10 * time.Second

	lookEvery = time.Second           // for what other nodes commit
	restFor   = 50 * time.Millisecond // between looks, however often the bell rings
	glance    = 10 * time.Second      // how far each look goes back
	lookBack  = time.Minute           // how far the floor stays behind the clock

	window   = 64  // items that may be sent and not yet answered
	pageSize = 200 // events that are read at a time
	// MostMissed bounds the count of what a session has missed.
	MostMissed = 1000
)

// A Message is what a connection is given: exactly one of its parts is set.
type Message struct {
	Ready     *Ready
	Item      *Item
	Heartbeat bool
	End       string // why the connection ends: one of the reasons below
}

// Why a connection ends.
const (
	EndTaken    = "taken"    // another connection has the session now
	EndEnded    = "ended"    // the session was ended
	EndStopping = "stopping" // the server stops: come again
	EndRefused  = "refused"  // the credential is in force no more
)

// Ready says that a connection has its session.
type Ready struct {
	Missed int // events that came before it and follow now; at most MostMissed
}

// An Item is an event as a session is sent it.
type Item struct {
	ID     string // of the event; of the Repeat, if it was resent by hand
	Again  bool   // it was resent by hand
	Event  webhook.Event
	Header http.Header
	Body   []byte
}

// A connection feeds a session.
type connection struct {
	sessions *Sessions
	store    Store
	webhook.Listener
	stores []merchant.StoreID
	begun  time.Time
	holder string
	send   func(Message) error

	known map[string]bool // items from the floor on that need not be sent: true once they are answered
	open  int             // of these, such as are not answered
	even  bool            // all events were read, but for such as may still appear
	place webhook.EventID // unless even: behind which events were not read yet; never before the floor
}

// Stream feeds a session until ctx ends, the server stops, the session is ended
// or taken over, or check, which is asked with every heartbeat, reports an error.
// send is called from one goroutine; its error ends the connection, too. Stream
// returns what went wrong, and nil if the connection was told why it ends.
func (s *Sessions) Stream(ctx context.Context, l webhook.Listener, check func(context.Context) error, send func(Message) error) error {
	c := &connection{
		sessions: s, store: s.Store, Listener: l, begun: time.Now(), holder: uuid.NewString(), send: send,
		known: map[string]bool{}, place: l.Floor,
	}
	bell, down := s.bell()
	defer down()
	if err := c.begin(ctx); err != nil {
		return err
	}
	beat := time.Now().Add(Heartbeat)
	for {
		if err := c.look(ctx, false); err != nil {
			return c.ended(err)
		}
		switch more, end := s.pause(ctx, bell); {
		case end != "":
			return send(Message{End: end})
		case !more:
			return nil
		}
		if time.Now().Before(beat) {
			continue
		}
		beat = time.Now().Add(Heartbeat)
		if err := check(ctx); fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.Forbidden) {
			return send(Message{End: EndRefused})
		}
		if err := c.keep(ctx); err != nil {
			return c.ended(err)
		}
	}
}

// pause waits until it is time for another look. more is false once ctx has
// ended, and end is why the connection does, if it is to be told.
func (s *Sessions) pause(ctx context.Context, bell <-chan struct{}) (more bool, end string) {
	rest := time.NewTimer(restFor)
	defer rest.Stop()
	tick := time.NewTimer(lookEvery)
	defer tick.Stop()
	var ring <-chan struct{} // nil until it has rested
	for {
		select {
		case <-ctx.Done():
			return false, ""
		case <-s.Stopping:
			return false, EndStopping
		case <-rest.C:
			ring = bell
		case <-ring:
			return true, ""
		case <-tick.C:
			return true, ""
		}
	}
}

// ended tells the connection of an error that is an end of its session.
func (c *connection) ended(err error) error {
	switch {
	case fault.Is(err, fault.NotFound):
		return c.send(Message{End: EndEnded})
	case fault.Is(err, fault.Conflict):
		return c.send(Message{End: EndTaken})
	}
	return err
}

// begin takes the session over and says how much it has missed.
func (c *connection) begin(ctx context.Context) (err error) {
	if err := c.store.HoldListener(ctx, c.ID, c.holder, now()); err != nil {
		return err
	}
	if c.stores, err = c.sessions.heard(ctx, c.Listener); err != nil {
		return err
	}
	if err := c.answers(ctx); err != nil {
		return err
	}
	missed, err := c.missed(ctx)
	if err != nil {
		return err
	}
	return c.send(Message{Ready: &Ready{Missed: missed}})
}

// missed counts what waits for the session.
func (c *connection) missed(ctx context.Context) (n int, err error) {
	for after := c.Floor; ; {
		page, next, err := c.store.NextEvents(ctx, c.stores, c.Mode, after, pageSize)
		if err != nil {
			return 0, err
		}
		for _, e := range page {
			if _, seen := c.known[string(e.ID)]; !seen && c.Hears(e.Type) {
				n++
			}
		}
		if next == "" || n >= MostMissed {
			break
		}
		after = next
	}
	again, err := c.store.Repeats(ctx, c.ID, MostMissed)
	return min(n+len(again), MostMissed), err
}

// answers notes which items were answered.
func (c *connection) answers(ctx context.Context) error {
	list, err := c.store.ListenedTo(ctx, c.ID, c.Floor)
	if err != nil {
		return err
	}
	for _, item := range list {
		if answered, sent := c.known[item]; sent && !answered {
			c.open--
		}
		c.known[item] = true
	}
	return nil
}

// look sends what is new, as much as the window has room for. A thorough look
// goes back as far as an event may appear late.
func (c *connection) look(ctx context.Context, thorough bool) error {
	if c.open > 0 {
		if err := c.answers(ctx); err != nil {
			return err
		}
	}
	again, err := c.store.Repeats(ctx, c.ID, window)
	if err != nil {
		return err
	}
	after := c.place
	if c.even {
		if after = c.Floor; !thorough {
			after = max(after, c.store.EventFloor(time.Now().Add(-glance)))
		}
	}
	for {
		page, next, err := c.store.NextEvents(ctx, c.stores, c.Mode, after, pageSize)
		if err != nil {
			return err
		}
		for _, e := range page {
			if again, err = c.repeats(again, string(e.ID)); err != nil {
				return err
			}
			if full, err := c.event(e); full || err != nil {
				return err
			}
		}
		if c.even = next == ""; c.even {
			_, err := c.repeats(again, "")
			return err
		}
		after, c.place = next, max(c.place, next)
	}
}

// event sends an event that was not sent yet. It reports whether there was no
// room for it; then the next look begins with it.
func (c *connection) event(e webhook.Event) (full bool, err error) {
	id := string(e.ID)
	if _, seen := c.known[id]; seen {
		return false, nil
	}
	if !c.Hears(e.Type) {
		c.known[id] = true
		return false, nil
	}
	if c.open >= window {
		c.even = false
		return true, nil
	}
	return false, c.item(Item{ID: id, Event: e})
}

// repeats sends what was resent by hand before the event with an id was made, or
// all if that is empty, and returns the rest.
func (c *connection) repeats(list []webhook.Repeat, before string) ([]webhook.Repeat, error) {
	for len(list) > 0 && (before == "" || list[0].ID < before) && c.open < window {
		r := list[0]
		list = list[1:]
		if _, seen := c.known[r.ID]; seen || !c.Version.Carries(r.Event.Type) {
			continue
		}
		if err := c.item(Item{ID: r.ID, Again: true, Event: r.Event}); err != nil {
			return list, err
		}
	}
	return list, nil
}

// item sends an item, signed now.
func (c *connection) item(i Item) (err error) {
	if i.Body, err = webhook.Render(i.Event, c.Version, c.ContentType); err != nil {
		return err
	}
	if i.Header, err = delivery.Header(webhook.ListenedID(i.Event.ID), c.ContentType, i.Body, time.Now(), c.Secret); err != nil {
		return err
	}
	c.known[i.ID] = false
	c.open++
	return c.send(Message{Item: &i})
}

// raise raises the floor as far as nothing before it can be left to be sent.
func (c *connection) raise() {
	floor := c.store.EventFloor(time.Now().Add(-lookBack))
	if !c.even {
		// What is behind the place was read once: all of it that was made this
		// long before could be seen then.
		floor = min(floor, c.place, c.store.EventFloor(c.begun.Add(-lookBack)))
	}
	for id, answered := range c.known {
		if !answered {
			floor = min(floor, before(id))
		}
	}
	c.Floor = max(c.Floor, floor)
	c.place = max(c.place, c.Floor)
	for id, answered := range c.known {
		if answered && id <= string(c.Floor) {
			delete(c.known, id)
		}
	}
}

// before is an id before that of an item and all others of its millisecond.
func before(id string) webhook.EventID { return webhook.EventID(id[:13] + "-0000-0000-000000000000") }

// keep looks back, notes how far the session has come, and sends the heartbeat.
func (c *connection) keep(ctx context.Context) (err error) {
	if c.stores, err = c.sessions.heard(ctx, c.Listener); err != nil {
		return err
	}
	if err := c.look(ctx, true); err != nil {
		return err
	}
	c.raise()
	if err := c.store.KeepListener(ctx, c.ID, c.holder, c.Floor, now()); err != nil {
		return err
	}
	return c.send(Message{Heartbeat: true})
}
