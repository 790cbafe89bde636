package ingress

import (
	"context"
	"sync"
)

// Run settles what the handlers bring until ctx ends. Notices that arrive
// while one commit is under way share the next: a batch is whatever waited,
// and an idle system waits for nothing. Where several commits may be under way,
// another begins beside them when as many wait as they carry: two small batches
// cost nearly twice as much as one.
func (i *Ingress) Run(ctx context.Context) error {
	i.init()
	var commits sync.WaitGroup
	defer commits.Wait()
	done := make(chan int, max(1, i.Commits))
	var waits []*waiting
	under, carried := 0, 0 // commits under way, and notices in them
	for {
		more := i.queue
		if len(waits) >= mostAtOnce {
			more = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case w := <-more:
			waits = i.gather(append(waits, w))
		case n := <-done:
			under, carried = under-1, carried-n
			waits = i.gather(waits)
		}
		for len(waits) > 0 && (under == 0 || under < i.Commits && len(waits) >= carried) {
			n := min(len(waits), i.pace.limit())
			batch := waits[:n:n]
			waits = waits[n:]
			under, carried = under+1, carried+n
			commits.Go(func() {
				i.settle(ctx, batch)
				done <- n
			})
		}
	}
}

// gather adds what else has come, without waiting for more.
func (i *Ingress) gather(waits []*waiting) []*waiting {
	for len(waits) < mostAtOnce {
		select {
		case w := <-i.queue:
			waits = append(waits, w)
		default:
			return waits
		}
	}
	return waits
}
