package store

import (
	"context"
	"sync"
	"time"
)

// A Cached keeps figures for some seconds, so that a page that many look at is
// figured once. Its zero value is empty and ready; it is safe for concurrent use.
type Cached[Key comparable, Value any] struct {
	mu   sync.Mutex
	kept map[Key]*keptFigure[Value]
}

// keptFor is how long a figure is kept, and mostKept how many of them.
const (
	keptFor  = 10 * time.Second
	mostKept = 1000
)

type keptFigure[Value any] struct {
	mu    sync.Mutex // held while it is made
	value Value
	until time.Time
}

// Get returns the value of a key, which produce makes if there is none that is
// younger than ten seconds. Who asks for one that is being made waits for it. An
// error is not kept.
func (c *Cached[Key, Value]) Get(ctx context.Context, k Key, produce func(context.Context) (Value, error)) (Value, error) {
	f := c.of(k)
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(f.until) {
		return f.value, nil
	}
	v, err := produce(ctx)
	if err == nil {
		f.value, f.until = v, time.Now().Add(keptFor)
	}
	return v, err
}

// of is the figure of a key; all are forgotten once they are many.
func (c *Cached[Key, Value]) of(k Key) *keptFigure[Value] {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.kept[k]
	if !ok {
		if c.kept == nil || len(c.kept) >= mostKept {
			c.kept = map[Key]*keptFigure[Value]{}
		}
		f = &keptFigure[Value]{}
		c.kept[k] = f
	}
	return f
}
