package action_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/action"
)

// A searchStore has some changes to note, and fails as often as told.
type searchStore struct {
	left, failing int
	calls         int
	done          time.Time // when nothing was left
}

func (s *searchStore) PutSearchable(_ context.Context, now time.Time, n int) (int, error) {
	s.calls++
	if s.failing > 0 {
		s.failing--
		return 0, errors.New("away")
	}
	took := min(n, s.left)
	if s.left -= took; s.left == 0 && s.done.IsZero() {
		s.done = now
	}
	return took, nil
}

// TestSearchableCatchesUp checks that what there is to note is noted round by
// round, at once while there is more, and after failures.
func TestSearchableCatchesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &searchStore{left: 10_000, failing: 2}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		began := time.Now()
		if err := (&action.Searchable{Store: s}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := s.done.Sub(began); s.left != 0 || took > time.Minute {
			t.Errorf("%d changes are left, after %v", s.left, took)
		}
		if s.calls > 400 {
			t.Errorf("the store was asked %d times in an hour", s.calls)
		}
	})
}
