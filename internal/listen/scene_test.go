//go:build unix

package listen_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A scene is a store with sessions, in a bubble.
type scene struct {
	*testing.T
	store    *store.Store
	sessions *listen.Sessions
}

func inBubble(t *testing.T, test func(*scene)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := storetest.OnSQLite(t).Open(t)
		s := &scene{T: t, store: st, sessions: &listen.Sessions{Store: st}}
		st.OnEvents(s.sessions.Wake)
		st.OnSettings(s.sessions.Refresh)
		test(s)
	})
}

const credential = "00000000-0000-7000-8000-00000000000c"

// laptop is a session that can be opened.
func laptop() webhook.Listener {
	return webhook.Listener{
		Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Credential: credential, Name: "laptop",
		Forward: "http://localhost:3000/webhook",
	}
}

func (s *scene) open(l webhook.Listener) (webhook.Listener, bool) {
	s.Helper()
	out, fresh, err := s.sessions.Open(s.Context(), l)
	if err != nil {
		s.Fatal(err)
	}
	return out, fresh
}

// issue makes an event of an order; late is how long before now its id was made.
// Ids of one millisecond would be in no order, so it takes two.
func (s *scene) issue(order string, late time.Duration) payment.Payment {
	s.Helper()
	all, err := s.store.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	defer time.Sleep(time.Millisecond)
	return s.register(order, func(p payment.Payment) ([]webhook.Emission, error) {
		out, err := all.Planner(storetest.NewID).Plan(issued(p, late), nil)
		return []webhook.Emission{out}, err
	})
}

func issued(p payment.Payment, late time.Duration) webhook.Event {
	t, _ := p.Transaction()
	return webhook.EventOf(p, payment.Transition{Change: payment.ChangeIssued, Transaction: t.ID}, time.Now(), idMade(time.Now().Add(-late)))
}

func (s *scene) register(order string, announce func(payment.Payment) ([]webhook.Emission, error)) payment.Payment {
	s.Helper()
	how := storetest.Registering(time.Now())
	how.Announce = announce
	p, _, err := s.store.Register(s.Context(), storetest.Registration(order), how)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

// idMade is a UUIDv7 made at a time.
func idMade(at time.Time) string {
	id := uuid.Must(uuid.NewV7())
	ms := at.UnixMilli()
	for i := range 6 {
		id[5-i] = byte(ms >> (8 * i))
	}
	return id.String()
}

// A machine is connected to a session.
type machine struct {
	*scene
	session webhook.Listener
	mute    bool // it reports nothing
	cut     context.CancelFunc
	done    chan error

	mu    sync.Mutex
	got   []string // of what it was sent: "ready 2", "order", "order again", "heartbeat", "end taken"
	items []listen.Item
}

// item is what the machine was sent, by its number.
func (m *machine) item(i int) listen.Item {
	m.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if i >= len(m.items) {
		m.Fatalf("the machine was sent %d items", len(m.items))
	}
	return m.items[i]
}

func (m *machine) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}

// connect connects a machine. It reports everything at once unless it is mute.
func (s *scene) connect(l webhook.Listener, mute bool) *machine {
	ctx, cut := context.WithCancel(s.Context())
	m := &machine{scene: s, session: l, mute: mute, cut: cut, done: make(chan error, 1)}
	go func() {
		m.done <- s.sessions.Stream(ctx, l, func(context.Context) error { return nil }, m.take)
	}()
	s.Cleanup(cut)
	synctest.Wait()
	return m
}

func (m *machine) take(msg listen.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case msg.Ready != nil:
		m.got = append(m.got, fmt.Sprintf("ready %d", msg.Ready.Missed))
	case msg.Heartbeat:
		m.got = append(m.got, "heartbeat")
	case msg.End != "":
		m.got = append(m.got, "end "+msg.End)
	default:
		what := string(msg.Item.Event.PaymentID)
		if msg.Item.Again {
			what += " again"
		}
		m.got, m.items = append(m.got, what), append(m.items, *msg.Item)
		if !m.mute {
			go m.report(*msg.Item)
		}
	}
	return nil
}

func (m *machine) report(i listen.Item) {
	if err := m.sessions.Report(m.Context(), m.session, webhook.Listened{Item: i.ID, Number: 1, At: time.Now(), Status: 200}); err != nil {
		m.Error(err)
	}
}

// after lets time pass and compares what the machine was sent, heartbeats apart.
func (m *machine) after(d time.Duration, want ...string) {
	m.Helper()
	time.Sleep(d) // of the bubble
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	got := slices.DeleteFunc(slices.Clone(m.got), func(s string) bool { return s == "heartbeat" })
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("the machine was sent (-want +got):\n%s", diff)
	}
}

// leave breaks the connection.
func (m *machine) leave() {
	m.Helper()
	m.cut()
	if err := <-m.done; err != nil && !errors.Is(err, context.Canceled) {
		m.Error(err)
	}
}
