// Package ingress takes notices from PGs: it keeps their bytes, decodes and
// authenticates them, finds out whom they mean, and has them settled. Only
// after the commit does it say yes, in the PG's own words.
//
// The order of work is that of the money rules: route, read, decode, channel,
// address, payment, proof, decision, commit, acknowledge.
package ingress

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

// A Store is where notices are settled. Its methods are safe for concurrent
// use.
type Store interface {
	// Settle decides on notices that arrived together and commits them.
	Settle(ctx context.Context, in []notice.Inbound, judge notice.Judge) ([]notice.Result, error)
	// Settings returns the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
}

// Limits of the notice path.
const (
	MaxBody    = 64 << 10         // bytes of a body that are read and kept
	Patience   = time.Second      // from a read request to its answer; then 503
	mostAtOnce = 256              // notices in one commit
	mostTaken  = 2048             // notices in hand at once; then 503
	readLimit  = 10 * time.Second // for a body

	busyPause = 3 * time.Millisecond // before a notice is tried again that another node is busy with
)

// An Ingress takes notices. Fill the exported fields, start Run, and serve
// its ServeHTTP.
type Ingress struct {
	Store     Store
	Providers []provider.Provider
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	// Waits, if set, is told the deadline of each account that a notice made
	// known: Deadlines.Sooner belongs here.
	Waits func(deadline time.Time)
	// Asks, if set, is told when a notice waits for the PG's answer:
	// action.Inquiries.Sooner belongs here.
	Asks func(due time.Time)
	// Rehearsals, if set, keeps the tokens by which this installation sends itself
	// notices; nil: there are none.
	Rehearsals Rehearsals
	// Commits is how many commits may be under way at once; 0 means one. More
	// than one is of use where each waits for a network.
	Commits int

	once    sync.Once
	modules map[string]module // by path
	queue   chan *waiting
	readers readers
	pace    pace
	failing atomic.Int64 // when the store last failed, in Unix microseconds; 0: it did not since it last committed
	slots   chan struct{}
	views   settings.Cache[view]
	loading chan struct{} // holds one: whoever loads the settings
	warn    atomic.Int64  // when the proxy warning was last logged, in Unix seconds
}

// A view is the settings as ingress uses them.
type view struct {
	all   settings.All
	judge *judge
}

// A module is a provider with what it says of itself, asked once.
type module struct {
	provider.Provider
	info provider.Info
}

// A waiting notice has a handler that waits for its result.
type waiting struct {
	ctx  context.Context // the handler's: it may have given up
	view *view           // that it was admitted by
	in   notice.Inbound
	done chan notice.Result
}

func (i *Ingress) init() {
	i.once.Do(func() {
		i.modules = make(map[string]module)
		for _, p := range i.Providers {
			m := module{p, p.Info()}
			for _, path := range m.info.Paths {
				i.modules[path] = m
			}
		}
		i.loading = make(chan struct{}, 1)
		i.queue = make(chan *waiting, mostAtOnce)
		i.slots = make(chan struct{}, mostTaken)
	})
}

// Failing reports whether the store refused the last commit, a short while
// ago: a node of which that is true is not ready.
func (i *Ingress) Failing() bool {
	at := i.failing.Load()
	return at != 0 && time.Since(time.UnixMicro(at)) < failingFor
}

// failingFor is how long a failed commit counts against readiness if nobody
// sends another notice to try.
const failingFor = 10 * time.Second

// settle commits a batch and hands out the results.
func (i *Ingress) settle(ctx context.Context, batch []*waiting) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	live := batch[:0]
	in := make([]notice.Inbound, 0, len(batch))
	var latest *view
	for _, w := range batch {
		if w.ctx.Err() != nil {
			continue // its sender was told 503; it will come again
		}
		live = append(live, w)
		in = append(in, w.in)
		if latest == nil || w.view.all.Version > latest.all.Version {
			latest = w.view
		}
	}
	if len(in) == 0 {
		return
	}
	// Notices that were admitted by older settings are Stale to the store, so
	// the latest judge is the judge of all that it decides on.
	began := time.Now()
	results, err := i.Store.Settle(ctx, in, latest.judge.Rule)
	i.pace.note(len(in), time.Since(began), err != nil)
	if err != nil {
		i.failing.Store(time.Now().UnixMicro())
	} else {
		i.failing.Store(0)
	}
	for n, w := range live {
		if err != nil {
			w.done <- notice.Result{ID: w.in.ID, Err: err}
			continue
		}
		if errors.Is(results[n].Err, notice.ErrBusy) {
			i.again(w)
			continue
		}
		w.done <- results[n]
	}
}

// again puts a notice back in line in a moment, until its handler has given
// up. Moments differ, so that two nodes do not meet again and again.
func (i *Ingress) again(w *waiting) {
	time.AfterFunc(busyPause+rand.N(busyPause), func() { //nolint:gosec // needs no secrecy
		select {
		case i.queue <- w:
		case <-w.ctx.Done():
		}
	})
}

// submit has one notice settled and waits for the commit, at most as long as
// ctx allows. It reports fault.Unavailable if there was none: then nothing is
// acknowledged, whether or not the commit comes later.
func (i *Ingress) submit(ctx context.Context, v *view, in notice.Inbound) (notice.Result, error) {
	w := &waiting{ctx: ctx, view: v, in: in, done: make(chan notice.Result, 1)}
	away := func() (notice.Result, error) {
		return notice.Result{}, fault.Errorf(fault.Unavailable, "there was no commit within %v", Patience)
	}
	select {
	case i.queue <- w:
	case <-ctx.Done():
		return away()
	}
	select {
	case r := <-w.done:
		if i.Waits != nil && r.Err == nil && !r.Deadline.IsZero() {
			i.Waits(r.Deadline)
		}
		if i.Asks != nil && r.Err == nil && r.Verdict == payment.Pending {
			i.Asks(time.Now())
		}
		return r, r.Err
	case <-ctx.Done():
		return away()
	}
}

// Refresh makes the next notice be judged by the settings as they are then.
// It does not block; any goroutine may call it.
func (i *Ingress) Refresh() { i.views.Refresh() }

// forget drops a view that turned out to be stale, unless it was replaced.
func (i *Ingress) forget(v *view) { i.views.Forget(v) }

// current returns the settings in use, loading them if need be.
func (i *Ingress) current(ctx context.Context) (*view, error) {
	if v := i.views.Kept(); v != nil {
		return v, nil
	}
	select {
	case i.loading <- struct{}{}:
		defer func() { <-i.loading }()
	case <-ctx.Done():
		return nil, fault.Errorf(fault.Unavailable, "the settings were not read within %v", Patience)
	}
	return i.views.Get(ctx, func(ctx context.Context) (*view, error) {
		all, err := i.Store.Settings(ctx)
		if err != nil {
			return nil, err
		}
		return &view{all: all, judge: newJudge(all, i.Providers)}, nil
	})
}

// Judge returns the judge of the given settings, for those who decide on held
// notices again.
func (i *Ingress) Judge(all settings.All) notice.Judge { return newJudge(all, i.Providers).Rule }

// newID makes ids of ours.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
