package store

import (
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Fresh are deliveries of one transaction for which this node has room: they
// are written leased to it, and their first tries need no claim.
type fresh struct {
	taker   Taker // may be nil
	lease   webhook.Lease
	jobs    []webhook.Job
	left    []string // targets of those that wait, since it had no room for them
	version int64
}

// takes is the store's taker, if it has one.
func (s *Store) takes() Taker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taker
}

// offer has this node keep room for a delivery. It returns the lease and when
// it ends; without one, when the delivery is due.
func (f *fresh) offer(d webhook.Delivery) (webhook.Lease, time.Time) {
	if f.taker == nil || d.State != webhook.Waiting || d.DueAt.After(d.CreatedAt) {
		return "", d.DueAt
	}
	until := f.taker.Reserve(d)
	if until.IsZero() {
		return "", d.DueAt
	}
	if f.lease == "" {
		f.lease = webhook.Lease(uuid.NewString())
	}
	f.jobs = append(f.jobs, webhook.Job{Delivery: d, Lease: f.lease, Until: until})
	return f.lease, until
}

// leave notes a delivery that waits. It is false if nobody was asked for room.
func (f *fresh) leave(d webhook.Delivery) bool {
	if f.taker == nil {
		return false
	}
	if n := len(f.left); n == 0 || f.left[n-1] != d.Target {
		f.left = append(f.left, d.Target)
	}
	return true
}

// dated notes by which settings the deliveries were made.
func (t *tx) dated(f *fresh) (err error) {
	if len(f.jobs) == 0 {
		return nil
	}
	if f.version = t.version; f.version == 0 {
		f.version, err = t.settingsVersion()
	}
	return err
}

// take hands the deliveries over, now that they are committed.
func (f *fresh) take() {
	if len(f.jobs) > 0 {
		f.taker.Take(f.jobs, f.version)
	}
	if len(f.left) > 0 {
		f.taker.Left(f.left)
	}
}

// release gives the room back. Another try has another lease, since the first
// may have been committed unseen.
func (f *fresh) release(unseen bool) {
	if len(f.jobs) > 0 {
		f.taker.Release(f.jobs, unseen)
	}
	*f = fresh{taker: f.taker}
}
