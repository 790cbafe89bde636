package simulator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Scene is how one act of a play went.
type Scene struct {
	Act   int        // its place in the play, from 0
	Tries []Exchange // at least one, unless the play was ended before
	Err   error      // why the last try got no answer; nil if it got one
	// Good says that the PG heard what it should.
	Good bool
}

// Perform plays a play. An act that should be acknowledged is sent again by
// the PG's schedule until it is; any other is tried once. It returns the scenes
// in the order of the acts, and an error only if the address is none
// (fault.Invalid) or ctx ended. done, if not nil, hears of every scene as it
// ends, one at a time.
func (g *PG) Perform(ctx context.Context, to string, p Play, done func(Scene)) ([]Scene, error) {
	if _, err := Target(to, "/"); err != nil {
		return nil, err
	}
	scenes := make([]Scene, len(p.Acts))
	var telling sync.Mutex
	act := func(i int) {
		scenes[i] = g.scene(ctx, to, p, i)
		if done != nil {
			telling.Lock()
			defer telling.Unlock()
			done(scenes[i])
		}
	}
	var all sync.WaitGroup
	room := make(chan struct{}, together)
	for i := range p.Acts {
		if ctx.Err() != nil {
			scenes = scenes[:i]
			break
		}
		if !p.AtOnce {
			act(i)
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			act(i)
		})
	}
	all.Wait()
	return scenes, context.Cause(ctx)
}

func (g *PG) scene(ctx context.Context, to string, p Play, i int) Scene {
	delays := []time.Duration{}
	if p.Want == WantAck {
		delays = g.Schedule()
	}
	pg := *g
	pg.Log = func(x Exchange) {
		if x.Act = i; g.Log != nil {
			g.Log(x)
		}
	}
	tries, err := pg.deliver(ctx, to, p.Acts[i], delays)
	for j := range tries {
		tries[j].Act = i
	}
	s := Scene{Act: i, Tries: tries}
	if fault.Is(err, fault.Unavailable) || err != nil && !errors.Is(err, ErrNotAcked) {
		s.Err = err
	}
	if len(tries) > 0 {
		last := tries[len(tries)-1]
		// Who hears half a request may hang up instead of answering.
		s.Good = p.Want.Met(last.Acked) && (last.Err == nil || p.Acts[i].Line == Cut && errors.Is(last.Err, errBrokenOff))
	}
	return s
}
