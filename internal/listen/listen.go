// Package listen sends events to developers' machines, by connections that these
// make: tongbo listen. What a session is sent has the bytes and headers that an
// endpoint of its format would get, signed with a secret of its own.
//
// # How an event gets to a session
//
// Deliveries are planned for endpoints alone, in the transaction that moves the
// money; sessions cost that transaction nothing. A session reads the table of
// events instead, by their ids, from the place up to which it has been answered
// (its floor), so that what happens while nobody is connected comes first when
// somebody is, in order. An event is done with when the machine reports what
// became of it: one that was sent on a connection which then broke is sent
// again. So each reaches the machine at least once, and under one webhook-id,
// which is made of the event's.
//
// Ids are UUIDv7s, made before the transaction commits and by the clock of the
// node, so one may appear behind others that were sent. A session therefore looks
// back: a few seconds each time, and as far as its floor with each heartbeat, and
// passes over what it has seen. The floor stays lookBack behind the clock: an event
// whose commit takes longer than that, clocks that differ included, would be missed.
//
// What is resent by hand is written for each session that hears of it, in the
// transaction of the resend.
//
// A connection looks when this process commits events, and once a second, since
// what other nodes commit rings no bell here. Nothing runs for a session to which
// nobody is connected.
package listen

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Store keeps sessions. Its methods are safe for concurrent use, and do what
// the store's say.
type Store interface {
	OpenListener(ctx context.Context, l webhook.Listener) (out webhook.Listener, fresh bool, err error)
	Listener(ctx context.Context, id webhook.ListenerID) (webhook.Listener, error)
	HoldListener(ctx context.Context, id webhook.ListenerID, holder string, now time.Time) error
	KeepListener(ctx context.Context, id webhook.ListenerID, holder string, floor webhook.EventID, now time.Time) error
	EndListener(ctx context.Context, id webhook.ListenerID, entries ...member.Entry) error
	// NextEvents returns at most n events of stores in a mode behind one, and
	// what the look after it begins behind; that is empty if nothing is left.
	NextEvents(ctx context.Context, stores []merchant.StoreID, m merchant.Mode, after webhook.EventID, n int) ([]webhook.Event, webhook.EventID, error)
	ListenedTo(ctx context.Context, l webhook.ListenerID, from webhook.EventID) ([]string, error)
	Repeats(ctx context.Context, l webhook.ListenerID, n int) ([]webhook.Repeat, error)
	PutListened(ctx context.Context, l webhook.Listener, stores []merchant.StoreID, a webhook.Listened) error
	// EventFloor is an id before those of all events made from a time on.
	EventFloor(t time.Time) webhook.EventID
	Settings(ctx context.Context) (settings.All, error)
}

// Sessions opens, feeds and ends listen sessions. Store is required; the fields
// must not change once it is in use. Its methods are safe for concurrent use.
type Sessions struct {
	Store Store
	// Stopping, once closed, ends all connections, which are told so.
	Stopping <-chan struct{}

	views settings.Cache[settings.All]
	mu    sync.Mutex
	bells map[chan struct{}]bool // one for each connection
}

// Refresh says that the settings may have changed. It does not block.
func (s *Sessions) Refresh() { s.views.Refresh() }

// Wake has every connection look for events now. It does not block.
func (s *Sessions) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for bell := range s.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// bell is rung by Wake until it is taken down.
func (s *Sessions) bell() (bell chan struct{}, down func()) {
	bell = make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bells == nil {
		s.bells = make(map[chan struct{}]bool)
	}
	s.bells[bell] = true
	return bell, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.bells, bell)
	}
}

// Open opens a session, or goes on with the one of the same store, mode, API
// secret and name. A new one hears of what happens from now on. The id, the
// signing secret and the times of l are made here; without Events it hears of
// all of PortOne's, without Version in the latest format. It reports fault.Invalid
// and webhook.ErrTooManyListeners.
func (s *Sessions) Open(ctx context.Context, l webhook.Listener) (out webhook.Listener, fresh bool, err error) {
	if len(l.Events) == 0 {
		l.Events = []string{"*"}
	}
	if l.Version == "" {
		l.Version = webhook.V20240425
	}
	if l.ContentType == "" {
		l.ContentType = webhook.JSON
	}
	if err := l.Check(); err != nil {
		return l, false, err
	}
	l.ID, l.Secret = webhook.ListenerID(uuid.Must(uuid.NewV7()).String()), webhook.NewSecret()
	l.OpenedAt = now()
	l.Floor = s.Store.EventFloor(l.OpenedAt)
	return s.Store.OpenListener(ctx, l)
}

// Own returns a session of an API secret. That of another is fault.NotFound.
func (s *Sessions) Own(ctx context.Context, id webhook.ListenerID, credential string) (webhook.Listener, error) {
	l, err := s.Store.Listener(ctx, id)
	if err == nil && l.Credential != credential {
		err = fault.Errorf(fault.NotFound, "there is no such listen session")
	}
	return l, err
}

// Report records a try through a session. It reports fault.NotFound for what the
// session was not sent, and fault.Invalid for what cannot be.
func (s *Sessions) Report(ctx context.Context, l webhook.Listener, a webhook.Listened) error {
	if a.Number < 1 || a.Number > 1000 || a.Took < 0 || a.Status < 0 || a.Status > 999 {
		return fault.Errorf(fault.Invalid, "the try's number, time or status cannot be")
	}
	a.ResponseHeader = a.ResponseHeader[:min(len(a.ResponseHeader), keptAnswer)]
	if len(a.ResponseBody) > keptAnswer {
		a.ResponseBody, a.Truncated = a.ResponseBody[:keptAnswer], true
	}
	a.Error = a.Error[:min(len(a.Error), webhook.MaxListenerText)]
	a.At = a.At.UTC().Truncate(time.Microsecond)
	stores, err := s.heard(ctx, l)
	if err != nil {
		return err
	}
	return s.Store.PutListened(ctx, l, stores, a)
}

// keptAnswer is how much of an answer's header, and of its body, is kept.
const keptAnswer = 16 << 10

// End ends a session for good: it forgets its place and its tries, and a
// connection that has it ends within a heartbeat. Who ends it is in the audit log.
func (s *Sessions) End(ctx context.Context, l webhook.Listener, by member.By) error {
	err := s.Store.EndListener(ctx, l.ID, member.Entry{
		Merchant: l.Merchant, Store: l.Store, Mode: l.Mode, By: by, Action: "listener.ended", Kind: "listener",
		Object: webhook.ListenerPrefix + string(l.ID), Before: []member.Field{{Name: "name", Text: l.Name}, {Name: "forward", Text: l.Forward}},
	})
	s.Wake()
	return err
}

// heard are the stores of whose events a session hears: its own, and those of the
// whole merchant if that is the representative one.
func (s *Sessions) heard(ctx context.Context, l webhook.Listener) ([]merchant.StoreID, error) {
	all, err := s.views.Get(ctx, func(ctx context.Context) (*settings.All, error) {
		all, err := s.Store.Settings(ctx)
		return &all, err
	})
	if err != nil {
		return nil, err
	}
	own := []merchant.StoreID{l.Store}
	i := slices.IndexFunc(all.Stores, func(st settings.Store) bool { return st.ID == l.Store && st.Representative })
	if i < 0 {
		return own, nil
	}
	for _, st := range all.Stores {
		if st.Merchant == l.Merchant && st.ID != l.Store {
			own = append(own, st.ID)
		}
	}
	return own, nil
}

// now is the time to the precision at which it is stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
