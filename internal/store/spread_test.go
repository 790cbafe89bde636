package store

import (
	"errors"
	"slices"
	"testing"
)

func TestSpreadDoesEachOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3, 4, 17, 256} {
		done := make([]int, n)
		if err := spread(n, func(i int) error { done[i]++; return nil }); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(done, func(times int) bool { return times != 1 }) {
			t.Errorf("%d pieces were done %v times", n, done)
		}
	}
}

func TestSpreadReportsTheFirstError(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	err := spread(20, func(i int) error {
		switch i {
		case 5:
			return first
		case 6:
			return second
		}
		return nil
	})
	if !errors.Is(err, first) {
		t.Errorf("spread reports %v, want the first piece's error", err)
	}
}

func TestSpreadTurnsAPanicIntoAnError(t *testing.T) {
	t.Parallel()
	err := spread(20, func(i int) error {
		if i == 7 {
			panic("a broken document")
		}
		return nil
	})
	if _, ours := errors.AsType[*programError](err); !ours {
		t.Errorf("spread reports %v, want a mistake of the program", err)
	}
}
