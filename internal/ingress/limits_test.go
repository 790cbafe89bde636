package ingress_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// attentions are the subjects of attention events: kind and channel.
func (s *site) attentions() string {
	s.Helper()
	return s.texts(`select json_extract(concern, '$.Kind') || '@' || substr(json_extract(concern, '$.Channel'), -1)
		from event where type = 'tongbo.attention' order by id`)
}

func TestRefusalsAreKeptUpToACap(t *testing.T) {
	inBubble(t, channels(liveChannel()), func(t *testing.T, s *site) {
		n := deposit("o-1", toMID("A1234"))
		counted := func() string {
			return s.texts(`select peer || ':' || kept || '+' || dropped from refusal order by day, peer`)
		}
		const over = 3
		for range store.RefusalCap + over {
			if w := s.send(stranger, n); w.Code != 400 {
				t.Fatalf("answer = %d, want 400", w.Code)
			}
		}
		if got, want := counted(), stranger+":500+3"; got != want {
			t.Errorf("counted %s, want %s", got, want)
		}
		if got := strings.Count(s.texts(`select 'x' from notice_body`), "x"); got != store.RefusalCap {
			t.Errorf("%d bodies are kept, want %d", got, store.RefusalCap)
		}
		// Another address has a cap of its own, and so has the next day.
		s.send("198.51.100.8", n)
		time.Sleep(24 * time.Hour)
		s.send(stranger, n)
		if got, want := counted(), stranger+":500+3 198.51.100.8:1+0 "+stranger+":1+0"; got != want {
			t.Errorf("counted %s, want %s", got, want)
		}
		// The cap is for what is refused: the address may be let in meanwhile.
		s.mustRegister(liveChannel(), "o-1")
		s.send(kcpLive, n)
		if got := s.state("s1", "o-1"); got != payment.Paid {
			t.Errorf("the payment is %s", got)
		}
	})
}

func TestAttentionOncePerKindAndChannel(t *testing.T) {
	inBubble(t, channels(testChannel(), liveChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		refused := func() { s.send(stranger, deposit("o-1")) }
		refused()
		refused()
		s.send(stranger, deposit("o-1", toMID("A1234")))
		s.send(loopback, deposit("o-9"))
		s.send(loopback, deposit("o-8"))
		s.send(loopback, deposit("o-1", amount(1)))
		if got, want := s.attentions(), "refused@a refused@b unmatched@a conflict@a"; got != want {
			t.Errorf("told of %s, want %s", got, want)
		}
		time.Sleep(10*time.Minute - time.Second)
		refused()
		if got, want := s.attentions(), "refused@a refused@b unmatched@a conflict@a"; got != want {
			t.Errorf("within ten minutes: %s, want %s", got, want)
		}
		time.Sleep(time.Second)
		refused()
		if got, want := s.attentions(), "refused@a refused@b unmatched@a conflict@a refused@a"; got != want {
			t.Errorf("after ten minutes: %s, want %s", got, want)
		}
	})
}

// Nobody is told by whom nothing is known: neither a tenant of what names no
// channel, nor anybody of what was settled.
func TestNoAttention(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		s.send(loopback, deposit("o-1"))
		s.send(loopback, deposit("o-1"))
		s.send(stranger, deposit("o-1", toMID("T0007")))
		s.serve(call{path: kcpPath, from: stranger, body: []byte("?")})
		s.wantVerdicts("applied@test duplicate@test refused/unknown_channel unreadable/unreadable")
		if got := s.attentions(); got != "" {
			t.Errorf("told of %s", got)
		}
	})
}
