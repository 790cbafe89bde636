//go:build unix

package listen_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestASessionIsSignedAsAnEndpointIs(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		m := s.connect(l, false)
		s.issue("o-1", 0)
		m.after(time.Second, "ready 0", "o-1")
		got := m.item(0)
		w, err := standardwebhooks.NewWebhook(l.Secret.Reveal())
		if err != nil {
			s.Fatal(err)
		}
		h := http.Header{}
		for name, values := range got.Header {
			h.Set(name, values[0]) // as a connection makes it
		}
		if err := w.VerifyIgnoringTimestamp(got.Body, h); err != nil {
			s.Error(err)
		}
		want, err := webhook.Render(got.Event, webhook.V20240425, webhook.JSON)
		if err != nil || string(want) != string(got.Body) {
			s.Errorf("the body is %s, want %s, %v", got.Body, want, err)
		}
		sent := webhook.Delivery{}
		for _, j := range claim(s) {
			sent = j.Delivery
		}
		if string(sent.Body) != string(got.Body) {
			s.Errorf("the endpoint gets %s, the session %s", sent.Body, got.Body)
		}
	})
}

func claim(s *scene) []webhook.Job {
	s.Helper()
	c, err := s.store.Claim(s.Context(), time.Now().Add(time.Hour), time.Minute, storetest.Room(10))
	if err != nil {
		s.Fatal(err)
	}
	return c.Jobs
}

func TestWhoHearsWhat(t *testing.T) {
	inBubble(t, func(s *scene) {
		wants := laptop()
		wants.Name, wants.Events = "paid", []string{"Transaction.Paid"}
		live := laptop()
		live.Name, live.Mode = "live", merchant.Live
		all, _ := s.open(laptop())
		paid, _ := s.open(wants)
		other, _ := s.open(live)
		hears, one, none := s.connect(all, false), s.connect(paid, false), s.connect(other, false)
		s.register("o-1", func(p payment.Payment) ([]webhook.Emission, error) {
			return []webhook.Emission{{Event: issued(p, 0)}}, nil // as skipWebhook has it
		})
		s.issue("o-2", 0)
		if _, err := s.store.Settle(s.Context(), []notice.Inbound{told("o-2")}, storetest.Judge); err != nil {
			s.Fatal(err)
		}
		hears.after(15*time.Second, "ready 0", "o-2", "o-2")
		one.after(15*time.Second, "ready 0", "o-2")
		none.after(15*time.Second, "ready 0")
		if one.item(0).Event.Type != webhook.Paid {
			s.Errorf("it was sent %s", one.item(0).Event.Type)
		}
	})
}

func told(order string) notice.Inbound {
	in := storetest.Told(storetest.Channel, order, storetest.Deposit(order, "D1"))
	in.At = time.Now()
	return in
}

func TestTakenOverAndEnded(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		first := s.connect(l, false)
		second := s.connect(l, false)
		first.after(15*time.Second, "ready 0", "end taken")
		second.after(15*time.Second, "ready 0")
		if err := s.sessions.End(s.Context(), l, member.By{Kind: member.CLI, Name: "you"}); err != nil {
			s.Fatal(err)
		}
		second.after(15*time.Second, "ready 0", "end ended")
		if _, err := s.sessions.Own(s.Context(), l.ID, credential); !fault.Is(err, fault.NotFound) {
			s.Errorf("Own of an ended session = %v", err)
		}
		if err := s.sessions.End(s.Context(), l, member.By{Kind: member.CLI, Name: "you"}); !fault.Is(err, fault.NotFound) {
			s.Errorf("End of an ended session = %v", err)
		}
	})
}

func TestAConnectionEndsWithTheServerAndTheSecret(t *testing.T) {
	inBubble(t, func(s *scene) {
		stopping := make(chan struct{})
		s.sessions.Stopping = stopping
		l, _ := s.open(laptop())
		m := s.connect(l, false)
		var refused []string
		err := s.sessions.Stream(s.Context(), l, func(context.Context) error { return fault.Errorf(fault.Unauthorized, "it has expired") },
			func(msg listen.Message) error {
				if msg.End != "" {
					refused = append(refused, msg.End)
				}
				return nil
			})
		if err != nil || !slices.Equal(refused, []string{"refused"}) {
			s.Errorf("with a secret that ends the connection is told %q, %v", refused, err)
		}
		m.after(15*time.Second, "ready 0", "end taken")
		m = s.connect(l, false)
		close(stopping)
		m.after(0, "ready 0", "end stopping")
	})
}

