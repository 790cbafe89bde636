package settings

import (
	"context"
	"errors"
	"testing"
)

func TestCache(t *testing.T) {
	t.Parallel()
	var c Cache[int]
	stored, loads := 1, 0
	load := func(context.Context) (*int, error) {
		loads++
		v := stored
		return &v, nil
	}
	get := func(want, wantLoads int) *int {
		t.Helper()
		v, err := c.Get(t.Context(), load)
		if err != nil || *v != want || loads != wantLoads {
			t.Errorf("Get = %d, %v after %d loads; want %d after %d", *v, err, loads, want, wantLoads)
		}
		return v
	}
	get(1, 1)
	first := get(1, 1)
	c.Refresh()
	second := get(1, 2)
	c.Forget(first) // replaced since
	get(1, 2)
	c.Forget(second)
	get(1, 3)

	c.Refresh()
	if _, err := c.Get(t.Context(), func(context.Context) (*int, error) { return nil, errors.New("away") }); err == nil {
		t.Error("Get hides that nothing could be loaded")
	}
	get(1, 4)
}

func TestCacheKeepsNothingOld(t *testing.T) {
	t.Parallel()
	var c Cache[int]
	slow := func(context.Context) (*int, error) {
		v := 1
		c.Refresh() // the settings change after they were read
		return &v, nil
	}
	if v, err := c.Get(t.Context(), slow); err != nil || *v != 1 {
		t.Errorf("Get = %v, %v", v, err)
	}
	v, err := c.Get(t.Context(), func(context.Context) (*int, error) { v := 2; return &v, nil })
	if err != nil || *v != 2 {
		t.Errorf("Get after the change = %d, %v; want 2", *v, err)
	}
}
