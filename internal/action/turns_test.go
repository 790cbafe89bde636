package action

import (
	"errors"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// TestTurns: who has had all turns of a minute is told when the next one is, and nobody else
// is held up by that.
func TestTurns(t *testing.T) {
	var l turns
	noon := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	take := func(seconds int, of ...turn) error {
		return l.take(noon.Add(time.Duration(seconds)*time.Second), "test notices", of...)
	}
	store, a, b := turn{"store", 3}, turn{"a", 2}, turn{"b", 2}
	for _, c := range []struct {
		name    string
		seconds int
		of      []turn
		until   int // when the next turn is; 0: it was given
	}{
		{"the first", 0, []turn{store, a}, 0},
		{"the second", 10, []turn{store, a}, 0},
		{"one more of a", 20, []turn{store, a}, 60},
		{"b has turns", 30, []turn{store, b}, 0},
		{"the store has none left", 40, []turn{store, b}, 60},
		{"another store", 40, []turn{{"other", 3}, b}, 0},
		{"a minute after the first", 60, []turn{store, a}, 0},
		{"the second of the minute", 61, []turn{store, a}, 70},
		{"long after", 1000, []turn{store, a}, 0},
	} {
		err := take(c.seconds, c.of...)
		often, no := errors.AsType[*TooOftenError](err)
		switch {
		case (c.until != 0) != no:
			t.Errorf("%s: %v", c.name, err)
		case no && (!often.Until.Equal(noon.Add(time.Duration(c.until)*time.Second)) || !fault.Is(err, fault.Unavailable)):
			t.Errorf("%s: until %v, %v, want %d s", c.name, often.Until, fault.KindOf(err), c.until)
		}
	}
	if len(l.at) != 2 {
		t.Errorf("%d of the past are remembered", len(l.at))
	}
}
