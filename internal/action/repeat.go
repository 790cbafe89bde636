package action

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
)

// BeginRepeat begins a run of a request that its sender may send again, for at
// most as long as a run can take, and fills in its Run. If the request was
// answered before, it returns that answer, and nothing is to be run. It reports
// merchant.ErrOutstanding while the request is being worked on, and
// merchant.ErrOtherRequest if its ID is that of a request of other content.
func (a *Actions) BeginRepeat(ctx context.Context, r *merchant.Repeatable, longest time.Duration) (merchant.KeptAnswer, error) {
	r.Run = uuid.NewString()
	at := now()
	return a.Store.BeginRepeat(ctx, *r, at, at.Add(longest))
}

// EndRepeat ends a run with what its request is answered from now on; nil if
// nothing came of it, so that the request may be made for real again.
func (a *Actions) EndRepeat(ctx context.Context, r merchant.Repeatable, answer *merchant.KeptAnswer) error {
	return a.Store.EndRepeat(ctx, r, answer)
}
