package action

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// calls keeps the sizes of what is written, and fails while down.
type calls struct {
	mu    sync.Mutex
	sizes []int
	tries int
	down  bool
}

// PutCalls notes how many calls it got.
func (c *calls) PutCalls(_ context.Context, list []merchant.Call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if c.down {
		return fault.Errorf(fault.Unavailable, "the disk is full")
	}
	c.sizes = append(c.sizes, len(list))
	return nil
}

func (c *calls) set(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *calls) want(t *testing.T, when string, want ...int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff := cmp.Diff(want, c.sizes); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
	c.sizes = nil
}

func TestJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store calls
		var log bytes.Buffer
		j := &Journal{Store: &store, Log: slog.New(slog.NewTextHandler(&log, nil))}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- j.Run(ctx) }()
		note := func(n int) {
			for range n {
				j.Note(merchant.Call{})
			}
		}
		sleep(time.Hour)
		store.want(t, "with nothing to write")
		note(3)
		sleep(journalPause / 2)
		note(4)
		store.want(t, "before the pause is over")
		sleep(journalPause)
		store.want(t, "after the pause", 7)
		note(journalBatch + 5)
		sleep(2 * journalPause)
		store.want(t, "more than a batch", journalBatch, 5)

		store.set(true)
		note(1)
		sleep(time.Minute)
		note(journalRoom + 11)
		sleep(time.Minute)
		if n := j.Dropped(); n != 11 {
			t.Errorf("%d calls are dropped, want 11", n)
		}
		if tries := store.tries; tries > 30 {
			t.Errorf("%d tries in two minutes", tries)
		}
		store.set(false)
		sleep(time.Minute)
		sizes := []int{1}
		for range journalRoom / journalBatch {
			sizes = append(sizes, journalBatch)
		}
		store.want(t, "after the outage", sizes...)
		note(2)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		store.want(t, "at the end", 2)
		for _, text := range []string{"not written for now", "written again", "calls=11"} {
			if strings.Count(log.String(), text) != 1 {
				t.Errorf("the log says %d times %q:\n%s", strings.Count(log.String(), text), text, log.String())
			}
		}
	})
}

// TestJournalStopsWhileTheStoreIsAway: what cannot be written at the end is counted.
func TestJournalStopsWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := calls{down: true}
		j := &Journal{Store: &store}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- j.Run(ctx) }()
		for i := range 700 {
			j.Note(merchant.Call{Path: fmt.Sprint(i)})
		}
		sleep(time.Minute)
		stop()
		if err := <-done; err != nil || j.Dropped() != 700 {
			t.Errorf("Run = %v, %d dropped of 700", err, j.Dropped())
		}
	})
}
