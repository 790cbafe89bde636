package attention

import (
	"context"
	"sync"
	"time"
)

// countFor is how long a count is kept.
const countFor = 10 * time.Second

// A count is what needed a person lately. Who asks while another looks waits for that one.
type count struct {
	mu   sync.Mutex
	list List
}

// mostCounts bounds how many scopes are remembered.
const mostCounts = 1000

// Count is how many rows List has in a scope, as it was at most ten seconds ago.
func (d *Desk) Count(ctx context.Context, scope Scope, now time.Time) (int, error) {
	l, err := d.Recent(ctx, scope, now)
	return l.Total, err
}

// Recent is List as it was at most ten seconds ago. Its Items must not be changed.
func (d *Desk) Recent(ctx context.Context, scope Scope, now time.Time) (List, error) {
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
	if age := now.Sub(c.list.At); age >= 0 && age < countFor {
		return c.list, nil
	}
	list, err := d.List(ctx, scope, now)
	if err != nil {
		return List{}, err
	}
	c.list = list
	return list, nil
}

// Recount forgets the counts, since somebody dealt with something.
func (d *Desk) Recount() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts = nil
}
