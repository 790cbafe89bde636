package attention

import (
	"context"
	"sync"
	"time"
)

// countFor is how long a count is kept.
const countFor = 10 * time.Second

// A count is how many things needed a person lately. Who asks while another counts
// waits for that one.
type count struct {
	mu sync.Mutex
	at time.Time
	n  int
}

// mostCounts bounds how many scopes are remembered.
const mostCounts = 1000

// Count is how many rows List has in a scope, as it was at most ten seconds ago.
func (d *Desk) Count(ctx context.Context, scope Scope, now time.Time) (int, error) {
	d.mu.Lock()
	if d.counts == nil || len(d.counts) > mostCounts {
		d.counts = make(map[Scope]*count)
	}
	c := d.counts[scope]
	if c == nil {
		c = new(count)
		d.counts[scope] = c
	}
	d.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.at); age >= 0 && age < countFor {
		return c.n, nil
	}
	list, err := d.List(ctx, scope, now)
	if err != nil {
		return 0, err
	}
	c.n, c.at = list.Total, now
	return c.n, nil
}

// Recount forgets the counts, since somebody dealt with something.
func (d *Desk) Recount() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts = nil
}
