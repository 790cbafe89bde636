package action

import (
	"context"
	"time"
)

// fitAgain is how soon a node that must not go by its clock asks whether it may.
const fitAgain = time.Second

// untilFit waits until a node may go by its clock, as fit says; nil: it always may. It
// returns at once when ctx ends.
func untilFit(ctx context.Context, fit func() bool) {
	var a alarm
	for fit != nil && ctx.Err() == nil && !fit() {
		a.sleep(ctx, fitAgain)
	}
}
