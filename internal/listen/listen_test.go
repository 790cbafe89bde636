//go:build unix

package listen_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestWhatWasMissedComesFirstInOrderOnce(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, fresh := s.open(laptop())
		if !fresh {
			s.Error("a new session is not fresh")
		}
		m := s.connect(l, false)
		s.issue("o-1", 0)
		m.after(time.Second, "ready 0", "o-1")
		m.leave()
		for i := range 5 {
			s.issue(fmt.Sprintf("o-%d", i+2), 0)
			time.Sleep(time.Hour)
		}
		again, fresh := s.open(laptop())
		if fresh || again.ID != l.ID || again.Secret != l.Secret {
			s.Errorf("opened again, the session is fresh = %v, its id and secret the same: %v, %v", fresh, again.ID == l.ID, again.Secret == l.Secret)
		}
		m = s.connect(again, false)
		s.issue("o-7", 0)
		m.after(15*time.Second, "ready 5", "o-2", "o-3", "o-4", "o-5", "o-6", "o-7")
	})
}

func TestWhatWasNotAnsweredIsSentAgain(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		m := s.connect(l, true) // it dies before it reports
		s.issue("o-1", 0)
		s.issue("o-2", 0)
		m.after(2*time.Minute, "ready 0", "o-1", "o-2") // longer than the floor stays behind
		m.report(m.item(1))
		m.leave()
		m = s.connect(mustReload(s, l.ID), false)
		m.after(15*time.Second, "ready 1", "o-1")
		m.leave()
		s.connect(mustReload(s, l.ID), false).after(15*time.Second, "ready 0")
	})
}

func mustReload(s *scene, id webhook.ListenerID) webhook.Listener {
	s.Helper()
	l, err := s.store.Listener(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return l
}

func TestEventsThatAppearLate(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		time.Sleep(2 * time.Minute)
		m := s.connect(l, false)
		m.after(90*time.Second, "ready 0")
		s.issue("o-1", 0)
		m.after(60*time.Millisecond, "ready 0", "o-1") // the bell, not the clock
		s.issue("o-2", 5*time.Second)
		m.after(time.Second, "ready 0", "o-1", "o-2")
		s.issue("o-3", 55*time.Second)
		m.after(listen.Heartbeat, "ready 0", "o-1", "o-2", "o-3")
		m.after(2*time.Minute, "ready 0", "o-1", "o-2", "o-3") // and once
	})
}

func TestAMachineThatDoesNotAnswerIsNotFlooded(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		var all []string
		for i := range 150 {
			s.issue(fmt.Sprintf("o-%03d", i), 0)
			all = append(all, fmt.Sprintf("o-%03d", i))
			time.Sleep(time.Millisecond)
		}
		m := s.connect(l, true)
		m.after(15*time.Second, append([]string{"ready 150"}, all[:64]...)...)
		s.issue("o-150", 0)
		for n := 0; n < m.count(); n++ {
			m.report(m.item(n))
			if n%30 == 0 {
				time.Sleep(2 * time.Second)
				synctest.Wait()
			}
		}
		m.after(15*time.Second, append(append([]string{"ready 150"}, all...), "o-150")...)
	})
}

func TestResendsReachSessions(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		m := s.connect(l, false)
		p := s.issue("o-1", 0)
		m.after(time.Second, "ready 0", "o-1")
		if _, err := s.store.Resend(s.Context(), p.Key, "", time.Now()); err != nil {
			s.Fatal(err)
		}
		m.after(15*time.Second, "ready 0", "o-1", "o-1 again")
		if signedID(m.item(0)) != signedID(m.item(1)) || string(m.item(0).Body) != string(m.item(1).Body) {
			s.Error("a resend has another id or body")
		}
		m.leave()
		if _, err := s.store.Resend(s.Context(), p.Key, webhook.DeliveryID(m.item(0).Event.ID), time.Now()); err != nil {
			s.Error(err) // by the id that the session shows
		}
		s.issue("o-2", 0)
		m = s.connect(mustReload(s, l.ID), false)
		m.after(15*time.Second, "ready 2", "o-1 again", "o-2")
	})
}

// TestResendWithoutEndpoints is the developer's who has nothing but a laptop.
func TestResendWithoutEndpoints(t *testing.T) {
	inBubble(t, func(s *scene) {
		all, err := s.store.Settings(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		all.Endpoints = nil
		if err := s.store.SaveSettings(s.Context(), all, time.Now()); err != nil {
			s.Fatal(err)
		}
		lone := s.issue("o-0", 0)
		if _, err := s.store.Resend(s.Context(), lone.Key, "", time.Now()); !fault.Is(err, fault.NotFound) {
			s.Errorf("Resend to nobody = %v, want fault.NotFound", err)
		}
		l, _ := s.open(laptop())
		m := s.connect(l, false)
		p := s.issue("o-1", 0)
		m.after(time.Second, "ready 0", "o-1")
		d, err := s.store.Resend(s.Context(), p.Key, "", time.Now())
		if err != nil || d.WebhookID() != signedID(m.item(0)) {
			s.Errorf("Resend = %s, %v, want %s", d.WebhookID(), err, signedID(m.item(0)))
		}
		m.after(15*time.Second, "ready 0", "o-1", "o-1 again")
		if _, err := s.store.Resend(s.Context(), lone.Key, webhook.DeliveryID(m.item(0).Event.ID), time.Now()); !fault.Is(err, fault.NotFound) {
			s.Errorf("Resend of another payment's event = %v, want fault.NotFound", err)
		}
	})
}

// signedID is the id under which a webhook went out. Its name is in lower case, as shops read it.
func signedID(i listen.Item) string { return i.Header[webhook.HeaderID][0] } //nolint:staticcheck // not canonical on purpose
