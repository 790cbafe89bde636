package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/tongbo/tongbo/internal/webhook"
)

// Release gives leases back before they end: the deliveries are due again as
// they were before they were claimed, for any node and at once. A lease that
// was lost meanwhile is passed over.
func (s *Store) Release(ctx context.Context, jobs []webhook.Job) error {
	// One order for everybody, so that no two transactions wait for each other.
	ordered := slices.SortedFunc(slices.Values(jobs), func(a, b webhook.Job) int { return cmp.Compare(a.ID, b.ID) })
	return s.write(ctx, func(t *tx) error {
		for _, j := range ordered {
			n, err := t.exec(`update delivery set lease = null, ready_at = due_at where id = $1 and lease = $2`, string(j.ID), string(j.Lease))
			if err != nil {
				return err
			}
			t.due = t.due || n > 0
		}
		return nil
	})
}
