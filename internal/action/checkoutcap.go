package action

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// cappedEvery is how often it is logged that a store has no more live accounts issued.
const cappedEvery = time.Minute

// A capLog is when it was logged last of each store. The zero capLog is ready.
type capLog struct {
	mu   sync.Mutex
	told map[merchant.StoreID]time.Time
}

// due reports whether it is to be logged of a store now, and notes that it is.
func (l *capLog) due(s merchant.StoreID, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.told[s]; ok && at.Sub(last) < cappedEvery {
		return false
	}
	if l.told == nil {
		l.told = make(map[merchant.StoreID]time.Time)
	}
	l.told[s] = at
	return true
}

// tellCapped logs that windows of a store had as many live accounts issued as they may.
// Somebody is to look at it: there is a rush of buyers, or somebody who does not mean to pay.
func (a *Actions) tellCapped(ctx context.Context, s merchant.StoreID, err error) {
	if errors.Is(err, payment.ErrTooManyAccounts) && a.Log != nil && a.capped.due(s, now()) {
		a.Log.WarnContext(ctx, "windows of a store have no more live accounts issued for now", "store_id", s, "err", err)
	}
}
