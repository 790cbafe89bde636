package store

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// DropOldSecrets takes those signing secrets out of the settings whose overlap is
// over at now, and returns how many: they sign no more from that moment on, so
// nothing depends on when this is done.
func (s *Store) DropOldSecrets(ctx context.Context, now time.Time) (dropped int, err error) {
	for range mostReads {
		all, err := s.Settings(ctx)
		if err != nil {
			return 0, err
		}
		dropped = 0
		for i, e := range all.Endpoints {
			if signing := e.Signing(now); len(signing) < len(e.Secrets) {
				all.Endpoints[i].Secrets, all.Endpoints[i].OldUntil = slices.Clone(signing), time.Time{}
				dropped++
			}
		}
		if dropped == 0 {
			return 0, nil
		}
		if err := s.SaveSettings(ctx, all, now); !fault.Is(err, fault.Stale) {
			return dropped, err
		}
	}
	return 0, fault.Errorf(fault.Unavailable, "the settings change faster than old secrets can be taken out")
}
