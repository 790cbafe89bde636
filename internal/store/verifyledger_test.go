package store

import (
	"fmt"
	"testing"
)

func TestIDSet(t *testing.T) {
	t.Parallel()
	s := newIDSet()
	id := func(i int) []byte { return fmt.Appendf(nil, "%036d", i) }
	const most = 10_000 // it grows several times
	for i := range most {
		s.add(id(i))
	}
	for i := range 2 * most {
		if s.has(id(i)) != (i < most) {
			t.Fatalf("has(%d) = %v of %d ids", i, i >= most, most)
		}
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	l := newLedger()
	a, b := []byte("a"), []byte("b")
	for _, step := range []struct {
		times        int64
		thing, entry []byte
		even         bool
	}{
		{1, a, a, false}, {1, a, b, false}, {-1, a, a, false}, {-1, a, b, true},
		{2, a, a, false}, {-1, a, a, false}, {-1, a, a, true},
		{1, a, a, false}, {-1, a, b, false},
	} {
		l.add(step.times, step.thing, step.entry)
		if l.even(step.thing) != step.even || l.allEven() != step.even {
			t.Fatalf("after %+v the account is even: %v, all: %v", step, l.even(step.thing), l.allEven())
		}
	}
}
