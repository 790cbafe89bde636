package settings

import (
	"context"
	"sync"
)

// A Cache keeps what its user made of the settings until they change. The zero
// Cache is empty. Its methods are safe for concurrent use.
type Cache[V any] struct {
	mu      sync.Mutex
	kept    *V
	changes int // how often Refresh was called
}

// Get returns what is kept, or what load makes if that is nothing. What was
// loaded while Refresh was called is returned and not kept: it may be old. load
// may run more than once at a time.
func (c *Cache[V]) Get(ctx context.Context, load func(context.Context) (*V, error)) (*V, error) {
	c.mu.Lock()
	kept, changes := c.kept, c.changes
	c.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	v, err := load(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.kept = v
	}
	return v, nil
}

// Kept returns what is kept, nil if that is nothing.
func (c *Cache[V]) Kept() *V {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept
}

// Refresh makes the next Get load the settings anew. It does not wait for one
// that is loading.
func (c *Cache[V]) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
	c.changes++
}

// Forget drops v if it is what is kept.
func (c *Cache[V]) Forget(v *V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == v {
		c.kept = nil
	}
}
