package action

import (
	"context"
	"log/slog"
	"sync"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
)

// How many tests of paths one node runs at once, and how many wait for it.
const (
	pathsAtOnce  = 8
	pathsWaiting = 64
)

// PathTests runs tests of channels' paths for who does not wait for them: how far each has
// come is read from the store. Actions must be set; the zero value of the rest is ready. Its
// methods are safe for concurrent use.
type PathTests struct {
	Actions *Actions
	Log     *slog.Logger

	once sync.Once
	jobs chan *pathing
}

func (r *PathTests) queue() chan *pathing {
	r.once.Do(func() { r.jobs = make(chan *pathing, pathsWaiting) })
	return r.jobs
}

// Begin begins a test as [Actions.TryPath] does, and returns at once. Run runs it. Besides
// what that reports, it reports fault.Unavailable while too many wait.
func (r *PathTests) Begin(ctx context.Context, c Caller, key merchant.ChannelKey) (notice.PathTest, error) {
	x, err := r.Actions.beginPath(ctx, c, key)
	if err != nil {
		return notice.PathTest{}, err
	}
	select {
	case r.queue() <- x:
		return x.test, nil
	default:
		return notice.PathTest{}, fault.Errorf(fault.Unavailable, "too many tests are waiting on this server: try again in a minute")
	}
}

// Run runs what was begun until ctx ends, and returns nil; what is under way then ends, and
// says so. Only one Run may be active at a time.
func (r *PathTests) Run(ctx context.Context) error {
	var together sync.WaitGroup
	for range pathsAtOnce {
		together.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case x := <-r.queue():
					if _, err := x.run(ctx); err != nil && r.Log != nil {
						r.Log.ErrorContext(ctx, "a test of a path was not run to its end", "channel", x.channel.Key, "err", err)
					}
				}
			}
		})
	}
	together.Wait()
	return nil
}
