package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

// kills is how often a test kills: few in an ordinary run, as many as
// TONGBO_TORTURE says at night.
func kills(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("TONGBO_TORTURE")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TONGBO_TORTURE=%s: want how many kills", text)
	}
	return n
}

// databases make an empty one of each engine.
var databases = map[string]func(*testing.T) string{
	"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tongbo.db") },
	"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
}

// workers is how many stories are told at once: twice as many are told no
// faster.
const workers = 32

// moment is a random time of load before a blow.
func moment() time.Duration { return time.Duration(5+rand.IntN(396)) * time.Millisecond }

// TestKilled kills the program at random moments. What it had acknowledged is
// kept, moves its payment once and is told to the shop under one id.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary(t)
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := besiege(t, database(t), 1)
			s.load.start(workers)
			s.killTimes(kills(t, 20))
			s.end()
		})
	}
}

// killTimes kills the nodes in turn, every fifth time all of them at once, and
// starts what it killed again.
func (s *siege) killTimes(n int) {
	s.t.Helper()
	var slowest time.Duration
	for k := range n {
		wait := moment()
		<-time.After(wait)
		victims := s.nodes[k%len(s.nodes):][:1]
		if k%5 == 4 {
			victims = s.nodes
		}
		b := blow{from: time.Now()}
		for _, victim := range victims {
			victim.kill()
		}
		b.to = time.Now()
		s.blows = append(s.blows, b)
		ready := time.Duration(0)
		for _, victim := range victims {
			ready = max(ready, s.start(victim))
		}
		slowest = max(slowest, ready)
		s.t.Logf("kill %d of %d after %v: ready again in %v; %s", k+1, n, wait, ready.Round(time.Millisecond), s.progress())
		if s.load.failed.Load() != nil {
			return // end says what it was
		}
	}
	s.t.Logf("the slowest start took %v", slowest.Round(time.Millisecond))
}

// TestNodeKilled kills two nodes on one database, in turn and together, while
// the PG sends to both.
func TestNodeKilled(t *testing.T) {
	t.Parallel()
	binary(t)
	s := besiege(t, storetest.Postgres(t), 2)
	s.load.start(workers)
	s.killTimes(kills(t, 20))
	s.end()
}

// TestOneDepositOnTwoNodes tells of one deposit a hundred times, from fifty
// connections to two nodes: it counts once, and is acknowledged every time.
func TestOneDepositOnTwoNodes(t *testing.T) {
	t.Parallel()
	binary(t)
	const copies, connections = 100, 50
	s := besiege(t, storetest.Postgres(t), 2)
	s.load.register("o-1", plain)
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range connections {
		all.Go(func() {
			<-gate
			for range copies / connections {
				s.load.tell("o-1", plain, price)
			}
		})
	}
	began := time.Now()
	close(gate)
	all.Wait()
	t.Logf("%d notices took %v", copies, time.Since(began).Round(time.Millisecond))
	if _, acked := s.ledger.counts(); acked != copies {
		t.Errorf("%d of %d notices were acknowledged", acked, copies)
	}
	s.load.cancel = func() {} // it was never started
	s.end()
	if got := fmt.Sprint(len(s.shop.Calls())); got != "2" {
		t.Errorf("the shop heard %s webhooks, want 2: issued and paid", got)
	}
}