func TestSessionsAreBounded(t *testing.T) {
	inBubble(t, func(s *scene) {
		for i := range webhook.MaxListeners {
			l := laptop()
			l.Name = fmt.Sprint(i)
			s.open(l)
		}
		if _, _, err := s.sessions.Open(s.Context(), laptop()); !errors.Is(err, webhook.ErrTooManyListeners) {
			s.Errorf("Open of one too many = %v", err)
		}
		live := laptop()
		live.Mode = merchant.Live
		s.open(live) // counts for itself
		time.Sleep(webhook.ListenerLife)
		if _, fresh := s.open(laptop()); !fresh {
			s.Error("an old session is gone on with")
		}
		list, err := s.store.Listeners(s.Context(), []merchant.StoreID{storetest.Store}, merchant.Test, time.Now())
		if err != nil || len(list) != 1 {
			s.Errorf("%d sessions are left after a week, %v", len(list), err)
		}
	})
}

func TestBadOpenings(t *testing.T) {
	inBubble(t, func(s *scene) {
		for name, spoil := range map[string]func(*webhook.Listener){
			"no name":            func(l *webhook.Listener) { l.Name = "" },
			"no text":            func(l *webhook.Listener) { l.Name = "a\x00" },
			"no UTF-8":           func(l *webhook.Listener) { l.Forward = "\xff" },
			"long name":          func(l *webhook.Listener) { l.Name = strings.Repeat("n", 201) },
			"long forward":       func(l *webhook.Listener) { l.Forward = strings.Repeat("n", 2001) },
			"both modes":         func(l *webhook.Listener) { l.Mode = merchant.Any },
			"no such event":      func(l *webhook.Listener) { l.Events = []string{"Transaction.Lost"} },
			"many events":        func(l *webhook.Listener) { l.Events = slices.Repeat([]string{"*"}, 40) },
			"no such version":    func(l *webhook.Listener) { l.Version = "2020-01-01" },
			"no such type":       func(l *webhook.Listener) { l.ContentType = "xml" },
			"form where is none": func(l *webhook.Listener) { l.ContentType = webhook.Form },
		} {
			l := laptop()
			spoil(&l)
			if _, _, err := s.sessions.Open(s.Context(), l); !fault.Is(err, fault.Invalid) {
				s.Errorf("%s: Open = %v, want fault.Invalid", name, err)
			}
		}
	})
}

func TestBadReports(t *testing.T) {
	inBubble(t, func(s *scene) {
		l, _ := s.open(laptop())
		m := s.connect(l, true)
		s.issue("o-1", 0)
		m.after(time.Second, "ready 0", "o-1")
		item := m.item(0).ID
		live := laptop()
		live.Mode = merchant.Live
		other, _ := s.open(live)
		for name, c := range map[string]struct {
			l    webhook.Listener
			a    webhook.Listened
			want fault.Kind
		}{
			"of nothing":         {l, webhook.Listened{Item: storetest.NewID(), Number: 1}, fault.NotFound},
			"of no id":           {l, webhook.Listened{Item: "x", Number: 1}, fault.NotFound},
			"of the other mode":  {other, webhook.Listened{Item: item, Number: 1}, fault.NotFound},
			"of no session":      {webhook.Listener{ID: webhook.ListenerID(storetest.NewID()), Store: l.Store, Mode: l.Mode}, webhook.Listened{Item: item, Number: 1}, fault.NotFound},
			"of the zeroth try":  {l, webhook.Listened{Item: item}, fault.Invalid},
			"of a negative time": {l, webhook.Listened{Item: item, Number: 1, Took: -1}, fault.Invalid},
			"of an odd status":   {l, webhook.Listened{Item: item, Number: 1, Status: 1000}, fault.Invalid},
		} {
			if err := s.sessions.Report(s.Context(), c.l, c.a); !fault.Is(err, c.want) {
				s.Errorf("a report %s = %v, want %v", name, err, c.want)
			}
		}
		hostile := webhook.Listened{
			Item: item, Number: 1, URL: "http://x/\x00", Error: strings.Repeat("\xff\x00", 400), ResponseHeader: strings.Repeat("h", 20<<10),
			ResponseBody: []byte(strings.Repeat("\x00", 20<<10)),
		}
		for range 2 { // the second is the same again
			if err := s.sessions.Report(s.Context(), l, hostile); err != nil {
				s.Fatal(err)
			}
		}
		list, err := s.store.Listened(s.Context(), l.ID, 10)
		if err != nil || len(list) != 1 || len(list[0].ResponseBody) != 16<<10 || !list[0].Truncated || list[0].PaymentID != "o-1" {
			s.Fatalf("%d tries are kept, %v: %+v", len(list), err, list)
		}
		of, err := s.store.ListenedOf(s.Context(), list[0].Payment, 10)
		if err != nil || len(of) != 1 {
			s.Errorf("%d tries of the payment, %v", len(of), err)
		}
		ended, err := s.store.Webhooks(s.Context(), list[0].Payment)
		if err != nil || len(ended) != 1 || ended[0].Tries != 0 {
			s.Errorf("the endpoint's webhook is %+v, %v", ended, err)
		}
	})
}
